package proto

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// Query is a request's query string, parsed and within bounds. What only the
// shared state can judge (the future, continuity, the room) is left to it.
type Query struct {
	Status bool // action=status: nothing else matters

	HasUser bool
	User    UserID
	Name    string // "" if not given

	HasRead  bool
	Read     Clock // end of the interval to hear
	HasWrite bool
	Write    Clock // end of the audio in the body
	// Samples is n_samples, a multiple of FrameSamples; 0 if not given.
	Samples int
	// JSONLen is the length of the JSON object before the packed Opus.
	JSONLen    int
	HasJSONLen bool

	Reset       bool // reset_user_state
	Summary     bool // wants the user list
	Muted       bool
	Spectator   bool
	HearMonitor bool
	Loopback    bool

	Monitor, Unmonitor *UserID
	BeginMonitor       bool

	RequestLead, Start, Stop bool
	Track                    string
	Image                    bool
	BPM, Repeats, BPR        *int
	// Volumes are on the friendly scale 0..2.
	Volume, BackingVolume, UserBackingVolume *float64
	MicVolumes                               []MicVolume
	Chats                                    []string
	Events                                   []Event
	ClearEvents                              bool
	DisableAutoGain, DisableSongVideo        *bool
	// Telemetry is what a client tells of itself: a JSON object without blanks,
	// nil if it tells nothing.
	Telemetry json.RawMessage

	Secret Secret  // of server control; it only counts without a userid
	RMS    float64 // loudness of the decoded input, appended by the shard
}

// MicVolume sets how loud one user is, 0..2 on the friendly scale.
type MicVolume struct {
	User   UserID
	Volume float64
}

// Event is a mark at a server clock. ID is any JSON scalar, kept as it came.
type Event struct {
	ID    json.RawMessage `json:"evid"`
	Clock Clock           `json:"clock"`
}

// ParseQuery parses the query string of a message whole, before anything may
// change: a client's, within its limits, and the one parameter that a shard
// appends. Errors are refusals that name the parameter, its value and the limit.
func ParseQuery(query string) (Query, error) {
	var usual [usualItems]pair // more of them go to the heap
	v, err := parseValues(usual[:], query, MaxQueryBytes+MaxAppendedBytes, MaxQueryItems+1)
	if err != nil {
		return Query{}, err
	}
	return v.Query()
}

// usualItems is more than a singer's request has parameters unless it asks for
// something special.
const usualItems = 16

// Query gives the values their types and checks every bound.
func (v Values) Query() (Query, error) {
	q := Query{
		Status:       v.Get("action") == "status",
		Name:         v.Get("username"),
		Reset:        v.Has("reset_user_state"),
		Summary:      v.Has("user_summary"),
		Muted:        v.Get("muted") == "1",
		Spectator:    v.Has("spectator"),
		HearMonitor:  v.Has("hear_monitor"),
		Loopback:     v.Get("loopback") == "true",
		BeginMonitor: v.Has("begin_monitor"),
		RequestLead:  v.Has("request_lead"),
		Start:        v.Has("mark_start_singing"),
		Stop:         v.Has("mark_stop_singing"),
		Track:        v.Get("track"),
		Image:        v.Has("image"),
		ClearEvents:  v.Has("clear_events"),
		Secret:       Secret(v.Get("secret")),
	}
	if err := v.fill(&q); err != nil {
		return Query{}, err
	}
	return q, nil
}

// fill gives q what can be wrong.
func (v Values) fill(q *Query) error {
	if err := v.who(q); err != nil {
		return err
	}
	if err := v.clocks(q); err != nil {
		return err
	}
	if err := v.metronome(q); err != nil {
		return err
	}
	if err := v.volumes(q); err != nil {
		return err
	}
	if err := v.lists(q); err != nil {
		return err
	}
	q.DisableAutoGain = v.boolOrNil("disableAutoGain")
	q.DisableSongVideo = v.boolOrNil("disableSongVideo")
	return nil
}

func (v Values) who(q *Query) error {
	if a := v.Get("action"); a != "" && !q.Status {
		return malformed("action %s is not known, only \"status\" is", Shown(a))
	}
	var err error
	if s := v.Get("userid"); s != "" {
		q.HasUser = true
		if q.User, err = ParseUserID("userid", s); err != nil {
			return err
		}
		if q.Status {
			return malformed("action=status takes no userid, got %s", Shown(s))
		}
	}
	if n := utf8.RuneCountInString(q.Name); n > MaxNameChars {
		return Refuse(http.StatusRequestEntityTooLarge,
			"username %s has %d characters, at most %d are taken", Shown(q.Name), n, MaxNameChars)
	}
	if len(q.Track) > MaxTrackBytes {
		return Refuse(http.StatusRequestEntityTooLarge,
			"track %s has %d bytes, at most %d are taken", Shown(q.Track), len(q.Track), MaxTrackBytes)
	}
	if q.Monitor, err = v.userOrNil("monitor"); err != nil {
		return err
	}
	q.Unmonitor, err = v.userOrNil("unmonitor")
	return err
}

func (v Values) userOrNil(key string) (*UserID, error) {
	s := v.Get(key)
	if s == "" {
		return nil, nil
	}
	u, err := ParseUserID(key, s)
	return &u, err
}

// maxClock keeps sums of clocks and lengths far from overflow.
const maxClock = 1 << 60

func (v Values) clocks(q *Query) (err error) {
	if q.Read, q.HasRead, err = v.clock("read_clock"); err != nil {
		return err
	}
	if q.Write, q.HasWrite, err = v.clock("write_clock"); err != nil {
		return err
	}
	if s := v.Get("n_samples"); s != "" {
		n, err := parseBounded("n_samples", s, 0, MaxSamples)
		if err != nil {
			return err
		}
		if n%FrameSamples != 0 {
			return malformed("n_samples %d is not a multiple of %d", n, FrameSamples)
		}
		q.Samples = int(n)
	}
	if s := v.Get("json_len"); s != "" {
		n, err := parseBounded("json_len", s, 0, MaxBodyBytes)
		if err != nil {
			return err
		}
		q.JSONLen, q.HasJSONLen = int(n), true
	}
	return nil
}

func (v Values) clock(key string) (Clock, bool, error) {
	s := v.Get(key)
	if s == "" {
		return 0, false, nil
	}
	n, err := parseBounded(key, s, 0, maxClock)
	return Clock(n), true, err
}

func (v Values) metronome(q *Query) (err error) {
	if q.BPM, err = v.intOrNil("bpm", MaxBPM); err != nil {
		return err
	}
	if q.Repeats, err = v.intOrNil("repeats", MaxRepeats); err != nil {
		return err
	}
	q.BPR, err = v.intOrNil("bpr", MaxBPR)
	return err
}

func (v Values) intOrNil(key string, hi int64) (*int, error) {
	s := v.Get(key)
	if s == "" {
		return nil, nil
	}
	n, err := parseBounded(key, s, 0, hi)
	i := int(n)
	return &i, err
}

func (v Values) volumes(q *Query) (err error) {
	if q.Volume, err = v.floatOrNil("volume"); err != nil {
		return err
	}
	if q.BackingVolume, err = v.floatOrNil("backing_volume"); err != nil {
		return err
	}
	if q.UserBackingVolume, err = v.floatOrNil("user_backing_volume"); err != nil {
		return err
	}
	if s := v.Get("rms_volume"); s != "" {
		q.RMS, err = parseFloat("rms_volume", s, MaxLevel)
	}
	return err
}

func (v Values) floatOrNil(key string) (*float64, error) {
	s := v.Get(key)
	if s == "" {
		return nil, nil
	}
	f, err := parseFloat(key, s, MaxVolume)
	return &f, err
}

// boolOrNil reads a switch: "1" is on, anything else that is present is off.
func (v Values) boolOrNil(key string) *bool {
	s := v.Get(key)
	if s == "" {
		return nil
	}
	on := s == "1"
	return &on
}
