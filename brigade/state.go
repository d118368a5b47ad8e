package brigade

import "bucketbrigade/proto"

// state is what everybody shares beside the ring. It returns to its defaults
// when nobody is left.
type state struct {
	globalVolume  float64 // scalar
	backingVolume float64 // scalar

	// songStart is 0 until there was a song; songEnd is 0 until it ends. Both
	// are 1 after a halt.
	songStart, songEnd proto.Clock
	leader             proto.UserID
	hasLeader          bool
	leaderText         string // the leader as clients are told it

	bpm, repeats, bpr int
	nextClick         int // samples from the last filled position to the next click

	requestedTrack   string
	requestedSamples int // how long it is
	playing          playing
	backingType      string // "Metronome", "Backing Track" or ""

	firstBucket int // seconds
	maxPosition int // seconds, the last bucket

	noAutoGain  bool
	noSongVideo bool
	lyrics      string
	image       string // what clients fetch the shown image by
}

// leaderName is the leader's userid as clients are told it; nil if there is no
// leader.
func (s *state) leaderName() *string {
	if !s.hasLeader {
		return nil
	}
	return &s.leaderText
}

// leader is who leads; nil if nobody does, or nobody knows it any more.
func (b *Brigade) leader() *member {
	if !b.state.hasLeader {
		return nil
	}
	return b.users.byID[b.state.leader]
}

func defaults() state {
	return state{
		globalVolume:  1.2,
		backingVolume: 1.0,
		firstBucket:   proto.BucketSeconds,
		maxPosition:   6 * proto.BucketSeconds,
	}
}

// empty tells whether nobody is left, and the room is nobody's.
func (b *Brigade) empty() bool { return b.users.active == 0 && !b.control.took }

// resetIfEmpty returns the state to its defaults when nobody is active, unless
// the room is controlled. Ring, events and users stay; the users are told,
// should they come back.
func (b *Brigade) resetIfEmpty() {
	if !b.empty() {
		return
	}
	b.state = defaults()
	for m := b.users.newest; m != nil; m = m.older {
		if m.queued.keys&newsValues != newsValues {
			m.queued.keys |= newsValues
			b.users.change(m)
		}
	}
}
