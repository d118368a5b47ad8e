// Package manual prints a command's manual page: the comment of its doc.go and
// its flags. The page is written once, where go doc finds it too.
package manual

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// ErrUsage is what Parse gives for a command line that makes no sense; the
// reason has been printed. Exit status 2 is the custom for it.
var ErrUsage = errors.New("wrong usage")

// Page is the text of the block comment that opens source.
func Page(source string) string {
	_, rest, opened := strings.Cut(source, "/*\n")
	page, _, closed := strings.Cut(rest, "*/")
	if !opened || !closed {
		panic("manual: doc.go does not open with a block comment")
	}
	return page
}

// New makes a flag set that prints the page for -help and one line of advice
// for a mistake.
func New(name, source string, out io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(out)
	page := Page(source)
	fs.Usage = func() {
		fmt.Fprintf(out, "%s\nFlags:\n\n", page)
		fs.PrintDefaults()
	}
	return fs
}

// Parse parses args. The error is flag.ErrHelp after -help, else ErrUsage; it
// has been printed, with what the flag in question wants and a pointer to -help
// instead of the whole page.
func Parse(fs *flag.FlagSet, args []string) error {
	page, out := fs.Usage, fs.Output()
	fs.Usage = func() {}
	defer func() { fs.Usage = page }()
	err := fs.Parse(args)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, flag.ErrHelp):
		page()
		return err
	}
	if wants := wanted(fs, err); wants != "" {
		fmt.Fprintln(out, wants)
	}
	fmt.Fprintf(out, "%s -help explains\n", fs.Name())
	return ErrUsage
}

// refused finds the flag in what package flag says of a value that it did not take.
var refused = regexp.MustCompile(`^invalid (?:boolean )?value .* for (?:flag )?-([a-z-]+): `)

// wanted says what would have been right for the flag whose value err refuses; "" if
// err is about something else.
func wanted(fs *flag.FlagSet, err error) string {
	m := refused.FindStringSubmatch(err.Error())
	if m == nil || fs.Lookup(m[1]) == nil {
		return ""
	}
	f := fs.Lookup(m[1])
	kind, about := flag.UnquoteUsage(f)
	if getter, ok := f.Value.(flag.Getter); ok {
		switch getter.Get().(type) {
		case bool:
			kind = "true or false"
		case int:
			kind = "a whole number"
		case float64:
			kind = "a number"
		case time.Duration:
			kind = "a time such as 1.5s or 2m"
		}
	}
	return fmt.Sprintf("-%s wants %s: %s", f.Name, kind, about)
}

// Wrong prints why a command line makes no sense, and gives ErrUsage.
func Wrong(fs *flag.FlagSet, format string, args ...any) error {
	fmt.Fprintf(fs.Output(), format+"\n%s -help explains\n", append(args, fs.Name())...)
	return ErrUsage
}

// Status is the exit status for what a command ended with: 0, 1 for a failure,
// 2 for wrong usage.
func Status(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, ErrUsage):
		return 2
	}
	return 1
}
