package audiofile

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// DefaultKeep is how many songs are kept where nothing else is said.
const DefaultKeep = 20

// Recordings is a folder of recorded songs. A song has a name, and by it
//
//	NAME.wav    the song, a Take
//	NAME.flac   the same, smaller; may be missing
//	NAME/       its stems, bucket-1.wav to bucket-6.wav and backing.wav; may be missing
//
// All else in the folder is left alone and not listed: what is called otherwise,
// and what is no regular file where a file is meant or no folder where one is.
//
// One goroutine has it; nothing is held in memory, each call looks at the folder.
type Recordings struct {
	Dir  string
	Keep int // how many songs are kept, 1 at least; 0: DefaultKeep
}

// probeName is the file that tells whether the folder can be written to.
const probeName = "writable"

// OpenRecordings makes the folder if there is none, mode 0755, and sees to what a
// killed process may have left: incomplete files go, songs without a sample go, a
// header that tells of more samples than are there (the machine lost its power) is
// put right. Then it prunes and writes the index.
//
// It is an error if the folder cannot be made or written to. What single files
// refuse is none: the next Prune and WriteIndex meet it again and tell.
func OpenRecordings(dir string, keep int) (*Recordings, error) {
	if keep < 0 {
		return nil, fmt.Errorf("keep %d recordings, at least 1 is needed (0 for %d)", keep, DefaultKeep)
	}
	r := &Recordings{Dir: dir, Keep: keep}
	if err := r.prepare(); err != nil {
		return nil, fmt.Errorf("recordings cannot be kept in %s: %w", dir, err)
	}
	r.clean()
	_ = r.Prune()
	_ = r.WriteIndex()
	return r, nil
}

// prepare makes the folder and tries to write to it.
func (r *Recordings) prepare() error {
	if err := os.MkdirAll(filepath.Dir(r.Dir), 0o755); err != nil {
		return advise(err, filepath.Dir(r.Dir))
	}
	if err := makeFolder(r.Dir); err != nil {
		return err
	}
	probe, err := os.CreateTemp(r.Dir, temporary(probeName, "*"))
	if err != nil {
		return advise(err, filepath.Join(r.Dir, probeName))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// makeFolder makes a folder of mode 0755 whatever the mask, for a web server of
// another user. One that is there stays as it is.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is no folder: move it away, or choose another", dir)
		}
		return nil
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		return advise(err, dir)
	}
	return nil
}

// limit is how many songs are kept.
func (r *Recordings) limit() int {
	if r.Keep == 0 {
		return DefaultKeep
	}
	return r.Keep
}

// WAV is where the WAV file of a song lies.
func (r *Recordings) WAV(name string) string { return filepath.Join(r.Dir, name+".wav") }

// FLAC is where the FLAC file of a song lies, if there is one.
func (r *Recordings) FLAC(name string) string { return filepath.Join(r.Dir, name+".flac") }

// Stems is the folder where the stems of a song lie, if there are any.
func (r *Recordings) Stems(name string) string { return filepath.Join(r.Dir, name) }

// MakeStems makes the folder for the stems of a song, mode 0755, unless it is there.
func (r *Recordings) MakeStems(name string) error {
	if err := makeFolder(r.Stems(name)); err != nil {
		return fmt.Errorf("make a folder for stems: %w", err)
	}
	return nil
}

// FreeName gives a name for a song that began at start, and that nothing in the
// folder has yet.
func (r *Recordings) FreeName(start time.Time) (string, error) {
	for s := (songName{start.UTC(), 1}); s.number <= maxOfASecond; s.number++ {
		name := s.String()
		taken := false
		for _, path := range []string{r.WAV(name), r.FLAC(name), r.Stems(name)} {
			_, err := os.Lstat(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("name a recording: %w", advise(err, path))
			}
			taken = taken || err == nil
		}
		if !taken {
			return name, nil
		}
	}
	return "", fmt.Errorf("name a recording: %d songs of %s are in %s already: move some away",
		maxOfASecond, start.UTC().Format(songLayout), r.Dir)
}

// song is what the folder has of a song.
type song struct {
	songName
	wav, flac fs.FileInfo // nil: there is none
	stems     bool        // there is a folder
}

// songs lists what there is, the newest first.
func (r *Recordings) songs() ([]song, error) {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return nil, err
	}
	found := map[songName]song{}
	for _, entry := range entries {
		base := entry.Name()
		ext := filepath.Ext(base)
		name, ok := parseSongName(base[:len(base)-len(ext)])
		if !ok {
			continue
		}
		s := found[name]
		s.songName = name
		info, err := entry.Info()
		switch {
		case err != nil: // gone between the two looks
			continue
		case ext == ".wav" && info.Mode().IsRegular():
			s.wav = info
		case ext == ".flac" && info.Mode().IsRegular():
			s.flac = info
		case ext == "" && info.IsDir():
			s.stems = true
		default:
			continue
		}
		found[name] = s
	}
	newestFirst := func(a, b song) int { return b.compare(a.songName) }
	return slices.SortedFunc(maps.Values(found), newestFirst), nil
}
