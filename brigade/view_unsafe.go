package brigade

import "unsafe"

// view gives text as a string without a copy of it. It changes when text does.
func view(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

// bytesOf gives the memory of x.
func bytesOf[T float32 | uint16](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*new(T))))
}
