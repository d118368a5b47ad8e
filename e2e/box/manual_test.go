package box

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// manual is the page that is done as it is written.
const manual = "../../docs/operating.md"

// said is a command of a page, and what the page says that it prints; nothing means
// that it is not said.
type said struct{ command, prints string }

// sections are the titles of a page's, in order.
func sections(page string) (titles []string) {
	for _, m := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(page, -1) {
		titles = append(titles, m[1])
	}
	return titles
}

// commands are those of one section of a page: lines that are indented by four.
// Where one of a block begins with "$ ", the lines without are what is printed, or go
// on with a command that is not whole. What stands between fences is to be read only.
func commands(page, section string) (all []said) {
	_, text, _ := strings.Cut(page, "\n## "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	session, fenced := false, false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		line, code := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if !code || fenced {
			session = false
			continue
		}
		command, prompt := strings.CutPrefix(line, "$ ")
		session = session || prompt
		last := &said{}
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		switch {
		case goesOn(last.command):
			last.command += "\n" + line
		case prompt || !session:
			all = append(all, said{command: command})
		default:
			last.prints = strings.TrimPrefix(last.prints+"\n"+line, "\n")
		}
	}
	return all
}

// goesOn tells whether the next line belongs to a command of bash: after a backslash,
// between quotation marks, or in a here-document up to EOF.
func goesOn(command string) bool {
	if strings.Contains(command, "<<'EOF'") {
		return !strings.HasSuffix(command, "\nEOF")
	}
	return strings.HasSuffix(command, `\`) || strings.Count(command, "'")%2 == 1
}

func TestCommandsOfAPage(t *testing.T) {
	t.Parallel()
	page := "# P\n\n    no\n\n## A\n\ntext\n\n    one\n    two | x\n\n    $ three\n    3\n    III\n    $ four\n\n    five\n" +
		"```\n    no\n```\n    $ six \\\n       'six\n       more'\n    6\n\n    cat <<'EOF'\n    it's\n    EOF\n    seven\n## B\n    no\n"
	got := fmt.Sprintf("%q", commands(page, "A"))
	if want := `[{"one" ""} {"two | x" ""} {"three" "3\nIII"} {"four" ""} {"five" ""} ` +
		`{"six \\\n   'six\n   more'" "6"} {"cat <<'EOF'\nit's\nEOF" ""} {"seven" ""}]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := fmt.Sprintf("%q", sections(page)); got != `["A" "B"]` {
		t.Errorf("sections %s", got)
	}
}

// example is what a page shows as an example: numbers may be others, and anything may
// stand for "…".
func example(prints string) *regexp.Regexp {
	text := regexp.QuoteMeta(prints)
	text = regexp.MustCompile(`[0-9]+(\\\.[0-9]+)?`).ReplaceAllString(text, `[0-9]+(\.[0-9]+)?`)
	return regexp.MustCompile("^" + strings.ReplaceAll(text, "…", ".*") + "$")
}

func TestExample(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prints, out string
		is          bool
	}{
		{`{"a":12,…}`, `{"a":3.25,"b":[1]}`, true},
		{`up 4.1s`, `up 4s`, true},
		{`up 4.1s`, `up 4x1s`, false},
		{"a 1", "a 1\nb 2", false},
		{"a 1", "a none", false},
	} {
		if example(c.prints).MatchString(c.out) != c.is {
			t.Errorf("%q as an example of %q: %v", c.out, c.prints, !c.is)
		}
	}
}

// standIns are what cannot be had in a box, which has no network: apt's lists and
// certbot. This one does as the authority does: it looks at port 80 for what it has
// put into the webroot, and then hands out a certificate.
const standIns = `
echo '127.0.0.1 sing.example.org' >>/etc/hosts
cat >/usr/local/bin/apt-get <<'EOF'
#!/bin/bash
[ "$*" = update ] || [ "$*" = 'install -y certbot' ] || exec /usr/bin/apt-get "$@" --no-upgrade
EOF
cat >/usr/local/bin/certbot <<'EOF'
#!/bin/bash
set -eu
[ "$1 $2 $3 $5" = 'certonly --webroot -w -d' ]
webroot=$4 name=$6 live=/etc/letsencrypt/live/$6
mkdir -p "$webroot/.well-known/acme-challenge" "$live"
echo "$$" >"$webroot/.well-known/acme-challenge/token"
for try in 1 2 3 4 5; do # nginx reloads beside us; the authority takes a second, too
    seen=$(curl -sf "http://$name/.well-known/acme-challenge/token") || sleep 0.5
done
[ "$seen" = "$$" ]
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout "$live/privkey.pem" -out "$live/fullchain.pem" 2>/dev/null
cp "$live/fullchain.pem" "$live/chain.pem"
cat "$live/fullchain.pem" >>/etc/ssl/certs/ca-certificates.crt
EOF
chmod 755 /usr/local/bin/apt-get /usr/local/bin/certbot
`

// TestBoxLongManual does an operator's afternoon, command by command, as the page
// has it, on a machine with nothing installed, and then all that the page has to look
// up, while some sing. The network's part is a stand-in's.
func TestBoxLongManual(t *testing.T) {
	if !*long {
		t.Skip("this takes three minutes: `make e2e-long`")
	}
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	m := boot(t)
	m.sh(t, standIns)
	titles := sections(page)
	if titles[0] != "An afternoon" || len(titles) < 5 {
		t.Fatalf("the page has the sections %v", titles)
	}
	m.section(t, page, titles[0], 25, func(prints, out string) bool { return prints == out })
	m.sh(t, "systemd-run -q --unit=choir brigade-stress -url https://sing.example.org -users 8 -duration 5m")
	m.soon(t, "all sing", func() bool {
		return strings.Contains(m.sh(t, "curl -s -X POST 'https://sing.example.org/api/01?action=status'"), `{"n_connected_users":8,`)
	})
	for _, title := range titles[1:] {
		m.section(t, page, title, 2, func(prints, out string) bool { return example(prints).MatchString(out) })
	}
	m.sh(t, "systemctl stop choir")
}

// testScrape asks for what the page has Prometheus scrape: the state server and four
// shards.
func (m *machine) testScrape(t testing.TB) {
	page, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	targets := regexp.MustCompile(`- targets: \[(.+)\]`).FindSubmatch(page)
	if targets == nil || strings.Count(string(targets[1]), ":72") != 5 {
		t.Fatalf("%s has the targets %s", manual, targets)
	}
	for target := range strings.SplitSeq(string(targets[1]), ", ") {
		m.sh(t, "curl -sf http://"+target+"/metrics | grep -q ^brigade_")
	}
}

// section does the commands of a section, of which there are so many at the least.
func (m *machine) section(t *testing.T, page, title string, least int, same func(prints, out string) bool) {
	t.Helper()
	todo := commands(page, title)
	if len(todo) < least {
		t.Errorf("%q has only %d commands, %d were expected", title, len(todo), least)
	}
	for k, c := range todo {
		first, _, _ := strings.Cut(c.command, "\n")
		m.check(t, fmt.Sprintf("%s, %d. %.60s", title, k+1, first), func(t testing.TB) { m.follow(t, c, same) })
	}
}

// follow does one command where the package lies, and compares what it prints.
func (m *machine) follow(t testing.TB, c said, same func(prints, out string) bool) {
	t.Helper()
	var out string
	var err error
	// Services are up a moment after systemd has said so, and what they say of themselves
	// is up to five seconds old.
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		out, err = m.Run(t.Context(), "bash", "-c", "cd "+filepath.Dir(m.deb)+" && "+c.command)
		if err == nil && (c.prints == "" || same(c.prints, plain(out))) {
			return
		}
		if c.prints == "" {
			break // it is not to be done twice
		}
		<-time.After(300 * time.Millisecond)
	}
	t.Errorf("it prints %q, and by the page %q; %v; the command is\n%s", out, c.prints, err, c.command)
}

// plain is text as a page has it: without carriage returns and spaces at the ends of
// lines.
func plain(text string) string {
	return regexp.MustCompile(`[ \r]+(\n|$)`).ReplaceAllString(text, "$1")
}
