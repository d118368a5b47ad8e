package proto

import (
	"net/http"
	"unicode/utf8"
)

// CheckLyrics refuses lyrics beyond MaxLyricsChars and MaxLyricsBytes. nil is
// fine.
func CheckLyrics(lyrics *string) error {
	if lyrics == nil {
		return nil
	}
	if n := len(*lyrics); n > MaxLyricsBytes {
		return Refuse(http.StatusRequestEntityTooLarge, "lyrics of %d bytes are longer than %d", n, MaxLyricsBytes)
	}
	if n := utf8.RuneCountInString(*lyrics); n > MaxLyricsChars {
		return Refuse(http.StatusRequestEntityTooLarge, "lyrics of %d characters are longer than %d", n, MaxLyricsChars)
	}
	return nil
}
