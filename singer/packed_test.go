package singer

import (
	"bytes"
	"testing"
	"testing/synctest"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
)

// What was encoded once goes out as it is, and who is deaf decodes nothing.
func TestPackedAndDeaf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		body, err := codec.NewBrowserEncoder().AppendPacked(nil, make([]float32, BatchSamples))
		if err != nil {
			t.Fatal(err)
		}
		var writes []proto.Clock
		who := connected(t, s, Config{
			Deaf:   true,
			Voice:  func([]float32, proto.Clock) { t.Error("the voice was asked") },
			Packed: func(write proto.Clock) []byte { writes = append(writes, write); return body },
		})
		for range 3 {
			a, err := who.Step(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if a.PCM != nil || len(a.Packed) == 0 || a.Packed[0] != 10 {
				t.Errorf("%d samples were decoded, a packing of %d bytes is left", len(a.PCM), len(a.Packed))
			}
		}
		_, posts := s.seen()
		if len(posts[0].body) != 0 || !bytes.Equal(posts[1].body, body) || !bytes.Equal(posts[2].body, body) {
			t.Errorf("bodies of %d, %d and %d bytes", len(posts[0].body), len(posts[1].body), len(posts[2].body))
		}
		if len(writes) != 2 || writes[0] != 853600 || writes[1] != 882400 {
			t.Errorf("asked for batches that end at %v", writes)
		}
		// The metadata is still held to.
		s.answer = func(int) reply { return reply{frames: 9} }
		if _, err := who.Step(t.Context(), nil); err == nil {
			t.Error("9 frames came where 10 were asked for, and nobody minds")
		}
	})
}
