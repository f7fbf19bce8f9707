package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/physics"
	"github.com/plantbed/plantbed/sim/plant"
)

// Run is what is drawn for one run. It follows from the data set's seed and
// the run's number alone.
type Run struct {
	Index  int    `json:"run"`
	Seed   uint64 `json:"seed"`
	Unit   int    `json:"unit"`
	Serial uint64 `json:"serial"`
	Split  string `json:"split"`
	// Faults are the scenario's own and, from Drawn on, those of this run.
	Faults []faults.Config `json:"-"`
	Drawn  int             `json:"-"`
	// Changes happen though nothing is wrong.
	Changes []Change `json:"-"`
	// Race is where a bearing is damaged that wears out.
	Race physics.Race `json:"-"`
}

// Change of what a plant does, or of its surroundings.
type Change struct {
	At      time.Duration
	Machine string // "" for the hall
	// What is "load" (times the usual), "ambient" (K above the usual), the
	// parameter of a recipe, whose value Text is, Share times the scenario's,
	// or lookAlike.
	What  string
	Value float64
	Text  string
	Share float64
	// Look is a benign look-alike of what a component's wear does.
	Look      plant.LookAlike
	Component string
}

// lookAlike is what such a change is called.
const lookAlike = "look-alike"

func (p *plan) draw(index int, splits []int) Run {
	unit := p.unitOf(index)
	r := Run{Index: index, Seed: p.seedOf(index), Unit: unit, Serial: p.serialOf(unit), Split: splitNames[splits[unit]]}
	for _, f := range p.sc.Faults {
		// Links and gateways there are none in the fast gear.
		if strings.HasPrefix(f.Kind, "asset.") || strings.HasPrefix(f.Kind, "sensor.") {
			r.Faults = append(r.Faults, f)
		}
	}
	r.Drawn = len(r.Faults)
	p.drawWear(&r, sim.Rand(r.Seed, "dataset/wear"))
	p.drawSensor(&r, sim.Rand(r.Seed, "dataset/sensor"))
	p.drawChanges(&r, sim.Rand(r.Seed, "dataset/changes"))
	return r
}

// drawWear has one component wear out, or none.
func (p *plan) drawWear(r *Run, rng *rand.Rand) {
	u, which, onset, life, race := rng.Float64(), rng.Float64(), rng.Float64(), rng.Float64(), rng.IntN(3)
	var free []string
	for _, c := range p.components() {
		if !slices.ContainsFunc(r.Faults, func(f faults.Config) bool { return f.Target == c }) {
			free = append(free, c)
		}
	}
	r.Race = physics.Race(1 + race)
	if u >= p.ds.Failing || len(free) == 0 {
		return
	}
	lo, hi := p.lifeBounds()
	r.Faults = append(r.Faults, faults.Config{
		Kind: "asset.bearing_wear", Target: free[int(which*float64(len(free)))],
		At:   between(p.ds.Onset[0], p.ds.Onset[1], onset),
		Life: strict.Duration(math.Round(lo*math.Pow(hi/lo, life)) * 1e9),
	})
}

// lifeBounds of what is drawn, in seconds.
func (p *plan) lifeBounds() (lo, hi float64) {
	return p.ds.Life[0].D().Seconds(), p.ds.Life[1].D().Seconds()
}

// components that may wear out.
func (p *plan) components() []string {
	if len(p.ds.Components) > 0 {
		return p.ds.Components
	}
	var out []string
	kinds := plant.Kinds()
	for _, m := range p.sc.Machines {
		for _, k := range kinds {
			if k.Name != m.Kind {
				continue
			}
			for _, c := range k.Components {
				out = append(out, m.Name+"/"+c.Name)
			}
		}
	}
	return out
}

// between is a whole second of a range, so that it reads well.
func between(lo, hi strict.Duration, u float64) strict.Duration {
	d := time.Duration(float64(lo) + u*float64(hi-lo)).Round(time.Second)
	return strict.Duration(d)
}

// lies are the ways in which an instrument lies, with their drawn size.
var lies = []func(f *faults.Config, u float64){
	func(f *faults.Config, u float64) { f.Kind, f.Bias = "sensor.bias", percent(signed(2, 8, u)) },
	func(f *faults.Config, u float64) { f.Kind, f.Rate = "sensor.drift", percent(signed(5, 30, u))+"/h" },
	func(f *faults.Config, u float64) { f.Kind, f.Gain = "sensor.gain", percent(signed(5, 25, u)) },
	func(f *faults.Config, _ float64) { f.Kind = "sensor.stuck" },
	func(f *faults.Config, u float64) { f.Kind, f.Factor = "sensor.noise", 3+math.Round(u*70)/10 },
	func(f *faults.Config, u float64) {
		f.Kind, f.Chance, f.Amplitude = "sensor.spike", "0.5 %", percent(5+15*u)
	},
	func(f *faults.Config, _ float64) { f.Kind = "sensor.dropout" },
}

// signed is from lo to hi, or from -hi to -lo.
func signed(lo, hi, u float64) float64 {
	if u < 0.5 {
		return -(lo + 2*u*(hi-lo))
	}
	return lo + 2*(u-0.5)*(hi-lo)
}

func percent(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + " %" }

// drawSensor has one instrument lie for a while, or none.
func (p *plan) drawSensor(r *Run, rng *rand.Rand) {
	u, which, how, size, at, long := rng.Float64(), rng.Float64(), rng.IntN(len(lies)), rng.Float64(), rng.Float64(), rng.Float64()
	tags := p.instruments()
	if u >= p.ds.SensorFailing || len(tags) == 0 {
		return
	}
	f := faults.Config{Target: tags[int(which*float64(len(tags)))],
		At:  between(p.ds.Onset[0], max(p.ds.Onset[0], p.sc.Duration*4/5), at),
		For: between(strict.Duration(10*time.Minute), strict.Duration(time.Hour), long)}
	lies[how](&f, size)
	r.Faults = append(r.Faults, f)
}

// instruments are the tags that measure something.
func (p *plan) instruments() []string {
	specs := specsOf(p.sc)
	var out []string
	for name, s := range specs {
		if s.Noise > 0 && p.served(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// served tells that a PLC reads the machine of a tag.
func (p *plan) served(tag string) bool {
	machine, _, _ := strings.Cut(tag, "/")
	for _, c := range p.sc.PLCs {
		if slices.Contains(c.Machines, machine) {
			return true
		}
	}
	return false
}

// drawChanges at exponential intervals: a third of them look like the wear of
// some component, and end after a while; the others are of the load of a
// machine, the hall and recipes, and stay until the next.
func (p *plan) drawChanges(r *Run, rng *rand.Rand) {
	if p.ds.ChangesPerHour == 0 {
		return
	}
	components := p.components()
	mean := float64(time.Hour) / p.ds.ChangesPerHour
	for at := 0.0; ; {
		at += rng.ExpFloat64() * mean
		if at >= float64(p.sc.Duration) {
			break
		}
		m := p.sc.Machines[rng.IntN(len(p.sc.Machines))]
		c := Change{At: time.Duration(at) | 1, Machine: m.Name, Value: 1} // on no whole microsecond
		which, size, long := rng.IntN(len(components)), rng.Float64(), rng.Float64()
		switch u := rng.Float64(); {
		case u < 0.33:
			r.Changes = append(r.Changes, p.lookAlike(c.At, components[which], size, long)...)
			continue
		case u < 0.66:
			c.What, c.Value = "load", 0.85+0.3*size
		case u < 0.83:
			c.Machine, c.What, c.Value = "", "ambient", -5+12*size
		default:
			c.recipe(m, size)
		}
		if c.What != "" {
			r.Changes = append(r.Changes, c)
		}
	}
	slices.SortStableFunc(r.Changes, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
}

// lookAlike of a component, at a third to the whole of its strength, for 10 to
// 60 minutes; then everything is as usual.
func (p *plan) lookAlike(at time.Duration, target string, size, long float64) []Change {
	machine, component, _ := strings.Cut(target, "/")
	m := p.machine(machine)
	for _, k := range plant.Kinds() {
		i := slices.IndexFunc(k.Components, func(c plant.Component) bool { return c.Name == component })
		if k.Name != m.Kind || i < 0 {
			continue
		}
		full, share := k.Components[i].LookAlike, 0.33+0.67*size
		on := Change{At: at, Machine: machine, What: lookAlike, Value: share, Share: 1, Component: component, Look: plant.LookAlike{Doc: full.Doc, AmbientK: share * full.AmbientK, Recipe: full.Recipe}}
		end := at + 10*time.Minute + time.Duration(long*float64(50*time.Minute))
		out := []Change{on}
		if full.Load != 0 {
			out[0].Look.Load = 1 + share*(full.Load-1)
			out = append(out, Change{At: end, Machine: machine, What: "load", Value: 1})
		}
		if full.AmbientK != 0 {
			out = append(out, Change{At: end, What: "ambient"})
		}
		for _, name := range slices.Sorted(maps.Keys(full.Recipe)) {
			text := m.Params[name]
			out = append(out, Change{At: end, Machine: machine, What: name, Text: text, Value: leading(text), Share: 1})
		}
		return out
	}
	return nil
}

func (p *plan) machine(name string) plant.MachineConfig {
	i := slices.IndexFunc(p.sc.Machines, func(m plant.MachineConfig) bool { return m.Name == name })
	return p.sc.Machines[i] // its components were listed from there
}

// leading is the number in front of a unit.
func leading(text string) float64 {
	number, _, _ := strings.Cut(text, " ")
	v, _ := strconv.ParseFloat(number, 64)
	return v
}

// recipe changes one parameter by up to 5 % of what the scenario says.
func (c *Change) recipe(m plant.MachineConfig, size float64) {
	for _, k := range plant.Kinds() {
		if k.Name != m.Kind {
			continue
		}
		names := k.Recipe()
		if len(names) == 0 {
			return
		}
		i := int(size * float64(len(names)))
		rest := size*float64(len(names)) - float64(i)
		text := m.Params[names[i]]
		number, unit, _ := strings.Cut(text, " ")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return
		}
		c.Share = 0.95 + 0.1*rest
		c.What, c.Value = names[i], v*c.Share
		c.Text = fmt.Sprintf("%.4g %s", c.Value, unit)
	}
}

// apply changes the plant; a change that the machine refuses does not happen.
func (c Change) apply(p *plant.Plant) error {
	switch c.What {
	case "ambient":
		return p.SetAmbient(c.Value)
	case "load":
		return p.Machine(c.Machine).SetLoad(c.Value)
	case lookAlike:
		return p.Turn(c.Machine, c.Look)
	}
	return p.Machine(c.Machine).SetRecipe(map[string]string{c.What: c.Text})
}
