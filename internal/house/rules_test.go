package house

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayImport is the order of the house: what a package's own files may import
// of this module. What those may import is allowed too, so each row names only
// the next floor down. A new package gets a row.
var mayImport = map[string][]string{
	"cmd/state-server": {"state", "state/statemetrics", "secrets", "internal/metrics", "internal/service", "internal/manual"},
	"cmd/codec-shard":  {"state", "state/statemetrics", "shard", "shard/shardmetrics", "secrets", "internal/metrics", "internal/service", "internal/manual"},
	"cmd/brigade-run":  {"stack", "internal/manual"},
	"stress":           {"load/report", "stack", "shard", "brigade", "singer", "voice", "audiofile", "internal/cputime", "internal/manual"},
	"e2e":              {},
	"e2e/box":          {},

	"state":  {"brigade", "durable", "shm", "upload", "audiofile", "proto", "internal/boottime", "internal/measure"},
	"shard":  {"codec", "shm", "upload", "proto", "internal/boottime", "internal/measure"},
	"load":   {"singer", "voice", "audiofile", "internal/cputime"},
	"singer": {"codec", "proto"},
	"stack":  {"deploy/nginx"},

	"load/report":        {"load"},
	"shard/shardmetrics": {"shard", "internal/metrics"},
	"state/statemetrics": {"state", "internal/metrics"},

	"brigade":   {"durable", "proto"},
	"codec":     {"proto"},
	"shm":       {"proto"},
	"audiofile": {"proto"},
	"secrets":   {"proto"},
	"upload":    {"audiofile", "proto"},

	"voice":             {},
	"durable":           {},
	"proto":             {},
	"deploy/container":  {},
	"deploy/nginx":      {},
	"deploy/systemd":    {},
	"internal/boottime": {},
	"internal/cputime":  {},
	"internal/house":    {},
	"internal/manpage":  {"internal/manual"},
	"internal/manual":   {},
	"internal/measure":  {},
	"internal/metrics":  {"internal/measure"},
	"internal/service":  {},

	// Helpers for tests.
	"proto/prototest":   {"proto"},
	"shard/backendtest": {"shard"},
	"stack/stacktest":   {"stack"},

	"internal/service/servicetest": {},
}

// apart are packages that meet in one place only.
var apart = []struct{ a, b, meetIn string }{
	{"shm", "brigade", "state"},
}

// reach is all that a package may import, down to the ground.
func reach(dir string) map[string]bool {
	found := map[string]bool{}
	for _, next := range mayImport[dir] {
		found[next] = true
		for below := range reach(next) {
			found[below] = true
		}
	}
	return found
}

// ours gives the folder of an import of this module.
func ours(imported string) (dir string, ok bool) {
	return strings.CutPrefix(imported, module+"/")
}

// importFaults checks one file against the table.
func importFaults(s source) []string {
	if s.test {
		return nil // a test may look at anything
	}
	if _, ok := mayImport[s.dir]; !ok {
		return []string{fmt.Sprintf("%s: package %s has no row in mayImport of internal/house", s.path, s.dir)}
	}
	var faults []string
	below := reach(s.dir)
	for _, name := range s.imports() {
		if dir, ok := ours(name); ok && !below[dir] {
			faults = append(faults, fmt.Sprintf("%s imports %s, which does not lie below it: see mayImport of internal/house", s.path, dir))
		}
	}
	return faults
}

func TestImportsRunDownward(t *testing.T) {
	t.Parallel()
	meets := map[string]map[string]bool{}
	for _, s := range sources(t) {
		for _, fault := range importFaults(s) {
			t.Error(fault)
		}
		if s.test {
			continue
		}
		if meets[s.dir] == nil {
			meets[s.dir] = map[string]bool{}
		}
		for _, name := range s.imports() {
			if dir, ok := ours(name); ok {
				meets[s.dir][dir] = true
			}
		}
	}
	for _, pair := range apart {
		for dir, imported := range meets {
			if imported[pair.a] && imported[pair.b] && dir != pair.meetIn {
				t.Errorf("%s imports both %s and %s, which meet only in %s", dir, pair.a, pair.b, pair.meetIn)
			}
		}
	}
}

// The table itself has no circle and names no package without a row.
func TestTableIsSound(t *testing.T) {
	t.Parallel()
	var visit func(dir string, way []string)
	visit = func(dir string, way []string) {
		if slices.Contains(way, dir) {
			t.Fatalf("mayImport runs in a circle: %v, %s", way, dir)
		}
		for _, next := range mayImport[dir] {
			if _, ok := mayImport[next]; !ok {
				t.Errorf("%s may import %s, which has no row", dir, next)
			}
			visit(next, append(way, dir))
		}
	}
	for dir := range mayImport {
		visit(dir, nil)
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	comments := map[string][]string{} // by folder: the files with a package comment
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		list := comments[s.dir]
		if s.file.Doc != nil && strings.TrimSpace(s.file.Doc.Text()) != "" {
			list = append(list, s.path)
		}
		comments[s.dir] = list
	}
	for dir, list := range comments {
		if len(list) != 1 {
			t.Errorf("package %s has %d package comments, want one: %v", dir, len(list), list)
		}
	}
}

// fileFaults checks what can be seen in one file alone.
func fileFaults(s source) []string {
	var faults []string
	unsafeFile := regexp.MustCompile(`_unsafe(_[a-z0-9]+)*\.go$`)
	if slices.Contains(s.imports(), "unsafe") && !unsafeFile.MatchString(s.path) {
		faults = append(faults, s.path+" imports unsafe: that belongs into a small *_unsafe.go")
	}
	if !s.test && s.lines > 450 {
		faults = append(faults, fmt.Sprintf("%s has %d lines, 450 is the limit: is it one idea?", s.path, s.lines))
	}
	if s.test {
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Sleep" {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
				faults = append(faults, fmt.Sprintf("%s: a test sleeps: wait for what it waits for, or use testing/synctest", s.set.Position(n.Pos())))
			}
			return true
		})
	}
	return faults
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, fault := range fileFaults(s) {
			t.Error(fault)
		}
	}
}

// Each rule finds what it is for.
func TestRulesFindFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ path, text, want string }{
		{"proto/a.go", "package proto\nimport _ \"bucketbrigade/shard\"\n", "imports shard, which does not lie below it"},
		{"brigade/a.go", "package brigade\nimport _ \"bucketbrigade/proto\"\nimport _ \"fmt\"\n", ""},
		{"cmd/codec-shard/a.go", "package main\nimport _ \"bucketbrigade/proto\"\n", ""},
		{"codec/a.go", "package codec\nimport _ \"bucketbrigade/shm\"\n", "does not lie below"},
		{"proto/a_test.go", "package proto\nimport _ \"bucketbrigade/shard\"\n", ""},
		{"nowhere/a.go", "package nowhere\n", "has no row"},
		{"shm/a.go", "package shm\nimport _ \"unsafe\"\n", "imports unsafe"},
		{"shm/a_unsafe.go", "package shm\nimport _ \"unsafe\"\n", ""},
		{"shm/a_unsafe_linux.go", "package shm\nimport _ \"unsafe\"\n", ""},
		{"shm/a.go", "package shm\n" + strings.Repeat("//\n", 450), "451 lines"},
		{"shm/a_test.go", "package shm\n" + strings.Repeat("//\n", 450), ""},
		// In two parts, so that a search for tests that sleep finds none here.
		{"shm/a_test.go", "package shm\nfunc f() { time." + "Sleep(1) }\n", "a_test.go:2:12: a test sleeps"},
		{"shm/a.go", "package shm\nfunc f() { time." + "Sleep(1) }\n", ""},
	}
	for _, tt := range tests {
		s := parse(t, tt.path, tt.text)
		got := strings.Join(slices.Concat(importFaults(s), fileFaults(s)), "; ")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s %.60q: faults %q, want %q", tt.path, tt.text, got, tt.want)
		}
	}
}
