package hunt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plantbed/plantbed/scenarios"
)

// Hunt is one hunt. Base and Run must be set; without Plans, For and
// Enough it goes on until its context ends.
type Hunt struct {
	// Base is what is broken. Its own faults and expectations make way.
	Base *scenarios.Scenario
	// Seed draws the plans.
	Seed uint64
	// Plans is how many are run, For how long new ones are begun; 0 is no limit.
	Plans int
	For   time.Duration
	// MaxFaults is the most that a plan has; 0 means 4.
	MaxFaults int
	// Kinds are names or areas of faults to keep to; none means all.
	Kinds []string
	// Workers is how many run at a time; 0 means one.
	Workers int
	// Budget is how many runs the shrinking of one finding may take; 0 means 120.
	Budget int
	Run    Runner
	// Enough says that a finding is all that was looked for; may be nil.
	Enough func(*Finding) bool
	// Progress is told after each plan and each step of shrinking; may be nil.
	Progress func(Progress)
}

// Progress is how far a hunt is.
type Progress struct {
	Plans, Found, Unknown int
	Elapsed               time.Duration
	// Shrinking says what is being shrunk, if anything is.
	Shrinking string
}

// Finding is a way to break an invariant, as small as it could be made.
type Finding struct {
	Breach
	// Also are the invariants that the same plan breaks besides.
	Also []Breach
	// Plan is the number of the plan that showed it first, First that plan.
	Plan  int
	First Plan
	// Minimal is what it was shrunk to, Kinds of what kinds its faults are.
	Minimal Plan
	Kinds   []string
	// Seen is in how many plans it showed, Runs what its shrinking took.
	Seen, Runs int
	// Again says that a second run of the minimal plan gave the same digest.
	Again bool
	// Scenario replays it.
	Scenario *scenarios.Scenario
}

// Unjudged is a plan whose run could not be judged.
type Unjudged struct {
	Plan   int
	Faults []Fault
	Why    string
}

// Report is what a hunt came to.
type Report struct {
	Plans    int
	Findings []*Finding
	Unknown  []Unjudged
	Elapsed  time.Duration
	// Broken is in how many plans something broke.
	Broken int
}

// hunting is a hunt under way.
type hunting struct {
	Hunt
	space   *Space
	pool    *pool
	started time.Time
	report  *Report
}

// Do is the main line: draw plans, run as many at a time as there are workers,
// look at the outcomes in the order of the plans, shrink what is new. When ctx
// ends it returns what was found so far with ctx's error.
func (h Hunt) Do(ctx context.Context) (*Report, error) {
	if h.MaxFaults == 0 {
		h.MaxFaults = 4
	}
	if h.Budget == 0 {
		h.Budget = 120
	}
	h.Workers = max(1, h.Workers)
	space, err := NewSpace(h.Base, h.Kinds)
	if err != nil {
		return nil, err
	}
	g := &hunting{Hunt: h, space: space, pool: newPool(h.Run, h.Workers), started: time.Now(), report: &Report{}}
	err = g.all(ctx)
	g.report.Elapsed = time.Since(g.started)
	return g.report, err
}

// ahead is a plan that is running already while earlier ones are looked at.
type ahead struct {
	plan Plan
	sc   *scenarios.Scenario
	done <-chan result
}

func (g *hunting) all(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var queue []ahead
	for next, i := 0, 0; ; i++ {
		for len(queue) <= g.Workers && g.more(next) {
			a, err := g.begin(ctx, next)
			if err != nil {
				return err
			}
			queue = append(queue, a)
			next++
		}
		if len(queue) == 0 {
			return nil
		}
		a := queue[0]
		queue = queue[1:]
		r := <-a.done
		if r.err != nil {
			return fmt.Errorf("plan %d: %w", i, r.err)
		}
		g.report.Plans++
		if err := g.look(ctx, i, a.plan, r.Outcome); err != nil {
			return err
		}
		g.tell("")
		if g.Enough != nil && slices.ContainsFunc(g.report.Findings, g.Enough) {
			return nil
		}
	}
}

func (g *hunting) more(next int) bool {
	return (g.Plans == 0 || next < g.Plans) && (g.For == 0 || time.Since(g.started) < g.For)
}

func (g *hunting) begin(ctx context.Context, i int) (ahead, error) {
	a := ahead{plan: g.space.Plan(g.Base, g.Seed, i, g.MaxFaults)}
	var err error
	if a.sc, err = a.plan.scenario(g.Base); err != nil {
		return a, fmt.Errorf("plan %d: %w", i, err)
	}
	a.done = g.pool.start(ctx, a.sc)
	return a, nil
}

// look judges one plan: what it breaks is known already, or it is shrunk.
func (g *hunting) look(ctx context.Context, i int, p Plan, o Outcome) error {
	p, o, err := g.plain(ctx, p, o)
	if err != nil {
		return err
	}
	if o.Unknown != "" {
		g.report.Unknown = append(g.report.Unknown, Unjudged{i, p.Faults, o.Unknown})
	}
	if len(o.Broken) > 0 {
		g.report.Broken++
	}
	counted := map[*Finding]bool{}
	for _, b := range o.Broken {
		f := g.known(p, b)
		if f == nil {
			if f, err = g.shrink(ctx, i, p, o, b); err != nil {
				return err
			}
		}
		if !counted[f] {
			counted[f] = true
			f.Seen++
		}
	}
	return nil
}

// known finds a finding that explains why a plan breaks an invariant: one of
// the same, or beside the same, whose faults the plan has all.
func (g *hunting) known(p Plan, b Breach) *Finding {
	for _, f := range g.report.Findings {
		if (f.Breach.same(b) || slices.ContainsFunc(f.Also, b.same)) && holds(p.labels(), f.Kinds) {
			return f
		}
	}
	return nil
}

// holds tells that each of some labels has one of its own among all.
func holds(all, some []string) bool {
	left := slices.Clone(all)
	for _, s := range some {
		i := slices.IndexFunc(left, func(l string) bool { return fits(l, s) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// shrink makes a finding of a plan that breaks an invariant, or adds to the one
// that it turns out to be. What was found is kept even where ctx ends meanwhile.
func (g *hunting) shrink(ctx context.Context, i int, p Plan, o Outcome, b Breach) (*Finding, error) {
	s := &shrinker{hunting: g, want: b, best: p, outcome: o, tried: map[string]bool{}, budget: g.Budget}
	if b.Invariant == invariantEnds {
		s.budget /= 6 // each of these runs waits for a silence
	}
	err := s.shrink(ctx)
	if err != nil && !errors.Is(err, ctx.Err()) {
		return nil, err
	}
	kinds := s.best.labels()
	for _, f := range g.report.Findings {
		if f.Breach.same(b) && slices.Equal(f.Kinds, kinds) {
			return f, err
		}
	}
	f := &Finding{Plan: i, First: p, Minimal: s.best, Kinds: kinds, Runs: s.runs, Again: s.again}
	for _, x := range s.outcome.Broken {
		if x.same(b) {
			f.Breach = x
		} else {
			f.Also = append(f.Also, x)
		}
	}
	sc, serr := s.best.scenario(g.Base)
	if serr != nil {
		return nil, serr
	}
	g.report.Findings = append(g.report.Findings, f)
	f.Scenario = sc
	f.name(len(g.report.Findings))
	return f, err
}

func (g *hunting) tell(shrinking string) {
	if g.Progress != nil {
		g.Progress(Progress{Plans: g.report.Plans, Found: len(g.report.Findings), Unknown: len(g.report.Unknown),
			Elapsed: time.Since(g.started), Shrinking: shrinking})
	}
}
