package upload

import (
	"errors"
	"os"
	"path/filepath"
)

// bounds are what a folder keeps: files of a session and files in all, of each
// kind, and bytes of both kinds.
type bounds struct {
	ofSession, ofKind int
	bytes             int64
}

// tidy removes what is too much, but never the file just saved, and temporary
// files that were left over. For example with five tracks of one session the
// oldest of them goes.
func (s *Store) tidy(saved string) error {
	uploads, temps, err := list(s.dir)
	if err != nil {
		return err
	}
	type owner struct {
		kind kind
		who  string
	}
	var (
		faults    []error
		ofSession = map[owner]int{}
		ofKind    = map[kind]int{}
		bytes     int64
	)
	count := func(u entry) {
		ofSession[owner{u.kind, u.who}]++
		ofKind[u.kind]++
		bytes += u.info.Size()
	}
	remove := func(name string) {
		// Another process may have been quicker.
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	for _, u := range uploads {
		if u.name == saved {
			count(u)
		}
	}
	for _, u := range uploads {
		if u.name == saved {
			continue
		}
		// What was removed stays counted: the older ones go, too.
		count(u)
		if ofSession[owner{u.kind, u.who}] > s.bounds.ofSession || ofKind[u.kind] > s.bounds.ofKind || bytes > s.bounds.bytes {
			remove(u.name)
		}
	}
	for _, temp := range temps {
		if s.now().Sub(temp.ModTime()) > maxTempAge {
			remove(temp.Name())
		}
	}
	return errors.Join(faults...)
}
