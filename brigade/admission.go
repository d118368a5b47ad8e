package brigade

import (
	"net/http"
	"net/netip"

	"bucketbrigade/proto"
)

// alwaysTaken is how many users of one network are taken as long as there is a place at
// all: a class, a dormitory, a family behind one router.
const alwaysTaken = 50

// checkRoom tells whether there is a place for one more from an address at clock now.
//
// Userids cost nothing: who invents them could be the whole room. So a network with
// alwaysTaken active users, or more, gets no more when it has as many as there are
// places left. One alone comes to half of the room, two to a third each; the rest stays
// free for others. Of 2000 places, for a newcomer whose network has
//
//	   0 here, 1999 taken   1 left       taken
//	  49 here, 1960 taken  40 left       taken
//	 700 here, 1200 taken  800 left      taken
//	1000 here, 1000 taken  1000 left     refused
//
// This machine, and peers that tell no address, are nobody's network.
// (The rule is that of shared buffers in switches: Choudhury and Hahne, Dynamic queue
// length thresholds, IEEE/ACM Transactions on Networking 6, 1998.)
func (b *Brigade) checkRoom(now proto.Clock, address string) error {
	here := b.users.activeAt(now)
	left := b.maxUsers - here
	if left <= 0 {
		return proto.Refuse(http.StatusTooManyRequests, "the room is full: %d of %d are here", here, b.maxUsers)
	}
	most := max(left, alwaysTaken)
	if here < most {
		return nil // even if all were of one network
	}
	network := networkOf(address)
	if !network.IsValid() {
		return nil
	}
	if n := b.users.activeOf(network, now); n >= most {
		return proto.Refuse(http.StatusTooManyRequests, "%d of %d here come from your network: no more than there are places left, %d",
			n, here, left)
	}
	return nil
}

// activeOf counts the active users of a network at clock now. It looks at all of them,
// which only newcomers to a crowded room cost.
func (r *roster) activeOf(network netip.Prefix, now proto.Clock) (n int) {
	for m := r.oldestActive; m != nil; m = m.newer {
		if m.network == network && fresh(m, now) {
			n++
		}
	}
	return n
}

// networkOf is the network that counts as one: an IPv4 address, or the 64 bits of an
// IPv6 address that are one customer's. It is not valid if address is none, or one of
// this machine.
func networkOf(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if a = a.Unmap().WithZone(""); err != nil || a.IsLoopback() {
		return netip.Prefix{}
	}
	p, err := a.Prefix(min(a.BitLen(), 64))
	if err != nil {
		panic("brigade: no prefix of " + address + ": " + err.Error())
	}
	return p
}
