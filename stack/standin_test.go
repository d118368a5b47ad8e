package stack

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The test binary is its own stand-in for the programs: binDir links their
// names to it, and by its name it knows what to be.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case StateServer:
		standInStateServer()
	case CodecShard:
		standInShard()
	case "runner":
		runner()
	default:
		// Under -race each stand-in would else stay for a second after its end.
		os.Setenv("GORACE", "atexit_sleep_ms=0")
		os.Exit(m.Run())
	}
}

// binDir is a folder in which the stand-ins have the programs' names.
func binDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{StateServer, CodecShard, "runner"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// standIn holds the flags of both stand-ins.
type standIn struct {
	dir, segment, listen, uploads string
	noise                         int
	silent, deaf, broken          bool
}

func parseStandIn() (s standIn) {
	flag.StringVar(&s.dir, "dir", "", "")
	flag.StringVar(&s.segment, "segment", "", "")
	flag.StringVar(&s.listen, "listen", "", "")
	flag.StringVar(&s.uploads, "uploads", "", "")
	for _, name := range []string{"tracks", "recordings"} {
		flag.String(name, "", "")
	}
	flag.IntVar(&s.noise, "noise", 0, "lines to print before anything else")
	flag.BoolVar(&s.silent, "silent", false, "never get ready")
	flag.BoolVar(&s.deaf, "deaf", false, "ignore SIGTERM")
	flag.BoolVar(&s.broken, "broken", false, "fail at start")
	flag.Parse()
	for n := range s.noise {
		fmt.Fprintf(os.Stderr, "noise %d\n", n)
	}
	if s.broken {
		fmt.Fprintln(os.Stderr, "level=ERROR msg=\"cannot map the segment\"")
		os.Exit(3)
	}
	if s.deaf {
		signal.Ignore(syscall.SIGTERM)
	}
	return s
}

// note adds a line to the file "journal" in the directory of the stack.
func (s standIn) note(what string) {
	f, err := os.OpenFile(filepath.Join(s.uploads, "..", "journal"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, what)
	}
	if err != nil {
		panic(err)
	}
	f.Close()
}

// untilTerm waits for SIGTERM, or for ever if the stand-in is deaf.
func (s standIn) untilTerm(name string) {
	term := make(chan os.Signal, 1)
	if !s.deaf {
		signal.Notify(term, syscall.SIGTERM)
	}
	<-term
	s.note("stop " + name)
	os.Exit(0)
}

func standInStateServer() {
	s := parseStandIn()
	s.note(fmt.Sprint("start state-server ", flag.Args()))
	if !s.silent {
		fmt.Fprintln(os.Stderr, "level=INFO msg=serving")
	}
	s.untilTerm(StateServer)
}

func standInShard() {
	s := parseStandIn()
	s.note("start " + s.segment)
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	var asked atomic.Int64
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			panic(http.ErrAbortHandler) // as a shard does that has no clock yet
		}
		fmt.Fprint(w, s.segment)
	})
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) {
		fmt.Fprint(os.Stderr, "level=ERROR msg=\"out of luck\"") // without a newline
		os.Exit(7)
	})
	go http.Serve(l, mux)
	fmt.Fprintf(os.Stderr, "level=INFO msg=listening addr=%s\n", l.Addr())
	s.untilTerm(s.segment)
}

// runner stands for a program around a stack: it prints the pids of all
// children and then waits to be killed.
func runner() {
	s, err := New(Config{BinDir: os.Args[1], Dir: os.Args[2], Root: os.Args[2]})
	if err == nil {
		err = s.Start(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, name := range s.Names() {
		pid, err := s.Pid(name)
		if err != nil {
			panic(err)
		}
		fmt.Println(pid)
	}
	fmt.Println(s.URL())
	time.AfterFunc(time.Minute, func() { os.Exit(1) })
	select {}
}
