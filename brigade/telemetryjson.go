package brigade

import (
	"encoding/json"

	"bucketbrigade/proto"
)

// serverTelemetry is the key "server" of telemetry.
type serverTelemetry struct {
	StartupTime    int64          `json:"server_startup_time"` // seconds since 1970
	Uptime         int64          `json:"server_uptime"`       // seconds
	Version        string         `json:"server_version"`
	Branch         string         `json:"server_branch"`
	Clock          proto.Clock    `json:"server_clock"`
	SampleRate     int            `json:"server_sample_rate"`
	ConnectedUsers int            `json:"n_connected_users"`
	QueueSize      float64        `json:"queue_size"`
	Events         []proto.Event  `json:"events"`
	State          stateTelemetry `json:"state"`
}

// stateTelemetry is what the singers share. Volumes are scalars; null stands for
// what there is none of.
type stateTelemetry struct {
	ServerControlled    bool         `json:"server_controlled"`
	LastRequestClock    *proto.Clock `json:"last_request_clock"`
	LastClearedClock    *proto.Clock `json:"last_cleared_clock"`
	GlobalVolume        float64      `json:"global_volume"`
	BackingVolume       float64      `json:"backing_volume"`
	SongEndClock        proto.Clock  `json:"song_end_clock"`
	SongStartClock      proto.Clock  `json:"song_start_clock"`
	RequestedTrack      *string      `json:"requested_track"`
	BPM                 int          `json:"bpm"`
	Repeats             int          `json:"repeats"`
	BPR                 int          `json:"bpr"`
	LeftoverBeatSamples int          `json:"leftover_beat_samples"`
	FirstBucket         int          `json:"first_bucket"`
	Leader              *string      `json:"leader"`
	BackingTrackIndex   int          `json:"backing_track_index"`
	BackingTrackType    string       `json:"backing_track_type"`
	MaxPosition         int          `json:"max_position"`
	DisableAutoGain     bool         `json:"disable_auto_gain"`
	DisableSongVideo    bool         `json:"disable_song_video"`
	Lyrics              string       `json:"lyrics"`
	Image               *string      `json:"image"`
}

func (t *Telemetry) server() serverTelemetry {
	s := &t.state
	return serverTelemetry{
		StartupTime:    t.Started.Unix(),
		Uptime:         int64(t.RequestTime.Sub(t.Started).Seconds()),
		Version:        t.Version,
		Branch:         t.Branch,
		Clock:          t.clock,
		SampleRate:     proto.SampleRate,
		ConnectedUsers: t.connected,
		QueueSize:      queueSize,
		Events:         append([]proto.Event{}, t.events...),
		State: stateTelemetry{
			ServerControlled:    t.controlled,
			LastRequestClock:    t.lastRequest,
			LastClearedClock:    t.cleared,
			GlobalVolume:        s.globalVolume,
			BackingVolume:       s.backingVolume,
			SongEndClock:        s.songEnd,
			SongStartClock:      s.songStart,
			RequestedTrack:      pointerIf(s.requestedTrack != "", s.requestedTrack),
			BPM:                 s.bpm,
			Repeats:             s.repeats,
			BPR:                 s.bpr,
			LeftoverBeatSamples: s.nextClick,
			FirstBucket:         s.firstBucket,
			Leader:              s.leaderName(),
			BackingTrackIndex:   s.playing.played,
			BackingTrackType:    s.backingType,
			MaxPosition:         s.maxPosition,
			DisableAutoGain:     s.noAutoGain,
			DisableSongVideo:    s.noSongVideo,
			Lyrics:              s.lyrics,
			Image:               pointerIf(s.image != "", s.image),
		},
	}
}

// pointerIf gives v or, unless there is one, null.
func pointerIf[T any](is bool, v T) *T {
	if !is {
		return nil
	}
	return &v
}

// userTelemetry is one user, the key "raw".
type userTelemetry struct {
	UserID             string          `json:"userid"`
	Name               string          `json:"name"`
	LastHeard          proto.Clock     `json:"last_heard_server_clock"`
	DelaySamples       int             `json:"delay_samples"`
	MicVolume          float64         `json:"mic_volume"`
	ScaledMicVolume    float32         `json:"scaled_mic_volume"`
	LastWriteClock     *proto.Clock    `json:"last_write_clock"`
	IsMonitored        bool            `json:"is_monitored"`
	IsMonitoring       bool            `json:"is_monitoring"`
	RMSVolume          float32         `json:"rms_volume"`
	BackingVolume      float64         `json:"backing_volume"`
	LastSeenReadClock  *proto.Clock    `json:"last_seen_read_clock"`
	LastSeenWriteClock *proto.Clock    `json:"last_seen_write_clock"`
	LastSamples        int             `json:"last_n_samples"`
	ClientAddress      string          `json:"client_address"`
	ClientTelemetry    json.RawMessage `json:"client_telemetry"`
	InSpectatorMode    bool            `json:"in_spectator_mode"`
	Muted              bool            `json:"muted"`
	ToSend             toSend          `json:"to_send"`
}

// toSend is what waits for a user.
type toSend struct {
	Keys         []string     `json:"keys"`
	DelaySeconds *int         `json:"delay_seconds,omitempty"`
	Chats        []proto.Chat `json:"chats"`
	ChatsWaiting int          `json:"n_chats"`
}

func rawUser(u *user, chats int) userTelemetry {
	t := userTelemetry{
		UserID:             u.id.String(),
		Name:               u.name,
		LastHeard:          u.lastHeard,
		DelaySamples:       u.delay,
		MicVolume:          u.micVolume,
		ScaledMicVolume:    u.micGain,
		LastWriteClock:     pointerIf(u.hasSung, u.lastSung),
		IsMonitored:        u.soloed,
		IsMonitoring:       u.hearsSolos,
		RMSVolume:          u.rms,
		BackingVolume:      u.backingVolume,
		LastSeenReadClock:  pointerIf(u.joinsRead, u.joinRead),
		LastSeenWriteClock: pointerIf(u.joinsWrite, u.joinWrite),
		LastSamples:        u.last.samples,
		ClientAddress:      u.address,
		ClientTelemetry:    u.telemetry,
		InSpectatorMode:    u.spectator,
		Muted:              u.muted,
		ToSend: toSend{
			Keys:         u.queued.keys.names(),
			DelaySeconds: pointerIf(u.queued.keys&newsDelay != 0, u.queued.delay),
			Chats:        append([]proto.Chat{}, u.queued.chats...),
			ChatsWaiting: chats,
		},
	}
	if t.ClientTelemetry == nil {
		t.ClientTelemetry = json.RawMessage("{}")
	}
	return t
}

// newsNames are the keys as clients are told them, in the order of their bits.
var newsNames = [...]string{
	"bpm", "repeats", "bpr", "tracks", "first_bucket", "globalVolume", "backingVolume", "disableSongVideo",
	"lyrics", "image", "delay_seconds", "backing_track_type", "twilio_token",
}

// names lists the keys; never nil.
func (k newsKeys) names() []string {
	names := []string{}
	for i, name := range newsNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
