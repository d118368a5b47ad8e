package proto

// PacketSamples checks the framing of one Opus packet and gives its duration
// in samples of 48 kHz. The rules are those of RFC 6716, 3.1 to 3.4 (R1 to R7):
// what passes here can be handed to a decoder, which will not refuse it. An
// empty packet stands for a lost one and lasts FrameSamples. A packet longer
// than FrameSamples is refused: this protocol's frames are at most 60 ms.
func PacketSamples(p []byte) (int, error) {
	if len(p) == 0 {
		return FrameSamples, nil
	}
	frames, err := checkFrames(p)
	if err != nil {
		return 0, err
	}
	n := frames * frameSamples(p[0]>>3)
	if n > FrameSamples {
		return 0, malformed("an Opus packet lasts %d samples, at most %d are taken", n, FrameSamples)
	}
	return n, nil
}

// frameSamples is the length of one frame by the configuration number in the
// top five bits of the first byte (RFC 6716, table 2), at 48 kHz.
func frameSamples(config byte) int {
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return [4]int{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		return [2]int{480, 960}[config&1]
	default: // CELT: 2.5, 5, 10, 20 ms
		return [4]int{120, 240, 480, 960}[config&3]
	}
}

// maxFrameBytes is the most one frame may have (R2).
const maxFrameBytes = 1275

// checkFrames checks the frame packing of a packet that is not empty and
// counts its frames.
func checkFrames(p []byte) (int, error) {
	body := p[1:]
	switch p[0] & 3 {
	case 0: // one frame
		return 1, checkFrame(len(body))
	case 1: // two of equal length (R3)
		if len(body)%2 != 0 {
			return 0, malformed("an Opus packet of two equal frames has %d bytes for them", len(body))
		}
		return 2, checkFrame(len(body) / 2)
	case 2: // two, the first with its length before it (R4)
		n, rest, err := frameLength(body)
		if err != nil {
			return 0, err
		}
		if n > len(rest) {
			return 0, malformed("an Opus frame of %d bytes has %d left", n, len(rest))
		}
		return 2, checkFrame(len(rest) - n)
	default:
		return checkManyFrames(p[0]>>3, body)
	}
}

// checkManyFrames checks a packet of code 3 after its first byte: a count byte
// with two flags, padding length, frame lengths, frames, padding.
func checkManyFrames(config byte, body []byte) (int, error) {
	if len(body) == 0 {
		return 0, malformed("an Opus packet ends before its frame count")
	}
	flags, rest := body[0], body[1:]
	count := int(flags & 0x3f)
	if count == 0 || count*frameSamples(config) > 2*FrameSamples { // R5: 120 ms
		return 0, malformed("an Opus packet says it has %d frames of %d samples", count, frameSamples(config))
	}
	if flags&0x40 != 0 {
		var err error
		if rest, err = cutPadding(rest); err != nil {
			return 0, err
		}
	}
	if flags&0x80 == 0 { // constant: all frames alike (R6)
		if len(rest)%count != 0 {
			return 0, malformed("an Opus packet has %d bytes for %d equal frames", len(rest), count)
		}
		return count, checkFrame(len(rest) / count)
	}
	left, lengths := 0, rest
	for range count - 1 { // variable: all but the last with a length (R7)
		n, after, err := frameLength(lengths)
		if err != nil {
			return 0, err
		}
		left, lengths = left+n, after
	}
	if left > len(lengths) {
		return 0, malformed("Opus frames of %d bytes together have %d left", left, len(lengths))
	}
	return count, checkFrame(len(lengths) - left)
}

// cutPadding reads the padding length (each byte 255 means 254 and another
// byte follows) and takes that much off the end.
func cutPadding(p []byte) ([]byte, error) {
	padding := 0
	for {
		if len(p) == 0 {
			return nil, malformed("an Opus packet ends in its padding length")
		}
		b := p[0]
		p = p[1:]
		if b < 255 {
			padding += int(b)
			break
		}
		padding += 254
	}
	if padding > len(p) {
		return nil, malformed("an Opus packet has %d bytes of padding in %d", padding, len(p))
	}
	return p[:len(p)-padding], nil
}

// frameLength reads a one- or two-byte frame length (RFC 6716, 3.2.1).
func frameLength(p []byte) (int, []byte, error) {
	if len(p) == 0 {
		return 0, nil, malformed("an Opus packet ends before a frame length")
	}
	if p[0] < 252 {
		return int(p[0]), p[1:], nil
	}
	if len(p) < 2 {
		return 0, nil, malformed("an Opus packet ends inside a frame length")
	}
	return int(p[1])*4 + int(p[0]), p[2:], nil
}

func checkFrame(n int) error {
	if n > maxFrameBytes {
		return malformed("an Opus frame has %d bytes, at most %d are legal", n, maxFrameBytes)
	}
	return nil
}
