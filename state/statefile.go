package state

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"bucketbrigade/brigade"
	"bucketbrigade/durable"
	"bucketbrigade/proto"
)

const (
	// stateName is the file of all that is no audio, beside that of the rings.
	stateName = "brigade-state"
	// newState is where the next one is made, before it takes the name of the last.
	newState = stateName + ".new"
	// maxState bounds the file that is read: that of 40 000 users has 200 MB.
	maxState = 1 << 30
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

// mapFile reserves memory for a file and maps it; on a tmpfs with all its pages,
// which are there already, so that no request waits for one.
func mapFile(f *os.File, size int) ([]byte, error) {
	fd := int(f.Fd())
	err := unix.Fallocate(fd, 0, 0, int64(size))
	for errors.Is(err, unix.EINTR) { // by one of the runtime's own signals
		err = unix.Fallocate(fd, 0, 0, int64(size))
	}
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		return nil, errors.New("its file system cannot reserve memory; name a directory on a tmpfs such as /dev/shm or /run with -dir")
	case err != nil:
		return nil, fmt.Errorf("reserve %d bytes: %w; make room on its file system", size, err)
	}
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // it works without, too
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.TMPFS_MAGIC {
		_ = unix.Madvise(mem, unix.MADV_POPULATE_READ)
	}
	return mem, nil
}

// survivor is where a brigade lives on: the rings' file, and that of its state.
type survivor struct {
	dir   string
	rings *ringMemory
	log   *slog.Logger
	mem   []byte // of the state
}

// surviving opens what lies in dir.
func surviving(dir string, stems bool, log *slog.Logger) (*survivor, error) {
	rings, err := openRings(dir, stems)
	if err != nil {
		return nil, err
	}
	return &survivor{dir: dir, rings: rings, log: log}, nil
}

// clock is the server clock that the rings' file keeps.
func (v *survivor) clock() SteadyClock { return SteadyClock{lead: v.rings.file.lead} }

// brigade makes the brigade that goes on with what was left, or a new one if nothing
// can be used of that. Either is committed to a new file, which takes the place of
// the old one then: should this process die before, the next one finds what this one
// did.
func (v *survivor) brigade(c brigade.Config, now func() proto.Clock) (*brigade.Brigade, error) {
	layout := brigade.StoreLayout(c.MaxUsers, c.Stems, v.rings.file.identity)
	path := filepath.Join(v.dir, newState)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("state: %w", err)
	}
	f, err := openOwn(path, os.O_EXCL)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	v.mem, err = mapFile(f, layout.Size())
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("state: %s: %w", path, err)
	}
	c.Rings, c.Store = &v.rings.rings, durable.Format(v.mem, layout)
	b := v.restore(c, layout, now)
	if b == nil {
		clear(v.mem)
		c.Store = durable.Format(v.mem, layout)
		b = brigade.New(c)
	}
	if err := os.Rename(path, filepath.Join(v.dir, stateName)); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return b, nil
}

// restore restores the brigade; nil if it cannot be, which is logged with why.
func (v *survivor) restore(c brigade.Config, layout durable.Layout, now func() proto.Clock) *brigade.Brigade {
	began := time.Now()
	if why := v.rings.file.fresh; why != "" {
		v.log.Info("starting afresh", "file", ringsName, "why", why)
		return nil
	}
	mem, err := v.left()
	if err == nil {
		defer unix.Munmap(mem)
		var snap *durable.Snapshot
		if snap, err = durable.Open(mem, layout.Version); err == nil {
			var b *brigade.Brigade
			if b, err = v.goOn(c, snap, layout.Identity, now); err == nil {
				v.log.Info("going on where the last server ended", "took", time.Since(began).Round(time.Millisecond))
				return b
			}
		}
	}
	v.log.Warn("starting afresh: what the last server left cannot be used", "file", stateName, "why", err)
	return nil
}

func (v *survivor) goOn(c brigade.Config, snap *durable.Snapshot, identity durable.Identity, now func() proto.Clock) (*brigade.Brigade, error) {
	if snap.Identity() != identity {
		return nil, errors.New("it belongs to other rings")
	}
	return brigade.Restore(c, snap, now())
}

// left maps the state that the last server left.
func (v *survivor) left() ([]byte, error) {
	f, err := os.OpenFile(filepath.Join(v.dir, stateName), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size == 0 || size > maxState || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it has %d bytes, or is no file", size)
	}
	return unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
}

// close gives the files up; they stay.
func (v *survivor) close() error {
	mem := v.mem
	v.mem = nil
	err := v.rings.close()
	if mem != nil {
		err = errors.Join(err, unix.Munmap(mem))
	}
	return err
}
