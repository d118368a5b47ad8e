// Package container holds a recipe for an image of a Bucket Brigade and a compose file
// that runs it. It has no code, only a test of the compose file; README.md beside this
// file is the operator's page.
package container
