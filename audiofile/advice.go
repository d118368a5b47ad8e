package audiofile

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// advise says what to do about a fault of the disk; path is a file in the folder
// that was written to. Errors of os name the file themselves.
func advise(err error, path string) error {
	dir := filepath.Dir(path)
	for _, a := range []struct {
		fault syscall.Errno
		what  string
	}{
		{syscall.ENOSPC, "free space on the disk of " + dir},
		{syscall.EDQUOT, "free space on the disk of " + dir + ", or raise the quota of this user"},
		{syscall.EFBIG, "raise the limit on the size of a file (ulimit -f, LimitFSIZE= of systemd)"},
		{syscall.EROFS, "mount the disk of " + dir + " so that it can be written to"},
		{syscall.EACCES, "let the user that runs this write to " + dir},
		{syscall.EPERM, "let the user that runs this write to " + dir},
		{syscall.EEXIST, "move it away, or choose another name"},
	} {
		if errors.Is(err, a.fault) {
			return fmt.Errorf("%w: %s", err, a.what)
		}
	}
	return err
}
