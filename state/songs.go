package state

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
)

// folderOfSongs is the folder of recordings. Songs begin and end on the
// recorder's goroutine; what turns them into FLAC works beside it.
type folderOfSongs struct {
	cfg  recording
	log  *slog.Logger
	flac *flacWorker // nil: no FLAC

	counts recorded // of all songs

	mu     sync.Mutex // of what follows, and of the folder's lists
	folder *audiofile.Recordings
	open   []string // names of songs that are being written
}

func openSongs(cfg recording, log *slog.Logger) (*folderOfSongs, error) {
	folder, err := audiofile.OpenRecordings(cfg.dir, cfg.keep)
	if err != nil {
		return nil, fmt.Errorf("state: -recordings: %w", err)
	}
	return &folderOfSongs{cfg: cfg, log: log, folder: folder}, nil
}

// start starts what works beside the recorder.
func (f *folderOfSongs) start() {
	if f.cfg.flac {
		f.flac = startFLAC(f)
	}
}

func (f *folderOfSongs) stop() {
	if f.flac != nil {
		f.flac.stop()
	}
}

// name finds a name for a song that is to be written, and keeps it from being
// pruned or encoded meanwhile.
func (f *folderOfSongs) name(start time.Time) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, err := f.folder.FreeName(start)
	if err == nil {
		f.open = append(f.open, name)
	}
	return name, err
}

// show brings the lists up to date, and makes room for the songs that are
// open.
func (f *folderOfSongs) show() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.folder.Prune(f.open...); err != nil {
		f.log.Warn("old recordings stay", "err", err)
	}
	if err := f.folder.WriteIndex(f.open...); err != nil {
		f.log.Warn("the list of recordings is out of date", "err", err)
	}
}

// ended takes a song off the open ones.
func (f *folderOfSongs) ended(name string) {
	f.mu.Lock()
	f.open = slices.DeleteFunc(f.open, func(open string) bool { return open == name })
	f.mu.Unlock()
	f.show()
	if f.flac != nil {
		f.flac.wake()
	}
}

// lacksFLAC is the newest song without FLAC that is complete and not among the
// failed; "" if there is none.
func (f *folderOfSongs) lacksFLAC(failed map[string]bool) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	songs, err := f.folder.List()
	if err != nil {
		f.log.Warn("no FLAC is made", "err", err)
		return ""
	}
	for _, s := range songs {
		if !s.FLAC && !failed[s.Name] && !slices.Contains(f.open, s.Name) {
			return s.Name
		}
	}
	return ""
}

// songFiles are the files of one song that is being written: the mix, and in a
// folder of its name the stems. They belong to the recorder's goroutine.
type songFiles struct {
	folder *folderOfSongs
	log    *slog.Logger
	start  time.Time
	name   string            // "" until there is one
	takes  []*audiofile.Take // one a part, as far as they could be made
	// next is where the next samples should be. lost counts those that are
	// silent since something failed.
	next, lost int
	failing    bool
	// retry is where a file that cannot be made is tried again.
	retry int
}

// retryAfter is how many samples go by between two tries to make a file.
const retryAfter = proto.SampleRate

func (f *folderOfSongs) begin(start proto.Clock) *songFiles {
	return &songFiles{folder: f, log: f.log, start: start.Time()}
}

// resume opens the files of the song that began at start and was not ended, all of
// them, for so many parts; nil if there are none. FLAC that was made of what there
// was is removed.
func (f *folderOfSongs) resume(start proto.Clock, parts int) (*songFiles, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.begin(start)
	name, ok, err := f.folder.Newest(s.start)
	if err != nil || !ok {
		return nil, err
	}
	s.name = name
	for part := range parts {
		t, err := audiofile.OpenTake(s.path(part))
		if err != nil {
			for _, t := range s.takes {
				_ = t.Close()
			}
			return nil, err
		}
		if part == 0 || t.Len() < s.next {
			s.next = t.Len()
		}
		s.takes = append(s.takes, t)
	}
	if err := os.Remove(f.folder.FLAC(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.Warn("FLAC of a part of a song stays", "song", name, "err", err)
	}
	f.open = append(f.open, name)
	f.log.Info("recording goes on", "song", s.start, "name", name, "seconds", seconds(s.next))
	return s, nil
}

// path is the file of a part.
func (s *songFiles) path(part int) string {
	stems := s.folder.folder.Stems(s.name)
	switch part {
	case 0:
		return s.folder.folder.WAV(s.name)
	case 1:
		return filepath.Join(stems, audiofile.BackingStem)
	}
	return filepath.Join(stems, audiofile.BucketStem(part-1))
}

// write puts a piece into the files. What cannot be written is silence later;
// that is said once, and again when it works anew.
func (s *songFiles) write(j job) {
	n := len(j.pcm) / j.parts
	s.lose(max(0, j.at-s.next)) // what is there already is written again
	s.next = j.at + n
	if err := s.put(j, n); err != nil {
		s.lose(n)
		s.folder.counts.failures.Add(1)
		if !s.failing {
			s.log.Error("recording is interrupted, singing goes on", "song", s.start, "err", err)
		}
		s.failing = true
		return
	}
	if s.lost > 0 {
		s.log.Warn("recording goes on", "song", s.start, "silent_seconds", seconds(s.lost))
	}
	s.lost, s.failing = 0, false
	s.folder.counts.written.Add(int64(n))
}

// lose counts n samples that stay silent.
func (s *songFiles) lose(n int) {
	s.lost += n
	s.folder.counts.lost.Add(int64(n))
}

// put writes n samples of each part.
func (s *songFiles) put(j job, n int) error {
	if err := s.create(j); err != nil {
		return err
	}
	for i, t := range s.takes {
		if err := t.WriteAt(j.pcm[i*n:(i+1)*n], j.at); err != nil {
			return err
		}
	}
	return nil
}

// errWaits stands for a file that could not be made a moment ago.
var errWaits = errors.New("the file is tried again in a second")

// create makes the files before the first samples: all of them, or one more
// with each try.
func (s *songFiles) create(j job) error {
	if len(s.takes) == j.parts {
		return nil
	}
	if j.at < s.retry {
		return errWaits
	}
	s.retry = j.at + retryAfter
	if s.name == "" {
		var err error
		if s.name, err = s.folder.name(s.start); err != nil {
			s.name = ""
			return err
		}
	}
	if j.parts > 1 {
		if err := s.folder.folder.MakeStems(s.name); err != nil {
			return err
		}
	}
	for len(s.takes) < j.parts {
		t, err := audiofile.CreateTake(s.path(len(s.takes)))
		if err != nil {
			return err
		}
		s.takes = append(s.takes, t)
	}
	s.folder.show()
	return nil
}

// end closes the files.
func (s *songFiles) end() {
	for i, t := range s.takes {
		if err := t.Close(); err != nil {
			s.log.Error("a recording may be damaged", "file", s.path(i), "err", err)
		}
	}
	if s.name != "" {
		s.folder.ended(s.name)
	}
	s.log.Info("recorded", "song", s.start, "name", s.name, "seconds", seconds(s.next), "lost_at_the_end", seconds(s.lost))
}

func seconds(samples int) float64 {
	return float64(samples/(proto.SampleRate/10)) / 10
}
