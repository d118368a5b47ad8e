package brigade

import "unsafe"

// view gives text as a string without a copy of it. It changes when text does.
func view(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }
