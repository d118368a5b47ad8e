package proto

import (
	"encoding/binary"
	"math"
)

const (
	// SummaryHeader is the size of the count that opens a summary.
	SummaryHeader = 2
	// SummaryRecord is the size of one user in it.
	SummaryRecord  = 51
	summaryNameLen = 32

	bitMuted  = 1 << 0
	bitSoloed = 1 << 1
)

// SummaryUser is one user as others see it.
type SummaryUser struct {
	User      UserID
	Name      string  // cut at 32 bytes on the wire, even inside a character
	MicVolume float32 // friendly scale, 0..2
	RMS       float32 // loudness of the last decoded input, before any gain
	Delay     int     // seconds behind the server clock, clamped to 0..65535 on the wire
	Muted     bool
	Soloed    bool
}

// AppendSummaryHeader appends the count of a summary, 0..65535.
func AppendSummaryHeader(dst []byte, n int) []byte {
	if n < 0 || n > math.MaxUint16 {
		panic("proto: a summary holds at most 65535 users")
	}
	return binary.BigEndian.AppendUint16(dst, uint16(n))
}

// AppendSummaryUser appends one record of 51 bytes.
func AppendSummaryUser(dst []byte, u *SummaryUser) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(u.User))
	var name [summaryNameLen]byte
	copy(name[:], u.Name)
	dst = append(dst, name[:]...)
	dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(u.MicVolume))
	dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(u.RMS))
	dst = binary.BigEndian.AppendUint16(dst, uint16(max(0, min(math.MaxUint16, u.Delay))))
	var bits byte
	if u.Muted {
		bits |= bitMuted
	}
	if u.Soloed {
		bits |= bitSoloed
	}
	return append(dst, bits)
}

// CutSummary splits data into a summary and what follows it. Errors (data that
// ends inside the summary) are refusals of status 502.
func CutSummary(data []byte) (summary, rest []byte, err error) {
	if len(data) < SummaryHeader {
		return nil, nil, broken("data of %d bytes ends before the count of the user summary", len(data))
	}
	n := SummaryHeader + SummaryRecord*int(binary.BigEndian.Uint16(data))
	if n > len(data) {
		return nil, nil, broken("user summary says %d bytes, %d are there", n, len(data))
	}
	return data[:n], data[n:], nil
}

// ParseSummary reads a whole summary; bytes after it are an error. Errors are
// refusals of status 502.
func ParseSummary(data []byte) ([]SummaryUser, error) {
	summary, rest, err := CutSummary(data)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, broken("%d bytes follow the user summary", len(rest))
	}
	users := make([]SummaryUser, 0, (len(summary)-SummaryHeader)/SummaryRecord)
	for r := summary[SummaryHeader:]; len(r) > 0; r = r[SummaryRecord:] {
		users = append(users, parseSummaryUser(r))
	}
	return users, nil
}

func parseSummaryUser(r []byte) SummaryUser {
	name := r[8 : 8+summaryNameLen]
	for len(name) > 0 && name[len(name)-1] == 0 {
		name = name[:len(name)-1]
	}
	bits := r[50]
	return SummaryUser{
		User:      UserID(binary.BigEndian.Uint64(r)),
		Name:      string(name),
		MicVolume: math.Float32frombits(binary.BigEndian.Uint32(r[40:])),
		RMS:       math.Float32frombits(binary.BigEndian.Uint32(r[44:])),
		Delay:     int(binary.BigEndian.Uint16(r[48:])),
		Muted:     bits&bitMuted != 0,
		Soloed:    bits&bitSoloed != 0,
	}
}
