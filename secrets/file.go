package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bucketbrigade/proto"
)

// readSecrets reads the secrets file into s.
func (s *Secrets) readSecrets(name string) error {
	text, err := s.readFile(name)
	if err != nil {
		return err
	}
	if err := s.parse(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parse takes the text of a secrets file apart. Its errors name fields and
// places, never a value: encoding/json's own would repeat parts of one.
func (s *Secrets) parse(text []byte) error {
	if err := checkSyntax(text); err != nil {
		return err
	}
	file, err := readObject("", text, "twilio", "instance_name")
	if err != nil {
		return err
	}
	if raw, ok := file["instance_name"]; ok {
		if s.InstanceName, err = readText("instance_name", raw); err != nil {
			return err
		}
	}
	raw, ok := file["twilio"]
	if !ok {
		return nil
	}
	call, err := readCall(raw)
	if err != nil {
		return err
	}
	if n := len(call.token(math.MaxUint64, time.Now())); n > proto.MaxTokenBytes {
		return fmt.Errorf("the fields of twilio are so long that tokens have %d bytes, at most %d are taken", n, proto.MaxTokenBytes)
	}
	s.VideoToken = func(user proto.UserID) string { return call.token(user, time.Now()) }
	return nil
}

// checkSyntax finds text that is no JSON and says where.
func checkSyntax(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("empty: it must hold a JSON object")
	}
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(text, new(json.RawMessage)), &syntax) {
		return nil
	}
	before := text[:max(0, min(int(syntax.Offset), len(text))-1)]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("no JSON from line %d, column %d on", line, column)
}

// readObject reads an object that has no other keys than the known. within
// names it, "" stands for the file.
func readObject(within string, raw json.RawMessage, known ...string) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		if within == "" {
			within = "what is there"
		}
		return nil, fmt.Errorf("%s must be an object, {…}", within)
	}
	for key := range object {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("unknown key %s, known are %s", proto.Shown(path(within, key)), strings.Join(known, ", "))
		}
	}
	return object, nil
}

// readText reads a string that says something.
func readText(name string, raw json.RawMessage) (string, error) {
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil {
		return "", fmt.Errorf("%s must be a string", name)
	}
	if strings.TrimSpace(*text) == "" {
		return "", fmt.Errorf("%s is empty", name)
	}
	return *text, nil
}

func path(within, key string) string {
	if within == "" {
		return key
	}
	return within + "." + key
}
