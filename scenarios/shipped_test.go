package scenarios

import (
	"slices"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/faults"
)

// First light shows one of everything; its live variant shows the same in 90 s.
func TestFirstLightShowsOneOfEverything(t *testing.T) {
	for _, name := range []string{"first-light", "first-light-live"} {
		s, problems := load(name)
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		protocols := map[string]int{}
		tags, fast := 0, 0
		for _, p := range s.PLCs {
			protocols[p.Protocol]++
			tags += len(s.tagsOf(p.Machines))
			fast += len(p.FastTags)
		}
		if len(s.Machines) < 4 || protocols["opcua"] != 2 || protocols["modbus"] != 1 || tags < 60 || fast != 6 || len(s.Expect) < 12 {
			t.Errorf("%s has %d machines, PLCs %v, %d tags, %d of them fast, %d expectations", name, len(s.Machines), protocols, tags, fast, len(s.Expect))
		}
		plan, problems := faults.Resolve(s.Faults, s.Duration.D(), s.Seed)
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		var kinds []string
		outage, kill := faults.Window{}, faults.Window{}
		for _, w := range plan {
			kinds = append(kinds, w.Kind)
			if w.To >= s.Duration.D() {
				t.Errorf("%s: %s at %s ends at %v, after the run", name, w.Kind, w.Target, w.To)
			}
			switch {
			case w.Kind == "link.down" && w.Target == "broker":
				outage = w
			case w.Kind == "gateway.kill":
				kill = w
			}
		}
		slices.Sort(kinds)
		if got := strings.Join(kinds, " "); got != "asset.bearing_wear gateway.kill link.down link.down link.latency sensor.drift sensor.stuck" {
			t.Errorf("%s has the faults %s", name, got)
		}
		if kill.From < outage.From || kill.To > outage.To {
			t.Errorf("%s kills the gateway outside the outage", name)
		}
	}
}

// What the comments at the top of first-light propose is there to be set.
func TestFirstLightsOwnExamples(t *testing.T) {
	text, _ := shippedText("first-light")
	examples := 0
	for _, line := range strings.Split(string(text), "\n") {
		if _, set, ok := strings.Cut(line, "--set "); ok {
			examples++
			if _, problems := load("first-light", strings.Fields(set)[0]); problems.Err() != nil {
				t.Error(problems)
			}
		}
	}
	if examples < 2 {
		t.Errorf("%d examples", examples)
	}
}
