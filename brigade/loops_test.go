package brigade

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// lengths are all ends of vectors, whole and cut, and more than one look at the
// people.
func lengths() []int {
	all := []int{frame, longRun - 1, longRun, longRun + 1, 2*longRun + 17}
	for n := range 71 {
		all = append(all, n)
	}
	return all
}

// drawn gives n random samples that begin at any place of a vector. Some are tiny,
// some are loud.
func drawn(rng *rand.Rand, n int) []float32 {
	skip := rng.IntN(9)
	x := make([]float32, skip+n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * math.Pow(10, float64(-rng.IntN(6))) / 4)
	}
	return x[skip:]
}

// crowd gives n numbers of people that stay the same for up to so many samples.
func crowd(rng *rand.Rand, n, run int) []uint16 {
	skip := rng.IntN(17)
	people := make([]uint16, 0, skip+n+run)
	for len(people) < skip+n {
		same := []uint16{uint16(rng.Uint32()) >> rng.IntN(17)}
		if rng.IntN(4) == 0 {
			same[0] = math.MaxUint16
		}
		people = append(people, slices.Repeat(same, 1+rng.IntN(run))...)
	}
	return people[skip : skip+n]
}

// everySample compares with what the definition gives for each sample.
func everySample(t *testing.T, what string, got []float32, want func(i int) float64) {
	t.Helper()
	for i, g := range got {
		if w := want(i); !(math.Abs(float64(g)-w) <= 1e-6*math.Max(1, math.Abs(w))) {
			t.Fatalf("%s: sample %d of %d is %v, want %v", what, i, len(got), g, w)
		}
	}
}

// Every loop gives for each sample what its definition says, and touches nothing
// before and behind.
func TestLoops(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	gains := newGainTable()
	for _, n := range lengths() {
		for _, run := range []int{1, 20, 3000} {
			whole := drawn(rng, n+20)
			before := slices.Clone(whole)
			dst, old := whole[10:10+n], before[10:10+n]
			audio, backing, people := drawn(rng, n), drawn(rng, n), crowd(rng, n, run)
			v, k := rng.Float32()*2, rng.Float32()*2
			heard := func(i int) float64 {
				return float64(audio[i]) * math.Sqrt(3/float64(int(people[i])+2)) * float64(v)
			}
			name := func(loop string) string { return fmt.Sprintf("%s of %d, runs of %d", loop, n, run) }

			addScaled(dst, audio, v)
			everySample(t, name("addScaled"), dst, func(i int) float64 { return float64(old[i]) + float64(audio[i])*float64(v) })
			scaleInto(dst, audio, v)
			everySample(t, name("scaleInto"), dst, func(i int) float64 { return float64(audio[i]) * float64(v) })
			mixFlat(dst, audio, backing, v, k)
			everySample(t, name("mixFlat"), dst, func(i int) float64 {
				return float64(audio[i])*float64(v) + float64(backing[i])*float64(k)
			})
			mixGained(dst, audio, backing, people, gains, v, k)
			everySample(t, name("mixGained"), dst, func(i int) float64 { return heard(i) + float64(backing[i])*float64(k) })
			gainInto(dst, audio, people, gains, v)
			everySample(t, name("gainInto"), dst, heard)
			if !slices.Equal(whole[:10], before[:10]) || !slices.Equal(whole[10+n:], before[10+n:]) {
				t.Fatalf("%d samples: something beside them changed", n)
			}
		}
	}
}

func TestCountAndSameCrowd(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range lengths() {
		for _, run := range []int{1, 20, 3000} {
			whole := crowd(rng, n+2, run)
			before := slices.Clone(whole)
			people := whole[1 : 1+n]
			if n > 0 {
				want := slices.IndexFunc(people, func(p uint16) bool { return p != people[0] })
				if want < 0 {
					want = n
				}
				if got, want := sameCrowd(people), min(longRun, want); got != want {
					t.Fatalf("the first %d of %d are as many, want %d", got, n, want)
				}
			}
			count(people)
			for i, p := range before {
				if i > 0 && i <= n && p < math.MaxUint16 {
					p++
				}
				if whole[i] != p {
					t.Fatalf("%d people: %d became %d, want %d", n, before[i], whole[i], p)
				}
			}
		}
	}
}
