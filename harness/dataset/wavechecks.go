package dataset

import (
	"math"
	"slices"
)

// fewest recordings, of healthy and of clearly damaged bearings, and units,
// from which they say something.
const (
	fewestHealthy = 30
	fewestClear   = 10
	fewestUnits   = 16
)

// waveChecks ask the waveforms, if there are any.
func waveChecks(sums []summary) []Check {
	healthy, clear := recordings(sums)
	if len(healthy) == 0 {
		return nil
	}
	var out []Check
	add := func(name string, value float64, want string, holds, few bool, doc string) {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			value, few = 0, true
		}
		out = append(out, Check{name, math.Round(value*1e4) / 1e4, want, holds && !few, doc, few})
	}
	few, units := len(healthy) < fewestHealthy, unitsOf(healthy)
	knocks := share(healthy, func(h heard) bool { return h.Kurtosis > 4 })
	add("bursts.healthy_knocks", knocks, "0.01 to 0.5", knocks >= 0.01 && knocks <= 0.5, few,
		"healthy recordings that something else knocks into (kurtosis above 4): a knock is no defect")
	spread := backgroundSpread(healthy)
	add("bursts.background_spread", spread, ">= 3", spread >= 3, few || units < fewestUnits/2,
		"dB by which the octaves of a healthy bearing, each in parts of the whole, differ from unit to unit: 3 dB is a factor of two, so that nobody can learn the background by heart")
	speeds := speedSpread(healthy)
	add("bursts.speed_spread", speeds, ">= 0.05", speeds >= 0.05, few,
		"variation of the shafts' speed over healthy recordings: a line that is fixed in Hz is not where it was, so features go by orders of the shaft")
	rate, resolved := heldOut(healthy)
	add("bursts.held_out", rate, "<= 0.06", rate <= 0.06, few || units < fewestUnits || !resolved,
		"false alarms on half of the units, of a limit on the bearing's envelope lines that 2 % of the healthy recordings of the other half exceed: backgrounds are of one kind, though no two are alike")
	lines, razors := column(clear, func(h heard) float64 { return h.Line }), column(clear, func(h heard) float64 { return h.Razor })
	add("bursts.defect_line", middle(lines), ">= 2", middle(lines) >= 2, len(lines) < fewestClear,
		"median of how far the lines of the labelled defect stand out of the envelope's spectrum, from 10 to 60 % of damage: the label is that of the waveform")
	add("bursts.razor_lines", middle(razors), "< 2.2", middle(razors) < 2.2, len(razors) < fewestClear,
		"median of how far its high harmonics stand out of the spectrum itself (noise: 1.6; impacts without slip: 3): no razor lines, by which alone a model would tell")
	return out
}

// voiced is a recording with the unit that it is of.
type voiced struct {
	heard
	unit int
}

func recordings(sums []summary) (healthy, clear []voiced) {
	for i := range sums {
		for _, h := range sums[i].Heard {
			switch {
			case h.Healthy:
				healthy = append(healthy, voiced{h, sums[i].Unit})
			case h.Clear:
				clear = append(clear, voiced{h, sums[i].Unit})
			}
		}
	}
	return healthy, clear
}

func unitsOf(v []voiced) int {
	units := map[int]bool{}
	for _, h := range v {
		units[h.unit] = true
	}
	return len(units)
}

func share(v []voiced, is func(heard) bool) float64 {
	n := 0
	for _, h := range v {
		if is(h.heard) {
			n++
		}
	}
	return float64(n) / float64(len(v))
}

// column of what is there at all.
func column(v []voiced, of func(heard) float64) (out []float64) {
	for _, h := range v {
		if x := of(h.heard); x > 0 {
			out = append(out, x)
		}
	}
	return out
}

func middle(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return x[len(x)/2]
}

// backgroundSpread is the root mean square, over bearings and octaves, of the
// deviation of units from their fleet, in dB: of the variance of the units'
// means what the scatter of their recordings does not explain.
func backgroundSpread(healthy []voiced) float64 {
	type key struct {
		bearing string
		unit    int
	}
	byUnit := map[key][]voiced{}
	var keys []key // in the order of the recordings
	for _, h := range healthy {
		k := key{h.Bearing, h.unit}
		if byUnit[k] == nil {
			keys = append(keys, k)
		}
		byUnit[k] = append(byUnit[k], h)
	}
	means := map[string]*[bands][]float64{}
	var bearings []string
	within, count := 0.0, 0.0
	for _, k := range keys {
		if len(byUnit[k]) < 2 {
			continue
		}
		if means[k.bearing] == nil {
			means[k.bearing] = &[bands][]float64{}
			bearings = append(bearings, k.bearing)
		}
		for i := range bands {
			m, sd := moments(column(byUnit[k], func(h heard) float64 { return -h.Bands[i] })) // dB of the whole are below 0
			means[k.bearing][i] = append(means[k.bearing][i], m)
			within, count = within+sd*sd/float64(len(byUnit[k])), count+1
		}
	}
	between, of := 0.0, 0.0
	for _, b := range bearings {
		for _, m := range means[b] {
			_, sd := moments(m)
			between, of = between+sd*sd, of+1
		}
	}
	return math.Sqrt(max(0, between/of-within/count))
}

func speedSpread(healthy []voiced) float64 {
	m, sd := moments(column(healthy, func(h heard) float64 { return h.ShaftHz }))
	return sd / m
}

// falseShare is how many healthy recordings of the one half are to exceed the limit.
const falseShare = 0.02

// heldOut sets a limit on the units of even number and counts what exceeds it
// on the others; it does not know where recordings are too short for lines.
func heldOut(healthy []voiced) (rate float64, known bool) {
	half := func(odd int) []float64 {
		var out []float64
		for _, h := range healthy {
			if h.unit%2 == odd && h.Line > 0 {
				out = append(out, h.Line)
			}
		}
		return out
	}
	learned, others := half(0), half(1)
	if len(learned) < fewestHealthy || len(others) < fewestHealthy {
		return 0, false
	}
	slices.Sort(learned)
	limit := learned[int((1-falseShare)*float64(len(learned)))]
	above := 0
	for _, v := range others {
		if v > limit {
			above++
		}
	}
	return float64(above) / float64(len(others)), true
}
