package conformance

import (
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
)

// Verdict of an entry.
type Verdict string

// The verdicts. NotApplicable is for a stack that does not claim what the
// entry asks about; Unknown where the failure could not be brought about, or
// the run could not be judged.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"
	NotApplicable Verdict = "not applicable"
	Unknown       Verdict = "unknown"
)

// Entry is one failure that really happened.
type Entry struct {
	// ID is K01 and so on; Title names what goes wrong.
	ID, Title string
	// Threads are the public reports.
	Threads []string
	// Asks is what a correct stack does.
	Asks string
	// Scenarios are names of shipped scenarios; each must pass.
	Scenarios []string
	// Feature, where there is one, is what a stack must have for the entry to
	// apply to it.
	Feature Feature
	// Live says that the failure can be brought about in the live gear alone.
	Live bool
	// check is what a scenario's expectations cannot say. It returns what is
	// wrong, and why the failure was not brought about.
	check func(Evidence) (wrong, missing []string)
}

// Feature is something that not every gateway claims to have.
type Feature string

// The features that entries ask for.
const (
	KeepsUntilTTL Feature = "a time after which kept samples are not worth sending"
	TakesConfig   Feature = "a configuration that is pushed while it runs"
	TakesDesired  Feature = "desired values that are written to a device"
	Sparkplug     Feature = "Sparkplug B"
	OnOurDisk     Feature = "a store on the disk that the suite can fill and damage"
	OnOurClock    Feature = "a clock that the suite can set"
	TakesKeys     Feature = "certificates and keys from the suite"
)

// Evidence is what one run of a scenario left.
type Evidence struct {
	Log    *record.Log
	Result score.Result
	// Words are what the stack said of itself while it ran, a line each: its
	// log. Nil where that cannot be had.
	Words []string
	// Foreign says that it was another gateway than the built-in one. It may take
	// its time to start, in which nothing is owed.
	Foreign bool
}

// ours are what only the built-in gateway is asked for: it starts at once, and
// it marks what it repeats. Of another's repeats those count that were applied.
var ours = []string{"samples.unobtainable", "dup.unmarked"}

// weigh sorts a run's reasons into what is wrong and what could not be judged.
func (e Evidence) weigh() (wrong, missing []string) {
	card := e.Result.Card
	if card.Verdict == score.Unknown {
		return nil, append(e.deaths(), unjudged(card)...)
	}
	for _, x := range card.Expectations {
		switch {
		case x.Verdict == score.Unknown:
			missing = append(missing, x.Why)
		case x.Verdict != score.Fail || e.Foreign && slices.Contains(ours, x.Metric):
		case e.Foreign && x.Metric == "samples.owed":
			missing = append(missing, x.Why)
		default:
			wrong = append(wrong, x.Why)
		}
	}
	if len(wrong) > 0 {
		wrong = append(e.deaths(), wrong...)
	}
	return wrong, missing
}

// deaths are those that the gateway died of itself.
func (e Evidence) deaths() (out []string) {
	for _, n := range e.Log.Notes {
		if n.Kind == "gateway ended" {
			out = append(out, n.Text)
		}
	}
	return out
}

// unjudged is why a run is unknown: what its figures are then is beside it.
func unjudged(card score.Card) []string {
	beside := func(why string) bool {
		return slices.ContainsFunc(card.Expectations, func(x score.Expectation) bool { return x.Why == why })
	}
	if out := slices.DeleteFunc(slices.Clone(card.Why), beside); len(out) > 0 {
		return out
	}
	return card.Why
}

// Outcome is what an entry came to.
type Outcome struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"`
}

// Judge is the verdict on the runs of all scenarios of an entry.
func (e Entry) Judge(runs ...Evidence) Outcome {
	var wrong, missing []string
	for _, r := range runs {
		w, m := r.weigh()
		wrong, missing = append(wrong, w...), append(missing, m...)
		if e.check != nil {
			w, m := e.check(r)
			wrong, missing = append(wrong, w...), append(missing, m...)
		}
	}
	o := Outcome{ID: e.ID, Title: e.Title, Verdict: Pass}
	switch {
	case len(wrong) > 0:
		o.Verdict, o.Why = Fail, strings.Join(wrong, "; ")
		if len(missing) > 0 {
			o.Why += "; besides, " + strings.Join(missing, "; ")
		}
	case len(missing) > 0 || len(runs) == 0:
		o.Verdict, o.Why = Unknown, strings.Join(missing, "; ")
	}
	return o
}

// Without is the outcome for a stack that does not claim the entry's feature.
func (e Entry) Without() Outcome {
	return Outcome{ID: e.ID, Title: e.Title, Verdict: NotApplicable, Why: "needs " + string(e.Feature)}
}

// Entries lists the suite in the order of its IDs.
func Entries() []Entry { return append([]Entry(nil), entries...) }

// Pick finds the entries of the given IDs, in any case; none means all.
func Pick(ids []string) (picked []Entry, unknown []string) {
	if len(ids) == 0 {
		return Entries(), nil
	}
	for _, id := range ids {
		found := false
		for _, e := range entries {
			if strings.EqualFold(e.ID, strings.TrimSpace(id)) {
				picked, found = append(picked, e), true
			}
		}
		if !found {
			unknown = append(unknown, id)
		}
	}
	return picked, unknown
}
