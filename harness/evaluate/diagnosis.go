package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// diagnosis fills in whose fault the shipped detector's first alarms said it was.
func (e *Exam) diagnosis(t *Table, own [][]tally, everyone []int, samples [][]int) {
	t.Confusion = e.confusion(own, everyone)
	var f1, balanced []float64
	for _, s := range samples {
		m := e.confusion(own, s)
		f1, balanced = append(f1, macroF1(m)), append(balanced, balancedAccuracy(m))
	}
	t.MacroF1 = newFigure(macroF1(t.Confusion), f1)
	t.BalancedAccuracy = newFigure(balancedAccuracy(t.Confusion), balanced)
	for i, u := range e.Units {
		for j, f := range u.Failures {
			t.Said = note(t.Said, "process", f.Mode, own[i][0].said[j])
		}
		for j, s := range u.Sensors {
			t.Said = note(t.Said, "sensor", s.Kind, own[i][0].said[len(u.Failures)+j])
		}
	}
	slices.SortStableFunc(t.Said, func(a, b Said) int {
		return cmp.Or(cmp.Compare(a.Truth, b.Truth), cmp.Compare(a.Kind, b.Kind))
	})
}

// note keeps count by truth and kind.
func note(all []Said, truth, kind string, said int) []Said {
	i := slices.IndexFunc(all, func(s Said) bool { return s.Truth == truth && s.Kind == kind })
	if i < 0 {
		i, all = len(all), append(all, Said{Truth: truth, Kind: kind})
	}
	switch said {
	case saidNothing:
		all[i].Nothing++
	case saidProcess:
		all[i].Process++
	case saidSensor:
		all[i].Sensor++
	}
	return all
}

func (e *Exam) confusion(own [][]tally, units []int) (m [2][saids]int) {
	for _, i := range units {
		n := len(e.Units[i].Failures)
		for j, said := range own[i][0].said {
			if j < n {
				m[0][said]++
			} else {
				m[1][said]++
			}
		}
	}
	return m
}

// macroF1 is the mean over process and sensor; what was not noticed is a miss of
// its class.
func macroF1(m [2][saids]int) float64 {
	sum := 0.0
	for truth, said := range []int{saidProcess, saidSensor} {
		hit := float64(m[truth][said])
		all := float64(m[truth][saidNothing] + m[truth][saidProcess] + m[truth][saidSensor])
		if all == 0 {
			return math.NaN()
		}
		sum += 2 * hit / (all + float64(m[0][said]+m[1][said]))
	}
	return sum / 2
}

// balancedAccuracy is the mean of the two recalls.
func balancedAccuracy(m [2][saids]int) float64 {
	sum := 0.0
	for truth, said := range []int{saidProcess, saidSensor} {
		all := m[truth][saidNothing] + m[truth][saidProcess] + m[truth][saidSensor]
		if all == 0 {
			return math.NaN()
		}
		sum += float64(m[truth][said]) / float64(all)
	}
	return sum / 2
}
