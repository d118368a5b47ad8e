package proto_test

import (
	"testing"

	"bucketbrigade/proto"
)

// A refusal is told when the answer's memory holds another one already.
func TestRefusalOutlivesItsAnswer(t *testing.T) {
	t.Parallel()
	var s proto.Scratch
	a := proto.Answer{Scratch: &s}
	s.Load(make([]byte, 4096)) // so that there is room for any message
	s.Load([]byte(`{"error":"userid 1 belongs to another browser","code":403}`))
	if err := s.ParseAnswer(&a); err != nil {
		t.Fatal(err)
	}
	r := a.Refusal()
	s.Load([]byte(`{"x-audio-metadata":"{\"something\":\"that somebody else is told\"}","mix":1001}`))
	if r == nil || r.Code != 403 || r.Reason != "userid 1 belongs to another browser" {
		t.Errorf("refused with %+v", r)
	}
}
