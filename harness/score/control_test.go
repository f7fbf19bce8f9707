package score

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	at := func(s float64) *float64 { return &s }
	run := Card{Scenario: "s", Seed: 3, DurationS: 100, ByFault: []FaultCount{
		{Kind: "link.down", Target: "plc", Class: "communication", FromS: 1},
		{Kind: "asset.bearing_wear", Target: "a/b", Class: "process", FromS: 2, DelayS: at(5)},
		{Kind: "asset.bearing_wear", Target: "a/b", Class: "process", FromS: 50},
		{Kind: "sensor.drift", Target: "a/t", Class: "sensor", FromS: 10},
		{Kind: "sensor.stuck", Target: "a/t", Class: "sensor", FromS: 70, DelayS: at(90)},
		{Kind: "sensor.bias", Target: "a/t", Class: "sensor", FromS: 80, DelayS: at(9)},
	}}
	control := run
	control.ByFault = []FaultCount{
		{Kind: "asset.bearing_wear", Target: "a/b", Class: "process", FromS: 2, DelayS: at(4)},
		{Kind: "asset.bearing_wear", Target: "a/b", Class: "process", FromS: 50},
		{Kind: "sensor.drift", Target: "a/t", Class: "sensor", FromS: 10.000000003, DelayS: at(7)},
		{Kind: "sensor.stuck", Target: "a/t", Class: "sensor", FromS: 70, DelayS: at(3)},
		{Kind: "sensor.bias", Target: "a/t", Class: "sensor", FromS: 80},
	}
	c, err := Compare(run, control)
	if err != nil {
		t.Fatal(err)
	}
	if c.Events != 5 || c.Missed != 2 || c.Model != 1 || c.Pipe != 1 || c.Later != 1 || c.Faults[1].Whose != "model" || c.Faults[2].Whose != "pipe" {
		t.Errorf("%+v", c)
	}
	for want, change := range map[string]func(c *Card){
		"seed 4":            func(c *Card) { c.Seed = 4 },
		"no sensor.bias":    func(c *Card) { c.ByFault = c.ByFault[:4] },
		"fault of the pipe": func(c *Card) { c.ByFault = run.ByFault },
	} {
		other := control
		change(&other)
		if _, err := Compare(run, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
