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
	// "failure", "repair", and "maintenance" where it was planned. A
	// "breakdown" is one that no damage announces; "repair" ends it. "closed"
	// and "open" are the ends of the line's hours: what lies between is no
	// planned time.
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
	lines    []*Line
	cfg      Config
	measure  func(machine, signal string) (float64, bool) // see Measure
}

// Build makes the plant of a configuration; nothing moves before Start.
func Build(k *sim.Kernel, cfg Config) (*Plant, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("plant: %w", err)
	}
	around := newSurroundings(chance{kernel: k, machine: "plant"})
	p := &Plant{kernel: k, byName: map[string]*Machine{}, around: around, cfg: cfg}
	for _, mc := range cfg.Machines {
		m := newMachine(p, mc)
		p.machines = append(p.machines, m)
		p.byName[mc.Name] = m
	}
	for _, l := range cfg.Lines {
		p.join(l)
	}
	for i, l := range cfg.Lines {
		p.tie(p.lines[i], l)
	}
	for _, m := range p.machines {
		if m.crew == nil {
			m.crew = oneTeam(1)
		}
	}
	return p, nil
}

// Machines in the order of the configuration.
func (p *Plant) Machines() []*Machine { return p.machines }

// Machine of that name, or nil.
func (p *Plant) Machine(name string) *Machine { return p.byName[name] }

// Lines in the order of the configuration.
func (p *Plant) Lines() []*Line { return p.lines }

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
	for _, l := range p.lines {
		l.keepHours()
	}
	for _, m := range p.machines {
		p.emit(Event{At: p.kernel.Now(), Machine: m.Name, Kind: "state", State: m.ledger.state})
		m.station.start()
		m.startAgeing()
	}
}
