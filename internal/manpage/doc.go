/*
Manpage makes a manual page for man(1) of what a program prints with -help.

Usage:

	PROGRAM -help 2>&1 | manpage NAME SECTION > NAME.SECTION

NAME is what the page is called, 8 the SECTION of what an operator runs, 1 that of
what anybody does. Of the text it takes

	the first paragraph    NAME      with the name lower-case before a dash
	"Usage:" and the block SYNOPSIS
	"Exit status: …"       EXIT STATUS, at the end
	"Flags:" and the list  OPTIONS
	all the rest           DESCRIPTION; indented lines stay as they are

Exit status: 0, 1 if the text is none of these, 2 for wrong usage.
*/
package main
