package service

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
)

// settingPrefix begins the names of an installation's settings.
const settingPrefix = "BRIGADE_"

// settings are the names that the units of deploy/systemd know; brigade.env there
// explains them.
var settings = []string{
	"BRIGADE_COMPLEXITY", "BRIGADE_CONTROL_SECRET", "BRIGADE_ENCODE", "BRIGADE_FLAC", "BRIGADE_INSTANCE_NAME",
	"BRIGADE_JSON_AREA", "BRIGADE_KEEP", "BRIGADE_MAX_USERS", "BRIGADE_OPUS_APPLICATION", "BRIGADE_PROCS",
	"BRIGADE_RECORDINGS", "BRIGADE_SECRETS", "BRIGADE_SHARD_FLAGS", "BRIGADE_SHARD_WAIT", "BRIGADE_SITE",
	"BRIGADE_STATE_FLAGS", "BRIGADE_STATE_WAIT", "BRIGADE_STEMS", "BRIGADE_TRACKS", "BRIGADE_UPLOADS",
}

// WarnOfUnknownSettings names the settings among the variables of env, each
// NAME=VALUE, that no unit takes, and the one that may have been meant: what a
// misspelt one says would stay without effect in silence. Outside of a unit, where
// nobody takes any, it says nothing.
func WarnOfUnknownSettings(env []string, log *slog.Logger) {
	if !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "INVOCATION_ID=") }) {
		return
	}
	for _, variable := range env {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, settingPrefix) || slices.Contains(settings, name) {
			continue
		}
		log.Warn("a setting that nothing takes", "setting", name, "nearest", nearest(name))
	}
}

// nearest is the setting whose name takes the fewest changes to become name.
func nearest(name string) string {
	return slices.MinFunc(settings, func(a, b string) int { return cmp.Compare(changes(a, name), changes(b, name)) })
}

// changes is how many bytes have to be put in, left out or replaced to make b of a:
// 1 from MAX_USER to MAX_USERS. (Wagner and Fischer, The string-to-string correction
// problem, Journal of the ACM 21, 1974.)
func changes(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: of the first bytes of a to the first j of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := corner
			if a[i] != b[j] {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, corner+1, row[j]+1)
		}
	}
	return row[len(b)]
}
