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

// manual is the page whose section "An afternoon" is done as it is written.
const manual = "../../docs/operating.md"

// said is a command of a page, and what the page says that it prints; nothing means
// that it is not said.
type said struct{ command, prints string }

// commands are those of one section of a page: lines that are indented by four.
// Where one of a block begins with "$ ", the lines without are what is printed.
func commands(page, section string) (all []said) {
	_, text, _ := strings.Cut(page, "\n## "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	session := false
	for line := range strings.Lines(text) {
		line, code := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if !code {
			session = false
			continue
		}
		command, prompt := strings.CutPrefix(line, "$ ")
		session = session || prompt
		switch {
		case prompt || !session:
			all = append(all, said{command: command})
		default:
			last := &all[len(all)-1]
			last.prints = strings.TrimPrefix(last.prints+"\n"+line, "\n")
		}
	}
	return all
}

func TestCommandsOfAPage(t *testing.T) {
	t.Parallel()
	page := "# P\n\n    no\n\n## A\n\ntext\n\n    one\n    two | x\n\n    $ three\n    3\n    III\n    $ four\n\n    five\n## B\n    no\n"
	got := fmt.Sprintf("%q", commands(page, "A"))
	if want := `[{"one" ""} {"two | x" ""} {"three" "3\nIII"} {"four" ""} {"five" ""}]`; got != want {
		t.Errorf("%s, want %s", got, want)
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
// has it, on a machine with nothing installed. The network's part is a stand-in's.
func TestBoxLongManual(t *testing.T) {
	if !*long {
		t.Skip("this takes two minutes: `make e2e-long`")
	}
	page, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	todo := commands(string(page), "An afternoon")
	if len(todo) < 25 {
		t.Fatalf("the page has only %d commands", len(todo))
	}
	m := boot(t)
	m.sh(t, standIns)
	folder := filepath.Dir(m.deb)
	for k, c := range todo {
		m.check(t, fmt.Sprintf("%d. %.60s", k+1, c.command), func(t testing.TB) { m.follow(t, folder, c) })
	}
}

// follow does one command and compares what it prints.
func (m *machine) follow(t testing.TB, folder string, c said) {
	t.Helper()
	var out string
	var err error
	// Services are up a moment after systemd has said so.
	for range 10 {
		out, err = m.Run(t.Context(), "bash", "-c", "cd "+folder+" && "+c.command)
		if err == nil && (c.prints == "" || plain(out) == c.prints) {
			return
		}
		if c.prints == "" {
			break // it is not to be done twice
		}
		<-time.After(300 * time.Millisecond)
	}
	t.Errorf("%s\nprints\n%s\n(%v), and by the page\n%s", c.command, out, err, c.prints)
}

// plain is text as a page has it: without carriage returns and spaces at the ends of
// lines.
func plain(text string) string {
	return regexp.MustCompile(`[ \r]+(\n|$)`).ReplaceAllString(text, "$1")
}
