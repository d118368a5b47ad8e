package proto

// Secret is the word that authorises server control. It prints as "[secret]",
// so that no log gets it by accident.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides the secret.
func (s Secret) GoString() string { return `"` + s.String() + `"` }
