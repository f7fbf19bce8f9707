package plant

import (
	"strings"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

func TestGoodConfigs(t *testing.T) {
	for _, text := range []string{
		``,
		`machine = [{name = "m", kind = "oven"}]`,
		`machine = [{name = "m", kind = "pump-skid", params = {flow = "600 l/min", head = "30m", repair_time = "90 s"}}]`,
		`machine = [{name = "a", kind = "filler"}, {name = "b", kind = "capper"}]
line = [{name = "l", stations = ["a", "b"], buffers = [0], crew = 2}]`,
	} {
		var c Config
		if _, ps := strict.Decode("good.toml", []byte(text), &c); len(ps) > 0 {
			t.Errorf("%s\n%v", text, ps)
		}
		if ps := c.Validate(); len(ps) > 0 {
			t.Errorf("%s\n%v", text, ps)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	const m = `machine = [{name = "a", kind = "filler"}, {name = "b", kind = "capper"}, {name = "p", kind = "pump-skid"}]
`
	machine := func(kind, params string) string {
		return `machine = [{name = "m", kind = "` + kind + `", params = {` + params + `}}]`
	}
	for _, c := range []struct {
		name, text string
		want       []string // one problem each: path, then what the line must hold
	}{
		{"no name", `machine = [{kind = "oven"}]`, []string{"machine[0].name: is missing"}},
		{"a slash in a name", `machine = [{name = "a/b", kind = "oven"}]`, []string{"machine[0].name: \"a/b\" may hold"}},
		{"two of a name", `machine = [{name = "a", kind = "oven"}, {name = "a", kind = "oven"}]`, []string{"machine[1].name: \"a\" is there twice"}},
		{"no kind", `machine = [{name = "a"}]`, []string{"machine[0].kind: is missing"}},
		{"unknown kind", `machine = [{name = "a", kind = "pump-skit"}]`, []string{"machine[0].kind: unknown machine kind \"pump-skit\"; did you mean \"pump-skid\""}},
		{"unknown parameter", machine("pump-skid", `flwo = "10 l/s"`), []string{"machine[0].params.flwo: unknown parameter \"flwo\"; did you mean \"flow\""}},
		{"no unit", machine("pump-skid", `flow = "10"`), []string{"machine[0].params.flow: \"10\" has no unit; write it in l/s, l/min, m3/h; \"10 l/s\""}},
		{"wrong unit", machine("pump-skid", `flow = "10 bar"`), []string{"machine[0].params.flow: \"10 bar\" is in the wrong unit \"bar\""}},
		{"no number", machine("pump-skid", `flow = "much"`), []string{"machine[0].params.flow: \"much\" is not a number with a unit"}},
		{"no number at all", machine("pump-skid", `flow = ""`), []string{"machine[0].params.flow: \"\" is not a number"}},
		{"not a finite number", machine("pump-skid", `flow = "NaN l/s", head = "Inf m"`), []string{"machine[0].params.flow: ", "machine[0].params.head: "}},
		{"out of range", machine("pump-skid", `flow = "1000 l/s"`), []string{"machine[0].params.flow: \"1000 l/s\" is out of range; it goes from 1 l/s to 100 l/s"}},
		{"out of range by its unit", machine("pump-skid", `flow = "10 l/min"`), []string{"machine[0].params.flow: \"10 l/min\" is out of range"}},
		{"a motor too weak for the pump", machine("pump-skid", `flow = "90 l/s"`), []string{"machine[0].params.motor_power: 5.5 kW is too weak"}},
		{"an oven too hot for its heaters", machine("oven", `setpoint = "350 degC", product_heat = "30 kW"`), []string{"machine[0].params.zone_power: 9 kW is too weak"}},
		{"a belt too fast for its motor", machine("conveyor", `speed = "5 m/s"`), []string{"machine[0].params.motor_power: 0.37 kW is too weak"}},
		{"a tank for one portion", machine("pump-skid", `portion = "99 l", tank = "1 m3"`), []string{"machine[0].params.tank: 1000 l is too small"}},
		{"several at once", `machine = [{name = "", kind = "x"}]
line = [{stations = ["y"], crew = -1}]`, []string{"machine[0].name: ", "machine[0].kind: ", "line[0].name: ", "line[0].stations[0]: ", "line[0].crew: -1 is out of range"}},
		{"no stations", m + `line = [{name = "l"}]`, []string{"line[0].stations: is missing"}},
		{"dangling station", m + `line = [{name = "l", stations = ["aa", "b"], buffers = [1]}]`, []string{"line[0].stations[0]: there is no machine \"aa\"; did you mean \"a\""}},
		{"twice in a line", m + `line = [{name = "l", stations = ["a", "a"], buffers = [1]}]`, []string{"line[0].stations[1]: machine \"a\" stands in line \"l\" already"}},
		{"in two lines", m + `line = [{name = "l", stations = ["a"]}, {name = "k", stations = ["b", "a"], buffers = [1]}]`, []string{"line[1].stations[1]: machine \"a\" stands in line \"l\" already"}},
		{"two lines of a name", m + `line = [{name = "l", stations = ["a"]}, {name = "l", stations = ["b"]}]`, []string{"line[1].name: \"l\" is there twice"}},
		{"too few buffers", m + `line = [{name = "l", stations = ["a", "b"]}]`, []string{"line[0].buffers: has 0 entries; 2 stations have 1"}},
		{"too many buffers", m + `line = [{name = "l", stations = ["a"], buffers = [1]}]`, []string{"line[0].buffers: has 1 entries; 1 stations have 0"}},
		{"negative buffer", m + `line = [{name = "l", stations = ["a", "b"], buffers = [-1]}]`, []string{"line[0].buffers[0]: -1 is out of range"}},
		{"no room behind a feeder", m + `line = [{name = "l", stations = ["p", "b"], buffers = [0]}]`, []string{"line[0].buffers[0]: 0 is out of range; it goes from 1"}},
		{"a feeder in the middle", m + `line = [{name = "l", stations = ["a", "p"], buffers = [1]}]`, []string{"line[0].stations[1]: machine \"p\" is a pump-skid"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cfg Config
			if _, ps := strict.Decode("bad.toml", []byte(c.text), &cfg); len(ps) > 0 {
				t.Fatal(ps)
			}
			ps := cfg.Validate()
			if len(ps) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(ps), len(c.want), ps)
			}
			for i, want := range c.want {
				for j, part := range strings.Split(want, "; ") {
					got := ps[i].String()
					if j == 0 && !strings.HasPrefix(got, part) || !strings.Contains(got, part) {
						t.Errorf("problem %d is\n%s\nwant in it\n%s", i, got, part)
					}
				}
			}
			if _, err := Build(nil, cfg); err == nil {
				t.Error("it was built")
			}
		})
	}
}

func TestParamUnits(t *testing.T) {
	flow := Param{"flow", "l/s", 10, 0.001, 1000, ""}
	cycle := Param{"cycle", "ms", 10, 1, 1e7, ""}
	share := Param{"scrap", "%", 1, 0, 100, ""}
	for _, c := range []struct {
		p    Param
		text string
		want float64
	}{
		{flow, "10 l/s", 10}, {flow, "10l/s", 10}, {flow, "600 l/min", 10}, {flow, "36 m3/h", 10}, {flow, "+.5  l/s", 0.5},
		{cycle, "1.5s", 1500}, {cycle, "2 min", 120_000}, {cycle, "1 h", 3_600_000}, {share, "0.4%", 0.4},
	} {
		got, err := c.p.parse(c.text)
		if err != nil || got < c.want*(1-1e-12) || got > c.want*(1+1e-12) {
			t.Errorf("%q is %v (%v), want %v %s", c.text, got, err, c.want, c.p.Unit)
		}
	}
	for _, text := range []string{"1e3 l/s", "1 2 l/s", "1..2 l/s", "l/s", "- l/s", "10 L/S", "10 l/s/s"} {
		if v, err := flow.parse(text); err == nil {
			t.Errorf("%q was taken for %v", text, v)
		}
	}
}

func TestStretch(t *testing.T) {
	for _, c := range []struct{ factor, want float64 }{{1, 1}, {0.9, 1}, {0.5, 0.5}, {0.3, 0.5}, {1.1, 2}, {4, 5}, {7, 10}, {70, 100}} {
		s := SignalSpec{Hi: 8, Resolution: 0.5, Noise: 2}
		s.stretch(c.factor)
		if d := s.Hi/8 - c.want; d > 1e-9 || d < -1e-9 || s.Resolution != 0.5*s.Hi/8 || s.Noise != 2*s.Hi/8 {
			t.Errorf("factor %g: %+v, want all times %g", c.factor, s, c.want)
		}
	}
}
