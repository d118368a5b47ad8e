package proto

import "strconv"

// Metadata is what an answer tells the client beside the audio. Keys that are
// pointers (and the raw ones) are one-shot: present only when there is news.
//
// Events and Chats must not be nil: clients in the field expect lists, not null.
// There must never be a key sample_rate: clients in the field take it for a
// fault and reconnect for ever.
type Metadata struct {
	ServerClock      Clock `json:"server_clock"`
	ServerSampleRate int   `json:"server_sample_rate"`
	// LastRequestClock is the server clock of the request before this one, of
	// whatever user.
	LastRequestClock Clock  `json:"last_request_clock"`
	ClientReadClock  Clock  `json:"client_read_clock"`
	ClientWriteClock *Clock `json:"client_write_clock"`
	// SongStartClock is 0 until a song was started, SongEndClock until it ends.
	SongEndClock   Clock   `json:"song_end_clock"`
	SongStartClock Clock   `json:"song_start_clock"`
	Samples        int     `json:"n_samples"`
	ConnectedUsers int     `json:"n_connected_users"`
	QueueSize      float64 `json:"queue_size"`
	Events         []Event `json:"events"`
	// Leader is a decimal userid, or null.
	Leader *string `json:"leader"`
	// PeopleHeard counts the voices at the first returned sample; -1 for what
	// is no mix of the ring.
	PeopleHeard int    `json:"n_people_heard"`
	Chats       []Chat `json:"chats"`

	News
}

// News holds the keys that are told once.
type News struct {
	BPM              *int      `json:"bpm,omitempty"`
	Repeats          *int      `json:"repeats,omitempty"`
	BPR              *int      `json:"bpr,omitempty"`
	Tracks           *[]string `json:"tracks,omitempty"`
	FirstBucket      *int      `json:"first_bucket,omitempty"`
	GlobalVolume     *float64  `json:"globalVolume,omitempty"`
	BackingVolume    *float64  `json:"backingVolume,omitempty"`
	DisableSongVideo *bool     `json:"disableSongVideo,omitempty"`
	Lyrics           *string   `json:"lyrics,omitempty"`
	Image            *string   `json:"image,omitempty"`
	TwilioToken      *string   `json:"twilio_token,omitempty"`
	// DelaySeconds moves the client to another bucket: it reconnects.
	DelaySeconds     *int    `json:"delay_seconds,omitempty"`
	BackingTrackType *string `json:"backing_track_type,omitempty"`
}

// Chat is one message as [sender's name, text].
type Chat [2]string

// ClockHeader is the X-Audio-Metadata of a clock answer.
type ClockHeader struct {
	ServerClock      Clock  `json:"server_clock"`
	ServerSampleRate int    `json:"server_sample_rate"`
	ServerVersion    string `json:"server_version"`
	ServerBranch     string `json:"server_branch"`
}

// LengthHeader is the X-Audio-Metadata of a successful POST.
type LengthHeader struct {
	MetadataLen int `json:"metadata_len"`
}

// String gives the header's JSON.
func (h LengthHeader) String() string {
	return `{"metadata_len":` + strconv.Itoa(h.MetadataLen) + "}"
}

// KillHeader is the X-Audio-Metadata of a refusal.
type KillHeader struct {
	KillClient bool   `json:"kill_client"`
	Message    string `json:"message"`
}

// ControlAnswer is the body of the answer to a request without userid that
// controls the server. Its keys mean what those of Metadata do.
type ControlAnswer struct {
	ServerClock      Clock   `json:"server_clock"`
	ServerSampleRate int     `json:"server_sample_rate"`
	SongEndClock     Clock   `json:"song_end_clock"`
	SongStartClock   Clock   `json:"song_start_clock"`
	LastRequestClock Clock   `json:"last_request_clock"`
	ConnectedUsers   int     `json:"n_connected_users"`
	QueueSize        float64 `json:"queue_size"`
	Events           []Event `json:"events"`
	Leader           *string `json:"leader"`
}

// Status is the body of the answer to action=status.
type Status struct {
	ConnectedUsers int    `json:"n_connected_users"`
	MaxUsers       int    `json:"max_users"`
	InstanceName   string `json:"instance_name,omitempty"`
}
