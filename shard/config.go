package shard

import (
	"log/slog"
	"net"
	"runtime"
	"time"

	"bucketbrigade/codec"
	"bucketbrigade/proto"
	"bucketbrigade/upload"
)

// Config says how a shard runs. The zero value of every field but Backend is
// good.
type Config struct {
	// Backend is where the shared state is.
	Backend Backend
	// Listen is the address to listen on, "host:port"; port 0 picks one.
	// "127.0.0.1:0" if empty.
	Listen string
	// Listeners are the sockets to listen on instead, which then are the shard's
	// to close; none: Listen.
	Listeners []net.Listener
	// OwnState says that the shared state lives in this process: the shard is dead
	// if that is.
	OwnState bool
	// Beat is called some times a second, after a request of the shard's own has
	// come through; nil: nobody wants to know.
	Beat func()
	// Version and Branch are told with the clock; "unknown" if empty.
	Version, Branch string
	// Uploads is where uploads are stored; nil: none are taken.
	Uploads *upload.Store
	// Opus is how what singers hear is encoded; codec.Default() if zero.
	Opus codec.Settings
	// SendTime is how long an upload may take to arrive; 1 min if 0, in which
	// 16 MB need 2 Mbit/s. A proxy hands it over whole.
	SendTime time.Duration
	// Log takes what the operator should know; slog.Default() if nil.
	Log *slog.Logger

	// SinceBoot counts the time that the server clock goes by; that of the machine
	// if nil. For who keeps a time of his own.
	SinceBoot func() time.Duration

	// RefusalDelay is how long a refusal that no retry heals is held back; 1 s
	// if 0, none if negative.
	RefusalDelay time.Duration
	// ReorderWait is how long a request waits for its missing predecessor;
	// proto.ReorderWait if 0.
	ReorderWait time.Duration
	// SingerIdle is how long codecs of a silent singer are kept; 1 min if 0.
	SingerIdle time.Duration
	// MaxSingers bounds the singers with codecs, 62 kB each; 4096 if 0. Beyond
	// it the longest silent one loses his.
	MaxSingers int
	// Private gives each listener an encoder of its own instead of letting all who
	// hear the same share one.
	Private bool
	// Coders is how many goroutines may decode or encode at once; one for each
	// processor if 0.
	Coders int
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	if c.Backend == nil {
		panic("shard: a shard without a backend")
	}
	setDefault(&c.Listen, "127.0.0.1:0")
	setDefault(&c.Version, "unknown")
	setDefault(&c.Branch, "unknown")
	setDefault(&c.Opus, codec.Default())
	if err := c.Opus.Check(); err != nil {
		panic("shard: " + err.Error())
	}
	setDefault(&c.RefusalDelay, time.Second)
	setDefault(&c.SendTime, time.Minute)
	setDefault(&c.ReorderWait, proto.ReorderWait)
	setDefault(&c.SingerIdle, time.Minute)
	setDefault(&c.MaxSingers, 4096)
	setDefault(&c.Coders, runtime.GOMAXPROCS(0))
	if c.Beat == nil {
		c.Beat = func() {}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
