package proto

import (
	"encoding/binary"
)

// ParsePackets splits packed Opus into its packets and appends them to dst;
// they share memory with body. An empty body has no packets. Errors (a count of
// zero, a length that runs off the end or is above MaxPacketBytes, bytes left
// over) are refusals; what was appended until then is returned with them.
func ParsePackets(dst [][]byte, body []byte) ([][]byte, error) {
	if len(body) == 0 {
		return dst, nil
	}
	count, rest := int(body[0]), body[1:]
	if count == 0 {
		return dst, malformed("packed audio of %d bytes says it has 0 packets", len(body))
	}
	for i := range count {
		if len(rest) < 2 {
			return dst, malformed("packed audio ends before the length of packet %d of %d", i+1, count)
		}
		n := int(binary.BigEndian.Uint16(rest))
		if n > MaxPacketBytes {
			return dst, malformed("packet %d of %d has %d bytes, at most %d are taken", i+1, count, n, MaxPacketBytes)
		}
		rest = rest[2:]
		if n > len(rest) {
			return dst, malformed("packet %d of %d says %d bytes, %d are left", i+1, count, n, len(rest))
		}
		dst = append(dst, rest[:n:n])
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return dst, malformed("packed audio has %d bytes after its %d packets", len(rest), count)
	}
	return dst, nil
}

// AppendPacking appends the count byte that opens a packing of n packets,
// 1..MaxPackets. No packets at all pack to nothing.
func AppendPacking(dst []byte, n int) []byte {
	if n < 1 || n > MaxPackets {
		panic("proto: a packing holds 1 to 255 packets")
	}
	return append(dst, byte(n))
}

// AppendPacket appends one packet with its length.
func AppendPacket(dst, packet []byte) []byte {
	if len(packet) > MaxPacketBytes {
		panic("proto: an Opus packet is longer than the format allows")
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(packet)))
	return append(dst, packet...)
}
