package audiofile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const crashTakes = 3

// crashStep is what a child writes into a take at a step, and after how many
// samples of silence.
func crashStep(take, step int) (gap, n int) {
	if step%5 == 4 {
		gap = 300 + take
	}
	return gap, 1 + (step*7919+take)%6000
}

func crashPath(dir string, take int) string { return filepath.Join(dir, fmt.Sprintf("%d.wav", take)) }

// childGrow writes takes until it is killed. After each write it tells the take
// and its length, two words of 32 bits.
func childGrow(dir string) error {
	tell := func(take, n int) error {
		return binary.Write(os.Stdout, binary.LittleEndian, [2]uint32{uint32(take), uint32(n)})
	}
	var takes [crashTakes]*Take
	for i := range takes {
		take, err := CreateTake(crashPath(dir, i))
		if err != nil {
			return err
		}
		if takes[i] = take; tell(i, 0) != nil {
			return io.ErrShortWrite
		}
	}
	for step := 0; ; step++ {
		for i, take := range takes {
			gap, n := crashStep(i, step)
			at := take.Len() + gap
			if err := take.WriteAt(hum(at, at+n), at); err != nil {
				return err
			}
			if err := tell(i, take.Len()); err != nil {
				return err
			}
		}
	}
}

// crashed is what a take holds after the steps that end at or before n samples.
func crashed(take, n int) []int16 {
	var out []int16
	for step := 0; ; step++ {
		gap, more := crashStep(take, step)
		at := len(out) + gap
		if at+more > n {
			return out
		}
		out = append(append(out, make([]int16, gap)...), hum(at, at+more)...)
	}
}

// Whenever a process is killed, its takes are whole WAV files with all that had
// been written.
func TestTakeOutlivesKill(t *testing.T) {
	t.Parallel()
	for round := range 20 {
		dir := t.TempDir()
		cmd, out, err := startChild(t, nil, "grow", dir)
		if err != nil {
			t.Fatal(err)
		}
		told := map[int]int{}
		after := rand.IntN(150)
		for i := 0; ; i++ {
			if i == after {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			var words [2]uint32
			if err := binary.Read(out, binary.LittleEndian, &words); err != nil {
				if i < after {
					t.Fatalf("round %d: the child ended by itself after %d writes: %v", round, i, err)
				}
				break // killed
			}
			told[int(words[0])] = int(words[1])
		}
		for take, n := range told {
			got, err := wavSamples(crashPath(dir, take))
			if err != nil {
				t.Errorf("round %d: %v", round, err)
				continue
			}
			file, err := os.ReadFile(crashPath(dir, take))
			if err != nil || !bytes.HasPrefix(file, appendHeader(nil, len(got))) {
				t.Errorf("round %d: take %d: its two sizes differ: % x, %v", round, take, file[:wavHeaderBytes], err)
			}
			if len(got) < n {
				t.Errorf("round %d: take %d has %d samples, %d were written", round, take, len(got), n)
			}
			if !slices.Equal(got, crashed(take, len(got))) {
				t.Errorf("round %d: take %d, %d samples, is not what was written", round, take, len(got))
			}
		}
	}
}

// childFullDisk works on a file system of its own.
func childFullDisk(dir string) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		fmt.Println("skip: mount:", err)
		return nil
	}
	return fill(dir, "no space left on device: free space on the disk of "+dir, func() error {
		return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=1m")
	})
}

// childLimit works under a limit on the size of its files.
func childLimit(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	was := limit.Cur
	limit.Cur = 256 << 10
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return fill(dir, "file too large: raise the limit on the size of a file", func() error {
		limit.Cur = was
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &limit)
	})
}

// fill writes a take until 256 kB are full, and goes on after a gap when there is
// room again.
func fill(dir, advice string, makeRoom func() error) error {
	const piece, gap = 30_000, 50_000
	path := filepath.Join(dir, "a.wav")
	take, err := CreateTake(path)
	if err != nil {
		return err
	}
	check := func(want []int16) error {
		got, err := wavSamples(path)
		if err != nil || !slices.Equal(got, want) || take.Len() != len(want) {
			return fmt.Errorf("the file has %d samples of %d, Len says %d: %v", len(got), len(want), take.Len(), err)
		}
		return nil
	}
	for err == nil {
		err = take.WriteAt(hum(take.Len(), take.Len()+piece), take.Len())
	}
	full := take.Len()
	if full != 4*piece || !strings.Contains(err.Error(), advice) || !strings.Contains(err.Error(), path) {
		return fmt.Errorf("full with %d samples: %w", full, err)
	}
	if err := check(hum(0, full)); err != nil {
		return err
	}
	if err := take.WriteAt(hum(full, full+piece), full+gap); err == nil {
		return errors.New("written though there is no room")
	}
	if err := check(hum(0, full)); err != nil {
		return err
	}
	if err := makeRoom(); err != nil {
		return err
	}
	if err := take.WriteAt(hum(full+gap, full+gap+piece), full+gap); err != nil {
		return err
	}
	if err := check(slices.Concat(hum(0, full), make([]int16, gap), hum(full+gap, full+gap+piece))); err != nil {
		return err
	}
	if err := take.Close(); err != nil {
		return err
	}
	fmt.Println("well")
	return nil
}

// A full disk costs what does not fit, and nothing else.
func TestTakeOnFullDisk(t *testing.T) {
	t.Parallel()
	for role, attr := range map[string]*syscall.SysProcAttr{"full disk": ownMounts(), "limit": nil} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			playChild(t, attr, role, t.TempDir())
		})
	}
}
