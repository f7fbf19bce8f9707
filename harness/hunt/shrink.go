package hunt

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// shrinker makes a plan smaller as long as it breaks the same invariant at the
// same stage: fewer faults, a shorter run, earlier, shorter and weaker faults,
// round times. Each step offers candidates, the boldest first; the first that
// still breaks it becomes the best. As many run at a time as there are workers,
// but which one is taken does not depend on that.
type shrinker struct {
	*hunting
	want    Breach
	best    Plan
	outcome Outcome // of best
	tried   map[string]bool
	budget  int
	runs    int
	again   bool
}

func (s *shrinker) shrink(ctx context.Context) error {
	for _, step := range []func(context.Context) (bool, error){s.fewer, s.shorter} {
		if _, err := step(ctx); err != nil {
			return err
		}
	}
	for {
		better := false
		for _, step := range []func(context.Context) (bool, error){s.earlier, s.briefer, s.milder, s.rounder, s.shorter, s.fewer} {
			b, err := step(ctx)
			if err != nil {
				return err
			}
			better = better || b
		}
		if !better || s.runs >= s.budget {
			return s.confirm(ctx)
		}
	}
}

// confirm runs the best once more: a finding that does not come again is worth
// little, and says so.
func (s *shrinker) confirm(ctx context.Context) error {
	sc, err := s.best.scenario(s.Base)
	if err != nil {
		return err
	}
	r := <-s.pool.start(ctx, sc)
	if r.err != nil {
		return r.err
	}
	s.runs++
	s.again = r.breaks(s.want) && r.Digest == s.outcome.Digest
	return nil
}

// try takes the first candidate that breaks the same invariant.
func (s *shrinker) try(ctx context.Context, candidates ...Plan) (bool, error) {
	var fresh []Plan
	for _, c := range candidates {
		if key := fmt.Sprint(c); !s.tried[key] && c.peace() && s.space.valid(c.Faults, c.Duration, c.Seed) {
			s.tried[key] = true
			fresh = append(fresh, c)
		}
	}
	for len(fresh) > 0 && s.runs < s.budget {
		n := min(s.Workers, len(fresh))
		found, err := s.race(ctx, fresh[:n])
		if found || err != nil {
			return found, err
		}
		fresh = fresh[n:]
	}
	return false, nil
}

// race runs candidates side by side and takes the first in their order.
func (s *shrinker) race(ctx context.Context, plans []Plan) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what is behind the one that is taken need not end
	var running []<-chan result
	for _, p := range plans {
		sc, err := p.scenario(s.Base)
		if err != nil {
			return false, err
		}
		running = append(running, s.pool.start(ctx, sc))
	}
	for i, done := range running {
		r := <-done
		if r.err != nil {
			return false, r.err
		}
		s.runs++
		s.tell(s.want.Invariant)
		if r.breaks(s.want) {
			s.best, s.outcome = plans[i], r.Outcome
			return true, nil
		}
	}
	return false, nil
}

// with is the best plan with other faults.
func (s *shrinker) with(fs []Fault) Plan {
	p := s.best
	slices.SortStableFunc(fs, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	p.Faults = fs
	return p
}

// change is the best plan with one fault changed.
func (s *shrinker) change(i int, f Fault) Plan {
	fs := slices.Clone(s.best.Faults)
	fs[i] = f
	return s.with(fs)
}

// fewer drops faults: all of them, all but one, and then one after the other.
func (s *shrinker) fewer(ctx context.Context) (better bool, err error) {
	n := len(s.best.Faults)
	if n == 0 {
		return false, nil
	}
	candidates := []Plan{s.with(nil)}
	for i := range s.best.Faults {
		if n > 2 {
			candidates = append(candidates, s.with([]Fault{s.best.Faults[i]}))
		}
	}
	if better, err = s.try(ctx, candidates...); err != nil {
		return better, err
	}
	for {
		candidates = nil
		for i := range s.best.Faults {
			candidates = append(candidates, s.with(slices.Delete(slices.Clone(s.best.Faults), i, i+1)))
		}
		found, err := s.try(ctx, candidates...)
		if !found || err != nil {
			return better || found, err
		}
		better = true
	}
}

// over is when the last fault has ended.
func (p Plan) over() time.Duration {
	var end time.Duration
	for _, f := range p.Faults {
		end = max(end, f.end())
	}
	return end
}

// leastTail is the shortest time after the last fault that is enough to recover in.
const leastTail = 30 * time.Second

// peace tells that what follows the last fault is long enough.
func (p Plan) peace() bool { return len(p.Faults) == 0 || p.Duration-p.over() >= leastTail }

// shorter ends the run sooner. What follows the last fault stays long enough to
// recover in.
func (s *shrinker) shorter(ctx context.Context) (bool, error) {
	var candidates []Plan
	for _, quiet := range []time.Duration{leastTail, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		d := (s.best.over() + quiet + 9*time.Second).Truncate(10 * time.Second)
		if len(s.best.Faults) == 0 {
			d = quiet
		}
		if d < s.best.Duration {
			p := s.best
			p.Duration = d
			candidates = append(candidates, p)
		}
	}
	return s.try(ctx, candidates...)
}

// earlier moves all faults towards the start, and then each towards the one before.
func (s *shrinker) earlier(ctx context.Context) (better bool, err error) {
	for i := range s.best.Faults {
		room := s.best.Faults[i].At - settled - 10*time.Second
		if i > 0 {
			room = s.best.Faults[i].At - s.best.Faults[i-1].At
		}
		var candidates []Plan
		for _, by := range []time.Duration{room, room - 10*time.Second, room / 2} {
			if by = by.Truncate(time.Second); by > 0 {
				candidates = append(candidates, s.moved(i, by))
			}
		}
		found, err := s.try(ctx, candidates...)
		if err != nil {
			return better, err
		}
		better = better || found
	}
	return better, nil
}

// moved is the best plan with the i-th fault and all behind it earlier, and its
// end with them.
func (s *shrinker) moved(i int, by time.Duration) Plan {
	fs := slices.Clone(s.best.Faults)
	for ; i < len(fs); i++ {
		fs[i].At -= by
	}
	p := s.with(fs)
	p.Duration -= by.Truncate(10 * time.Second)
	return p
}

// briefer shortens each fault.
func (s *shrinker) briefer(ctx context.Context) (better bool, err error) {
	for i := range s.best.Faults {
		for found := true; found; {
			var candidates []Plan
			for _, part := range []time.Duration{8, 2} {
				f := s.best.Faults[i]
				if f.For = roundDuration(f.For / part); f.For >= 100*time.Millisecond {
					candidates = append(candidates, s.change(i, f))
				}
			}
			if found, err = s.try(ctx, candidates...); err != nil {
				return better, err
			}
			better = better || found
		}
	}
	return better, nil
}

// milder weakens each fault.
func (s *shrinker) milder(ctx context.Context) (better bool, err error) {
	for i := range s.best.Faults {
		for _, k := range s.best.Faults[i].Keys {
			d, key, ok := s.space.key(s.best.Faults[i].Kind, k.Name)
			value := k.Value
			for ok {
				var candidates []Plan
				weaker := d.milder(key, value)
				for _, v := range weaker {
					candidates = append(candidates, s.change(i, s.best.Faults[i].with(k.Name, v)))
				}
				if ok, err = s.try(ctx, candidates...); err != nil {
					return better, err
				}
				better = better || ok
				value = s.best.Faults[i].value(k.Name)
				ok = ok && value != ""
			}
		}
	}
	return better, nil
}

// rounder moves times to such as people write.
func (s *shrinker) rounder(ctx context.Context) (better bool, err error) {
	steps := []time.Duration{time.Minute, 10 * time.Second, time.Second}
	for i := range s.best.Faults {
		f := s.best.Faults[i]
		var at, lasts []Plan
		for _, step := range steps {
			if g := f; f.At%step != 0 {
				g.At = max(f.At.Round(step), settled)
				at = append(at, s.change(i, g))
			}
		}
		found, err := s.try(ctx, at...)
		if err != nil {
			return better, err
		}
		better = better || found
		f = s.best.Faults[i]
		for _, step := range steps {
			if g := f; f.For%step != 0 && f.For.Round(step) > 0 {
				g.For = f.For.Round(step)
				lasts = append(lasts, s.change(i, g))
			}
		}
		if found, err = s.try(ctx, lasts...); err != nil {
			return better, err
		}
		better = better || found
	}
	return better, nil
}
