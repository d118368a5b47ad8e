package proto_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"bucketbrigade/proto"
)

func TestASecretPrintsAsNothing(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery"
	req := &proto.Request{ControlSecret: secret}
	q, err := proto.ParseQuery("secret=correct+horse+battery")
	if err != nil || q.Secret != secret {
		t.Fatal(q.Secret, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("asked", "req", *req, "secret", q.Secret)
	said := fmt.Sprintf("%v %+v %#v %s %q %v", *req, req, req, q.Secret, q.Secret, q) + log.String()
	if strings.Contains(said, "horse") || !strings.Contains(said, "[secret]") {
		t.Errorf("printed %s", said)
	}
	if proto.Secret("").String() != "" {
		t.Error("no secret prints as one")
	}
}
