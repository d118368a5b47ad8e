package audiofile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Prune deletes all but the newest Keep songs, those that are open excepted. What
// is left of songs without a WAV file goes with the songs of its time, and where
// there is more of it than of Keep songs. In the folder of the stems only stems are
// deleted, and the folder if that leaves it empty. What cannot be deleted keeps
// nothing else from being so, and is told.
func (r *Recordings) Prune(open ...string) error {
	songs, err := r.songs()
	if err != nil {
		return fmt.Errorf("delete old recordings: %w", err)
	}
	var faults []error
	whole, parts := 0, 0
	for _, s := range songs { // the newest first
		old := whole >= r.limit()
		if s.wav != nil {
			whole++
		} else {
			old = old || parts >= r.limit()
			parts++
		}
		if old && !slices.Contains(open, s.String()) {
			faults = append(faults, r.remove(s))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("delete old recordings: %w", err)
	}
	return nil
}

// remove deletes a song, its WAV file last: as long as that is there, people see
// what still takes space.
func (r *Recordings) remove(s song) error {
	var faults []error
	name := s.String()
	if s.stems {
		faults = append(faults, removeStems(r.Stems(name), func(string) bool { return true }))
	}
	if s.flac != nil {
		faults = append(faults, os.Remove(r.FLAC(name)))
	}
	if s.wav != nil {
		faults = append(faults, os.Remove(r.WAV(name)))
	}
	return errors.Join(faults...)
}

// removeStems deletes those stems in a folder that which says, and the folder if
// it is empty then.
func removeStems(dir string, which func(path string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var faults []error
	left := 0
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if entry.Type().IsRegular() && isStem(entry.Name()) && which(path) {
			faults = append(faults, os.Remove(path))
		} else {
			left++
		}
	}
	if err := errors.Join(faults...); err != nil || left > 0 {
		return err
	}
	return os.Remove(dir)
}
