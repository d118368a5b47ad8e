package audiofile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// hostileVorbis is the head, the set-up and one packet of a stream of eight
// channels whose residue has partitions of one value, filled from a book of so
// many.
func hostileVorbis(dimensions int) (head, setup, packet []byte) {
	head = append([]byte(vorbisMark), 0, 0, 0, 0, 8, 0x80, 0xBB, 0, 0)
	head = append(head, make([]byte, 12)...)
	head = append(head, 0xDD, 1)
	w := &bitWriter{}
	w.put(8, 1)                                                                         // two books
	w.put(24, 0x564342).put(16, 1).put(24, 2).put(2, 0).put(10, 0).put(4, 0)            // of classes
	w.put(24, 0x564342).put(16, dimensions).put(24, 2).put(2, 0).put(10, 0).put(4, 1)   // of values
	w.put(32, 0).put(32, 0).put(4, 0).put(1, 0).put(wholeRoot(2, dimensions), 0)        //
	w.put(6, 0).put(16, 0)                                                              // time domain
	w.put(6, 0).put(16, 1).put(5, 0).put(3, 0).put(2, 0).put(8, 0).put(2, 0).put(4, 12) // floor
	w.put(6, 0).put(16, 2).put(24, 0).put(24, 16384).put(24, 0).put(6, 0).put(8, 0)     // residue
	w.put(3, 7).put(1, 1).put(5, 31)                                                    // eight passes
	for range 8 {
		w.put(8, 1)
	}
	w.put(6, 0).put(16, 0).put(1, 0).put(1, 0).put(2, 0).put(8, 0).put(8, 0).put(8, 0) // mapping
	w.put(6, 0).put(1, 1).put(16, 0).put(16, 0).put(8, 0).put(1, 1)                    // mode
	p := (&bitWriter{}).put(1, 0).put(2, 3)
	for range 8 {
		p.put(1, 1).put(8, 100).put(8, 100)
	}
	return head, append([]byte(vorbisSetupMark), w.data...), p.data
}

// hostileFile is n such packets on one page.
func hostileFile(dimensions, n int) []byte {
	head, setup, packet := hostileVorbis(dimensions)
	sound := make([][]byte, n)
	for i := range sound {
		sound[i] = packet
	}
	return slicesOf(oggPageOf(oggFirst, 0, 1, 0, head), oggPageOf(0, 0, 1, 1, []byte("\x03vorbis"), setup), oggPageOf(oggLast, 10000, 1, 2, sound...))
}

// With as many numbers as a partition has the packet is an ordinary one.
func TestVorbisPacketThatTakesSeconds(t *testing.T) {
	t.Parallel()
	if pcm, err := decodeTrack(t.Context(), bytes.NewReader(hostileFile(1, 2)), MaxSamples); err != nil || len(pcm) != 4096 {
		t.Errorf("one number an entry: %d samples, %v", len(pcm), err)
	}
	if _, err := decodeTrack(t.Context(), bytes.NewReader(hostileFile(16384, 2)), MaxSamples); err == nil || !strings.Contains(err.Error(), "no more numbers an entry") {
		t.Errorf("16384 numbers an entry: %v", err)
	}
}

// BenchmarkDearestVorbisPacket is what one packet of 18 bytes can cost at most.
func BenchmarkDearestVorbisPacket(b *testing.B) {
	head, setup, packet := hostileVorbis(1)
	d := &vorbisDecoder{}
	if err := errors.Join(d.decoder.ReadHeader(head), d.decoder.ReadHeader(setup)); err != nil {
		b.Fatal(err)
	}
	d.pcm = make([]float32, d.decoder.BufferSize())
	for b.Loop() {
		if _, err := d.decode(packet); err != nil {
			b.Fatal(err)
		}
	}
}

// stopper ends a context once all of a file is read.
type stopper struct {
	from io.Reader
	stop context.CancelFunc
}

func (s stopper) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err == io.EOF {
		s.stop()
	}
	return n, err
}

// Whatever the file: once ctx has ended nothing more is decoded, though all of it
// has been read by then.
func TestDecodingStopsWithItsContext(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{"hostile": hostileFile(1, 255)}
	for _, c := range golden {
		if file := read(t, c.name); len(file) < headBytes {
			files[c.name] = file
		}
	}
	if len(files) < 20 {
		t.Fatalf("only %d files", len(files))
	}
	for name, file := range files {
		ctx, cancel := context.WithCancel(t.Context())
		out := newMixer(ctx, MaxSamples)
		err := mixTrack(stopper{bytes.NewReader(file), cancel}, out)
		if !errors.Is(err, context.Canceled) || out.frames > 0 {
			t.Errorf("%s: %v after %d frames, want none and the end of the context", name, err, out.frames)
		}
	}
}

// Not even the packets of the page at hand.
func TestDecodingStopsBetweenPackets(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := &oggReader{in: bufio.NewReader(bytes.NewReader(hostileFile(1, 255)))}
	if _, err := r.headers(3); err != nil {
		t.Fatal(err)
	}
	calls := 0
	err := pour(r, 1, 0, func([]byte) ([]float32, error) { calls++; cancel(); return nil, nil }, newMixer(ctx, MaxSamples))
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d packets decoded, %v", calls, err)
	}
}

func TestTrackLongerThanAskedFor(t *testing.T) {
	t.Parallel()
	for _, n := range []int{100, 101} {
		pcm, err := DecodeTrackWithin(t.Context(), bytes.NewReader(wavOf(n)), "the.file", 100)
		if tooLong := n > 100; errors.Is(err, ErrTooLong) != tooLong || (err == nil) == tooLong || len(pcm) != n && !tooLong {
			t.Errorf("%d samples of 100: %d, %v", n, len(pcm), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := DecodeTrackWithin(ctx, bytes.NewReader(wavOf(10)), "the.file", 100); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}
