package score

import (
	"fmt"
	"math"
)

// Control compares a run with the same seed through a perfect pipe: the same
// machines, wear and lying sensors, but no fault of a link, a PLC, the gateway or
// the broker. It says whose a missed detection is: missed there too, it is the
// model's; found there, it is the pipe's.
type Control struct {
	Schema string `json:"schema"`
	// Events are the process and sensor faults of the run.
	Events int `json:"events"`
	// Missed in the run; Model and Pipe are the two parts of it.
	Missed int `json:"missed"`
	Model  int `json:"model"`
	Pipe   int `json:"pipe"`
	// Later is how many were found in both, but later in the run by more than a
	// minute.
	Later  int            `json:"later"`
	Faults []ControlFault `json:"faults"`
}

// ControlSchema names the layout of control.json.
const ControlSchema = "plantbed.control/1"

// ControlFault is one fault in both runs; a delay of nil is a miss.
type ControlFault struct {
	Kind          string   `json:"kind"`
	Target        string   `json:"target"`
	FromS         float64  `json:"from_s"`
	DelayS        *float64 `json:"delay_s"`
	ControlDelayS *float64 `json:"control_delay_s"`
	// Whose is "" for what was found, else "model" or "pipe".
	Whose string `json:"whose,omitempty"`
}

// Compare is about two cards of one scenario and seed, of which the second has
// the perfect pipe.
func Compare(run, control Card) (Control, error) {
	c := Control{Schema: ControlSchema}
	if run.Scenario != control.Scenario || run.Seed != control.Seed || run.DurationS != control.DurationS {
		return c, fmt.Errorf("the control is of %s, seed %d, %g s, and the run of %s, seed %d, %g s",
			control.Scenario, control.Seed, control.DurationS, run.Scenario, run.Seed, run.DurationS)
	}
	for _, f := range control.ByFault {
		if f.Class == "communication" || f.Class == "gateway" {
			return c, fmt.Errorf("the control has a fault of the pipe: %s at %s", f.Kind, f.Target)
		}
	}
	for _, f := range run.ByFault {
		if f.Class != "process" && f.Class != "sensor" {
			continue
		}
		other, ok := sameFault(control.ByFault, f)
		if !ok {
			return c, fmt.Errorf("the control has no %s at %s from %g s on", f.Kind, f.Target, f.FromS)
		}
		c.add(f, other)
	}
	return c, nil
}

// sameFault finds a fault by what it is and when it starts; the edges of windows
// may give way to each other by nanoseconds.
func sameFault(all []FaultCount, f FaultCount) (FaultCount, bool) {
	for _, o := range all {
		if o.Kind == f.Kind && o.Target == f.Target && math.Abs(o.FromS-f.FromS) < 1e-3 {
			return o, true
		}
	}
	return FaultCount{}, false
}

func (c *Control) add(f, control FaultCount) {
	out := ControlFault{Kind: f.Kind, Target: f.Target, FromS: f.FromS, DelayS: f.DelayS, ControlDelayS: control.DelayS}
	c.Events++
	switch {
	case f.DelayS != nil && control.DelayS != nil:
		if *f.DelayS > *control.DelayS+60 {
			c.Later++
		}
	case f.DelayS == nil && control.DelayS == nil:
		out.Whose = "model"
		c.Model++
		c.Missed++
	case f.DelayS == nil:
		out.Whose = "pipe"
		c.Pipe++
		c.Missed++
	}
	c.Faults = append(c.Faults, out)
}
