package proto

import "unsafe"

// view gives bytes as a string that lies where they lie: it changes with them.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf gives the bytes of a string where they lie. They must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
