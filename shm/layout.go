package shm

import (
	"fmt"

	"bucketbrigade/proto"
)

const (
	statusIdle    = 0
	statusRequest = 1
	statusAnswer  = 2

	// The values of a sleep flag. Its owner sets awake and asleep; a peer that
	// wakes it makes asleep called. Whatever is not awake wants to be woken.
	awake  = 0
	asleep = 1
	called = 2

	offJSONLen = 1
	offJSON    = offJSONLen + 2
	dataLenLen = 4

	// pcmAlign is where PCM lies: at a cache line, as vector code likes it.
	pcmAlign = 64
	wordLen  = 4

	// minJSONArea leaves room for any refusal and its padding.
	minJSONArea = 1024
)

// layout is where things are in a segment; everything follows from the size of
// the JSON area.
type layout struct {
	jsonArea     int
	serverSleeps int // offset of the server's flag
	shardSleeps  int // offset of the shard's flag
	size         int
}

func newLayout(jsonArea int) (layout, error) {
	if jsonArea < minJSONArea || jsonArea > proto.MaxJSONArea {
		return layout{}, fmt.Errorf("shm: JSON area of %d bytes is not in %d..%d",
			jsonArea, minJSONArea, proto.MaxJSONArea)
	}
	end := offJSON + jsonArea + dataLenLen + proto.MaxData
	words := (end + pcmAlign - 1) / pcmAlign * pcmAlign
	return layout{
		jsonArea:     jsonArea,
		serverSleeps: words,
		shardSleeps:  words + wordLen,
		size:         words + 2*wordLen,
	}, nil
}

// RoomForJSON is how many bytes of JSON fit an area of the given size (0 means
// proto.MaxJSONArea): the rest is kept for the spaces that align the PCM.
func RoomForJSON(jsonArea int) int {
	if jsonArea == 0 {
		jsonArea = proto.MaxJSONArea
	}
	return jsonArea - (pcmAlign - 1)
}

// padding is how many spaces behind n bytes of JSON bring the PCM, which stands
// prefix bytes into the data, to a multiple of pcmAlign.
func padding(n, prefix int) int {
	at := offJSON + n + dataLenLen + prefix
	return (pcmAlign - at%pcmAlign) % pcmAlign
}

// status, jsonLen and firstByte take a first word apart; firstWord puts one
// together.
func status(word uint32) byte    { return byte(word) }
func jsonLen(word uint32) int    { return int(uint16(word >> 8)) }
func firstByte(word uint32) byte { return byte(word >> 24) }

func firstWord(status byte, jsonLen int, first byte) uint32 {
	return uint32(status) | uint32(jsonLen)<<8 | uint32(first)<<24
}
