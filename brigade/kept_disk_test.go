package brigade

import (
	"fmt"
	"maps"

	"bucketbrigade/proto"
)

// disk is a recorder whose songs outlive it, as files do. A song may last an hour
// and be silent for most of it: seconds of silence take no memory.
type disk struct {
	songs map[proto.Clock]*diskSong
	at    proto.Clock
	open  bool
}

type diskSong struct {
	parts, length int // length in samples, of each part
	loud          map[diskSecond]*[proto.SampleRate]float32
}

type diskSecond struct{ part, second int }

func newDisk() *disk { return &disk{songs: map[proto.Clock]*diskSong{}} }

func (d *disk) Begin(start proto.Clock) {
	if d.open {
		panic("a song begins before the last one has ended")
	}
	d.at, d.open = start, true
}

func (d *disk) Resume(start proto.Clock) (int, bool) {
	song := d.songs[start]
	d.at, d.open = start, song != nil
	if song == nil {
		return 0, false
	}
	return song.length, true
}

func (d *disk) Write(at proto.Clock, parts [][]float32) {
	song := d.songs[d.at]
	if song == nil {
		song = &diskSong{parts: len(parts), loud: map[diskSecond]*[proto.SampleRate]float32{}}
		d.songs[d.at] = song
	}
	for i, pcm := range parts {
		off := at.Sub(d.at)
		song.length = max(song.length, off+len(pcm))
		for len(pcm) > 0 {
			n := min(len(pcm), proto.SampleRate-off%proto.SampleRate)
			song.put(diskSecond{i, off / proto.SampleRate}, off%proto.SampleRate, pcm[:n])
			off, pcm = off+n, pcm[n:]
		}
	}
}

// put writes samples of one second.
func (s *diskSong) put(at diskSecond, off int, pcm []float32) {
	second := s.loud[at]
	if second == nil {
		if silent(pcm) {
			return
		}
		second = new([proto.SampleRate]float32)
		s.loud[at] = second
	}
	copy(second[off:], pcm)
}

func silent(pcm []float32) bool {
	for _, x := range pcm {
		if x != 0 {
			return false
		}
	}
	return true
}

func (d *disk) End() { d.open = false }

// differs tells how a song differs from the one that it should be; nothing if it
// does not.
func (s *diskSong) differs(want *diskSong) string {
	switch {
	case s == nil:
		return "is missing"
	case s.parts != want.parts || s.length != want.length:
		return fmt.Sprintf("has %d parts of %d samples, want %d of %d", s.parts, s.length, want.parts, want.length)
	}
	var none [proto.SampleRate]float32
	all := maps.Clone(s.loud)
	maps.Copy(all, want.loud)
	for at := range all {
		got, wanted := s.loud[at], want.loud[at]
		if got == nil {
			got = &none
		}
		if wanted == nil {
			wanted = &none
		}
		if *got != *wanted {
			return fmt.Sprintf("differs in second %d of part %d", at.second, at.part)
		}
	}
	return ""
}
