package state

import (
	"errors"
	"fmt"
	"io/fs"
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
	// spareState is another of the same size, in which the next start makes its state
	// before the two change names: whoever has started once has room to start again.
	spareState = stateName + ".new"
	// badState is the last state that was set aside, since servers broke over it.
	badState = stateName + ".bad"
	// maxState bounds the file that is read: that of maxRoom users has 215 MB.
	maxState = 1 << 30
)

// survivor is where a brigade lives on: the rings' file, and that of its state.
type survivor struct {
	space
	rings *ringMemory
	mem   []byte // of the state
}

// surviving opens what lies in a directory.
func surviving(s space, stems bool) (*survivor, error) {
	rings, err := openRings(s, stems)
	if err != nil {
		return nil, err
	}
	return &survivor{space: s, rings: rings}, nil
}

// clock is the server clock that the rings' file keeps.
func (v *survivor) clock() SteadyClock { return SteadyClock{lead: v.rings.file.lead} }

// brigade makes the brigade that goes on with what was left, or a new one if nothing
// can be used of that. Either is committed to the spare file, which takes the place of
// the other then: should this process die before, the next one finds what this one did.
func (v *survivor) brigade(c brigade.Config, now func() proto.Clock) (*brigade.Brigade, error) {
	broken := v.rings.ends.count(now())
	if broken {
		if err := v.setAside(); err != nil {
			return nil, fmt.Errorf("state: %w", err)
		}
	}
	layout := brigade.StoreLayout(c.MaxUsers, c.Stems, v.rings.file.identity)
	f, err := v.openSpare()
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	v.mem, err = v.mapFile(f, layout.Size())
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("state: %s: %w", spareState, err)
	}
	v.rings.ends.work()
	var b *brigade.Brigade
	if !broken {
		b = v.restore(c, layout, now)
	}
	if b == nil {
		b = brigade.New(v.into(c, layout))
	}
	v.rings.ends.rest()
	if err := v.swap(layout.Size()); err != nil {
		return nil, fmt.Errorf("state: %s: %w", spareState, err)
	}
	return b, nil
}

// setAside gives the state another name, over which servers broke.
func (v *survivor) setAside() error {
	bad, servers := filepath.Join(v.dir, badState), v.rings.ends.inRow.Load()
	if err := os.Rename(filepath.Join(v.dir, stateName), bad); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	v.rings.ends.forget()
	v.log.Warn("starting afresh: server after server broke over what it had restored, which is set aside",
		"servers", servers, "file", bad)
	return nil
}

// openSpare opens the spare file, and makes it if there is none. What else has its name
// is removed.
func (v *survivor) openSpare() (*os.File, error) {
	path := filepath.Join(v.dir, spareState)
	f, err := openOwn(path, 0)
	if err == nil {
		return f, nil
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return openOwn(path, os.O_EXCL)
}

// swap lets the spare file and that of the state change names, at once, and makes the
// new spare one as long as the other. Where there was no state, or where the file system
// cannot exchange two files, another spare one is made.
func (v *survivor) swap(size int) error {
	spare, state := filepath.Join(v.dir, spareState), filepath.Join(v.dir, stateName)
	if unix.Renameat2(unix.AT_FDCWD, spare, unix.AT_FDCWD, state, unix.RENAME_EXCHANGE) != nil {
		if err := os.Rename(spare, state); err != nil {
			return err
		}
	}
	f, err := v.openSpare()
	if err != nil {
		return err
	}
	return errors.Join(v.fit(f, size), f.Close())
}

// into lets a brigade keep its state in the mapped file, of which nothing is left.
func (v *survivor) into(c brigade.Config, layout durable.Layout) brigade.Config {
	clear(v.mem)
	c.Rings, c.Store = &v.rings.rings, durable.Format(v.mem, layout)
	return c
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
			if b, err = v.goOn(v.into(c, layout), snap, layout.Identity, now); err == nil {
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
