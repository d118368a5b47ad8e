package proto

import "strconv"

// AppendMetadataJSON appends the JSON of m, raw UTF-8 without a newline: what
// encoding/json makes of m without HTML escapes, byte for byte. The ids of events
// must be JSON without blanks around them, as ParseQuery gives them. Where m has
// no news, no chats and nothing odd in its texts, nothing is allocated.
func AppendMetadataJSON(dst []byte, m *Metadata) []byte {
	dst = appendInt(dst, `{"server_clock":`, int64(m.ServerClock))
	dst = appendInt(dst, `,"server_sample_rate":`, int64(m.ServerSampleRate))
	dst = appendInt(dst, `,"last_request_clock":`, int64(m.LastRequestClock))
	dst = appendInt(dst, `,"client_read_clock":`, int64(m.ClientReadClock))
	if m.ClientWriteClock != nil {
		dst = appendInt(dst, `,"client_write_clock":`, int64(*m.ClientWriteClock))
	} else {
		dst = append(dst, `,"client_write_clock":null`...)
	}
	dst = appendInt(dst, `,"song_end_clock":`, int64(m.SongEndClock))
	dst = appendInt(dst, `,"song_start_clock":`, int64(m.SongStartClock))
	dst = appendInt(dst, `,"n_samples":`, int64(m.Samples))
	dst = appendInt(dst, `,"n_connected_users":`, int64(m.ConnectedUsers))
	dst = appendFloat(append(dst, `,"queue_size":`...), m.QueueSize)
	dst = appendEvents(append(dst, `,"events":`...), m.Events)
	if m.Leader != nil {
		dst = appendQuoted(append(dst, `,"leader":`...), *m.Leader)
	} else {
		dst = append(dst, `,"leader":null`...)
	}
	dst = appendInt(dst, `,"n_people_heard":`, int64(m.PeopleHeard))
	dst = appendChats(append(dst, `,"chats":`...), m.Chats)
	if m.News != (News{}) {
		dst = m.News.append(dst)
	}
	return append(dst, '}')
}

// append appends the keys that are told, each behind a comma.
func (n *News) append(dst []byte) []byte {
	dst = appendIntIf(dst, `,"bpm":`, n.BPM)
	dst = appendIntIf(dst, `,"repeats":`, n.Repeats)
	dst = appendIntIf(dst, `,"bpr":`, n.BPR)
	if n.Tracks != nil {
		dst = appendJSON(append(dst, `,"tracks":`...), *n.Tracks)
	}
	dst = appendIntIf(dst, `,"first_bucket":`, n.FirstBucket)
	if n.GlobalVolume != nil {
		dst = appendFloat(append(dst, `,"globalVolume":`...), *n.GlobalVolume)
	}
	if n.BackingVolume != nil {
		dst = appendFloat(append(dst, `,"backingVolume":`...), *n.BackingVolume)
	}
	if n.DisableSongVideo != nil {
		dst = strconv.AppendBool(append(dst, `,"disableSongVideo":`...), *n.DisableSongVideo)
	}
	dst = appendStringIf(dst, `,"lyrics":`, n.Lyrics)
	dst = appendStringIf(dst, `,"image":`, n.Image)
	dst = appendStringIf(dst, `,"twilio_token":`, n.TwilioToken)
	dst = appendIntIf(dst, `,"delay_seconds":`, n.DelaySeconds)
	return appendStringIf(dst, `,"backing_track_type":`, n.BackingTrackType)
}

func appendEvents(dst []byte, events []Event) []byte {
	if events == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"evid":`...)
		if id := events[i].ID; id != nil {
			dst = append(dst, id...)
		} else {
			dst = append(dst, "null"...)
		}
		dst = append(appendInt(dst, `,"clock":`, int64(events[i].Clock)), '}')
	}
	return append(dst, ']')
}

func appendChats(dst []byte, chats []Chat) []byte {
	if chats == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := range chats {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(append(dst, '['), chats[i][0])
		dst = appendQuoted(append(dst, ','), chats[i][1])
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

func appendInt(dst []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(dst, key...), n, 10)
}

func appendIntIf(dst []byte, key string, n *int) []byte {
	if n == nil {
		return dst
	}
	return appendInt(dst, key, int64(*n))
}

func appendStringIf(dst []byte, key string, text *string) []byte {
	if text == nil {
		return dst
	}
	return appendQuoted(append(dst, key...), *text)
}

// appendFloat appends a number; the usual ones are whole.
func appendFloat(dst []byte, x float64) []byte {
	if n := int64(x); float64(n) == x && n > 0 && n < 1<<53 {
		return strconv.AppendInt(dst, n, 10)
	}
	return appendJSON(dst, x)
}
