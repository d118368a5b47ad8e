package state

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"bucketbrigade/brigade"
	"bucketbrigade/durable"
)

// openOwn opens a file of ours for reading and writing, and nobody else's eyes:
// there are sessions in it. It makes it if there is none.
func openOwn(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|flag, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// space is the directory that files are mapped in.
type space struct {
	dir string
	log *slog.Logger
	// reserve reserves memory for the first size bytes of a file, which it makes as
	// long if it is shorter.
	reserve func(f *os.File, size int) error
}

// mapFile makes a file that long and maps it; on a tmpfs with all its pages, which are
// there already, so that no request waits for one. Where it lacks room, a state that was
// set aside has to go.
func (s space) mapFile(f *os.File, size int) ([]byte, error) {
	if err := s.fit(f, size); err != nil {
		return nil, err
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // it works without, too
	var fs unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &fs) == nil && fs.Type == unix.TMPFS_MAGIC {
		_ = unix.Madvise(mem, unix.MADV_POPULATE_READ)
	}
	return mem, nil
}

// fit makes a file that long, with memory for all of it.
func (s space) fit(f *os.File, size int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > int64(size) {
		if err := f.Truncate(int64(size)); err != nil {
			return err
		}
	}
	err = s.reserve(f, size)
	if errors.Is(err, unix.ENOSPC) && os.Remove(filepath.Join(s.dir, badState)) == nil {
		s.log.Warn("the state that was set aside is removed: its room is needed", "file", badState)
		err = s.reserve(f, size)
	}
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		return errors.New("its file system cannot reserve memory; name a directory on a tmpfs such as /dev/shm or /run with -dir")
	case err != nil:
		return fmt.Errorf("reserve %d bytes: %w", size, err)
	}
	return nil
}

// allocate reserves memory as the system does.
func allocate(f *os.File, size int) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, int64(size))
	for errors.Is(err, unix.EINTR) { // by one of the runtime's own signals
		err = unix.Fallocate(int(f.Fd()), 0, 0, int64(size))
	}
	return err
}

// tell adds to an error that comes of a lack of room how much is needed, and what to do.
func (s space) tell(err error, c brigade.Config) error {
	var fs unix.Statfs_t
	if !errors.Is(err, unix.ENOSPC) || unix.Statfs(s.dir, &fs) != nil {
		return err
	}
	rings, state := ringsHeader+ringBytes(c.Stems), brigade.StoreLayout(c.MaxUsers, c.Stems, durable.Identity{}).Size()
	less := "lower -max-users"
	if c.Stems {
		less += " or leave out -stems"
	}
	mb := func(bytes uint64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
	return fmt.Errorf("%w; %s must hold %s (rings %s, state twice %s) and 0.3 MB a shard, its file system has %s in all, %s of it free: mount a larger tmpfs there, or %s",
		err, s.dir, mb(uint64(rings+2*state)), mb(uint64(rings)), mb(uint64(state)),
		mb(fs.Blocks*uint64(fs.Bsize)), mb(fs.Bavail*uint64(fs.Bsize)), less)
}
