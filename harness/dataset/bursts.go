package dataset

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/physics"
	"github.com/plantbed/plantbed/sim/plant"
)

// Burst is a waveform of one bearing.
type Burst struct {
	AtS                float64
	Machine, Component string
	RateHz, ShaftHz    float64
	// Race says where it is damaged, "none" while it is not.
	Race    string
	Damage  float64
	Samples []float32 // g
}

// camera takes the bursts of one bearing.
type camera struct {
	machine   *plant.Machine
	component string
	speed     *plant.Signal // in rpm, or nil
	level     *plant.Signal // vibration of the bearing in g, or nil
	voice     voice
	race      physics.Race
	rng       *rand.Rand
}

// mainsHz turns the motors of bearings of which no speed is measured; a belt
// lies between.
const mainsHz = 24.5

// newCameras finds every bearing of the plant.
func newCameras(s *simulator, r Run, w *harness.World) []camera {
	if s.p.ds.BurstEvery == 0 {
		return nil
	}
	var out []camera
	for _, k := range plant.Kinds() {
		for _, mc := range s.p.sc.Machines {
			if mc.Kind != k.Name {
				continue
			}
			for _, c := range k.Components {
				if !strings.Contains(c.Mode, "bearing") {
					continue
				}
				m := w.Plant().Machine(mc.Name)
				name := mc.Name + "/" + c.Name
				cam := camera{machine: m, component: c.Name, race: raceOf(c.Mode, r.Race),
					voice: newVoice(r.Serial, name), rng: sim.Rand(r.Seed, "dataset/burst/"+name)}
				cam.find(c.Name)
				out = append(out, cam)
			}
		}
	}
	return out
}

// raceOf a failure mode that names one; of any other it is drawn.
func raceOf(mode string, drawn physics.Race) physics.Race {
	switch mode {
	case "bearing_outer_race":
		return physics.OuterRace
	case "bearing_inner_race":
		return physics.InnerRace
	case "bearing_ball":
		return physics.Ball
	}
	return drawn
}

// find the signals that say how fast the shaft turns and how loud it is.
func (c *camera) find(component string) {
	all := c.machine.Signals()
	for i := range all {
		s := &all[i]
		if s.Unit == "rpm" && (c.speed == nil) {
			c.speed = s
		}
		if s.Unit == "g" && strings.HasPrefix(s.Name, component[:strings.IndexByte(component+"/", '/')]) && (c.level == nil || strings.HasPrefix(s.Name, component)) {
			c.level = s
		}
		if s.Unit == "g" && s.Name == "vibration" && c.level == nil {
			c.level = s
		}
	}
}

// bursts records what is due at a row.
func (t *truth) bursts(_ int, now time.Duration) {
	if len(t.cameras) == 0 || now%t.s.p.ds.BurstEvery.D() != 0 {
		return
	}
	for i := range t.cameras {
		t.recorded = append(t.recorded, t.cameras[i].take(t.s.p, now))
	}
}

func (c *camera) take(p *plan, now time.Duration) Burst {
	damage, err := c.machine.Damage(c.component)
	if err != nil {
		panic(fmt.Sprintf("dataset: %v", err)) // the component stands in the kind's table
	}
	total := 0.1
	if c.level != nil {
		total = c.level.Read(now)
	}
	race, shaftHz := c.race, c.shaftHz(now)
	if damage == 0 {
		race = physics.NoRace
	}
	x := make([]float64, p.ds.BurstSamples)
	c.voice.record(x, race, damage, total, shaftHz, p.ds.BurstRateHz, c.rng)
	out := Burst{AtS: now.Seconds(), Machine: c.machine.Name, Component: c.component, RateHz: p.ds.BurstRateHz, ShaftHz: shaftHz,
		Race: race.String(), Damage: damage, Samples: make([]float32, len(x))}
	for i, v := range x {
		out.Samples[i] = float32(v)
	}
	return out
}

// slowest speed in rpm that a motor's shaft is taken to have; what turns
// slower is the output of a gear, and the motor in front of it turns with the
// mains.
const slowestRPM = 300

func (c *camera) shaftHz(now time.Duration) float64 {
	if c.speed == nil {
		if s := c.machine.State(); s == plant.Execute || s == plant.Starting {
			return mainsHz * c.voice.belt
		}
		return 0
	}
	rpm := c.speed.Read(now)
	if c.speed.Hi >= slowestRPM {
		return rpm / 60
	}
	return mainsHz * c.voice.belt * rpm / (0.6 * c.speed.Hi) // spans are about 5/3 of the usual speed
}
