package load

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Voice is one pilot and how well he was listened for.
type Voice struct {
	Singer string `json:"singer"`
	// Pattern is what he sings, [voice.NewPattern]: by it he is found in a recording.
	Pattern uint64 `json:"pattern,string"`
	// Heard of Expected pieces of 1.8 s were heard where they belong, by all who
	// listened.
	Expected int `json:"expected"`
	Heard    int `json:"heard"`
	// Unheard says why he was never listened for, one of those below; empty if he
	// was.
	Unheard string `json:"unheard,omitempty"`
}

// Why a pilot was never listened for.
const (
	// UnheardLast: while songs were on nobody stood behind him. There is always one
	// such, who only listens.
	UnheardLast = "nobody stood behind"
	// UnheardShort: songs or the run were too short for those behind him.
	UnheardShort = "too little of a song came to those behind"
	// UnheardMissed: there was enough of him to be looked for, and nobody did. A
	// run does not hold then.
	UnheardMissed = "nobody listened for"
)

// missedPieces is how many pieces of a song come, for each pilot, to those behind
// one of them before it is a loss that he was not looked for in any: some are
// doubtful, when one of the two has reconnected.
const missedPieces = 4

// unheard says why nobody listened for a pilot, of so many. Each piece in which
// he is certain is one in which he or another like him is looked for. So with as many
// pieces as there are pilots he was looked for, unless pieces were thrown away since
// the ear could not keep up.
func (p *pilot) unheard(pilots int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.certain >= pilots || p.pieces >= missedPieces*pilots:
		return UnheardMissed
	case p.followed:
		return UnheardShort
	}
	return UnheardLast
}

// voices lists the pilots, by name. All singers have ended.
func (e *ear) voices() []Voice {
	list, pairs := []Voice{}, e.result()
	for _, p := range e.pilots {
		v := Voice{Singer: p.name, Pattern: p.id}
		for _, pair := range pairs {
			if pair.Singer == p.name {
				v.Expected, v.Heard = v.Expected+pair.Expected, v.Heard+pair.Heard
			}
		}
		if v.Expected == 0 {
			v.Unheard = p.unheard(len(e.pilots))
		}
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b Voice) int { return cmp.Compare(a.Singer, b.Singer) })
	return list
}

// Coverage says how many pilots were heard and why the others were not, such as
// "6 of 8 pilots heard; nobody stood behind singer 0007; too little of a song came
// to those behind singer 0006".
func (r *Result) Coverage() string {
	if len(r.Voices) == 0 {
		return "no voice listened for"
	}
	heard := 0
	for _, v := range r.Voices {
		if v.Heard > 0 {
			heard++
		}
	}
	text := fmt.Sprintf("%d of %d pilots heard", heard, len(r.Voices))
	for _, why := range []string{UnheardMissed, UnheardLast, UnheardShort} {
		if names := r.unheardBy(why); len(names) > 0 {
			text += "; " + why + " " + namesOf(names)
		}
	}
	return text
}

// unheardBy names the pilots who were not listened for, for that reason.
func (r *Result) unheardBy(why string) (names []string) {
	for _, v := range r.Voices {
		if v.Unheard == why {
			names = append(names, v.Singer)
		}
	}
	return names
}

// judgeVoices says what the run does not show of the pilots, though it should.
func (r *Result) judgeVoices(say func(format string, args ...any)) {
	if names := r.unheardBy(UnheardMissed); len(names) > 0 {
		say("Nobody listened for %s, though there was enough to be heard: this machine was too busy for its pilots, or they could not sing for long. Take fewer pilots or more machines.", namesOf(names))
	}
	listened := slices.ContainsFunc(r.Voices, func(v Voice) bool { return v.Expected > 0 })
	if r.Setup.Pilots > 1 && r.Setup.Sings && r.Setup.Pace == PaceReal && !listened {
		say("No pilot could be listened for: no song lasted long enough, or nobody stood behind another. Take a longer -duration.")
	}
}

// namesOf lists some of the names.
func namesOf(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
