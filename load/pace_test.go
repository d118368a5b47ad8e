package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"bucketbrigade/proto"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		name    string
		plan    Plan
		numbers []int
		joins   []time.Duration // after the start, in ms
	}{
		{"alone", Plan{start, 3, 0, 1, 1}, []int{0, 1, 2}, ms(0, 371, 142)},
		{"a ramp", Plan{start, 4, 4 * time.Second, 1, 1}, []int{0, 1, 2, 3}, ms(0, 971, 1942, 3512)},
		{"the first of three", Plan{start, 8, 0, 1, 3}, []int{0, 3, 6}, ms(0, 512, 425)},
		{"the second of three", Plan{start, 8, 0, 2, 3}, []int{1, 4, 7}, ms(371, 283, 196)},
		{"the third of three", Plan{start, 8, 0, 3, 3}, []int{2, 5}, ms(142, 54)},
		{"more machines than singers", Plan{start, 1, 0, 2, 2}, nil, nil},
		{"as the comment says", Plan{start, 10, 6 * time.Second, 3, 10}, []int{2}, ms(1342)},
	} {
		var numbers []int
		var joins []time.Duration
		for i := range c.plan.Count() {
			numbers = append(numbers, c.plan.Number(i))
			joins = append(joins, c.plan.Join(i).Sub(start).Round(time.Millisecond))
		}
		if !slices.Equal(numbers, c.numbers) {
			t.Errorf("%s: singers %v, want %v", c.name, numbers, c.numbers)
		}
		for k, d := range joins {
			if math.Abs(float64(d-c.joins[k])) > float64(time.Millisecond) {
				t.Errorf("%s: joins %v, want %v", c.name, joins, c.joins)
				break
			}
		}
	}
}

// ms makes durations.
func ms(list ...int) []time.Duration {
	d := make([]time.Duration, len(list))
	for i, n := range list {
		d[i] = time.Duration(n) * time.Millisecond
	}
	return d
}

func TestDue(t *testing.T) {
	t.Parallel()
	base := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		k, want int
	}{{0, 600}, {1, 1200}, {99, 60000}} {
		if got := Due(base, c.k).Sub(base).Milliseconds(); got != int64(c.want) {
			t.Errorf("request %d is due after %d ms, want %d", c.k, got, c.want)
		}
	}
	for _, c := range []struct {
		now, want int
	}{{0, 0}, {5, 0}, {599, 0}, {600, 0}, {601, 1}, {1200, 1}, {1201, 2}, {-5, 0}} {
		k := FirstDue(base, base.Add(time.Duration(c.now)*time.Millisecond))
		if k != c.want || Due(base, k).Before(base.Add(time.Duration(c.now)*time.Millisecond)) {
			t.Errorf("connected after %d ms: the first request is %d, want %d", c.now, k, c.want)
		}
	}
}

// However many machines there are, together they have each singer once, and
// nobody's phase depends on the others.
func TestMachinesDoNotCollide(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	whole := Plan{start, 1000, 20 * time.Second, 1, 1}
	for machines := 1; machines <= 7; machines++ {
		users := map[proto.UserID]time.Time{}
		for machine := 1; machine <= machines; machine++ {
			p := whole
			p.Machine, p.Machines = machine, machines
			for i := range p.Count() {
				users[p.User(p.Number(i))] = p.Join(i)
			}
		}
		if len(users) != 1000 {
			t.Errorf("%d machines have %d singers, want 1000", machines, len(users))
		}
		for i := range 1000 {
			if !users[whole.User(i)].Equal(whole.Join(i)) {
				t.Fatalf("%d machines: singer %d joins at %v, alone at %v", machines, i, users[whole.User(i)], whole.Join(i))
			}
		}
	}
	// Each tenth of the interval gets its share.
	var tenths [10]int
	for i := range 1000 {
		tenths[whole.Join(i).Sub(start)%(600*time.Millisecond)/(60*time.Millisecond)]++
	}
	for i, n := range tenths {
		if n < 95 || n > 105 {
			t.Errorf("%d of 1000 singers ask in tenth %d: %v", n, i, tenths)
		}
	}
}
