package main

import (
	"bytes"
	"fmt"
	"html"
	"math"

	"bucketbrigade/proto"
)

// The picture's measures, in SVG units.
const (
	drawWidth   = 1000
	drawMargin  = 150
	drawRow     = 90
	drawTop     = 70
	drawColumns = drawWidth - drawMargin - 30
)

var drawColours = [...]string{"#c0392b", "#2471a3", "#1e8449"}

// drawDemo draws the two songs, what each heard, and who hears whom.
func drawDemo(v verdict, songs [2][]float32) []byte {
	var b bytes.Buffer
	const rows = 2 + int(roles)
	height := drawTop + rows*drawRow + 60 + 26*len(v.pairs) + 40
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", drawWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fdfdfb"/>`+"\n", drawWidth, height)
	text(&b, 20, 32, `font-size="20" font-weight="bold"`, "Who hears whom")
	text(&b, 20, 54, `fill="#555"`, fmt.Sprintf("the same %.0f s of the song, by position in the ring; places %d s, %d s and %d s behind",
		float64(len(songs[leader]))/proto.SampleRate, v.offsets[leader], v.offsets[follower], v.offsets[listener]))
	y := drawTop
	for r := range listener {
		waveform(&b, y, "sung by "+r.String(), songs[r], drawColours[r])
		y += drawRow
	}
	for r := range roles {
		waveform(&b, y, "heard by "+r.String(), v.heard[r], "#333")
		y += drawRow
	}
	seconds(&b, y, len(songs[leader]))
	drawPairs(&b, y+60, v.pairs)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// waveform draws one row: for each column the lowest and the highest sample.
func waveform(b *bytes.Buffer, y int, label string, pcm []float32, colour string) {
	mid, half := float64(y)+drawRow/2, float64(drawRow)/2-6
	text(b, 20, y+drawRow/2+4, "", label)
	fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.0f" y2="%.0f" stroke="#ddd"/>`+"\n", drawMargin, drawMargin+drawColumns, mid, mid)
	fmt.Fprintf(b, `<path fill="none" stroke="%s" d="`, colour)
	for c := range drawColumns {
		from, to := c*len(pcm)/drawColumns, (c+1)*len(pcm)/drawColumns
		lo, hi := float32(0), float32(0)
		for _, x := range pcm[from:to] {
			lo, hi = min(lo, x), max(hi, x)
		}
		fmt.Fprintf(b, "M%d %.1fV%.1f", drawMargin+c, mid-half*math.Min(1, float64(hi)), mid-half*math.Max(-1, float64(lo))+0.5)
	}
	b.WriteString(`"/>` + "\n")
}

// seconds draws the axis.
func seconds(b *bytes.Buffer, y, samples int) {
	for s := 0; s*proto.SampleRate <= samples; s++ {
		x := drawMargin + s*proto.SampleRate*drawColumns/samples
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="#999"/>`+"\n", x, x, y, y+5)
		if s%2 == 0 {
			text(b, x-4, y+20, `fill="#555"`, fmt.Sprint(s))
		}
	}
	text(b, 20, y+20, `fill="#555"`, "seconds of song")
}

// drawPairs draws one bar for each voice and pair of ears, the codec's own
// correlation as a mark on it.
func drawPairs(b *bytes.Buffer, y int, pairs []pair) {
	const x, width, bar = 330, 300, 16
	text(b, x, y-8, `fill="#555"`, "correlation (mark: codec alone)")
	for i, q := range pairs {
		at := y + i*26
		verb := " hears "
		if !q.expected {
			verb = " does not hear "
		}
		text(b, 20, at+bar-3, "", q.hearer.String()+verb+q.singer.String())
		corr := math.Max(0, math.Min(1, q.match.Corr))
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#eee"/>`+"\n", x, at, width, bar)
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x, at, corr*width, bar, drawColours[q.singer])
		if q.expected {
			m := x + q.baseline*width
			fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#000" stroke-width="2"/>`+"\n", m, m, at-2, at+bar+2)
		}
		text(b, x+width+12, at+bar-3, "", pairNote(q))
	}
}

// pairNote is the line beside a bar.
func pairNote(q pair) string {
	if q.fault != "" {
		return "FAULT: " + q.fault
	}
	if !q.expected {
		return "good"
	}
	return fmt.Sprintf("%.3f, codec alone %.3f, %d samples late: good", q.match.Corr, q.baseline, q.match.Lag)
}

func text(b *bytes.Buffer, x, y int, attributes, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y, attributes, html.EscapeString(s))
}
