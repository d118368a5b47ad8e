package load

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"bucketbrigade/audiofile"
	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/singer"
	"bucketbrigade/voice"
)

// The kinds of voices.
const (
	KindSung    = "sung"
	KindSpoken  = "spoken" // in a room that is not silent
	KindRoom    = "room"   // noise: somebody who listens with his microphone on
	KindSilence = "silence"
	// KindFolder are the sounds of a folder.
	KindFolder = "folder"
)

const (
	// loopBatches is the length of a loop: 24 s.
	loopBatches = 40
	// variants is how many loops a kind has.
	variants = 2
	// crowdGain keeps the crowd below the pilots.
	crowdGain = 0.5
	// pilotGain makes a pilot's RMS 0.25 and his peak less than 0.5.
	pilotGain = 2.5
	// maxFolderFiles is how many sounds of a folder are used.
	maxFolderFiles = 32
)

// loop is a voice, encoded: each body is a packing of 600 ms, and the first goes
// on where the last ended, as well as it can.
type loop struct {
	bodies [][]byte
}

// newLoop encodes n batches.
func newLoop(v voice.Voice, gain float64, n int) (loop, error) {
	encoder := codec.NewBrowserEncoder()
	pcm := make([]float32, singer.BatchSamples)
	var l loop
	for range n {
		v.Read(pcm)
		for i := range pcm {
			pcm[i] *= float32(gain)
		}
		body, err := encoder.AppendPacked(nil, pcm)
		if err != nil {
			return loop{}, err
		}
		l.bodies = append(l.bodies, body)
	}
	return l, nil
}

// library holds the loops of each kind.
type library struct {
	loops map[string][]loop
	// order and limits say which part of 0..1 is whose.
	order  []string
	limits []float64
	// silence is what who is muted sends.
	silence loop
}

// Mixed are the shares of a real crowd.
func Mixed() map[string]float64 {
	return map[string]float64{KindSung: 0.5, KindSpoken: 0.1, KindRoom: 0.3, KindSilence: 0.1}
}

// CheckVoices finds fault with a mix: shares by kind, of any sum.
func CheckVoices(mix map[string]float64) error {
	_, err := shares(mix)
	return err
}

// shares checks a mix and makes its sum 1; of nothing it makes Mixed.
func shares(mix map[string]float64) (map[string]float64, error) {
	if len(mix) == 0 {
		return Mixed(), nil
	}
	var sum float64
	for kind, share := range mix {
		if !slices.Contains([]string{KindSung, KindSpoken, KindRoom, KindSilence}, kind) {
			return nil, fmt.Errorf("voice %s is not known; sung, spoken, room and silence are", proto.Shown(kind))
		}
		if !(share >= 0 && share <= 1e6) {
			return nil, fmt.Errorf("the share %g of voice %s is not in 0..1000000", share, kind)
		}
		sum += share
	}
	if sum == 0 {
		return nil, fmt.Errorf("the shares of the voices are all 0")
	}
	part := map[string]float64{}
	for kind, share := range mix {
		if share > 0 {
			part[kind] = share / sum
		}
	}
	return part, nil
}

// newLibrary renders and encodes the voices of a mix: shares by kind, of any
// sum, Mixed if empty; each loop is of so many batches. With a folder its WAV files
// are sung instead. It takes a second or two of processor.
func newLibrary(mix map[string]float64, folder string, batches int) (*library, error) {
	l := &library{loops: map[string][]loop{}}
	var err error
	if l.silence, err = newLoop(voice.Silence{}, 1, batches); err != nil {
		return nil, err
	}
	if folder != "" {
		loops, err := folderLoops(folder)
		if err != nil {
			return nil, err
		}
		l.loops[KindFolder] = loops
		l.order, l.limits = []string{KindFolder}, []float64{1}
		return l, nil
	}
	parts, err := shares(mix)
	if err != nil {
		return nil, err
	}
	l.order = slices.Sorted(maps.Keys(parts))
	var sum float64
	for _, kind := range l.order {
		sum += parts[kind]
		l.limits = append(l.limits, sum)
	}
	var all sync.WaitGroup
	errs := make([]error, len(l.order))
	made := make([][]loop, len(l.order))
	for i, kind := range l.order {
		all.Go(func() { made[i], errs[i] = kindLoops(kind, batches) })
	}
	all.Wait()
	for i, kind := range l.order {
		if errs[i] != nil {
			return nil, errs[i]
		}
		l.loops[kind] = made[i]
	}
	return l, nil
}

// kindLoops makes the loops of a kind.
func kindLoops(kind string, batches int) ([]loop, error) {
	var loops []loop
	for seed := range uint64(variants) {
		var v voice.Voice
		switch kind {
		case KindSung:
			v = voice.NewSung(voice.SungConfig{Seed: seed})
		case KindSpoken:
			v = voice.NewMix(
				voice.Layer{Voice: voice.NewSpoken(voice.SpokenConfig{Seed: seed}), Gain: 1},
				voice.Layer{Voice: voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: seed}), Gain: 1})
		case KindRoom:
			v = voice.NewRoomNoise(voice.RoomNoiseConfig{Seed: 100 + seed})
		case KindSilence:
			v = voice.Silence{}
		}
		l, err := newLoop(v, crowdGain, batches)
		if err != nil {
			return nil, err
		}
		loops = append(loops, l)
	}
	return loops, nil
}

// recorded is a voice that was read from a file, over and over.
type recorded struct {
	pcm []float32
	at  int
}

func (r *recorded) Read(dst []float32) {
	for len(dst) > 0 {
		n := copy(dst, r.pcm[r.at:])
		dst, r.at = dst[n:], (r.at+n)%len(r.pcm)
	}
}

// folderLoops encodes the WAV files of a folder, up to two minutes of each.
func folderLoops(folder string) ([]loop, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return nil, fmt.Errorf("folder of voices: %w", err)
	}
	var loops []loop
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.IsDir() || !strings.EqualFold(filepath.Ext(name), ".wav") {
			continue
		}
		pcm, err := audiofile.ReadWAV(name)
		if err != nil {
			return nil, err
		}
		n := min(len(pcm)/singer.BatchSamples, 5*loopBatches)
		if n == 0 {
			return nil, fmt.Errorf("%s has %d samples, at least %d are needed (0.6 s)", name, len(pcm), singer.BatchSamples)
		}
		l, err := newLoop(&recorded{pcm: pcm}, 1, n)
		if err != nil {
			return nil, err
		}
		if loops = append(loops, l); len(loops) == maxFolderFiles {
			break
		}
	}
	if len(loops) == 0 {
		return nil, fmt.Errorf("folder of voices %s: no file *.wav in it", folder)
	}
	return loops, nil
}

// Purposes of chance.
const (
	chanceVoice = 1 + iota
	chanceVariant
	chancePlace
	chancePart
	chanceLag
	// Of these on, two for each stretch of time.
	chanceLeave = 100
	chanceMute  = 1 << 32
)

// pick gives a singer his loop and his place in it.
func (l *library) pick(number int) (lp loop, place int) {
	c := chance(number, chanceVoice)
	i := 0
	for i < len(l.limits)-1 && c >= l.limits[i] {
		i++
	}
	loops := l.loops[l.order[i]]
	lp = loops[int(chance(number, chanceVariant)*float64(len(loops)))]
	return lp, int(chance(number, chancePlace) * float64(len(lp.bodies)))
}

// parts is the part of each kind, of a sum of 1.
func (l *library) parts() map[string]float64 {
	parts := map[string]float64{}
	var before float64
	for i, kind := range l.order {
		parts[kind], before = l.limits[i]-before, l.limits[i]
	}
	return parts
}
