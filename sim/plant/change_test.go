package plant

import (
	"math"
	"strings"
	"testing"
	"time"
)

// alone is every kind by itself, so that no neighbour stops it.
func alone() Config {
	c := bottling()
	c.Lines = nil
	for i := range c.Machines {
		if c.Machines[i].Kind != "pump-skid" {
			c.Machines[i].Params = map[string]string{"minor_stops": "0 /h"}
		}
	}
	return c
}

// A change shows in the signals that it should move, in the right direction,
// against the same plant without it; and in nothing of another machine.
func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name            string
		turn            func(p *Plant) error
		machine, signal string
		from, to        float64 // of the difference after an hour
	}{
		{"pump, load", func(p *Plant) error { return p.Machine("pump").SetLoad(0.85) }, "pump", "pump/flow", -2.5, -0.5},
		{"filler, load", func(p *Plant) error { return p.Machine("filler").SetLoad(1.2) }, "filler", "drive/current", 0.1, 1},
		{"conveyor, load", func(p *Plant) error { return p.Machine("conveyor").SetLoad(1.2) }, "conveyor", "belt/torque", 0.3, 20},
		{"oven, load", func(p *Plant) error { return p.Machine("oven").SetLoad(1.2) }, "oven", "zone-1/duty", 2, 20},
		{"capper, load", func(p *Plant) error { return p.Machine("capper").SetLoad(1.2) }, "capper", "drive/current", 0.05, 1},
		{"hall", func(p *Plant) error { return p.SetAmbient(5) }, "pump", "motor/winding-temp", 4, 5},
		{"recipe", func(p *Plant) error { return p.Machine("filler").SetRecipe(map[string]string{"volume": "0.5 l"}) }, "filler", "fill/volume", -255, -245},
		{"set point", func(p *Plant) error { return p.Machine("oven").SetRecipe(map[string]string{"setpoint": "160 degC"}) }, "oven", "zone-2/temp", 9, 11},
	} {
		k0, p0 := build(t, 3, alone())
		k1, p1 := build(t, 3, alone())
		p0.Start()
		p1.Start()
		k0.Run(10*time.Minute + 317)
		k1.Run(10*time.Minute + 317)
		before := value(t, p1.Machine(c.machine), c.signal, k1.Now())
		if err := c.turn(p1); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		k0.Run(70 * time.Minute)
		k1.Run(70 * time.Minute)
		if d := value(t, p1.Machine(c.machine), c.signal, k1.Now()) - value(t, p0.Machine(c.machine), c.signal, k0.Now()); d < c.from || d > c.to {
			t.Errorf("%s moves %s/%s from %.3f by %.3f, want from %g to %g", c.name, c.machine, c.signal, before, d, c.from, c.to)
		}
		if c.name == "hall" {
			continue
		}
		for _, other := range p0.Machines() {
			if other.Name == c.machine {
				continue
			}
			for _, s := range other.Signals() {
				if a, b := s.Read(k0.Now()), value(t, p1.Machine(other.Name), s.Name, k1.Now()); a != b {
					t.Errorf("%s: %s/%s is %v, and %v without", c.name, other.Name, s.Name, b, a)
				}
			}
		}
	}
}

// To set what is set already changes nothing, whenever it is done: neither the
// state nor the machine's own random course.
func TestTheSameRecipeIsNoChange(t *testing.T) {
	k0, p0 := build(t, 4, bottling())
	k1, p1 := build(t, 4, bottling())
	p0.Start()
	p1.Start()
	for at := time.Minute; at < 30*time.Minute; at += time.Minute {
		k0.Run(at)
		k1.Run(at)
		for _, m := range p1.Machines() {
			same := map[string]string{}
			for _, name := range m.def.recipe {
				for _, p := range m.def.params() {
					if p.Name == name {
						same[name] = p.show(p.Default)
					}
				}
			}
			if err := m.SetRecipe(same); err != nil || len(same) == 0 {
				t.Fatal(m.Name, same, err)
			}
			if err := m.SetLoad(1); err != nil {
				t.Fatal(err)
			}
		}
		if err := p1.SetAmbient(0); err != nil {
			t.Fatal(err)
		}
	}
	k0.Run(time.Hour)
	k1.Run(time.Hour)
	for _, m := range p0.Machines() {
		for _, s := range m.Signals() {
			// Steps that end elsewhere than on whole seconds round otherwise.
			a, b := s.Read(k0.Now()), value(t, p1.Machine(m.Name), s.Name, k1.Now())
			if math.Abs(a-b) > 1e-9*(1+math.Abs(a)) {
				t.Errorf("%s/%s: %v, without %v", m.Name, s.Name, b, a)
			}
		}
	}
}

func TestChangesThatCannotBe(t *testing.T) {
	_, p := build(t, 1, bottling())
	pump, oven := p.Machine("pump"), p.Machine("oven")
	for want, err := range map[string]error{
		"out of range":  pump.SetLoad(math.NaN()),
		"to 30 K":       p.SetAmbient(31),
		"no part":       pump.SetRecipe(map[string]string{"tank": "9 m3"}),
		"unit":          oven.SetRecipe(map[string]string{"setpoint": "9"}),
		"too weak":      oven.SetRecipe(map[string]string{"setpoint": "350 degC", "product_heat": "50 kW"}),
		"product_temp.": pump.SetRecipe(map[string]string{"cycle": "1 s"}),
	} {
		if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ".")) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A look-alike means the same change to a machine of any size: as many kelvin,
// or the same ratio; and as much of it as the machine can do.
func TestLookAlikeSuitsTheMachine(t *testing.T) {
	_, p := build(t, 1, Config{Machines: []MachineConfig{
		{Name: "big", Kind: "tank"},
		{Name: "small", Kind: "tank", Params: map[string]string{"volume": "800 l", "room": "1000 l", "setpoint": "45 degC", "cycle": "18 min", "jacket_power": "280 kW"}},
		{Name: "full", Kind: "tank", Params: map[string]string{"setpoint": "138.5 degC", "jacket_power": "2000 kW", "cycle": "60 min"}},
	}})
	for _, c := range []struct{ machine, name, table, want string }{
		{"big", "volume", "2700 l", "2700 l"},
		{"small", "volume", "2700 l", "720 l"},
		{"small", "setpoint", "76 degC", "49 degC"},
		{"full", "setpoint", "76 degC", "139.5 degC"}, // the whole way would be 142.5, and 140 is the most
	} {
		if err := p.Turn(c.machine, LookAlike{Recipe: map[string]string{c.name: c.table}}); err != nil {
			t.Errorf("%s: %v", c.machine, err)
		}
		if got := p.Machine(c.machine).setting[c.name]; got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.machine, c.name, got, c.want)
		}
	}
}
