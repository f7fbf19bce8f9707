package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// week is what rates are per.
const week = 7 * 24 * time.Hour

// always raises an alarm each minute.
func always(u *Unit) []Alarm { return every(u, 0, time.Minute) }

// every raises one alarm per period, which is what always comes to at a rate.
func every(u *Unit, phase float64, period time.Duration) []Alarm {
	var out []Alarm
	for at := time.Duration(phase * float64(period)); at < u.Until; at += period {
		out = append(out, Alarm{At: at})
	}
	return out
}

// random raises alarms at a rate per week, whatever happens.
func random(u *Unit, perWeek float64, rng *rand.Rand) []Alarm {
	var out []Alarm
	if perWeek <= 0 {
		return nil
	}
	for at := 0.0; ; {
		at += rng.ExpFloat64() / perWeek
		d := time.Duration(at * float64(week))
		if d >= u.Until || at > 1e4 {
			return out
		}
		out = append(out, Alarm{At: d})
	}
}

// aged raises an alarm where a component becomes as old as the limit, in hours of
// service; what is older already is named at once.
func aged(u *Unit, limit float64) []Alarm {
	var out []Alarm
	for c, age := range u.Ages {
		if limit-age > u.Until.Hours() {
			continue
		}
		at := time.Duration(max(0, limit-age) * float64(time.Hour))
		if i := u.Replaced[c]; i >= 0 && at >= u.Failures[i].Failure {
			continue
		}
		if at < u.Until {
			out = append(out, Alarm{At: at})
		}
	}
	slices.SortFunc(out, func(a, b Alarm) int { return int(a.At/time.Second - b.At/time.Second) })
	return out
}

// ageCurve is as Exam.curve for the age alone, from the greatest age down.
func (e *Exam) ageCurve() [][]tally {
	limits := []float64{math.MaxFloat32}
	for _, u := range e.Units {
		for _, a := range u.Ages {
			limits = append(limits, a+u.Until.Hours()/2)
		}
	}
	slices.Sort(limits)
	slices.Reverse(limits)
	var out [][]tally
	for _, u := range e.Units {
		var row []tally
		for _, l := range limits {
			row = append(row, count(u, aged(u, l), e.Lead))
		}
		out = append(out, row)
	}
	return out
}
