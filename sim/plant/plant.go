package plant

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// Event is something that truly happens on the factory floor.
type Event struct {
	At      time.Duration
	Machine string
	// Kind is "state" (State is the new PackML state), or for a component
	// "onset" of damage, "detectable" when its effect exceeds the noise,
	// "failure" and "repair".
	Kind      string
	Component string
	Mode      string
	State     int
}

// Plant is the running factory floor.
type Plant struct {
	kernel   *sim.Kernel
	machines []*Machine
	byName   map[string]*Machine
	handlers []func(Event)
	around   *surroundings
}

// Build makes the plant of a configuration; nothing moves before Start.
func Build(k *sim.Kernel, cfg Config) (*Plant, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("plant: %w", err)
	}
	around := newSurroundings(chance{kernel: k, machine: "plant"})
	p := &Plant{kernel: k, byName: map[string]*Machine{}, around: around}
	for _, mc := range cfg.Machines {
		m := newMachine(k, around, mc, p.emit)
		p.machines = append(p.machines, m)
		p.byName[mc.Name] = m
	}
	for _, l := range cfg.Lines {
		p.join(l)
	}
	for _, m := range p.machines {
		if m.crew == nil {
			m.crew = &crew{free: 1}
		}
		m.warmUp()
	}
	return p, nil
}

// join puts a line's stations one behind the other, buffers half full.
func (p *Plant) join(l LineConfig) {
	team := &crew{free: max(1, l.Crew)}
	var before *Machine
	for i, name := range l.Stations {
		m := p.byName[name]
		m.crew = team
		switch {
		case before == nil:
		case before.def.feeds:
			m.station.in = newBowl(l.Buffers[i-1], before, m.station)
		default:
			b := &buffer{n: l.Buffers[i-1] / 2, capacity: l.Buffers[i-1], up: before.station, down: m.station}
			before.station.out, m.station.in = b, b
		}
		before = m
	}
}

// Machines in the order of the configuration.
func (p *Plant) Machines() []*Machine { return p.machines }

// Machine of that name, or nil.
func (p *Plant) Machine(name string) *Machine { return p.byName[name] }

// OnEvent has f told of every event, on the kernel's goroutine. Call it
// before Start; f may read signals but may not turn knobs.
func (p *Plant) OnEvent(f func(Event)) { p.handlers = append(p.handlers, f) }

func (p *Plant) emit(e Event) {
	for _, f := range p.handlers {
		f(e)
	}
}

// Start tells the first states and sets the flow going.
func (p *Plant) Start() {
	for _, m := range p.machines {
		p.emit(Event{At: p.kernel.Now(), Machine: m.Name, Kind: "state", State: m.ledger.state})
		m.station.start()
	}
}
