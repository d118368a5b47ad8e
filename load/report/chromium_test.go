package report

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chromium is a browser without a window that tests drive over its DevTools
// protocol, on two pipes: each message is JSON that ends in a zero byte. The
// test's goroutine owns it.
type chromium struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	answers *os.File // what from reads
	last    int
	session string
	// faults are what was wrong with the page: exceptions, errors on the console,
	// requests to anywhere else.
	faults []string
	loaded bool
}

// patience is how long the browser may take for anything.
const patience = 60 * time.Second

// findChromium gives the program, or skips the test.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("NOT TESTED: there is no Chromium on this machine to open the report with; `make deps` installs it")
	return ""
}

// startChromium starts one that ends with the test.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	toRead, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, answersWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// The pages are ours, so no sandbox is needed, which root and containers do
	// not have.
	cmd := exec.Command(findChromium(t), "--headless", "--hide-scrollbars", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, answersWrite}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = toRead.Close()
	_ = answersWrite.Close()
	t.Cleanup(func() {
		// It has children of its own, which must not write to its folder any more
		// when that is removed.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = to.Close()
		_ = answers.Close()
	})
	c := &chromium{t: t, to: to, from: bufio.NewReader(answers), answers: answers}
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		c.call(domain+".enable", nil, nil)
	}
	return c
}

// message is one of the protocol, of either direction.
type message struct {
	ID      int             `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
}

type failure struct{ Message string }

// call asks for something and waits for the answer, which goes to result unless
// that is nil.
func (c *chromium) call(method string, params, result any) {
	c.t.Helper()
	c.last++
	text, err := json.Marshal(message{ID: c.last, Method: method, Params: params, Session: c.session})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.to.Write(append(text, 0)); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := c.read()
		if m.ID != c.last {
			continue
		}
		if m.Error != nil {
			c.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				c.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

// read takes one message; of events it notes what matters.
func (c *chromium) read() message {
	c.t.Helper()
	if err := c.answers.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	text, err := c.from.ReadBytes(0)
	if err != nil {
		c.t.Fatalf("the browser says nothing: %v", err)
	}
	text = text[:len(text)-1]
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		c.t.Fatalf("the browser says %.200s: %v", text, err)
	}
	switch m.Method {
	case "Page.loadEventFired":
		c.loaded = true
	case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
		c.faults = append(c.faults, string(text))
	case "Network.requestWillBeSent":
		var e struct {
			Params struct{ Request struct{ URL string } }
		}
		if err := json.Unmarshal(text, &e); err != nil {
			c.t.Fatal(err)
		}
		if url := e.Params.Request.URL; !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "data:") {
			c.faults = append(c.faults, "the page asks for "+url)
		}
	}
	return m
}

// open shows a file in a window of a size, light or dark, and waits for it.
func (c *chromium) open(path string, width, height int, scheme string) {
	c.t.Helper()
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	c.loaded = false
	c.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	for !c.loaded {
		c.read()
	}
}

// run evaluates an expression in the page; result takes its value.
func (c *chromium) run(expression string, result any) {
	c.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	c.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		c.t.Fatalf("%.60s…: %s", expression, answer.ExceptionDetails)
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		c.t.Fatal(err)
	}
}

// shoot keeps a picture of the whole page for people, in the folder that the
// environment names.
func (c *chromium) shoot(name string) {
	c.t.Helper()
	dir := os.Getenv("REPORT_PICTURES")
	if dir == "" {
		return
	}
	var picture struct{ Data string }
	c.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &picture)
	png, err := base64.StdEncoding.DecodeString(picture.Data)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(fmt.Sprintf("%s/%s.png", dir, name), png, 0o644); err != nil {
		c.t.Fatal(err)
	}
}
