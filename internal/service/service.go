package service

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

const (
	// statusEvery is how often the status is looked at.
	statusEvery = 5 * time.Second
	// patience is how long a program without a beat counts as alive.
	patience = 5 * time.Second
)

// Config says how a program tells of itself. The zero value is good.
type Config struct {
	// Status says in a few words what the program does; nil: nothing to say. Any
	// goroutine may call it.
	Status func() string
	// Log takes what the operator should know; slog.Default() if nil.
	Log *slog.Logger
	// Send tells systemd, for who keeps a manager of his own; nil: that of
	// NOTIFY_SOCKET, if there is one.
	Send func(state string) error
	// Watchdog is after how long without WATCHDOG=1 the manager kills the program;
	// 0: what WATCHDOG_USEC says, negative: never.
	Watchdog time.Duration
}

// Service is a program as its manager sees it.
type Service struct {
	cfg   Config
	began time.Time
	// last is when the last beat was, due when the next WATCHDOG=1 is to be sent:
	// since began, 0 for never and at once.
	last, due atomic.Int64
	beats     chan struct{} // a beat that is to be told
}

// New makes a service that has not begun.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Status == nil {
		cfg.Status = func() string { return "" }
	}
	if cfg.Send == nil {
		cfg.Send = func(state string) error {
			_, err := daemon.SdNotify(false, state)
			return err
		}
	}
	if cfg.Watchdog == 0 {
		wanted, err := daemon.SdWatchdogEnabled(false)
		if err != nil {
			cfg.Log.Warn("no watchdog", "err", err)
		}
		cfg.Watchdog = wanted
	}
	return &Service{cfg: cfg, began: time.Now(), beats: make(chan struct{}, 1)}
}

// Beat tells that the program works. It is for the loop that proves it, takes
// some 50 ns, and never waits.
func (s *Service) Beat() {
	now := int64(time.Since(s.began))
	s.last.Store(max(1, now))
	if now < s.due.Load() {
		return
	}
	select {
	case s.beats <- struct{}{}:
	default:
	}
}

// Alive is nil if there was a beat lately; else it tells since when there was
// none.
func (s *Service) Alive() error {
	last := s.last.Load()
	if last == 0 {
		return fmt.Errorf("it has not begun to work")
	}
	if d := time.Since(s.began) - time.Duration(last); d > patience {
		return fmt.Errorf("it has not shown that it works for %v", d.Round(time.Second/10))
	}
	return nil
}

// Beside runs run, and tells the manager meanwhile.
func (s *Service) Beside(ctx context.Context, run func(context.Context) error) error {
	ended, told := make(chan struct{}), make(chan struct{})
	go func() { defer close(told); s.tell(ctx.Done(), ended) }()
	defer func() { close(ended); <-told }()
	return run(ctx)
}

// tell sends messages until ended. While the program stops its beats and its status
// are told as before.
func (s *Service) tell(stop, ended <-chan struct{}) {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	ready, status := false, ""
	look := s.cfg.Status
	for {
		select {
		case <-s.beats:
			message := s.pet()
			if !ready {
				ready, status = true, look()
				message = strings.TrimSuffix(daemon.SdNotifyReady+"\nSTATUS="+status+"\n"+message, "\n")
			}
			if message != "" {
				s.send(message)
			}
		case <-tick.C:
			if now := look(); ready && now != status {
				status = now
				s.send("STATUS=" + status)
			}
		case <-stop:
			stop, look = nil, s.stoppingStatus
			status = look()
			s.send(daemon.SdNotifyStopping + "\nSTATUS=" + status)
		case <-ended:
			select {
			case <-stop: // what ran was so quick that both are over
				s.send(daemon.SdNotifyStopping + "\nSTATUS=" + s.stoppingStatus())
			default:
			}
			return
		}
	}
}

// stoppingStatus is the status of a program that is to end.
func (s *Service) stoppingStatus() string {
	if status := s.cfg.Status(); status != "" {
		return "stopping: " + status
	}
	return "stopping"
}

// pet gives the message of a beat, "" if no watchdog waits for it, and puts the
// next one off. Loops beat some times a second, so that the next message goes out
// before half of the watchdog's time is over.
func (s *Service) pet() string {
	if s.cfg.Watchdog <= 0 {
		s.due.Store(math.MaxInt64)
		return ""
	}
	s.due.Store(int64(time.Since(s.began) + s.cfg.Watchdog/4))
	return daemon.SdNotifyWatchdog
}

// send sends a message; one that does not arrive is worth a line.
func (s *Service) send(message string) {
	if err := s.cfg.Send(message); err != nil {
		s.cfg.Log.Warn("systemd was not told", "message", message, "err", err)
	}
}
