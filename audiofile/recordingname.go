package audiofile

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// songName is what the files of a song are called: the second in which it began,
// in UTC, and which song of that second it is, from 1 on. The first is
// "2026-01-02-150405", the second "2026-01-02-150405-2".
type songName struct {
	start  time.Time
	number int
}

const (
	songLayout = "2006-01-02-150405"
	// maxOfASecond bounds the search for a free name.
	maxOfASecond = 9999
)

// parseSongName reads a name; false if it is none of ours.
func parseSongName(name string) (songName, bool) {
	if len(name) < len(songLayout) {
		return songName{}, false
	}
	start, err := time.Parse(songLayout, name[:len(songLayout)])
	if err != nil {
		return songName{}, false
	}
	s := songName{start, 1}
	if rest, ok := strings.CutPrefix(name[len(songLayout):], "-"); ok {
		if s.number, err = strconv.Atoi(rest); err != nil || s.number > maxOfASecond {
			return songName{}, false
		}
	}
	return s, s.String() == name // one name a song: no "-1", no leading zeros, no signs
}

func (s songName) String() string {
	name := s.start.Format(songLayout)
	if s.number > 1 {
		name += fmt.Sprintf("-%d", s.number)
	}
	return name
}

// compare is below 0 if s began before o.
func (s songName) compare(o songName) int {
	return cmp.Or(s.start.Compare(o.start), cmp.Compare(s.number, o.number))
}

// BackingStem is the file of the backing track within the stems of a song.
const BackingStem = "backing.wav"

// maxStemBucket is the last bucket that may have a stem.
const maxStemBucket = 6

// BucketStem is the file of a bucket, 1 to 6, within the stems of a song:
// "bucket-1.wav" to "bucket-6.wav".
func BucketStem(bucket int) string {
	if bucket < 1 || bucket > maxStemBucket {
		panic(fmt.Sprintf("audiofile: a stem for bucket %d", bucket))
	}
	return fmt.Sprintf("bucket-%d.wav", bucket)
}

func isStem(name string) bool {
	for bucket := 1; bucket <= maxStemBucket; bucket++ {
		if name == BucketStem(bucket) {
			return true
		}
	}
	return name == BackingStem
}

// isLeftover says whether a file is one that a killed process had not completed:
// a temporary one of replaceFile for a file of a folder of recordings.
func isLeftover(name string) bool {
	rest, dot := strings.CutPrefix(name, ".")
	rest, tmp := strings.CutSuffix(rest, ".tmp")
	at := strings.LastIndexByte(rest, '-')
	if !dot || !tmp || at < 0 {
		return false
	}
	base, number := rest[:at], rest[at+1:]
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return false
	}
	switch base {
	case indexHTML, indexJSON, probeName:
		return true
	}
	song, ok := strings.CutSuffix(base, ".flac")
	if !ok {
		return false
	}
	_, ok = parseSongName(song)
	return ok
}
