// Package evaluate judges a detector by events: which failures it announced in
// time, how late, and how often it cried wolf. It is pure arithmetic over what a
// benchmark has seen.
//
//	exam := evaluate.Exam{Units: units}      // machines with what truly happened, and scores row by row
//	table := exam.Table(evaluate.Options{})  // the shipped detector beside those that anybody could write
//	table.Print(os.Stdout)
//
// What counts:
//
//	        onset                        failure-lead  failure     repair, settled
//	──────────┼──────────────────────────────┼────────────┼───────────────┼──────
//	  false   │   the first start here is    │  too late  │    excused    │ false
//	          │   the hit; delay from onset  │            │               │
//
// An alarm is the start of an episode; that it lasts is not counted again, and
// nothing is point-adjusted. An alarm that blames a sensor is no announcement of a
// failure. While a sensor lies and the machine is well, an alarm that blames the
// machine is false; one that makes no diagnosis blames the machine. Lenient
// figures forgive those alarms.
//
// All detectors are compared at one false-alarm rate: the limits of the trivial
// ones are set on the scored exposure itself, to the rate that the shipped one
// turns out to have, which favours them. The shipped one keeps its limits.
package evaluate

import "time"

// Unit is one machine over the scored time.
type Unit struct {
	Name     string
	Until    time.Duration
	Failures []Failure
	Sensors  []SensorFault
	// At are the instants, in seconds, of the rows that the detectors judged, and
	// Scores the statistic of each score detector there.
	At     []int32
	Scores [Trivials][]float32
	// Own is the shipped detector's statistic in units of its limit; 0 where it
	// blames a sensor.
	Own []float32
	// Alarms are the shipped detector's.
	Alarms []Alarm
	// Ages are the hours in service of its components when the scored time starts.
	Ages []float64
	// Replaced has for each component the index into Failures, or -1.
	Replaced []int
}

// Failure is a component that wears out.
type Failure struct {
	Component, Mode string
	Onset, Failure  time.Duration
	// Excused is when the repaired machine is itself again.
	Excused time.Duration
}

// SensorFault is a sensor that lies while the machine is well.
type SensorFault struct {
	Kind, Tag string
	From, To  time.Duration
	// Excused is when its echo is over.
	Excused time.Duration
}

// Alarm is the start of an episode; Sensor says that it blames a sensor.
type Alarm struct {
	At     time.Duration
	Sensor bool
	Tag    string // the channel that it names
}

// The detectors that anybody could write and that have a threshold.
const (
	Shewhart  = iota // the largest standardised deviation of any one channel
	LastValue        // the largest standardised step from the row before
	Trivials
)
