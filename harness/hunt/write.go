package hunt

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// name gives the finding's scenario the name of the n-th.
func (f *Finding) name(n int) {
	slug := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(f.Invariant, "_s"), ".count"), ".", "-")
	f.Scenario.Name = fmt.Sprintf("hunt-%d-%s", n, strings.ReplaceAll(slug, "_", "-"))
	f.Scenario.Summary = f.title()
}

// title says in a line what breaks, and under what.
func (f *Finding) title() string {
	s := f.Invariant
	if f.Stage != "" && !strings.HasSuffix(s, f.Stage) {
		s += " (" + f.Stage + ")"
	}
	if len(f.Kinds) == 0 {
		return s + " without any fault"
	}
	return s + " under " + strings.Join(f.Kinds, " + ")
}

// File is the name of the finding's scenario.
func (f *Finding) File() string { return f.Scenario.Name + ".toml" }

// text is the scenario that replays the finding, with what it shows before it.
func (f *Finding) text(base string, seed uint64) ([]byte, error) {
	body, err := f.Scenario.Encode()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	line := func(format string, a ...any) {
		b.WriteString(strings.TrimRight("# "+fmt.Sprintf(format, a...), " ") + "\n")
	}
	line("%s.", f.title())
	line("")
	line("  %s", f.Why)
	for _, a := range f.Also {
		line("  also: %s", a.Why)
	}
	line("")
	for _, x := range f.Minimal.Faults {
		line("  %s", x)
	}
	line("")
	line("Found by `plantbed hunt %s --seed %d` in plan %d of %d faults, and shrunk in %d runs to %d.", base, seed, f.Plan, len(f.First.Faults), f.Runs, len(f.Minimal.Faults))
	if !f.Again {
		line("A second run of it did not give the same digest.")
	}
	switch f.Invariant {
	case invariantAlive, invariantEnds:
		line("`plantbed run %s` shows it: the run does not end as runs do, and the exit code is 1.", f.File())
	default:
		line("`plantbed run %s` shows it: the exit code is 10, for the expectation of %s.", f.File(), f.Invariant)
	}
	return append([]byte(b.String()), body...), nil
}

// Schema names the layout of hunt.json.
const Schema = "plantbed.hunt/1"

// Summary is hunt.json, and what the command prints with --json.
type Summary struct {
	Schema   string        `json:"schema"`
	Scenario string        `json:"scenario"`
	Seed     uint64        `json:"seed"`
	Verdict  string        `json:"verdict"` // pass, fail, unknown
	Plans    int           `json:"plans"`
	Broken   int           `json:"broken"`
	Elapsed  float64       `json:"elapsed_s"`
	PerMin   float64       `json:"plans_per_min"`
	Findings []FindingJSON `json:"findings"`
	Unknown  []UnknownJSON `json:"unknown"`
}

// FindingJSON is one finding in hunt.json.
type FindingJSON struct {
	File      string   `json:"file"`
	Invariant string   `json:"invariant"`
	Stage     string   `json:"stage,omitempty"`
	Kinds     []string `json:"kinds"`
	Faults    []string `json:"faults"`
	DurationS float64  `json:"duration_s"`
	Why       string   `json:"why"`
	Also      []Breach `json:"also,omitempty"`
	Plan      int      `json:"plan"`
	Seen      int      `json:"seen"`
	Runs      int      `json:"runs"`
	Again     bool     `json:"again"`
}

// UnknownJSON is one plan that could not be judged.
type UnknownJSON struct {
	Plan   int      `json:"plan"`
	Faults []string `json:"faults"`
	Why    string   `json:"why"`
}

// Summary of a report.
func (r *Report) Summary(base string, seed uint64) Summary {
	s := Summary{Schema: Schema, Scenario: base, Seed: seed, Verdict: "pass", Plans: r.Plans, Broken: r.Broken, Elapsed: r.Elapsed.Seconds(),
		Findings: []FindingJSON{}, Unknown: []UnknownJSON{}}
	if r.Elapsed > 0 {
		s.PerMin = float64(r.Plans) / r.Elapsed.Minutes()
	}
	for _, u := range r.Unknown {
		s.Verdict = "unknown"
		s.Unknown = append(s.Unknown, UnknownJSON{u.Plan, lines(u.Faults), u.Why})
	}
	if r.Plans == 0 {
		s.Verdict = "unknown"
	}
	for _, f := range r.Findings {
		s.Verdict = "fail"
		s.Findings = append(s.Findings, FindingJSON{File: f.File(), Invariant: f.Invariant, Stage: f.Stage, Kinds: f.Kinds, Faults: lines(f.Minimal.Faults),
			DurationS: f.Minimal.Duration.Seconds(), Why: f.Why, Also: f.Also, Plan: f.Plan, Seen: f.Seen, Runs: f.Runs, Again: f.Again})
	}
	return s
}

func lines(fs []Fault) []string {
	out := []string{}
	for _, f := range fs {
		out = append(out, f.String())
	}
	return out
}

// Write puts a scenario for each finding and hunt.json into dir.
func (r *Report) Write(dir, base string, seed uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(dir, "hunt-*.toml"))
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	for _, name := range old { // an earlier hunt's would be taken for this one's
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("hunt: %w", err)
		}
	}
	for _, f := range r.Findings {
		text, err := f.text(base, seed)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, f.File()), text, 0o644); err != nil {
			return fmt.Errorf("hunt: %w", err)
		}
	}
	b, err := json.MarshalIndent(r.Summary(base, seed), "", "  ")
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hunt.json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	return nil
}

// PlansPerMinute is how fast the hunt goes.
func (p Progress) PlansPerMinute() float64 {
	if p.Elapsed < time.Second {
		return 0
	}
	return float64(p.Plans) / p.Elapsed.Minutes()
}
