package plc

import (
	"math"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

// A value is out as soon as it passes a limit, and in again once it is back by
// the deadband; straight through to the other side is the other side.
func TestAlarmSides(t *testing.T) {
	high, low := 100.0, 10.0
	a := Alarm{High: &high, Low: &low, Deadband: 5}
	was := 0
	for _, s := range []struct {
		v    float64
		want int
	}{{50, 0}, {100, 0}, {100.1, 1}, {99, 1}, {95, 0}, {99, 0}, {101, 1}, {9, -1}, {12, -1}, {15, 0}, {math.NaN(), 0}} {
		if was = a.Side(s.v, was); was != s.want {
			t.Errorf("%v is on side %d, want %d", s.v, was, s.want)
		}
	}
	if up := (&Alarm{High: &high}); up.Side(-1e9, 0) != 0 || up.Side(101, 0) != 1 {
		t.Error("an alarm with one limit")
	}
}

func TestAlarmsThatMakeNoSense(t *testing.T) {
	one, two := 1.0, 2.0
	good := Alarm{Tag: "a/b", High: &two, Low: &one, Severity: 1000}
	for what, change := range map[string]func(*Alarm){
		"no tag":       func(a *Alarm) { a.Tag = "" },
		"no limit":     func(a *Alarm) { a.High, a.Low = nil, nil },
		"upside down":  func(a *Alarm) { a.High, a.Low = &one, &two },
		"no deadband":  func(a *Alarm) { a.Deadband = math.NaN() },
		"too severe":   func(a *Alarm) { a.Severity = 1001 },
		"on both ends": func(a *Alarm) { a.Low = a.High },
	} {
		a := good
		change(&a)
		var ps strict.Problems
		if a.check("alarm[0]", &ps); len(ps) != 1 {
			t.Errorf("%s: %v", what, ps)
		}
	}
	var ps strict.Problems
	if good.check("alarm[0]", &ps); len(ps) > 0 {
		t.Errorf("a good one: %v", ps)
	}
}
