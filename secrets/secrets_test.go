package secrets

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

// write makes a file of the test.
func write(t testing.TB, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return name
}

func read(secrets, control string) (Secrets, error) {
	return (&Files{Secrets: secrets, Control: control}).Read(slog.New(slog.DiscardHandler))
}

func TestControlSecret(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", proto.MaxSecretBytes)
	for _, c := range []struct {
		name, text string
		want, says string
	}{
		{"plain", "0123456789abcdef", "0123456789abcdef", ""},
		{"white space around", "\n\t 0123456789abcdef \r\n", "0123456789abcdef", ""},
		{"words", "correct horse battery\n", "correct horse battery", ""},
		{"as long as can be", long, long, ""},
		{"empty", "", "", "empty"},
		{"blank", " \n\n", "", "empty"},
		{"short", "0123456\n", "", "7 characters, it must have 8 to 256"},
		{"long", long + "x", "", "257 characters"},
		{"very long", strings.Repeat("x", 1<<20), "", "longer than 65536 bytes"},
		{"two lines", "0123456789abcdef\n0123456789abcdef", "", "more than one line"},
		{"not ASCII", "0123456789abcdefé", "", "printable ASCII"},
		{"control character", "0123456789\x00abcdef", "", "printable ASCII"},
	} {
		name := write(t, c.text, 0o600)
		s, err := read("", name)
		if string(s.Control) != c.want || (err == nil) != (c.says == "") {
			t.Errorf("%s: %q, %v", c.name, string(s.Control), err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), "-control-secret: ")) {
			t.Errorf("%s: error %v, want one that names the file and says %q", c.name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "0123") {
			t.Errorf("%s: the error tells the secret: %v", c.name, err)
		}
	}
}

func TestFilesForEverybodyAreTold(t *testing.T) {
	t.Parallel()
	for mode, good := range map[os.FileMode]bool{
		0o400: true, 0o600: true, 0o640: true, 0o660: true, 0o644: false, 0o604: false, 0o602: false, 0o666: false,
	} {
		f := Files{Control: write(t, "0123456789abcdef", mode), Secrets: write(t, "{}", mode)}
		var log bytes.Buffer
		if _, err := f.Read(slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
		said := log.String()
		if told := strings.Count(said, "chmod o-rw") == 2 && strings.Contains(said, f.Control) && strings.Contains(said, f.Secrets); told == good {
			t.Errorf("mode %o: the log says %q", mode, said)
		}
		if strings.Contains(said, "0123456789abcdef") {
			t.Errorf("mode %o: the log tells the secret", mode)
		}
	}
}

func second(_ Secrets, err error) error { return err }

func TestFilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "none"), dir} {
		for _, err := range []error{second(read(name, "")), second(read("", name))} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v, want one that names %s", err, name)
			}
		}
	}
	if s, err := read("", ""); err != nil || s.Control != "" || s.VideoToken != nil || s.InstanceName != "" {
		t.Errorf("no files: %+v, %v", s, err)
	}
}

const whole = `{"twilio": {"account_sid": "AC1", "api_key": "SK1", "api_secret": "hush-hush", "room": "the room"}, "instance_name": "Hall"}`

// without gives the whole file without a field of twilio.
func without(field string) string {
	var file map[string]map[string]any
	_ = json.Unmarshal([]byte(whole[:strings.Index(whole, `, "instance`)]+"}"), &file)
	delete(file["twilio"], field)
	text, _ := json.Marshal(file)
	return string(text)
}

func TestSecretsFile(t *testing.T) {
	t.Parallel()
	with := func(old, new string) string { return strings.Replace(whole, old, new, 1) }
	for _, c := range []struct {
		name, text string
		says       string
	}{
		{"whole", whole, ""},
		{"nothing", "{}", ""},
		{"name alone", `{"instance_name": "Hall"}`, ""},
		{"empty", "", "empty"},
		{"blank", " \n", "empty"},
		{"no JSON", "hush-hush", "no JSON from line 1, column 1"},
		{"cut", "{\n  \"twilio\": {\n    \"api_secret\": \"hush-hush", "no JSON from line 3, column"},
		{"comma", "{\n \"instance_name\": \"x\",\n}", "line 3, column 1"},
		{"two", whole + whole, "no JSON from line 1"},
		{"list", `["hush-hush"]`, "must be an object"},
		{"null", `null`, "must be an object"},
		{"number", `12345`, "must be an object"},
		{"unknown key", `{"twillio": {}}`, `unknown key "twillio", known are twilio, instance_name`},
		{"other case", `{"Twilio": {}}`, `unknown key "Twilio"`},
		{"unknown key of twilio", with(`"room"`, `"token": 1, "room"`), `unknown key "twilio.token"`},
		{"name a number", with(`"Hall"`, "31415"), "instance_name must be a string"},
		{"name null", with(`"Hall"`, "null"), "instance_name must be a string"},
		{"name empty", with("Hall", " "), "instance_name is empty"},
		{"twilio a string", `{"twilio": "hush-hush"}`, "twilio must be an object"},
		{"twilio null", `{"twilio": null}`, "twilio must be an object"},
		{"no account", without("account_sid"), "twilio.account_sid is missing"},
		{"no key", without("api_key"), "twilio.api_key is missing"},
		{"no secret", without("api_secret"), "twilio.api_secret is missing"},
		{"no room", without("room"), "twilio.room is missing"},
		{"secret a number", with(`"hush-hush"`, "31415"), "twilio.api_secret must be a string"},
		{"secret a list", with(`"hush-hush"`, `["hush-hush"]`), "twilio.api_secret must be a string"},
		{"secret empty", with("hush-hush", ""), "twilio.api_secret is empty"},
		{"room too long", with("the room", strings.Repeat("r", 3000)), "tokens have"},
		{"too long", `{"instance_name": "` + strings.Repeat("x", 70000) + `"}`, "longer than 65536 bytes"},
	} {
		name := write(t, c.text, 0o600)
		s, err := read(name, "")
		if c.says == "" {
			if err != nil || (s.VideoToken != nil) != strings.Contains(c.text, "twilio") || (s.InstanceName == "Hall") != strings.Contains(c.text, "Hall") {
				t.Errorf("%s: %+v, %v", c.name, s, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "-secrets: "+name+": ") {
			t.Errorf("%s: error %v, want one that names the file and says %q", c.name, err, c.says)
			continue
		}
		for _, value := range []string{"hush", "31415", "12345", "AC1", "SK1", "the room"} {
			if strings.Contains(strings.ReplaceAll(err.Error(), name, ""), value) {
				t.Errorf("%s: the error tells %s: %v", c.name, value, err)
			}
		}
		if s.VideoToken != nil || s.InstanceName != "" {
			t.Errorf("%s: refused, yet it gives %+v", c.name, s)
		}
	}
}

// Nothing in a file makes a panic; what is accepted makes tokens.
func FuzzSecretsFile(f *testing.F) {
	f.Add(whole)
	f.Add(`{"twilio": {"api_secret": 1e999}}`)
	f.Add("{\"\xff\":\n\"\\ud800\"")
	f.Fuzz(func(t *testing.T, text string) {
		var s Secrets
		err := s.parse([]byte(text))
		switch {
		case err != nil && (err.Error() == "" || len(err.Error()) > 600):
			t.Errorf("error of %d bytes", len(err.Error()))
		case err == nil && s.VideoToken != nil:
			if n := len(s.VideoToken(7)); n == 0 || n > proto.MaxTokenBytes {
				t.Errorf("a token of %d bytes", n)
			}
		}
	})
}
