package audiofile

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"time"
)

// Recording is a song in the folder.
type Recording struct {
	Name    string
	Start   time.Time // in UTC, whole seconds
	Seconds float64   // to the thousandth
	Bytes   int64     // of the WAV file
	FLAC    bool      // there is a FLAC file
	Stems   []string  // files of the folder of its stems, sorted; most have none
}

// List tells of all songs that have a WAV file, the newest first. What cannot be
// read is listed by its name and size. An error means that the folder cannot be
// read.
func (r *Recordings) List() ([]Recording, error) {
	songs, err := r.songs()
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var list []Recording
	for _, s := range songs {
		if s.wav == nil {
			continue
		}
		name := s.String()
		rec := Recording{
			Name: name, Start: s.start, Bytes: s.wav.Size(), FLAC: s.flac != nil,
			Seconds: math.Round(wavSeconds(r.WAV(name), s.wav)*1000) / 1000,
		}
		if s.stems {
			rec.Stems = stemsIn(r.Stems(name))
		}
		list = append(list, rec)
	}
	return list, nil
}

// stemsIn lists the stems in a folder; none if it cannot be read.
func stemsIn(dir string) (names []string) {
	entries, _ := os.ReadDir(dir) // sorted
	for _, entry := range entries {
		if entry.Type().IsRegular() && isStem(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// maxHeadBytes bounds what is read of a file to find its length: before the samples
// of our own there are 44 bytes, other programs put some notes there.
const maxHeadBytes = 1 << 16

// wavSeconds is how long a WAV file sounds. Where its header cannot be read it is
// taken for one of ours.
func wavSeconds(path string, info fs.FileInfo) float64 {
	bytes := max(0, info.Size()-wavHeaderBytes)
	file, err := os.Open(path)
	if err != nil {
		return float64(bytes) / (2 * SampleRate)
	}
	defer file.Close()
	f, said, err := findSamples(bufio.NewReader(io.LimitReader(file, maxHeadBytes)), (*format).checkTrack)
	if err != nil {
		return float64(bytes) / (2 * SampleRate)
	}
	return float64(min(bytes, int64(said))) / float64(f.frameBytes()*f.rate)
}
