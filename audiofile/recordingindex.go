package audiofile

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of the index.
const (
	indexHTML = "index.html"
	indexJSON = "index.json"
)

// index is what index.json holds.
type index struct {
	Limit      int          `json:"limit"` // how many songs are kept
	Recordings []indexEntry `json:"recordings"`
}

// indexEntry is a song in the index. Files are named as seen from the folder.
type indexEntry struct {
	Name      string    `json:"name"`
	WAV       string    `json:"wav"`
	FLAC      string    `json:"flac,omitempty"`
	Stems     []string  `json:"stems"`
	Start     time.Time `json:"start"`
	Seconds   float64   `json:"seconds"`
	Bytes     int64     `json:"bytes"`
	Recording bool      `json:"recording,omitempty"` // its take still grows
}

// WriteIndex writes index.html and index.json anew, of the songs in the folder;
// those that are open are said to be growing still.
func (r *Recordings) WriteIndex(open ...string) error {
	list, err := r.List()
	if err != nil {
		return err
	}
	idx := index{Limit: r.limit(), Recordings: []indexEntry{}}
	for _, rec := range list {
		idx.Recordings = append(idx.Recordings, entryOf(rec, slices.Contains(open, rec.Name)))
	}
	html := func(file *os.File) error { return indexPage().Execute(file, idx) }
	data := func(file *os.File) error {
		out := json.NewEncoder(file)
		out.SetIndent("", "\t")
		return out.Encode(idx)
	}
	err = errors.Join(
		replaceFile(filepath.Join(r.Dir, indexHTML), html),
		replaceFile(filepath.Join(r.Dir, indexJSON), data))
	if err != nil {
		return fmt.Errorf("write the index of recordings: %w", err)
	}
	return nil
}

func entryOf(rec Recording, open bool) indexEntry {
	e := indexEntry{
		Name: rec.Name, WAV: rec.Name + ".wav", Stems: []string{},
		Start: rec.Start, Seconds: rec.Seconds, Bytes: rec.Bytes, Recording: open,
	}
	if rec.FLAC {
		e.FLAC = rec.Name + ".flac"
	}
	for _, stem := range rec.Stems {
		e.Stems = append(e.Stems, path.Join(rec.Name, stem))
	}
	return e
}

// MB is the size in units of 2^20 bytes, as clients have always been told.
func (e indexEntry) MB() string { return fmt.Sprintf("%.2f", float64(e.Bytes)/(1<<20)) }

// Length is minutes and seconds, for example "3:05".
func (e indexEntry) Length() string {
	return fmt.Sprintf("%d:%02d", int(e.Seconds)/60, int(e.Seconds)%60)
}

// StemTitle is what a stem is called on the page: of "NAME/bucket-1.wav" it is
// "bucket 1".
func (e indexEntry) StemTitle(stem string) string {
	title := strings.TrimSuffix(path.Base(stem), ".wav")
	return strings.ReplaceAll(title, "-", " ")
}

// indexPage is index.html. Clients in the field put its text into a page of their
// own, by innerHTML, with "href='" replaced by "target=_blank href='recordings/".
// Hence the single quotes, nothing that runs, and nothing that styles but on <html>
// and <body>, which vanish there.
func indexPage() *template.Template {
	return template.Must(template.New(indexHTML).Parse(`<!doctype html>
<html lang="en" style="color-scheme: light dark">
<meta charset="utf-8">
<title>Recordings</title>
<body style="max-width: 44em; margin: 2em auto; padding: 0 1em; font: 1em/1.7 sans-serif">
<p><b>Recordings.</b> Each is named by the day and time, in UTC, at which the song began.</p>
<ul>
{{- range $song := .Recordings}}
<li><a href='{{.WAV}}'>{{.WAV}}</a> ({{.MB}} MB), {{.Length}}
{{- if .Recording}}, still being recorded{{end}}
{{- if .FLAC}}, <a href='{{.FLAC}}'>FLAC</a>{{end}}
{{- range $i, $stem := .Stems}}{{if $i}}, {{else}}; parts: {{end}}<a href='{{$stem}}'>{{$song.StemTitle $stem}}</a>{{end}}</li>
{{- end}}
</ul>
{{- if not .Recordings}}
<p>There are none yet.</p>
{{- end}}
<p>Songs kept: {{.Limit}}. When there are more, the oldest are deleted.</p>
`))
}
