package main

import (
	"fmt"
	"io"
	"math"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/voice"
)

const (
	// maxLag is how late two passes through Opus may make a voice, in samples:
	// 312 and 120 with the encoders in use, up to 400 each with others.
	maxLag = 800
	// searchLag is how far a voice is searched; what is farther off counts as
	// not heard.
	searchLag = 4800
	// allowance is how far the correlation may stay behind the codec's own.
	allowance = 0.03
	// stranger is the highest correlation of a voice that is not there.
	stranger = 0.3
	// silence is the highest RMS of a listener who should hear nobody.
	silence = 0.001
	// trim is left out at both ends of the song, where codecs start and
	// loudness changes with the number of people.
	trim = 2 * proto.SampleRate
)

// pair is one voice in one pair of ears.
type pair struct {
	singer, hearer role
	expected       bool
	match          voice.Match
	baseline       float64 // correlation after two codecs and nothing else
	fault          string  // "" if all is well
}

// verdict is what the demo found.
type verdict struct {
	performance
	pairs []pair
}

// shouldHear tells who hears whom: everybody hears those in front.
func shouldHear(hearer, singer role) bool { return singer < hearer }

// judge compares what was heard with what was sung.
func judge(p performance, songs [2][]float32) (verdict, error) {
	v := verdict{performance: p}
	for hearer := range roles {
		heard := inner(p.heard[hearer])
		sung := [][]float32{inner(songs[leader]), inner(songs[follower])}
		matches := find(heard, sung)
		alone, err := codecAlone(songs, matches, hearer)
		if err != nil {
			return v, err
		}
		baseline := find(inner(alone), sung)
		for singer := range listener {
			if singer == hearer {
				continue
			}
			q := pair{singer: singer, hearer: hearer, expected: shouldHear(hearer, singer),
				match: matches[singer], baseline: baseline[singer].Corr}
			q.fault = q.check(heard)
			v.pairs = append(v.pairs, q)
		}
	}
	return v, nil
}

// ambiguity is how much better a voice must fit far away to be believed there:
// a note of steady pitch fits nearly as well a few periods off.
const ambiguity = 0.01

// find looks for the voices where they should be, 0 to maxLag samples late, and
// believes that they are elsewhere only if they fit better there, or if the best
// place in that range is its edge.
func find(heard []float32, sung [][]float32) []voice.Match {
	const middle = maxLag / 2
	near := voice.Fit(heard[middle:], sung, middle)
	matches := voice.Fit(heard, sung, searchLag)
	for i := range matches {
		edge := near[i].Lag == -middle || near[i].Lag == middle
		if !edge && near[i].Corr >= matches[i].Corr-ambiguity {
			matches[i] = near[i]
			matches[i].Lag += middle
		}
	}
	return matches
}

// inner leaves out the ends.
func inner(pcm []float32) []float32 {
	if len(pcm) <= 2*trim {
		return pcm[len(pcm)/4 : len(pcm)*3/4]
	}
	return pcm[trim : len(pcm)-trim]
}

// check says what is wrong with a pair; "" if nothing.
func (q *pair) check(heard []float32) string {
	m := q.match
	switch {
	case !q.expected && math.Abs(m.Corr) > stranger && codec.RMS(heard) > silence:
		return "heard, and should not be"
	case !q.expected:
		return ""
	case codec.RMS(heard) < silence:
		return "silence where a voice should be"
	case m.Corr < stranger:
		return "not heard"
	case m.Corr < q.baseline-allowance:
		return fmt.Sprintf("heard worse than through the codec alone by more than %.2f", allowance)
	case m.Lag < 0 || m.Lag > maxLag:
		return fmt.Sprintf("off by more than the codec's delay of 0 to %d samples", maxLag)
	}
	return ""
}

// codecAlone is what the hearer would hear if there were nothing but the codec:
// each voice through a browser's encoder and our decoder, mixed at the gains
// that were found, and once more through our encoder and a browser's decoder.
func codecAlone(songs [2][]float32, gains []voice.Match, hearer role) ([]float32, error) {
	mix := make([]float32, len(songs[leader])/proto.FrameSamples*proto.FrameSamples)
	for singer := range listener {
		if !shouldHear(hearer, singer) {
			continue
		}
		once, err := throughCodec(codec.NewBrowserEncoder(), songs[singer])
		if err != nil {
			return nil, err
		}
		for i, x := range once {
			mix[i] += float32(gains[singer].Gain) * x
		}
	}
	return throughCodec(codec.NewEncoder(), mix)
}

// throughCodec passes whole frames of pcm through e and a decoder.
func throughCodec(e *codec.Encoder, pcm []float32) ([]float32, error) {
	d, out := codec.NewDecoder(), make([]float32, 0, len(pcm))
	for ; len(pcm) >= proto.FrameSamples; pcm = pcm[proto.FrameSamples:] {
		packet, err := e.Encode(pcm[:proto.FrameSamples])
		if err != nil {
			return nil, err
		}
		if out, err = d.Decode(out, packet); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (v *verdict) good() bool {
	for i := range v.pairs {
		if v.pairs[i].fault != "" {
			return false
		}
	}
	return true
}

// print writes the table.
func (v *verdict) print(out io.Writer) {
	fmt.Fprintf(out, "\n%-10s %-10s %-8s %12s %12s %8s %8s\n", "hearer", "voice", "", "correlation", "codec alone", "lag", "gain")
	for _, q := range v.pairs {
		should := "hears"
		if !q.expected {
			should = "not"
		}
		if q.expected {
			fmt.Fprintf(out, "%-10s %-10s %-8s %12.4f %12.4f %8d %8.2f", q.hearer, q.singer, should, q.match.Corr, q.baseline, q.match.Lag, q.match.Gain)
		} else {
			fmt.Fprintf(out, "%-10s %-10s %-8s %12.4f %12s %8s %8s", q.hearer, q.singer, should, q.match.Corr, "", "", "")
		}
		if q.fault != "" {
			fmt.Fprintf(out, "  FAULT: %s", q.fault)
		}
		fmt.Fprintln(out)
	}
}
