package voice

// vowels are average formants of men's vowels: G. E. Peterson and H. L. Barney,
// "Control methods used in a study of the vowels" (1952), table II, for the
// lowest three. Those above hardly depend on the vowel.
var vowels = [...]formants{
	{730, 1090, 2440, 3400, 4300}, // a as in father
	{530, 1840, 2480, 3450, 4350}, // e as in head
	{270, 2290, 3010, 3500, 4400}, // i as in heed
	{570, 840, 2410, 3350, 4250},  // o as in hawed
	{300, 870, 2240, 3300, 4200},  // u as in who'd
}

// consonant is how a syllable begins.
type consonant struct {
	ms     int     // how long
	hiss   float64 // strength of its noise, RMS
	centre float64 // of the noise, Hz
	width  float64 // of the noise, Hz
	voiced float64 // how strong the tone is meanwhile
	shape  formants
}

var consonants = [...]consonant{
	{ms: 1, centre: 1500, width: 1000},                                              // none
	{ms: 95, hiss: 0.035, centre: 6500, width: 2600},                                // s
	{ms: 100, hiss: 0.040, centre: 3100, width: 1500},                               // sh
	{ms: 60, hiss: 0.020, centre: 4800, width: 4000},                                // f
	{ms: 22, hiss: 0.060, centre: 4300, width: 3000},                                // t
	{ms: 32, hiss: 0.055, centre: 1800, width: 900},                                 // k
	{ms: 65, hiss: 0.012, centre: 1500, width: 1800},                                // h
	{ms: 75, centre: 1500, width: 1000, voiced: 0.45, shape: nasal},                 // m
	{ms: 55, centre: 1500, width: 1000, voiced: 0.65, shape: liquid},                // l
	{ms: 70, hiss: 0.020, centre: 5800, width: 2400, voiced: 0.4, shape: vowels[2]}, // z
}

var (
	nasal  = formants{250, 1100, 2200, 3200, 4200}
	liquid = formants{350, 1000, 2600, 3300, 4200}
)

// syllable is a consonant and a vowel.
type syllable struct {
	onset consonant
	vowel formants
}

// randomSyllable scales the shapes to a throat: 1 is a man's, 1.17 a woman's.
func randomSyllable(c *chance, throat float64) syllable {
	s := syllable{consonants[c.upTo(len(consonants))], vowels[c.upTo(len(vowels))]}
	if s.onset.shape == (formants{}) {
		s.onset.shape = s.vowel
	}
	for i := range s.vowel {
		s.vowel[i] *= throat
		s.onset.shape[i] *= throat
	}
	return s
}

// gesture is the syllable's, ms after its beginning, at full strength.
func (s *syllable) gesture(ms int, pitch float64) gesture {
	g := gesture{pitch: pitch, voiced: 1, shape: s.vowel, centre: s.onset.centre, width: s.onset.width}
	if ms < s.onset.ms {
		g.voiced, g.hiss, g.shape = s.onset.voiced, s.onset.hiss, s.onset.shape
	}
	// Above the first formant a tone is thin: singers open the mouth further.
	g.shape[0] = max(g.shape[0], 1.05*pitch)
	return g
}
