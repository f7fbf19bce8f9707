package plant

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// What changes in a plant though nothing is wrong: how hard a machine has to
// work, what is made on it, how warm the hall is. A detector must live with it.
//
//	k.At(2*time.Hour, func() { p.Machine("pump").SetLoad(0.9) })
//	k.At(5*time.Hour, func() { p.SetAmbient(4) })
//	k.At(6*time.Hour, func() { err = p.Machine("filler").SetRecipe(map[string]string{"volume": "500 ml"}) })

// LeastLoad and MostLoad bound SetLoad.
const LeastLoad, MostLoad = 0.1, 2.0

// SetLoad has the machine work harder or less hard from now on: what it is
// asked for is share times the usual, 1 in the beginning. It means flow of a
// pump, drag of a drive, weight on a belt, product through an oven.
func (m *Machine) SetLoad(share float64) error {
	if !(share >= LeastLoad && share <= MostLoad) { // so that NaN is refused
		return fmt.Errorf("%s: a load of %v times the usual is out of range; it goes from %v to %v", m.Name, share, LeastLoad, MostLoad)
	}
	m.touch(m.kernel.Now())
	m.in.extra = share - 1
	m.exposed()
	return nil
}

// Load is what SetLoad set.
func (m *Machine) Load() float64 { return 1 + m.in.extra }

// Recipe names the parameters that SetRecipe may change.
func (k Kind) Recipe() []string {
	def, _ := findKind(k.Name)
	return slices.Clone(def.recipe)
}

// SetRecipe changes what is made: parameters of the kind's recipe, written with
// their units, take a new value from now on. Temperatures, speeds and levels go
// on from where they are. The others, such as the size of a tank, are steel.
func (m *Machine) SetRecipe(values map[string]string) error {
	text := map[string]string{}
	for name, v := range m.setting {
		text[name] = v
	}
	var problems strict.Problems
	for name, v := range values {
		if !slices.Contains(m.def.recipe, name) {
			problems.Addf(name, "is no part of the recipe of a %s; that is %s", m.Kind, strings.Join(m.def.recipe, ", "))
		}
		text[name] = v
	}
	p, wrong := resolve(m.def.params(), text)
	problems = append(problems, wrong...)
	if len(problems) == 0 && m.def.check != nil {
		problems = m.def.check(p)
	}
	if len(problems) > 0 {
		problems.Sort()
		return fmt.Errorf("%s: %w", m.Name, problems.Err())
	}
	m.watch()
	m.touch(m.kernel.Now())
	fresh := m.def.build(p, m.chance)
	fresh.inherit(m.model)
	m.model, m.setting = fresh, text
	return nil
}

// LookAlike is what an operator or the weather may do to a machine that moves
// the signals of one of its failure modes, though nothing is wrong.
type LookAlike struct {
	Doc      string
	Load     float64           // for SetLoad; 0 leaves it
	AmbientK float64           // for SetAmbient; 0 leaves it
	Recipe   map[string]string // for SetRecipe
}

// Turn has a benign look-alike happen from now on.
func (p *Plant) Turn(machine string, l LookAlike) error {
	m := p.byName[machine]
	if m == nil {
		return fmt.Errorf("there is no machine %q", machine)
	}
	if l.Load != 0 {
		if err := m.SetLoad(l.Load); err != nil {
			return err
		}
	}
	if l.AmbientK != 0 {
		if err := p.SetAmbient(l.AmbientK); err != nil {
			return err
		}
	}
	if len(l.Recipe) == 0 {
		return nil
	}
	// A machine at the edge of what it can do may refuse the whole change.
	var err error
	for _, part := range []float64{1, 0.5, 0.25} {
		if err = m.SetRecipe(m.alike(l.Recipe, part)); err == nil {
			return nil
		}
	}
	return err
}

// alike is a look-alike's recipe for this machine, or a part of the way to it.
// The recipe is written for a machine of the kind's default parameters; to
// another one it means the same change: as many kelvin, or the same ratio.
func (m *Machine) alike(recipe map[string]string, part float64) map[string]string {
	out := map[string]string{}
	usual, _ := resolve(m.def.params(), m.usual)
	for _, p := range m.def.params() {
		text, ok := recipe[p.Name]
		if !ok {
			continue
		}
		out[p.Name] = text
		v, err := p.parse(text)
		if err != nil || usual[p.Name] == p.Default && part == 1 {
			continue
		}
		if p.Unit == "degC" {
			v = usual[p.Name] + part*(v-p.Default)
		} else {
			v = usual[p.Name] * (1 + part*(v/p.Default-1))
		}
		out[p.Name] = strings.TrimSpace(strconv.FormatFloat(v, 'f', -1, 64) + " " + p.Unit)
	}
	for name, text := range recipe { // what is no parameter is SetRecipe's to refuse
		if _, ok := out[name]; !ok {
			out[name] = text
		}
	}
	return out
}

// hallS is how fast the hall follows a change of what it is heated or aired by.
const hallS = 1200

// hall is how much warmer it is than usual: a first-order lag behind steps.
type hall struct {
	from, to float64 // K
	sinceS   float64
}

func (h *hall) at(tS float64) float64 {
	if h.from == h.to {
		return h.to
	}
	return h.to + (h.from-h.to)*math.Exp(-max(0, tS-h.sinceS)/hallS)
}

// AmbientC is the temperature of the hall's air at an instant, in degrees
// Celsius.
func (p *Plant) AmbientC(at time.Duration) float64 {
	var in inputs
	p.around.at(at.Seconds(), &in)
	return in.ambientC
}

// mostAmbient bounds SetAmbient, in kelvin.
const mostAmbient = 30

// SetAmbient has the hall grow warmer by so many kelvin than it usually is, or
// colder: a door stands open, the sun is on the roof. It takes some time, about
// twenty minutes for two thirds of the way.
func (p *Plant) SetAmbient(kelvin float64) error {
	if !(math.Abs(kelvin) <= mostAmbient) {
		return fmt.Errorf("a hall %v K warmer than usual is out of range; it goes to %v K either way", kelvin, mostAmbient)
	}
	now := p.kernel.Now()
	for _, m := range p.machines {
		m.watch()
		m.touch(now)
	}
	t := now.Seconds()
	h := &p.around.hall
	*h = hall{from: h.at(t), to: kelvin, sinceS: t}
	for _, m := range p.machines {
		m.exposed()
	}
	return nil
}
