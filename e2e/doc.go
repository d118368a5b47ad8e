// Package e2e tests the brigade as a whole: the programs as they ship, nginx
// with the configuration as it ships, singers over HTTP, kills in the middle.
// It has no code of its own.
package e2e
