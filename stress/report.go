package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"bucketbrigade/codec"
)

// In a page the tables stand between these; around them people write.
const (
	tablesBegin = "<!-- measured: what stands here is replaced -->\n"
	tablesEnd   = "<!-- end of what was measured -->\n"
)

// replaceTables puts tables into the page at path, which has to have a place for
// them.
func replaceTables(path, tables string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("page for the tables: %w; name another with -out", err)
	}
	replaced, err := withTables(page, tables)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, replaced, 0o644)
}

// withTables is the page with other tables.
func withTables(page []byte, tables string) ([]byte, error) {
	before, rest, ok := bytes.Cut(page, []byte(tablesBegin))
	if !ok {
		return nil, fmt.Errorf("the page has no line %q behind which tables belong", strings.TrimSpace(tablesBegin))
	}
	_, after, ok := bytes.Cut(rest, []byte(tablesEnd))
	if !ok {
		return nil, fmt.Errorf("the page has no line %q before which tables end", strings.TrimSpace(tablesEnd))
	}
	return fmt.Appendf(nil, "%s%s\n%s\n\n%s%s", before, tablesBegin, strings.TrimRight(tables, "\n"), tablesEnd, after), nil
}

// machine says what the measurements were made on.
func machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	return fmt.Sprintf("Machine: %s, %d cores, kernel %s, %s, %s", processor(text), runtime.NumCPU(), kernel(), runtime.Version(), codec.LibraryVersion())
}

// processor is the name of the first processor in /proc/cpuinfo.
func processor(cpuinfo []byte) string {
	for line := range strings.Lines(string(cpuinfo)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH + " processor"
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
