package plant

import (
	"reflect"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

// badKeys has something wrong under each key of the format: what stands in
// the machine and in the line, and what the one problem is to say.
var badKeys = []struct{ machine, line, want string }{
	{`cycle = { law = "gauss" }`, ``, `machine[0].cycle.law: "gauss" is no law of times`},
	{`cycle = { law = "normal", mean = -1 }`, ``, `machine[0].cycle.mean: -1 is out of range`},
	{`cycle = { law = "uniform", cv = 0.9 }`, ``, `machine[0].cycle.cv: 0.9 is out of range`},
	{`takes = -1`, ``, `machine[0].takes: -1 is out of range`},
	{`parallel_to = "c"`, ``, `machine[0].parallel_to: no station "c" stands in a line`},
	{`gives = 10001`, ``, `machine[0].gives: 10001 is out of range`},
	{`rework = { share = 1.1 }`, ``, `machine[0].rework.share: 1.1 is not a share`},
	{`rework = { share = 0.1, to = "b" }`, ``, `machine[0].rework.to: "b" does not stand before it in the line`},
	{`rework = { share = 0.1, to = "nobody" }`, ``, `machine[0].rework.to: there is no machine "nobody"`},
	{`breakdown = [{ mean = "1h", repair = "1m" }]`, ``, `machine[0].breakdown[0].name: is missing`},
	{`breakdown = [{ name = "x", mean = "1h", repair = "1m" }, { name = "x", mean = "1h", repair = "1m" }]`, ``, `machine[0].breakdown[1].name: "x" is there twice`},
	{`breakdown = [{ name = "x", by = "chance", mean = "1h", repair = "1m" }]`, ``, `machine[0].breakdown[0].by: "chance" brings no breakdowns about`},
	{`breakdown = [{ name = "x", repair = "1m" }]`, ``, `machine[0].breakdown[0].mean: 0s is no time`},
	{`breakdown = [{ name = "x", by = "units", units = 0.5, repair = "1m" }]`, ``, `machine[0].breakdown[0].units: 0.5 is no number`},
	{`breakdown = [{ name = "x", mean = "1h", times = { law = "pareto" }, repair = "1m" }]`, ``, `machine[0].breakdown[0].times.law: "pareto" is no law`},
	{`breakdown = [{ name = "x", mean = "1h" }]`, ``, `machine[0].breakdown[0].repair: 0s is no time for a repair`},
	{`breakdown = [{ name = "x", mean = "1h", repair = "1m", repair_times = { law = "weibull", cv = 9.0 } }]`, ``, `machine[0].breakdown[0].repair_times.cv: 9 is out of range`},
	{`life = [{ component = "valves", mean = "1h" }]`, ``, `machine[0].life[0].component: a filler has no component "valves"; did you mean "valve"`},
	{`life = [{ component = "valve", law = "rust", mean = "1h" }]`, ``, `machine[0].life[0].law: there is no law of wear "rust"`},
	{`life = [{ component = "valve" }]`, ``, `machine[0].life[0].mean: 0s is no life`},
	{`life = [{ component = "valve", mean = "1h", kijima = 2.0 }]`, ``, `machine[0].life[0].kijima: 2 is not from 0`},
	{`life = [{ component = "valve", mean = "1h" }, { component = "valve", mean = "2h" }]`, ``, `machine[0].life[1].component: "valve" has a life already`},
	{`maintenance = [{ every = "1h", work = "1m" }]`, ``, `machine[0].maintenance[0].components: is missing`},
	{`maintenance = [{ components = ["wheel"], every = "1h", work = "1m" }]`, ``, `machine[0].maintenance[0].components[0]: a filler has no component "wheel"`},
	{`maintenance = [{ components = ["valve"], work = "1m" }]`, ``, `machine[0].maintenance[0]: needs exactly one of every, after, signal and alarm`},
	{`maintenance = [{ components = ["valve"], every = "1h", alarm = "pca", work = "1m" }]`, ``, `machine[0].maintenance[0]: needs exactly one of every, after, signal and alarm`},
	{`maintenance = [{ components = ["valve"], every = "-1h", work = "1m" }]`, ``, `machine[0].maintenance[0].every: -1h0m0s is negative`},
	{`maintenance = [{ components = ["valve"], after = "-1h", work = "1m" }]`, ``, `machine[0].maintenance[0].after: -1h0m0s is negative`},
	{`maintenance = [{ components = ["valve"], signal = "fill/tim", above = 1.0, work = "1m" }]`, ``, `machine[0].maintenance[0].signal: a filler has no signal "fill/tim"; did you mean "fill/time"`},
	{`maintenance = [{ components = ["valve"], signal = "fill/time", work = "1m" }]`, ``, `machine[0].maintenance[0].signal: needs either above or below`},
	{`maintenance = [{ components = ["valve"], every = "1h", above = 1.0, work = "1m" }]`, ``, `machine[0].maintenance[0].above: is of no use without signal`},
	{`maintenance = [{ components = ["valve"], every = "1h", below = 1.0, work = "1m" }]`, ``, `machine[0].maintenance[0].below: is of no use without signal`},
	{`maintenance = [{ components = ["valve"], signal = "fill/time", above = 1.0, for = "-1m", work = "1m" }]`, ``, `machine[0].maintenance[0].for: -1m0s is negative`},
	{`maintenance = [{ components = ["valve"], alarm = "pca", look = "1m", work = "1m" }]`, ``, `machine[0].maintenance[0].look: is of no use without signal`},
	{`maintenance = [{ components = ["valve"], every = "1h", class = "process", work = "1m" }]`, ``, `machine[0].maintenance[0].class: is of no use without alarm`},
	{`maintenance = [{ components = ["valve"], every = "1h", rest = "1m", work = "1m" }]`, ``, `machine[0].maintenance[0].rest: is of no use without`},
	{`maintenance = [{ components = ["valve"], every = "1h" }]`, ``, `machine[0].maintenance[0].work: 0s is no time`},
	{`maintenance = [{ components = ["valve"], every = "1h", work = "1m", kijima = -0.1 }]`, ``, `machine[0].maintenance[0].kijima: -0.1 is not from 0`},
	{``, `travel = ["1s", "2s"]`, `line[0].travel: has 2 entries; there are 1 ways`},
	{``, `travel = ["-1s"]`, `line[0].travel[0]: -1s is not possible`},
	{``, `into = "d"`, `line[0].into_buffer: 0 is out of range`},
	{``, `into = "b"
into_buffer = 1`, `line[0].into: no station "b" stands in another line`},
	{``, `into_buffer = 1`, `line[0].into_buffer: is of no use without into`},
	{``, `from = "u"
from_buffer = 1`, `line[0].from: no station "u" stands in another line`},
	{``, `from_buffer = 1`, `line[0].from_buffer: is of no use without from`},
	{``, `from = "d"`, `line[0].from_buffer: 0 is out of range`},
	{``, `utilities = ["v"]`, `line[0].utilities[0]: there is no machine "v"`},
	{``, `utilities = ["b"]`, `line[0].utilities[0]: machine "b" belongs to line "l" already`},
	{``, `crew = 101`, `line[0].crew: 101 is out of range`},
	{``, `crew = 2
team = [{ name = "t" }]`, `line[0].crew: is of no use beside teams`},
	{``, `starts = "monday 6"`, `line[0].starts: "monday 6" is no instant of a week`},
	{``, `hours = ["mon-fri 06:00-14:00", "fri-mon 06:00-14:00"]`, `line[0].hours[1]: "fri-mon 06:00-14:00" are no working hours`},
	{``, `hours = ["24:30-25:00"]`, `line[0].hours[0]: "24:30-25:00" are no working hours`},
	{``, `team = [{ name = "" }]`, `line[0].team[0].name: "" is no name of its own`},
	{``, `team = [{ name = "t", size = -1 }]`, `line[0].team[0].size: -1 is out of range`},
	{``, `team = [{ name = "t" }, { name = "s", skills = [""] }]`, `line[0].team[1].skills: "" is no skill`},
	{``, `team = [{ name = "t", skills = ["electrical"] }]`, `line[0].team: nobody has the skill "mechanical"`},
	{`breakdown = [{ name = "x", mean = "1h", repair = "1m", skill = "magic" }]`, `team = [{ name = "t", skills = ["mechanical", "electrical"] }]`, `line[0].team: nobody has the skill "magic", which a needs`},
	{``, `team = [{ name = "t", hours = ["never"] }]`, `line[0].team[0].hours[0]: "never" are no working hours`},
	{``, `product = [{ lot = 5 }]`, `line[0].product[0].name: is missing`},
	{``, `product = [{ name = "p", lot = 5 }, { name = "p", lot = 5 }]`, `line[0].product[1].name: "p" is there twice`},
	{``, `product = [{ name = "p" }]`, `line[0].product[0].lot: 0 is no lot`},
	{``, `product = [{ name = "p", lot = 5, changeover = "-1m" }]`, `line[0].product[0].changeover: -1m0s is negative`},
	{``, `product = [{ name = "p", lot = 5, recipe = { c = { volume = "1 l" } } }]`, `line[0].product[0].recipe.c: no station "c" stands in the line`},
	{``, `product = [{ name = "p", lot = 5, recipe = { a = { colour = "1" } } }]`, `line[0].product[0].recipe.a.colour: is no part of the recipe of a filler`},
	{``, `product = [{ name = "p", lot = 5, recipe = { a = { speed = "99 rpm" } } }]`, `line[0].product[0].recipe.a.speed: "99 rpm" is out of range`},
}

func badKeyConfig(machine, line string) string {
	return `[[machine]]
name = "a"
kind = "filler"
` + machine + `
[[machine]]
name = "b"
kind = "capper"
[[machine]]
name = "d"
kind = "capper"
[[machine]]
name = "u"
kind = "motor"
[[line]]
name = "l"
stations = ["a", "b"]
buffers = [4]
` + line + `
[[line]]
name = "k"
stations = ["d"]
`
}

func TestEveryKeyHasABadCase(t *testing.T) {
	var good Config
	if _, ps := strict.Decode("good.toml", []byte(badKeyConfig("", "")), &good); len(ps) > 0 || len(good.Validate()) > 0 {
		t.Fatal(ps, good.Validate())
	}
	seen := map[string]bool{}
	for _, c := range badKeys {
		path, _, _ := strings.Cut(c.want, ":")
		for _, part := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
			seen[part] = true
		}
		var cfg Config
		if _, ps := strict.Decode("bad.toml", []byte(badKeyConfig(c.machine, c.line)), &cfg); len(ps) > 0 {
			t.Errorf("%s%s: %v", c.machine, c.line, ps)
			continue
		}
		ps := cfg.Validate()
		first, rest, _ := strings.Cut(c.want, "; did you mean")
		if len(ps) != 1 || !strings.HasPrefix(ps[0].String(), first) || !strings.Contains(ps[0].String(), rest) {
			t.Errorf("%s%s\nhas %v\nwant %s", c.machine, c.line, ps, c.want)
		}
	}
	// Of these anything is good, or it is looked at as a whole: a skill that
	// nobody has is the team's, an alarm's name the scenario's.
	for _, key := range []string{"serial", "skill", "alarm"} {
		seen[key] = true
	}
	// Those of TestBadConfigs.
	for _, key := range []string{"kind", "params", "stations", "buffers"} {
		seen[key] = true
	}
	for _, key := range keysOf(reflect.TypeFor[Config]()) {
		if !seen[key] {
			t.Errorf("no case has something wrong under %q", key)
		}
	}
}

// keysOf are the keys of a configuration, at any depth.
func keysOf(t reflect.Type) (keys []string) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		return keysOf(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if key, _, _ := strings.Cut(f.Tag.Get("toml"), ","); key != "" {
				keys = append(keys, key)
			}
			keys = append(keys, keysOf(f.Type)...)
		}
	}
	return keys
}
