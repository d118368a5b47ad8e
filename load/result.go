package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"bucketbrigade/proto"
	"bucketbrigade/singer"
)

// ResultVersion is that of the form below. It grows when a key changes its
// meaning; new keys alone do not count.
const ResultVersion = 2

// Result is what a run has found: of one machine, or merged. All times are
// milliseconds or seconds as the key says; "from due" counts from when a request
// was due, not from when it left.
type Result struct {
	Version int   `json:"version"`
	Setup   Setup `json:"setup"`
	// Machines are those that took part; one unless merged.
	Machines []Machine `json:"machines"`
	// Seconds are in order, without gaps, from the start on; of a run of more than
	// half an hour each is Setup.StepS long. A request belongs to the one in which
	// it was due.
	Seconds []Second `json:"seconds"`
	Totals  Totals   `json:"totals"`
	// Latency of requests, from due; those that were given up count with the
	// time until then, those that were due without a connection with the time until
	// the next could be sent. In microseconds.
	Latency Histogram `json:"latency"`
	// Connects is how long clocks took, from when a connection was wanted.
	Connects Histogram `json:"connects"`
	// Lateness is how much later than due requests left, which is the
	// generator's own fault.
	Lateness Histogram `json:"lateness"`
	// Failures are the first of each kind, as many as Config.ListedFailures;
	// FailuresLeftOut were more.
	Failures        []Failure `json:"failures"`
	FailuresLeftOut int       `json:"failures_left_out"`
	// Pilots has a pair for each who should, or should not, have heard whom.
	Pilots []Pair `json:"pilots"`
	// Voices has each pilot, and how well he was listened for, in order of name.
	Voices []Voice `json:"voices"`
	// Processes are the generators and those that were named, in order of name.
	Processes []Process `json:"processes"`
	// Capacity is the estimate for a machine; nil if no process was named.
	Capacity *Capacity `json:"capacity,omitempty"`
	// InterruptedS is after how many seconds the run was broken off; 0 if it went
	// to its end.
	InterruptedS float64 `json:"interrupted_s,omitempty"`
	// Workers are those of a run without pace; empty otherwise.
	Workers []Worker `json:"workers,omitempty"`
	// Warnings are whole sentences: a clock that is off, a generator that was
	// itself the limit.
	Warnings []string `json:"warnings"`
	Verdict  Verdict  `json:"verdict"`
}

// Setup is what was asked for.
type Setup struct {
	URLs []string `json:"urls"`
	// Users is the number of singers of all machines together.
	Users     int     `json:"users"`
	DurationS float64 `json:"duration_s"`
	// RampS is the part of it in which the singers join.
	RampS    float64 `json:"ramp_s"`
	Pace     Pacing  `json:"pace"`
	Scenario string  `json:"scenario"`
	// Sings tells whether the scenario has a song.
	Sings bool `json:"sings"`
	// Voices is the share of each kind of voice; they add up to 1.
	Voices map[string]float64 `json:"voices"`
	Pilots int                `json:"pilots"`
	// ObjectiveP99MS is the latency that 99 of 100 requests must keep below.
	ObjectiveP99MS float64 `json:"objective_p99_ms"`
	// Cores is what Capacity is estimated for.
	Cores int `json:"cores"`
	// StepS is how long each of Seconds is, in whole seconds; 0 is 1.
	StepS int `json:"step_s,omitempty"`
}

// Step is how long each of Seconds is.
func (s *Setup) Step() time.Duration { return time.Duration(max(s.StepS, 1)) * time.Second }

// MostConnectMS is how long 99 of 100 connections may take to be made: who has
// his within the 600 ms that he has to record first misses nothing.
func (s *Setup) MostConnectMS() float64 { return s.ObjectiveP99MS + milliseconds(singer.Pace) }

// Machine is one that took part.
type Machine struct {
	// Number is 1..Of.
	Number int    `json:"number"`
	Of     int    `json:"of"`
	Host   string `json:"host"`
	Cores  int    `json:"cores"`
	// Singers is how many of them it simulated.
	Singers int `json:"singers"`
	// Start is the beginning of second 0, by this machine's clock, and
	// StartClock by the server's.
	Start      time.Time   `json:"start"`
	StartClock proto.Clock `json:"start_clock"`
	// Agreed says how: StartNow or StartByServer.
	Agreed string `json:"agreed"`
	// ClockAheadMS is how far this machine's clock is ahead of the server's,
	// known to within ClockErrorMS.
	ClockAheadMS float64 `json:"clock_ahead_ms"`
	ClockErrorMS float64 `json:"clock_error_ms"`
}

// How a start was agreed.
const (
	// StartNow is at once, for a machine alone.
	StartNow = "at once"
	// StartByServer is when the server's clock shows the time of -start-at.
	StartByServer = "when the server's clock showed the time"
)

// Second is one of the run.
type Second struct {
	// Second is when it begins, in seconds from the start.
	Second int `json:"second"`
	// Due requests were due, Sent of them left, Answered were answered well. The
	// rest failed or was given up with its connection.
	Due      int `json:"due"`
	Sent     int `json:"sent"`
	Answered int `json:"answered"`
	// Errors counts by kind; see Failure.
	Errors map[string]int `json:"errors,omitempty"`
	// Connected is how many singers had a connection at its end.
	Connected int     `json:"connected"`
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
	MaxMS     float64 `json:"max_ms"`
	// Latency is that of these requests, coarser than the whole's.
	Latency Histogram `json:"latency"`
	// BytesOut and BytesIn are of bodies and queries, not of headers.
	BytesOut int64 `json:"bytes_out"`
	BytesIn  int64 `json:"bytes_in"`
	// CPU is the processor seconds used in it, by process; those of the generator
	// of machine 2 are at "generator-2".
	CPU map[string]float64 `json:"cpu,omitempty"`
}

// Totals sum the run up.
type Totals struct {
	Due      int `json:"due"`
	Sent     int `json:"sent"`
	Answered int `json:"answered"`
	// Unconnected of those that were due, but not sent, were so while their singers
	// waited for a connection. In Latency each counts with the time until its singer
	// could send one.
	Unconnected int            `json:"unconnected"`
	Errors      map[string]int `json:"errors"`
	// Connections that were made, of those Moves because the server told so.
	Connections int `json:"connections"`
	Moves       int `json:"moves"`
	// Songs that were heard to begin.
	Songs int `json:"songs"`
	// LateSends left more than 50 ms after they were due.
	LateSends int   `json:"late_sends"`
	BytesOut  int64 `json:"bytes_out"`
	BytesIn   int64 `json:"bytes_in"`
	// RatePerS is the answers a second once all have joined.
	RatePerS float64 `json:"rate_per_s"`
	P50MS    float64 `json:"p50_ms"`
	P90MS    float64 `json:"p90_ms"`
	P99MS    float64 `json:"p99_ms"`
	P999MS   float64 `json:"p999_ms"`
	MaxMS    float64 `json:"max_ms"`
	// How long it took to get a connection and the clock.
	ConnectP50MS float64 `json:"connect_p50_ms"`
	ConnectP99MS float64 `json:"connect_p99_ms"`
	ConnectMaxMS float64 `json:"connect_max_ms"`
}

// The kinds of failures. An answer of another status than 200 is "status 503"
// and so on.
const (
	KindConnection = "connection" // no answer came
	KindClock      = "clock"      // the clock request failed
	KindMalformed  = "malformed"  // the answer's frame is wrong
	KindDesync     = "desync"     // its clocks do not join on
	KindTooSlow    = "too slow"   // a fifth request was due, or the clock took as long
	KindLost       = "lost voice" // somebody was not heard
	KindMisplaced  = "misplaced"  // somebody was heard at the wrong position
	KindEarly      = "too early"  // somebody was heard who had not sung yet
)

// Failure is one, with who suffers it; for a pilot the one who is not heard as
// he should.
type Failure struct {
	// AtS is when, in seconds from the start.
	AtS    float64      `json:"at_s"`
	Kind   string       `json:"kind"`
	Singer string       `json:"singer"`
	User   proto.UserID `json:"user"`
	Text   string       `json:"text"`
}

// Pair is one pilot and one who listens for him. A pair whose places never
// allowed a judgement is not listed.
type Pair struct {
	Singer   string `json:"singer"`
	Listener string `json:"listener"`
	// Heard of Expected pieces of 1.8 s were heard where they belong; Early of
	// Unsung pieces were heard before they could have been sung, where none
	// should be.
	Expected int `json:"expected"`
	Heard    int `json:"heard"`
	Unsung   int `json:"unsung"`
	Early    int `json:"early"`
	// LagSamples is the last one found, 432 by codecs alone.
	LagSamples int `json:"lag_samples"`
	// Score is the least of those heard, as voice.Find has it; Corr the
	// correlation of the pattern with all that was heard, small in a crowd.
	Score   float64 `json:"score"`
	Corr    float64 `json:"corr"`
	Verdict string  `json:"verdict"` // "heard", or the kind of failure, or "rightly not heard"
}

// Process is one and what it cost.
type Process struct {
	Name string `json:"name"`
	// PID is 0 for one that was asked at its metrics address.
	PID int `json:"pid,omitempty"`
	// Metrics is that address; empty otherwise.
	Metrics string `json:"metrics,omitempty"`
	// Machine is the number of the one that looked at it.
	Machine int `json:"machine"`
	// CPUS is the processor seconds in the steady part of the run, from when all
	// have joined to the end, which lasts SteadyS and holds Requests answers: of
	// a generator its own, of others those of all machines.
	CPUS     float64 `json:"cpu_s"`
	SteadyS  float64 `json:"steady_s"`
	Requests int     `json:"requests"`
	// PerRequestUS is microseconds of processor a request.
	PerRequestUS float64 `json:"per_request_us"`
	Generator    bool    `json:"generator"`
}

// Capacity is what a machine would carry by its processor alone, estimated from
// what each kind of process cost here.
type Capacity struct {
	Cores int `json:"cores"`
	// Singers that Cores would carry: one core for the kind named state-server at
	// most, since it is one thread, and all of them for the sum.
	Singers int     `json:"singers"`
	Parts   []Share `json:"parts"`
}

// Share is what one kind of process costs: shard-01 and shard-02 are of the kind
// shard.
type Share struct {
	Kind           string  `json:"kind"`
	PerRequestUS   float64 `json:"per_request_us"`
	SingersPerCore int     `json:"singers_per_core"`
}

// Worker is one of a run without pace: it asks again as soon as it is answered.
type Worker struct {
	Name     string  `json:"name"`
	Requests int     `json:"requests"`
	MeanMS   float64 `json:"mean_ms"`
	// EstClients is how many singers at real pace ask as often.
	EstClients int `json:"est_clients"`
}

// Verdict says whether the objective held.
type Verdict struct {
	Held bool `json:"held"`
	// Reasons are whole sentences; empty if it held.
	Reasons []string `json:"reasons"`
	// GeneratorLimit tells that the generator was itself too slow to be believed.
	GeneratorLimit bool `json:"generator_limit"`
}

// maxResultBytes bounds what ReadResult takes: an hour has about 4 MB.
const maxResultBytes = 256 << 20

// ReadResult reads one as Write wrote it.
func ReadResult(r io.Reader) (*Result, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxResultBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxResultBytes {
		return nil, fmt.Errorf("a result of more than %d bytes is none of ours", maxResultBytes)
	}
	var result Result
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, fmt.Errorf("no result of a run: %w", err)
	}
	if result.Version != ResultVersion {
		return nil, fmt.Errorf("the result has version %d, this program reads %d: use the same one everywhere", result.Version, ResultVersion)
	}
	if result.Setup.StepS < 0 || result.Setup.StepS > maxStepS {
		return nil, fmt.Errorf("the result has step_s %d, none is longer than %d", result.Setup.StepS, maxStepS)
	}
	if len(result.Machines) == 0 {
		return nil, errors.New("the result names no machine")
	}
	return &result, nil
}

// Write writes it as JSON.
func (r *Result) Write(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
