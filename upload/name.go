package upload

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"bucketbrigade/proto"
)

// kind is what a file is for; names begin with it.
type kind string

const (
	track kind = "track"
	image kind = "image"
)

const (
	stampDigits = 19
	whoDigits   = 16
	idLetters   = 10
)

// fileName is a name taken apart.
type fileName struct {
	kind  kind
	stamp int64  // ns since 1970
	who   string // hash of his session
	id    string
	ext   string // "wav", or that of an image
}

func (n fileName) String() string {
	return fmt.Sprintf("%s-%0*d-%s-%s.%s", n.kind, stampDigits, n.stamp, n.who, n.id, n.ext)
}

// imageTypes gives the content type of each image's extension.
var imageTypes = map[string]string{"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

// parseName takes a name apart; false if it is not one of ours. Its String is the
// name again.
func parseName(name string) (fileName, bool) {
	stem, ext, _ := strings.Cut(name, ".")
	parts := strings.Split(stem, "-")
	if len(parts) != 4 {
		return fileName{}, false
	}
	n := fileName{kind: kind(parts[0]), who: parts[2], id: parts[3], ext: ext}
	switch n.kind {
	case track:
		if ext != "wav" {
			return fileName{}, false
		}
	case image:
		if imageTypes[ext] == "" {
			return fileName{}, false
		}
	default:
		return fileName{}, false
	}
	// No 9 in front, the year 2255: so there is always a later stamp.
	stamp := parts[1]
	if !isAll(stamp, stampDigits, "0123456789") || stamp[0] == '9' || !isAll(n.who, whoDigits, "0123456789abcdef") || !isID(n.id) {
		return fileName{}, false
	}
	var err error
	n.stamp, err = strconv.ParseInt(stamp, 10, 64)
	return n, err == nil
}

// isID tells whether s is what an id looks like.
func isID(s string) bool { return isAll(s, idLetters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") }

// isAll tells whether s is n characters out of a set.
func isAll(s string, n int, set string) bool {
	return len(s) == n && strings.Trim(s, set) == ""
}

// newID makes an id of ten letters of 26: 47 bits.
func newID() string {
	var id [idLetters]byte
	for i := range id {
		var b [1]byte
		for b[0] = 255; b[0] >= 26*9; { // 26·9 = 234 values give each letter as often
			_, _ = rand.Read(b[:]) // never fails
		}
		id[i] = 'A' + b[0]%26
	}
	return string(id[:])
}

// whoIs gives the hash of a session.
func whoIs(session proto.Session) string {
	sum := sha256.Sum256([]byte(session))
	return hex.EncodeToString(sum[:whoDigits/2])
}

// entry is a file of the folder.
type entry struct {
	fileName
	name string
	info fs.FileInfo
}

// list gives the uploads in a folder, the newest first, and the temporary files.
func list(dir string) (uploads []entry, temps []fs.FileInfo, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		n, ours := parseName(file.Name())
		temp := isTemp(file.Name())
		if !ours && !temp {
			continue
		}
		info, err := file.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // gone between the two looks, or not of ours
		}
		if temp {
			temps = append(temps, info)
		} else {
			uploads = append(uploads, entry{n, file.Name(), info})
		}
	}
	slices.SortFunc(uploads, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.stamp, a.stamp), strings.Compare(b.name, a.name))
	})
	return uploads, temps, nil
}

const (
	tempHead = ".upload-"
	tempTail = ".tmp"
)

// newTemp makes a temporary file.
func newTemp(dir string) (*os.File, error) { return os.CreateTemp(dir, tempHead+"*"+tempTail) }

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempHead) && strings.HasSuffix(name, tempTail)
}
