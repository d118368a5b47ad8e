package shm

import "bucketbrigade/proto"

// copied is an answer that was copied out of a segment: its JSON, which is yet
// to be read, and its data.
type copied struct {
	json    *proto.Scratch
	summary []byte
	pcm     []float32
}

// copyOut copies the answer whose first word was loaded as word, into the memory
// of ans.
func (c *copied) copyOut(seg *Segment, word uint32, ans *proto.Answer) error {
	m, err := seg.read(word)
	if err != nil {
		return nonsense(err)
	}
	if c.json = ans.Scratch; c.json == nil {
		c.json = new(proto.Scratch)
	}
	c.json.Load(m.json)
	c.summary, c.pcm = ans.Summary[:0], ans.PCM[:0]
	if len(m.data) == 0 {
		return nil
	}
	summary, rest, err := proto.CutSummary(m.data)
	switch {
	case err != nil:
		return nonsense(err)
	case len(rest)%4 != 0:
		return nonsense(proto.Refuse(502, "%d bytes of PCM are no whole number of samples", len(rest)))
	}
	n := len(rest) / 4
	if cap(c.pcm) < n {
		c.pcm = make([]float32, n)
	}
	c.summary, c.pcm = append(c.summary, summary...), c.pcm[:n]
	copy(floatBytes(c.pcm), rest)
	return nil
}

// fill makes ans of what was copied.
func (c *copied) fill(ans *proto.Answer) error {
	if err := c.json.ParseAnswer(ans); err != nil {
		return nonsense(err)
	}
	ans.Summary, ans.PCM = c.summary, c.pcm
	return nil
}

func nonsense(err error) error {
	return proto.Refuse(502, "the state server's answer makes no sense: %v", err)
}
