package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"bucketbrigade/load"
	"bucketbrigade/load/report"
)

// writeReport writes a page about a run, or about a search, if anybody wants it.
func writeReport(name string, r *load.Result, setUps ...report.SetUp) error {
	if name == "" || r == nil {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	err = report.Write(file, report.Page{
		Result: r, SetUps: setUps, Command: commandLine(os.Args), Machine: machine() + ".", Made: time.Now(),
	})
	return errors.Join(err, file.Close())
}

// shownOf is the run of a search that a report shows: the best, or the last if
// none held.
func shownOf(f load.Found) *load.Result {
	if best := bestOf(f); best != nil {
		return best
	}
	if len(f.Trials) == 0 {
		return nil
	}
	return f.Trials[len(f.Trials)-1].Result
}

// canWrite finds out before a long run whether its files can be written after it.
// What they hold stays.
func canWrite(names ...string) error {
	for _, name := range names {
		if name == "" || name == "-" {
			continue
		}
		file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o666)
		if err != nil {
			return fmt.Errorf("nothing is begun, since the result could not be kept: %w", err)
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// commandLine is what a shell would be given.
func commandLine(args []string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=./:,+@%"
	var list []string
	for _, arg := range args {
		if arg == "" || strings.Trim(arg, plain) != "" {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		list = append(list, arg)
	}
	return strings.Join(list, " ")
}
