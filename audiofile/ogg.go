package audiofile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An Ogg file is a row of pages, little endian (RFC 3533, section 6):
//
//	"OggS" 0  flags  granule  stream  number  checksum  n   n lengths  body
//	          u8     i64      u32     u32     u32       u8
//
// Packets lie in the body one behind the other. Each is told by as many lengths
// of 255 as fit and one below: 600 bytes are 255 255 90, 255 bytes 255 0. One
// whose lengths end with 255 goes on in the next page. The granule is the time at
// which the last packet that ends on the page ends, -1 if none does.
const (
	oggHeadBytes   = 27
	maxPacketBytes = 1 << 24 // of comments with the picture of a cover in them

	oggContinued = 1 // flags: the page begins within a packet
	oggFirst     = 2 // of its stream
	oggLast      = 4
)

func isOgg(head []byte) bool { return bytes.HasPrefix(head, []byte("OggS\x00")) }

// oggPage is what one page brings.
type oggPage struct {
	packets [][]byte // those that end on it
	granule int64
	last    bool // of the stream
}

// oggReader reads the pages of one stream of a file; those of streams beside it,
// pictures say, are passed over.
type oggReader struct {
	in     *bufio.Reader
	stream uint32 // its number in the file
	chosen bool   // whether that is known
	body   bool   // whether pages other than the first were seen
	number uint32 // of the page to come
	rest   []byte // of a packet that goes on, nil if none does
	open   bool   // whether one goes on
	ended  bool
}

// errUnknownStream is returned for the first page of a stream that is no sound.
var errUnknownStream = errors.New("an Ogg file without a Vorbis or Opus stream; convert it first (ffmpeg -i IN OUT.flac)")

// errChained is returned for files of which one was put behind the other.
var errChained = errors.New("several Ogg streams in a row, only one is allowed; join them first (ffmpeg -i IN OUT.flac)")

// soundStream says whether the first packet of a stream is that of one we read.
func soundStream(packet []byte) bool { return isOpusHead(packet) || isVorbisHead(packet) }

// next reads the next page of the stream: at first the first page of the first
// stream of sound, at last the one that is marked so. io.EOF comes behind that
// one only; a file that ends before was cut short.
func (r *oggReader) next() (oggPage, error) {
	for !r.ended {
		head, lengths, body, err := r.readPage()
		if err != nil {
			return oggPage{}, err
		}
		flags, stream := head[5], binary.LittleEndian.Uint32(head[14:])
		switch {
		case flags&oggFirst != 0 && r.body:
			return oggPage{}, errChained
		case flags&oggFirst != 0 && !r.chosen && soundStream(body):
			r.chosen, r.stream = true, stream
		case flags&oggFirst == 0 && !r.chosen:
			return oggPage{}, errUnknownStream
		}
		r.body = r.body || flags&oggFirst == 0
		if r.chosen && stream == r.stream {
			return r.page(head, lengths, body)
		}
	}
	return oggPage{}, io.EOF
}

// readPage reads a page of any stream and checks that it is whole.
func (r *oggReader) readPage() (head, lengths, body []byte, err error) {
	head = make([]byte, oggHeadBytes)
	if _, err := io.ReadFull(r.in, head); err != nil {
		return nil, nil, nil, endOfFile("the next Ogg page", err)
	}
	if string(head[:5]) != "OggS\x00" {
		return nil, nil, nil, fmt.Errorf("begins with % x where an Ogg page should: the file is damaged", head[:5])
	}
	lengths = make([]byte, head[26])
	if _, err := io.ReadFull(r.in, lengths); err != nil {
		return nil, nil, nil, endOfFile("the lengths of an Ogg page", err)
	}
	size := 0
	for _, length := range lengths {
		size += int(length)
	}
	body = make([]byte, size)
	if _, err := io.ReadFull(r.in, body); err != nil {
		return nil, nil, nil, endOfFile(fmt.Sprintf("the %d bytes of an Ogg page", size), err)
	}
	said := binary.LittleEndian.Uint32(head[22:])
	binary.LittleEndian.PutUint32(head[22:], 0)
	sum := oggSum(oggSum(oggSum(0, head), lengths), body)
	if sum != said {
		return nil, nil, nil, fmt.Errorf("an Ogg page with the checksum %08x sums up to %08x: the file is damaged", said, sum)
	}
	return head, lengths, body, nil
}

// page takes the packets out of a page of the chosen stream.
func (r *oggReader) page(head, lengths, body []byte) (oggPage, error) {
	if number := binary.LittleEndian.Uint32(head[18:]); number != r.number {
		return oggPage{}, fmt.Errorf("an Ogg page %d follows where %d should: the file is damaged", number, r.number)
	}
	r.number++
	if continued := head[5]&oggContinued != 0; continued != r.open && len(lengths) > 0 {
		return oggPage{}, fmt.Errorf("an Ogg page %d breaks a packet off or goes on with none: the file is damaged", r.number-1)
	}
	r.ended = head[5]&oggLast != 0
	p := oggPage{granule: int64(binary.LittleEndian.Uint64(head[6:])), last: r.ended}
	for _, length := range lengths {
		r.rest = append(r.rest, body[:length]...)
		body = body[length:]
		if r.open = length == 255; r.open {
			if len(r.rest) > maxPacketBytes {
				return oggPage{}, fmt.Errorf("a packet of %d bytes or more, at most %d are allowed: the file is damaged", len(r.rest), maxPacketBytes)
			}
			continue
		}
		p.packets = append(p.packets, r.rest)
		r.rest = nil
	}
	return p, nil
}

// finish is called behind the last page of the stream, where others may end too.
func (r *oggReader) finish() error {
	for {
		if head, err := r.in.Peek(5); err != nil || !isOgg(head) {
			return nil // the end, or some tag
		}
		head, _, _, err := r.readPage()
		if err != nil {
			return err
		}
		if head[5]&oggFirst != 0 {
			return errChained
		}
	}
}

// headers reads pages until n packets have come, the first ones of the stream.
// Those behind them on the last page, which the formats forbid, are an error.
func (r *oggReader) headers(n int) ([][]byte, error) {
	var packets [][]byte
	for len(packets) < n {
		page, err := r.next()
		if err != nil {
			return nil, endOfFile("the headers of the stream", err)
		}
		packets = append(packets, page.packets...)
	}
	if len(packets) > n {
		return nil, errors.New("sound on a page of headers: the file is damaged")
	}
	return packets, nil
}

// oggSums are the checksums of the 256 bytes, a CRC of 32 bits with the polynomial
// 04C11DB7 and the highest bit first.
var oggSums = func() (sums [256]uint32) {
	for i := range sums {
		sum := uint32(i) << 24
		for range 8 {
			top := sum >> 31
			sum = sum<<1 ^ top*0x04C11DB7
		}
		sums[i] = sum
	}
	return sums
}()

func oggSum(sum uint32, data []byte) uint32 {
	for _, b := range data {
		sum = sum<<8 ^ oggSums[byte(sum>>24)^b]
	}
	return sum
}

// decodeOgg reads an Ogg file with Vorbis or Opus in it.
func decodeOgg(in *bufio.Reader, out *mixer) error {
	r := &oggReader{in: in}
	packets, err := r.headers(1)
	if err != nil {
		return err
	}
	if isOpusHead(packets[0]) {
		return decodeOpus(r, packets[0], out)
	}
	return decodeVorbis(r, packets[0], out)
}

// trimmer tells which of the samples of a page are to be heard. The granule of
// the first page with sound says at what time the stream begins, that of the last
// one where it ends (RFC 7845, section 4; Vorbis I specification, appendix A.2).
//
// For example Opus with a pre-skip of 312: the first page brings 48000 samples
// and has granule 48000, so the stream begins at 0, and 312 are left out in front.
// The last page brings 960 more and has granule 48500: 500 of them are heard.
type trimmer struct {
	skip  int64 // frames left out in front, still to come
	start int64 // time of the first frame
	known bool  // whether start is
	done  int64 // frames that came
}

// page is told of n frames from a page, and gives the part [from, to) that is
// heard.
func (t *trimmer) page(n int64, page oggPage) (from, to int64) {
	from, to = 0, n
	if n > 0 && !t.known && page.granule >= 0 {
		t.known = true
		// A stream on one page has its end there, so it begins at 0. Negative
		// times are left out (Vorbis has them for a cut to the sample).
		if !page.last {
			t.start = page.granule - t.done - n
			t.skip += max(-t.start, 0)
		}
	}
	if page.last && page.granule >= 0 {
		to = min(max(page.granule-t.start-t.done, 0), n)
	}
	t.done += n
	from = min(t.skip, to)
	t.skip -= from
	return from, to
}
