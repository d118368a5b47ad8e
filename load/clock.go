package load

import (
	"context"
	"time"
)

const (
	// clockQuestions is how often the clock is asked for; the quickest answer
	// counts.
	clockQuestions = 5
	// clockPatience is how long an answer may take.
	clockPatience = 10 * time.Second
	// clockTolerance is how far a machine's clock may be off without a word.
	clockTolerance = 100 * time.Millisecond
)

// clockAhead finds how far our clock is ahead of the server's, and how well that
// is known: half the time that the quickest answer took.
func clockAhead(ctx context.Context, b *browser) (ahead, within time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	for i := range clockQuestions {
		asked := time.Now()
		clock, err := b.clock(ctx)
		if err != nil {
			return 0, 0, err
		}
		half := time.Since(asked) / 2
		if i == 0 || half < within {
			ahead, within = asked.Add(half).Sub(clock.Time()), half
		}
	}
	return ahead, within, nil
}
