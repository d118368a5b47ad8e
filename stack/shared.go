package stack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sharedName is how directories of shared memory are called, once they are locked;
// until then they are called newName.
const (
	sharedName = "brigade-run-"
	newName    = ".brigade-new-"
)

// sharedDir is a directory of memory: segments, rings, state. On a disk, what
// changes in there would be written to it again and again. It is locked as long
// as it is in use, so that whoever finds one without lock knows that its owner was
// killed, and removes it: 150 MB of memory.
type sharedDir struct {
	path string
	lock *os.File
}

// makeShared makes one in memory, in the folder that is for that; where there is
// none, in dir. Those that were left behind are removed.
func makeShared(memory, dir string) (*sharedDir, error) {
	removeLeft(memory)
	fresh, err := os.MkdirTemp(memory, newName)
	if err != nil {
		if fresh, err = os.MkdirTemp(dir, newName); err != nil {
			return nil, err
		}
	}
	folder, name := filepath.Split(fresh)
	s := &sharedDir{path: filepath.Join(folder, sharedName+strings.TrimPrefix(name, newName))}
	if s.lock, err = lockDir(fresh); err == nil {
		err = os.Rename(fresh, s.path)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(fresh))
	}
	return s, nil
}

// remove removes the directory, and with the lock whatever else says it is used.
func (s *sharedDir) remove() error {
	return errors.Join(os.RemoveAll(s.path), s.lock.Close())
}

// lockDir takes the lock of a directory; it is an error if somebody has it.
func lockDir(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// removeLeft removes what killed owners left behind, as far as it may.
func removeLeft(memory string) {
	found, _ := filepath.Glob(filepath.Join(memory, sharedName+"*"))
	for _, path := range found {
		if lock, err := lockDir(path); err == nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}
