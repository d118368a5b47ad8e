package shard

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/upload"
)

const (
	// fetchTime is how long an image may take to leave.
	fetchTime = time.Minute
	// readyTime is how long a stored upload may take to become usable, readyPause
	// the time between two looks.
	readyTime  = 10 * time.Second
	readyPause = 20 * time.Millisecond
	// uploadRetryAfter is when to try again, in seconds, after an upload was refused
	// because the shard is to stop: while a track decodes nothing else is to be had.
	uploadRetryAfter = 10
)

// errStops refuses an upload because the shard is to stop.
var errStops = proto.Refuse(http.StatusServiceUnavailable,
	"this server is being restarted and takes no uploads meanwhile; upload the file again in %d seconds", uploadRetryAfter)

// upload takes a backing track or an image. Once it is answered, the very next
// request may use it, on any shard.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		s.options(w, r)
		return
	}
	who := identify(w, r)
	if r.Method != http.MethodPost {
		s.wrongMethod(w, r, "POST, OPTIONS")
		return
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(s.cfg.SendTime))
	ctx, leave, ok := s.intake.enter(r.Context(), func() { _ = conn.SetReadDeadline(time.Now()) })
	err := error(errStops)
	if ok {
		defer leave()
		if err = s.store(r.WithContext(ctx), who); err != nil && context.Cause(ctx) == errCut {
			err = errStops
		}
	}
	if err != nil && r.Header.Get("Expect") == "" {
		// Who is still sending would not see the answer, but a broken connection.
		_, _ = io.CopyN(io.Discard, r.Body, 2*upload.MaxBytes)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err != nil {
		if err == errStops {
			w.Header().Set("Retry-After", strconv.Itoa(uploadRetryAfter))
		}
		s.refuse(w, r, err)
		return
	}
	h := w.Header()
	allowOrigin(h)
	h.Set("Content-Type", "text/plain")
	s.measures.answered(http.StatusOK)
	_, _ = w.Write([]byte("ok"))
}

// store puts an upload away and waits until it can be used.
func (s *Server) store(r *http.Request, who visitor) error {
	if s.cfg.Uploads == nil {
		return proto.Refuse(http.StatusNotFound, "uploads are not taken here; start the shards and the state server with -uploads DIR")
	}
	v, err := proto.ParseValues(r.URL.RawQuery)
	if err != nil {
		return err
	}
	var save func(context.Context, proto.Session, io.Reader) (string, error)
	switch kind := v.Get("type"); kind {
	case "backingTrack":
		save = s.cfg.Uploads.SaveTrack
	case "image":
		save = s.cfg.Uploads.SaveImage
	case "":
		return bad("type is missing: it is backingTrack or image")
	default:
		return bad("type %s is not known, backingTrack and image are", proto.Shown(kind))
	}
	if r.ContentLength > upload.MaxBytes {
		return upload.TooLarge()
	}
	file, err := save(r.Context(), who.session, r.Body)
	if err != nil {
		return s.storeFault(r, err)
	}
	return s.awaitUpload(r.Context(), file)
}

// storeFault logs what is our own trouble and keeps it from the client.
func (s *Server) storeFault(r *http.Request, err error) error {
	var refusal *proto.Refusal
	if errors.As(err, &refusal) || r.Context().Err() != nil {
		return err
	}
	s.cfg.Log.Error("the folder of uploads fails", "error", err)
	return proto.Refuse(http.StatusInternalServerError, "the folder of uploads fails; whoever runs this server can see why in its log")
}

// awaitUpload waits until the state server knows a file.
func (s *Server) awaitUpload(ctx context.Context, file string) error {
	patient, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(readyPause)
	defer tick.Stop()
	for {
		var ans proto.Answer
		err := s.backend.Call(patient, &proto.Request{Kind: proto.KindUploaded, Upload: file}, &ans)
		if err == nil {
			if ready, err := isReady(&ans); ready || err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-patient.Done():
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && !errors.Is(err, patient.Err()):
				return err // nobody answered all that time
			}
			return proto.Refuse(http.StatusServiceUnavailable, "the upload is stored, but cannot be used after %v yet; try again", readyTime)
		}
	}
}

// isReady reads an answer to proto.KindUploaded. State servers of the first
// generation do not know the question, and everything is ready to them.
func isReady(ans *proto.Answer) (bool, error) {
	if r := ans.Refusal(); r != nil {
		if strings.HasPrefix(r.Reason, "unknown request") {
			return true, nil
		}
		return false, r
	}
	if why, failed := strings.CutPrefix(ans.Upload, proto.UploadFailed); failed {
		return false, proto.Refuse(http.StatusInternalServerError, "the upload is stored, but cannot be used: %s", why)
	}
	return ans.Upload == proto.UploadReady, nil
}

// image serves an uploaded image: GET /user-upload-image?VALUE. Strangers have
// made it, and it comes from the site's own origin, so the headers see to it that
// it is nothing but an image to any browser.
func (s *Server) image(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		s.options(w, r)
		return
	}
	identify(w, r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.wrongMethod(w, r, "GET, HEAD, OPTIONS")
		return
	}
	if s.cfg.Uploads == nil {
		s.refuse(w, r, proto.Refuse(http.StatusNotFound, "there are no images here; start the shards and the state server with -uploads DIR"))
		return
	}
	value := r.URL.RawQuery
	m, err := s.cfg.Uploads.OpenImage(value)
	if err != nil {
		s.refuse(w, r, s.storeFault(r, err))
		return
	}
	defer m.Close()
	h := w.Header()
	h.Set("Content-Type", m.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", "inline")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	s.measures.answered(http.StatusOK)
	// What a value stands for never changes.
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("ETag", `"`+value+`"`)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fetchTime))
	http.ServeContent(w, r, "", m.Modified, m)
}
