package state

import (
	"runtime"
	"testing"

	"bucketbrigade/proto"
	"bucketbrigade/shard/backendtest"
)

// Not parallel: the heap is everybody's.
func TestRingsLieOutsideOfTheHeap(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	m, err := mapRings(true)
	if err != nil {
		t.Fatal(err)
	}
	all := append([][]float32{m.rings.Audio, m.rings.Backing, m.rings.Monitor}, m.rings.Stems...)
	for i, samples := range all {
		if len(samples) != proto.RingSamples || cap(samples) != len(samples) || samples[0] != 0 || samples[len(samples)-1] != 0 {
			t.Fatalf("ring %d has %d samples, begins with %v and ends with %v", i, len(samples), samples[0], samples[len(samples)-1])
		}
		for k := 0; k < len(samples); k += 960 {
			samples[k] = float32(i + 1)
		}
		samples[len(samples)-1] = float32(i + 1)
	}
	people := m.rings.People
	if len(people) != proto.RingSamples || people[0] != 0 || people[len(people)-1] != 0 {
		t.Fatalf("people has %d samples, begins with %d and ends with %d", len(people), people[0], people[len(people)-1])
	}
	people[0], people[len(people)-1] = 1, 1
	for i, samples := range all {
		for k := 0; k < len(samples); k += 960 {
			if samples[k] != float32(i+1) || samples[len(samples)-1] != float32(i+1) {
				t.Fatalf("ring %d lies where another does", i)
			}
		}
	}
	if now := heap(); now > before+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, now)
	}
	for range 2 {
		if err := m.close(); err != nil {
			t.Error(err)
		}
	}
}

// What a call was answered stays as it is when others are.
func TestLocalAnswersStay(t *testing.T) {
	t.Parallel()
	l, err := NewLocal(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	start(t, l.Run)
	read := backendtest.Clock(t, l).Add(-3 * proto.SampleRate)
	var first, second proto.Answer
	if err := l.Call(t.Context(), backendtest.Sing(1, read, proto.FrameSamples), &first); err != nil {
		t.Fatal(err)
	}
	metadata, span, summary := string([]byte(first.Metadata)), *first.Span, string(first.Summary)
	if err := l.Call(t.Context(), backendtest.Sing(2, read.Add(-proto.SampleRate), 2*proto.FrameSamples), &second); err != nil {
		t.Fatal(err)
	}
	if first.Metadata != metadata || *first.Span != span || string(first.Summary) != summary {
		t.Errorf("the first answer became\n%s %v, it was\n%s %v", first.Metadata, *first.Span, metadata, span)
	}
	if second.Metadata == metadata || *second.Span == span || string(second.Summary) == summary {
		t.Errorf("the second answer is as the first: %s %v", second.Metadata, *second.Span)
	}
}
