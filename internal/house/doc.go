// Package house holds no code, only tests: the rules of the house that no
// compiler checks. They read the source of the whole module.
//
//   - every package says in one comment what it is
//   - imports run downward only; rules_test.go has the table
//   - package unsafe stays in *_unsafe.go
//   - no file is longer than 450 lines, no test sleeps
//   - every link between the documents leads somewhere
package house
