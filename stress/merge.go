package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"bucketbrigade/internal/manual"
	"bucketbrigade/load"
)

// mergeCommand makes one result of those of several machines.
func mergeCommand(args []string, stdout, stderr io.Writer) error {
	fs := manual.New("stress merge", page, stderr)
	json := fs.String("json", "", "`file` for the result, for programs; - for standard output")
	page := fs.String("report", "", "`file` for a page with plots, for people: out.html")
	if err := manual.Parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return manual.Wrong(fs, "merge what? Give the files that -json wrote on each machine")
	}
	var parts []*load.Result
	for _, name := range fs.Args() {
		part, err := readResult(name)
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	whole, err := load.Merge(parts)
	if err != nil {
		return err
	}
	out := stdout
	if *json == "-" {
		out = stderr
	}
	printMachines(out, whole)
	printResult(out, whole)
	if err := errors.Join(writeJSON(*json, stdout, whole.Write), writeReport(*page, whole)); err != nil {
		return err
	}
	if !whole.Verdict.Held {
		return errNotHeld
	}
	return nil
}

func readResult(name string) (*load.Result, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := load.ReadResult(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// printMachines says who took part.
func printMachines(w io.Writer, r *load.Result) {
	for _, m := range r.Machines {
		fmt.Fprintf(w, "machine %d of %d: %s, %d cores, %d singers, started %s; its clock is %+.0f ms against the server's\n",
			m.Number, m.Of, m.Host, m.Cores, m.Singers, m.Agreed, m.ClockAheadMS)
	}
}
