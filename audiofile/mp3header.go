package audiofile

// mp3Header is the head of an MPEG audio frame of layer III, ISO 11172-3, section
// 2.4.1.3, and 13818-3 for the lower rates. Four bytes, from the highest bit:
//
//	11 ones  2 version  2 layer  1 no checksum
//	4 bit rate  2 sample rate  1 padding  1 private
//	2 channel mode  2 mode extension  1 copyright  1 original  2 emphasis
type mp3Header struct {
	raw      [4]byte
	version  mp3Version
	rate     int // Hz
	mono     bool
	checksum bool // two bytes of it behind the header
	size     int  // of the whole frame, in bytes
}

type mp3Version byte

// Versions as they are coded. MPEG 2.5 is an extension for the lowest rates that
// no standard has.
const (
	mpeg25 mp3Version = 0
	mpeg2  mp3Version = 2
	mpeg1  mp3Version = 3
)

const (
	mp3HeaderBytes = 4
	layer3         = 1
)

// mp3Rates are those of MPEG 1, in Hz; MPEG 2 has half, MPEG 2.5 a quarter.
var mp3Rates = [3]int{44100, 48000, 32000}

// Bit rates of layer III in kbit/s. 0 would be the free format, whose frames are
// as long as they like, and is not taken.
var (
	mp3BitRates1 = [15]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	mp3BitRates2 = [15]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
)

// parseMP3Header looks for a header at the beginning of b.
func parseMP3Header(b []byte) (h mp3Header, ok bool) {
	if len(b) < mp3HeaderBytes || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return h, false
	}
	h.raw = [4]byte(b)
	h.version = mp3Version(b[1] >> 3 & 3)
	bitRate, rate := int(b[2]>>4), int(b[2]>>2&3)
	if h.version == 1 || b[1]>>1&3 != layer3 || bitRate == 0 || bitRate == 15 || rate == 3 || b[3]&3 == 2 {
		return h, false
	}
	h.checksum = b[1]&1 == 0
	h.mono = b[3]>>6 == 3
	padding := int(b[2] >> 1 & 1)
	switch h.version {
	case mpeg1:
		h.rate = mp3Rates[rate]
		h.size = 144*1000*mp3BitRates1[bitRate]/h.rate + padding
	case mpeg2:
		h.rate = mp3Rates[rate] / 2
	case mpeg25:
		h.rate = mp3Rates[rate] / 4
	}
	if h.version != mpeg1 {
		h.size = 72*1000*mp3BitRates2[bitRate]/h.rate + padding
	}
	return h, h.size >= h.mainDataAt()
}

// sameStream says whether two frames can belong to one file.
func (h mp3Header) sameStream(other mp3Header) bool {
	return h.version == other.version && h.rate == other.rate
}

// sideInfoAt is where in the frame the side information begins.
func (h mp3Header) sideInfoAt() int {
	if h.checksum {
		return mp3HeaderBytes + 2
	}
	return mp3HeaderBytes
}

// sideInfoBytes is how long that is.
func (h mp3Header) sideInfoBytes() int {
	switch {
	case h.version == mpeg1 && !h.mono:
		return 32
	case h.version == mpeg1 || !h.mono:
		return 17
	default:
		return 9
	}
}

func (h mp3Header) mainDataAt() int { return h.sideInfoAt() + h.sideInfoBytes() }

func (h mp3Header) channels() int {
	if h.mono {
		return 1
	}
	return 2
}

// firstMP3Frame gives where in head the first frame lies, -1 for nowhere. Eleven
// ones are soon found in anything, so the next frame must follow where this one
// ends, unless the file ends there.
func firstMP3Frame(head []byte) int {
	for i := range head {
		h, ok := parseMP3Header(head[i:])
		if !ok {
			continue
		}
		end := i + h.size
		if end == len(head) && len(head) < headBytes {
			return i
		}
		if end < len(head) {
			if next, ok := parseMP3Header(head[end:]); ok && next.sameStream(h) {
				return i
			}
		}
	}
	return -1
}

func isMP3(head []byte) bool { return firstMP3Frame(head) >= 0 }
