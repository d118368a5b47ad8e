package brigade

import "bucketbrigade/proto"

// solo carries out what a request says about soloed voices: whether this
// singer hears only those, whose voice is soloed, and who must move because of
// it. It is part of every request: without hear_monitor a singer hears the mix.
func (b *Brigade) solo(u *user, q *proto.Query) {
	u.hearsSolos = q.HearMonitor
	changed := false
	if m := b.users.find(q.Monitor); m != nil {
		m.soloed, u.hearsSolos, changed = true, true, true
		b.users.change(m)
	}
	if m := b.users.find(q.Unmonitor); m != nil {
		m.soloed, changed = false, true
		b.users.change(m)
	}
	if !changed && !q.BeginMonitor {
		return
	}
	last := b.lastSoloed()
	if q.BeginMonitor {
		u.moveBehind(last)
	}
	if changed {
		for m := range b.users.heard() {
			if m.hearsSolos {
				m.moveBehind(last)
				b.users.change(m)
			}
		}
	}
}

// lastSoloed is how far behind the latest active soloed singer stands, in
// seconds; 0 if there is none.
func (b *Brigade) lastSoloed() int {
	last := 0
	for m := range b.users.heard() {
		if m.soloed {
			last = max(last, m.delaySeconds())
		}
	}
	return last
}

// moveBehind moves u one bucket behind a position, unless it is there already.
func (u *user) moveBehind(seconds int) {
	to := seconds + proto.BucketSeconds
	if seconds > 0 && u.delaySeconds() != to {
		u.move(to)
	}
}
