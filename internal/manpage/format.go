package main

import (
	"errors"
	"fmt"
	"strings"
)

// format makes a page of the text that -help prints.
func format(name, section, text string) (string, error) {
	body, flags, found := strings.Cut(text, "\nFlags:\n\n")
	first, body, _ := strings.Cut(strings.TrimSpace(body), "\n\n")
	_, body, usage := strings.Cut(body, "Usage:\n")
	if !found || !usage {
		return "", errors.New(`the text on standard input has no "Usage:" or no "Flags:": it is not what -help prints`)
	}
	body = strings.TrimLeft(installed(name, first, body), "\n")
	synopsis, body := block(body)
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s %s \"\" \"Bucket Brigade\"\n", strings.ToUpper(escape(name)), section)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name), escape(about(first)))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s.SH DESCRIPTION\n%s", verbatim(synopsis), paragraphs(first))
	var exit string
	for body != "" {
		var part string
		if strings.HasPrefix(body, "\t") {
			part, body = block(body)
			b.WriteString(".PP\n.RS 4\n" + verbatim(part) + ".RE\n")
			continue
		}
		part, body, _ = strings.Cut(body, "\n\n")
		body = strings.TrimLeft(body, "\n")
		if rest, ok := strings.CutPrefix(part, "Exit status: "); ok {
			exit = rest
			continue
		}
		b.WriteString(paragraphs(part))
	}
	b.WriteString(".SH OPTIONS\n" + options(flags))
	if exit != "" {
		b.WriteString(".SH EXIT STATUS\n" + escape(exit) + "\n")
	}
	return b.String(), nil
}

// installed puts the name under which a program is installed before the command
// lines of its page: brigade-stress where the page says stress.
func installed(name, first, body string) string {
	own, _, _ := strings.Cut(strings.ToLower(first), " ")
	return strings.ReplaceAll(body, "\n\t"+own+" ", "\n\t"+name+" ")
}

// about is the first sentence without its subject: "sings" of "Sing sings. …".
func about(first string) string {
	_, said, _ := strings.Cut(strings.ReplaceAll(first, "\n", " "), " ")
	said, _, _ = strings.Cut(said, ". ")
	return strings.TrimSuffix(strings.TrimPrefix(said, "is "), ".")
}

// block splits the indented lines, and the empty ones between, from the rest.
func block(text string) (indented, rest string) {
	end := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "\t") && line != "\n" {
			break
		}
		end += len(line)
	}
	return strings.TrimRight(text[:end], "\n") + "\n", text[end:]
}

// verbatim keeps lines as they are, but for the tab before them.
func verbatim(lines string) string {
	var b strings.Builder
	b.WriteString(".nf\n")
	for line := range strings.Lines(lines) {
		b.WriteString(escape(strings.TrimPrefix(line, "\t")))
	}
	b.WriteString(".fi\n")
	return b.String()
}

func paragraphs(text string) string { return ".PP\n" + escape(strings.TrimSpace(text)) + "\n" }

// options takes what flag.PrintDefaults prints: "  -name value", then lines that
// begin with four spaces and a tab; for short ones all on one line.
func options(flags string) string {
	var b strings.Builder
	for line := range strings.Lines(flags) {
		line = strings.TrimRight(line, "\n")
		flag, isFlag := strings.CutPrefix(line, "  -")
		if !isFlag {
			if said := strings.TrimSpace(line); said != "" {
				b.WriteString(escape(said) + "\n")
			}
			continue
		}
		flag, said, _ := strings.Cut(flag, "\t")
		name, value, _ := strings.Cut(flag, " ")
		fmt.Fprintf(&b, ".TP\n\\fB\\-%s\\fR", escape(name))
		if value != "" {
			fmt.Fprintf(&b, " \\fI%s\\fR", escape(value))
		}
		b.WriteString("\n")
		if said != "" {
			b.WriteString(escape(said) + "\n")
		}
	}
	return b.String()
}

// escape keeps roff from reading text as anything else.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
