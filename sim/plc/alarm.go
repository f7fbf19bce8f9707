package plc

import (
	"fmt"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Alarm is raised by the device when a tag leaves its limits, and shown by the
// protocols that have alarms.
type Alarm struct {
	Tag signal.ID `toml:"tag"`
	// High and Low are in engineering units; one of them may be left out.
	High *float64 `toml:"high,omitempty"`
	Low  *float64 `toml:"low,omitempty"`
	// Deadband is how far a value must be back within its limit for the alarm to
	// end, in engineering units.
	Deadband float64 `toml:"deadband,omitzero"`
	// Severity goes from 1 to 1000; default 500.
	Severity uint16 `toml:"severity,omitzero"`
	// Confirm has an operator confirm what was done, besides acknowledging that
	// it was seen.
	Confirm bool `toml:"confirm,omitzero"`
}

// DefaultSeverity is that of an alarm that says none: medium.
const DefaultSeverity = 500

// check adds what is wrong with an alarm.
func (a *Alarm) check(path string, ps *strict.Problems) {
	switch {
	case a.Tag == "":
		ps.Add(path+".tag", "an alarm needs a tag")
	case a.High == nil && a.Low == nil:
		ps.Add(path+".high", "an alarm needs a limit, high or low")
	case a.High != nil && a.Low != nil && !(*a.Low < *a.High):
		ps.Add(path+".low", fmt.Sprintf("%v is not below %v", *a.Low, *a.High))
	}
	if !(a.Deadband >= 0) {
		ps.Add(path+".deadband", fmt.Sprintf("%v is no width", a.Deadband))
	}
	if a.Severity > 1000 {
		ps.Add(path+".severity", fmt.Sprintf("%d is more than 1000", a.Severity))
	}
}

// Side tells on which side of its limits a value is, given on which it was:
// 1 is high, -1 low, 0 neither.
func (a *Alarm) Side(v float64, was int) int {
	high, low := a.High, a.Low
	switch {
	case high != nil && (v > *high || was > 0 && v > *high-a.Deadband):
		return 1
	case low != nil && (v < *low || was < 0 && v < *low+a.Deadband):
		return -1
	}
	return 0
}
