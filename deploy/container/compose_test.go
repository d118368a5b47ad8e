package container

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// compose is what of compose.yaml is looked at.
type compose struct {
	Services map[string]struct {
		Image    string
		Command  []string
		Volumes  []string
		ReadOnly bool   `yaml:"read_only"`
		Network  string `yaml:"network_mode"`
		Grace    string `yaml:"stop_grace_period"`
	}
	Volumes map[string]struct {
		Options struct{ O string } `yaml:"driver_opts"`
	}
}

func parse(t *testing.T) compose {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	flagName = regexp.MustCompile(`^-([a-z-]+)=`)
	size     = regexp.MustCompile(`size=(\d+)m`)
)

// unit is the text of the unit that runs the same program.
func unit(t *testing.T, program string) string {
	t.Helper()
	name := map[string]string{"codec-shard": "codec-shard@.service", "state-server": "state-server.service"}[program]
	text, err := os.ReadFile(filepath.Join("..", "systemd", name))
	if err != nil {
		t.Fatalf("program %s: %v", program, err)
	}
	return string(text)
}

func TestServicesAreThoseOfTheUnits(t *testing.T) {
	t.Parallel()
	c := parse(t)
	shards := 0
	for name, s := range c.Services {
		if s.Image != "bucketbrigade" || len(s.Command) == 0 {
			t.Errorf("%s: image %q, command %q", name, s.Image, s.Command)
			continue
		}
		if name == "nginx" {
			continue
		}
		if !s.ReadOnly || s.Network != "service:nginx" || len(s.Volumes) != 2 {
			t.Errorf("%s lacks what all have: %+v", name, s)
		}
		known := unit(t, s.Command[0])
		if s.Grace == "" || !strings.Contains(known, "\nTimeoutStopSec="+s.Grace+"\n") {
			t.Errorf("%s: the unit of %s does not have %q to stop", name, s.Command[0], s.Grace)
		}
		for _, arg := range s.Command[1:] {
			m := flagName.FindStringSubmatch(arg)
			if m == nil || m[1] != "listen" && !strings.Contains(known, " -"+m[1]+"=") {
				t.Errorf("%s: the unit of %s has no %s", name, s.Command[0], arg)
			}
		}
		if number, ok := strings.CutPrefix(name, "shard-"); ok {
			shards++
			line := strings.Join(s.Command, " ")
			if !strings.Contains(line, "-segment=echo"+number) || !strings.Contains(line, "-listen=127.0.0.1:71"+number) {
				t.Errorf("%s runs %s", name, line)
			}
		}
	}
	if line := strings.Join(c.Services["nginx"].Command, " "); !strings.Contains(line, "--shards "+strconv.Itoa(shards)+" ") {
		t.Errorf("there are %d shards, and nginx has %s", shards, line)
	}
}

// The rings are 87 MB, with stems 225; and there are segments, and the state, twice 35 MB.
func TestSharedMemoryIsLargeEnough(t *testing.T) {
	t.Parallel()
	m := size.FindStringSubmatch(parse(t).Volumes["shm"].Options.O)
	if m == nil {
		t.Fatal("the volume shm has no size")
	}
	if mb, err := strconv.Atoi(m[1]); err != nil || mb < 300 {
		t.Errorf("the volume shm has %s MB, 300 are needed", m[1])
	}
}
