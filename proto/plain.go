package proto

import (
	"encoding/binary"
	"math/bits"
)

// plainLen is how many bytes at the start of b stand for themselves in a JSON
// string: ASCII from the space on but " and \.
//
// It looks at eight bytes at once. In each term the lowest byte with its high
// bit set is the first that is not plain; a borrow may set more above it, never
// below.
func plainLen(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		odd := (quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x | x
		if odd &= highs; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for i < len(b) && isPlain(b[i]) {
		i++
	}
	return i
}

func isPlain(c byte) bool { return c >= ' ' && c < 0x80 && c != '"' && c != '\\' }
