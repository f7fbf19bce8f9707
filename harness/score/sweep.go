package score

// Sweep is one scenario under several settings, each run on the same seeds, and
// what each setting changes against the first. What a seed brings by itself,
// such as when machines break, is common to all settings and falls out of the
// difference of a pair: a change shows that the means alone would hide.
type Sweep struct {
	Schema   string    `json:"schema"`
	Scenario string    `json:"scenario"`
	Gear     string    `json:"gear"`
	Settings []Setting `json:"settings"`
}

// SweepSchema names the layout of a sweep's figures.
const SweepSchema = "plantbed.sweep/1"

// Setting is one of the settings and what came of it.
type Setting struct {
	// Set is what was overridden, as in gateway.buffer.max_bytes=64KiB.
	Set     []string          `json:"set"`
	Runs    []Run             `json:"runs"`
	Metrics map[string]Spread `json:"metrics"`
	// Changes are against the first setting, which has none.
	Changes map[string]Change `json:"changes,omitempty"`
}

// Change is the mean difference of a metric over pairs of runs of one seed.
type Change struct {
	Unit string  `json:"unit"`
	Mean float64 `json:"mean"`
	// CI95 is Student's 95 % interval, missing of a single pair.
	CI95 *[2]float64 `json:"ci95,omitempty"`
	// N is how many seeds have a value under both settings.
	N int `json:"n"`
	// Shown tells that the interval leaves out 0. Of many metrics one in twenty
	// does so by chance.
	Shown bool `json:"shown"`
}

// NewSetting gathers the runs of one setting, in the order of the seeds.
func NewSetting(set []string, cards []Card, dirs []string) Setting {
	s := Setting{Set: set, Metrics: map[string]Spread{}}
	for i, c := range cards {
		s.Runs = append(s.Runs, Run{Seed: c.Seed, Dir: dirs[i], Digest: c.Digest, Verdict: c.Verdict, Why: c.Why})
	}
	for _, m := range Metrics {
		s.Metrics[m.Name] = spread(m.Name, cards)
	}
	return s
}

// Against fills in what changes from the cards of the first setting to these;
// the i-th of both are of one seed.
func (s *Setting) Against(first, cards []Card) {
	s.Changes = map[string]Change{}
	for _, m := range Metrics {
		var diffs []float64
		for i := range min(len(first), len(cards)) {
			if a, b := first[i].Metrics[m.Name].Value, cards[i].Metrics[m.Name].Value; a != nil && b != nil {
				diffs = append(diffs, *b-*a)
			}
		}
		if len(diffs) == 0 {
			continue
		}
		c := Change{Unit: unitOf(m.Name), N: len(diffs)}
		c.Mean, c.CI95 = student(diffs)
		c.Shown = c.CI95 != nil && (c.CI95[0] > 0 || c.CI95[1] < 0)
		s.Changes[m.Name] = c
	}
}

// Passed is how many runs passed.
func (s *Setting) Passed() (n int) {
	for _, r := range s.Runs {
		if r.Verdict == Pass {
			n++
		}
	}
	return n
}
