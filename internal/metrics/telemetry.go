package metrics

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Telemetry fetches all that the brigade knows, ready to be written as JSON. An
// error means that the brigade does not answer; ctx bounds the wait.
type Telemetry func(ctx context.Context) (io.WriterTo, error)

// telemetryPatience is how long the brigade is waited for.
const telemetryPatience = 2 * time.Second

// ServeHTTP writes the JSON down. Who does not read it within ten seconds loses
// the connection; the brigade does not wait.
func (fetch Telemetry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), telemetryPatience)
	defer cancel()
	told, err := fetch(ctx)
	if err != nil {
		http.Error(w, "the brigade does not answer: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := told.WriteTo(w); err != nil {
		panic(http.ErrAbortHandler) // what is written is not all
	}
}
