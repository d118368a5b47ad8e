package secrets

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"bucketbrigade/proto"
)

// Secrets is what the files say.
type Secrets struct {
	// Control is the secret of server control, "" if there is none.
	Control proto.Secret
	// InstanceName is shown to singers, "" if there is none.
	InstanceName string
	// VideoToken makes a user's token for the video call, at most
	// proto.MaxTokenBytes of ASCII. It is nil if there is no call. Any goroutine
	// may call it.
	VideoToken func(proto.UserID) string

	log *slog.Logger
}

// Files names the files; empty: there is none.
type Files struct {
	Secrets, Control string
}

// AddFlags adds the flags that name the files. when stands before what they
// are for, such as "without -segment: ".
func AddFlags(fs *flag.FlagSet, when string) *Files {
	var f Files
	fs.StringVar(&f.Secrets, "secrets", "", when+"`file` of what is needed for a video call, and the instance's name, as JSON")
	fs.StringVar(&f.Control, "control-secret", "", when+"`file` of the secret with which an operator controls the room; nobody can without")
	return &f
}

// Read reads the files. Errors name the flag, the file and what is wrong with
// it; log is told of files that everybody on the machine can read or write.
func (f *Files) Read(log *slog.Logger) (Secrets, error) {
	s := Secrets{log: log}
	if f.Secrets != "" {
		if err := s.readSecrets(f.Secrets); err != nil {
			return Secrets{}, fmt.Errorf("-secrets: %w", err)
		}
	}
	if f.Control != "" {
		if err := s.readControl(f.Control); err != nil {
			return Secrets{}, fmt.Errorf("-control-secret: %w", err)
		}
	}
	return s, nil
}

// maxFile bounds a file that is read, in bytes.
const maxFile = 64 << 10

// forEverybody are the permissions that others than owner and group should not
// have.
const forEverybody = 0o006

// readFile reads a file that not everybody should be able to look at.
func (s *Secrets) readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err // it names the file
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&forEverybody != 0 {
		s.log.Warn("everybody on this machine can read or write a secret: chmod o-rw it", "file", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, maxFile)
	}
	return text, nil
}

// readControl reads the control secret.
func (s *Secrets) readControl(name string) error {
	text, err := s.readFile(name)
	if err != nil {
		return err
	}
	secret := string(bytes.TrimSpace(text))
	if err := checkControl(secret); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.Control = proto.Secret(secret)
	return nil
}

// checkControl finds out whether a secret is good and can stand in a header. It
// never says what it is.
func checkControl(secret string) error {
	switch n := len(secret); {
	case n == 0:
		return errors.New("empty: it must hold the secret, one line of text")
	case strings.ContainsAny(secret, "\r\n"):
		return errors.New("more than one line: it must hold the secret alone")
	case strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r > '~' }):
		return errors.New("the secret has a character that is not printable ASCII, which no HTTP header can hold")
	case n < proto.MinSecretBytes || n > proto.MaxSecretBytes:
		return fmt.Errorf("the secret has %d characters, it must have %d to %d", n, proto.MinSecretBytes, proto.MaxSecretBytes)
	}
	return nil
}
