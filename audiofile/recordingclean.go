package audiofile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// clean sees to what a killed process, or a machine without power, has left.
func (r *Recordings) clean() {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && isLeftover(entry.Name()) {
			_ = os.Remove(filepath.Join(r.Dir, entry.Name()))
		}
	}
	songs, err := r.songs()
	if err != nil {
		return
	}
	for _, s := range songs {
		name := s.String()
		if s.stems {
			_ = removeStems(r.Stems(name), mendTake)
		}
		if s.wav != nil && mendTake(r.WAV(name)) {
			_ = os.Remove(r.WAV(name))
		}
	}
}

// mendTake puts the header of a take right that tells of more samples than are
// there, and says whether the take is empty, header or not. A file that no Take has
// written, or that cannot be read, is left as it is and is not empty.
func mendTake(path string) (empty bool) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false
	}
	head := make([]byte, wavHeaderBytes)
	n, err := file.ReadAt(head, 0)
	if errors.Is(err, io.EOF) { // killed, or out of space, before the header was whole
		return bytes.HasPrefix(appendHeader(nil, 0), head[:n])
	}
	said := int(binary.LittleEndian.Uint32(head[wavHeaderBytes-4:]) / 2)
	if err != nil || !bytes.Equal(head, appendHeader(nil, said)) {
		return false
	}
	if there := int((info.Size() - wavHeaderBytes) / 2); there < said {
		if _, err := file.WriteAt(appendHeader(nil, there), 0); err != nil {
			return false
		}
		said = there
	}
	return said == 0
}
