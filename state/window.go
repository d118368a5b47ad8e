package state

import (
	"context"
	"io"
	"time"

	"bucketbrigade/brigade"
)

// window lets other goroutines look at the brigade. Its owner copies what there
// is when somebody asks, between two turns, and the asker writes the copy down:
// a slow reader holds nobody up. A copy serves everybody for a second.
type window struct {
	asks chan chan *brigade.Telemetry
	// turn holds a token while nobody asks; who has it owns the rest.
	turn   chan struct{}
	last   *brigade.Telemetry
	copied time.Time
}

// telemetryAge is how old a copy gets.
const telemetryAge = time.Second

func newWindow() window {
	w := window{asks: make(chan chan *brigade.Telemetry), turn: make(chan struct{}, 1)}
	w.turn <- struct{}{}
	return w
}

// Telemetry gives a copy of all that the brigade knows, at most a second old,
// ready to be written as JSON. Any goroutine may call it. The error is ctx's: the
// brigade's owner did not answer before ctx ended.
func (w *window) Telemetry(ctx context.Context) (io.WriterTo, error) {
	select {
	case <-w.turn:
		defer func() { w.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if w.last != nil && time.Since(w.copied) < telemetryAge {
		return w.last, nil
	}
	answer := make(chan *brigade.Telemetry, 1) // the owner never waits
	select {
	case w.asks <- answer:
		w.last = <-answer
		w.copied = time.Now()
		return w.last, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answerAsker copies what there is if somebody asks for it.
func (w *window) answerAsker(e *engine) {
	select {
	case answer := <-w.asks:
		answer <- e.telemetry()
	default:
	}
}
