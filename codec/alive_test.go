package codec

import (
	"runtime"
	"slices"
	"testing"

	"bucketbrigade/proto"
)

// A coder that nobody holds any longer than its last call is not collected
// within that call.
func TestCollectorSparesCodersAtWork(t *testing.T) {
	t.Parallel()
	pcm := tone(proto.FrameSamples, 0)
	packet, err := NewBrowserEncoder().Encode(pcm)
	if err != nil {
		t.Fatal(err)
	}
	packet = slices.Clone(packet)
	decode := func() []float32 {
		out, err := NewDecoder().Decode(make([]float32, 0, proto.FrameSamples), packet)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := decode()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for range 2000 {
		if got := decode(); !slices.Equal(got, want) {
			t.Error("the same packet decodes to something else")
			break
		}
		if got, err := NewBrowserEncoder().Encode(pcm); err != nil || !slices.Equal(got, packet) {
			t.Errorf("the same frame encodes to something else, %v", err)
			break
		}
	}
	close(stop)
	<-stopped
}
