package service

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// Sockets takes over the listening sockets called name that systemd has opened
// for this process (FileDescriptorName=name in its .socket unit); none if it has
// opened none. What is opened under another name is an error: it would be full of
// connections that nobody answers.
func Sockets(name string) ([]net.Listener, error) {
	given := activation.FilesWithNames()
	var others []string
	for other := range given {
		if other != name {
			others = append(others, other)
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		return nil, fmt.Errorf("systemd gave sockets called %s: say FileDescriptorName=%s in their .socket units", strings.Join(others, ", "), name)
	}
	var all []net.Listener
	for _, file := range given[name] {
		l, err := net.FileListener(file)
		_ = file.Close() // the listener has a copy
		if err != nil {
			return nil, fmt.Errorf("socket %s of systemd: %w: say ListenStream= in its .socket unit", name, err)
		}
		all = append(all, l)
	}
	return all, nil
}
