package evaluate

import (
	"slices"
	"time"
)

// tally is what one detector's alarms on one unit amount to.
type tally struct {
	false, forgiven int       // false alarms, and of them those while a sensor lay
	delays          []float64 // hours from the onset, per failure; of a miss the time to the end of its window
	share           []float64 // the same as a share of the span from onset to failure
	hit             []bool
	// said is per failure, then per sensor fault, the class of the first alarm
	// of any class: 0 nothing, 1 process, 2 sensor.
	said []int
}

const (
	saidNothing = iota
	saidProcess
	saidSensor
	saids
)

// count judges alarms, which are in the order of time.
func count(u *Unit, alarms []Alarm, lead time.Duration) tally {
	var t tally
	for _, f := range u.Failures {
		end := f.Failure - lead
		i := slices.IndexFunc(alarms, func(a Alarm) bool { return !a.Sensor && a.At >= f.Onset && a.At < end })
		at := end
		if i >= 0 {
			at = alarms[i].At
		}
		t.hit = append(t.hit, i >= 0)
		t.delays = append(t.delays, (at - f.Onset).Hours())
		t.share = append(t.share, float64(at-f.Onset)/float64(f.Failure-f.Onset))
		t.said = append(t.said, firstSaid(alarms, f.Onset, f.Failure))
	}
	for _, s := range u.Sensors {
		t.said = append(t.said, firstSaid(alarms, s.From, s.To))
	}
	for _, a := range alarms {
		switch {
		case u.sick(a.At):
		case !u.lying(a.At):
			t.false++
		case !a.Sensor:
			t.false++
			t.forgiven++
		}
	}
	return t
}

func firstSaid(alarms []Alarm, from, to time.Duration) int {
	for _, a := range alarms {
		if a.At >= from && a.At < to {
			if a.Sensor {
				return saidSensor
			}
			return saidProcess
		}
	}
	return saidNothing
}

func (u *Unit) sick(at time.Duration) bool {
	return slices.ContainsFunc(u.Failures, func(f Failure) bool { return at >= f.Onset && at < f.Excused })
}

func (u *Unit) lying(at time.Duration) bool {
	return slices.ContainsFunc(u.Sensors, func(s SensorFault) bool { return at >= s.From && at < s.Excused })
}

// healthy is the time in which the machine itself was well, in weeks. Failures of
// one unit do not overlap.
func (u *Unit) healthy() float64 {
	d := u.Until
	for _, f := range u.Failures {
		d -= min(f.Excused, u.Until) - f.Onset
	}
	return d.Hours() / (7 * 24)
}
