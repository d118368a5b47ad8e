package state

import (
	"flag"
	"fmt"

	"bucketbrigade/audiofile"
	"bucketbrigade/proto"
)

// maxRoom is how many active users a room may be set to take: ten times what one state
// server is measured to carry. Its files have 2 × 211 MB then, 10 MB for each 1000 users;
// from 107 000 on a file would be larger than maxState, and nothing would outlive a server.
const maxRoom = 20_000

// onlyState are the flags of AddFlags that say nothing to who does not hold the
// state.
var onlyState = []string{"max-users", "instance-name", "tracks", "recordings", "keep", "stems", "flac"}

// AddFlags adds the flags that set s up wherever the state lives; when opens the
// explanation of those that a program may take in vain.
func (s *Settings) AddFlags(fs *flag.FlagSet, when string) {
	fs.IntVar(&s.JSONArea, "json-area", proto.MaxJSONArea, "`bytes` of JSON in a segment, the same for all its peers; 10000 with peers of the first generation")
	fs.IntVar(&s.MaxUsers, "max-users", proto.DefaultMaxUsers, when+"how many active `users` the room takes, at most 20000; who is inside is never refused")
	fs.StringVar(&s.InstanceName, "instance-name", "", when+"`name` of this installation, shown to singers")
	fs.StringVar(&s.TracksDir, "tracks", "", when+"`folder` of backing tracks, looked at again each second; none if empty")
	fs.StringVar(&s.UploadsDir, "uploads", "", "`folder` into which the shards put what singers upload, made if missing; nothing can be uploaded if empty")
	fs.StringVar(&s.Recordings, "recordings", "", when+"`folder` into which each song is recorded, made if missing; nothing is recorded if empty")
	fs.IntVar(&s.Keep, "keep", audiofile.DefaultKeep, when+"how many `songs` stay in the folder of recordings")
	fs.BoolVar(&s.Stems, "stems", false, when+"record each bucket and the backing by itself, too; takes 138 MB of memory")
	fs.BoolVar(&s.FLAC, "flac", false, when+"make a FLAC file of each recording, too")
}

// CheckFlags finds values that make no sense.
func (s *Settings) CheckFlags() error {
	switch {
	case s.MaxUsers < 1 || s.MaxUsers > maxRoom:
		return fmt.Errorf("-max-users %d is not in 1..%d", s.MaxUsers, maxRoom)
	case s.Keep < 1:
		return fmt.Errorf("-keep %d: at least 1 song stays", s.Keep)
	case s.JSONArea < proto.OldJSONArea || s.JSONArea > proto.MaxJSONArea:
		return fmt.Errorf("-json-area %d is not in %d..%d", s.JSONArea, proto.OldJSONArea, proto.MaxJSONArea)
	case s.Recordings == "" && (s.Stems || s.FLAC):
		return fmt.Errorf("-stems and -flac say what to record, -recordings is needed to say where")
	}
	return nil
}

// InVain gives the first flag on the command line that says nothing to a program
// that does not hold the state; "" if there is none.
func InVain(fs *flag.FlagSet) (name string) {
	fs.Visit(func(f *flag.Flag) {
		for _, only := range onlyState {
			if f.Name == only && name == "" {
				name = only
			}
		}
	})
	return name
}
