package plc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/signal"
)

// PLC scans machines into blocks.
type PLC struct {
	k     *sim.Kernel
	cfg   Config
	start time.Time
	tasks []*Task
	cycle []*cycle
	where map[signal.ID]place
	sw    Switch
	flags []*Flag

	onTruth, onScan []func(*Block)
	onTrouble       []func(Trouble)
}

// place is where a tag stands: a task and an index into its tags.
type place struct{ task, index int }

// cycle is the running part of a task.
type cycle struct {
	task     *Task
	channels []*Channel
	said     []signal.Quality // what the channels said last
	phase    time.Duration    // of the first scan, within (0, Period)
	seq      uint64
	stamps   *rand.Rand // of the jitter of time stamps; nil without
	base     uint64     // what the device's own counter leaves out
	latest   atomic.Pointer[Block]
	scan     func()
	zero     []float64 // what counters began from that were reset, nil for none

	mu      sync.Mutex
	pending []write
	flushed []write // the ones before, kept for their memory
	zeroing []int   // counters to be reset at the next scan
}

// write is a value on its way to the machine.
type write struct {
	index int
	value float64
}

// New makes a PLC with the given tags. Those that cfg.FastTags names make up
// the task "fast" (index 1), all others "scan" (index 0), each in the order in
// which they are given. Start is the wall's instant of t = 0.
func New(k *sim.Kernel, cfg Config, start time.Time, tags []Tag) (*PLC, error) {
	cfg = cfg.WithDefaults()
	fail := func(err error) (*PLC, error) { return nil, fmt.Errorf("plc %q: %w", cfg.Name, err) }
	if err := cfg.Validate().Err(); err != nil {
		return fail(err)
	}
	p := &PLC{k: k, cfg: cfg, start: start, where: make(map[signal.ID]place, len(tags))}
	p.sw.p = p
	if err := p.split(tags); err != nil {
		return fail(err)
	}
	if err := p.setOrders(); err != nil {
		return fail(err)
	}
	for _, t := range p.tasks {
		p.cycle = append(p.cycle, p.newCycle(t))
	}
	p.setPhases()
	return p, nil
}

// split deals the tags out to the tasks.
func (p *PLC) split(tags []Tag) error {
	fast := make(map[string]bool, len(p.cfg.FastTags))
	for _, id := range p.cfg.FastTags {
		fast[id] = true
	}
	p.tasks = []*Task{{Index: 0, Name: "scan", Period: p.cfg.Scan.D()}}
	if p.cfg.FastScan > 0 {
		p.tasks = append(p.tasks, &Task{Index: 1, Name: "fast", Period: p.cfg.FastScan.D()})
	}
	for _, t := range tags {
		if err := t.check(); err != nil {
			return err
		}
		if _, twice := p.where[t.ID]; twice {
			return fmt.Errorf("tag %q stands there twice", t.ID)
		}
		task := p.tasks[0]
		if fast[string(t.ID)] {
			task = p.tasks[1]
		}
		p.where[t.ID] = place{task.Index, len(task.Tags)}
		task.Tags = append(task.Tags, t)
	}
	for _, id := range p.cfg.FastTags {
		if _, ok := p.where[signal.ID(id)]; !ok {
			return fmt.Errorf("fast tag %q is no tag of this PLC; the nearest is %q", id, strict.Nearest(id, p.names()))
		}
	}
	return nil
}

// names lists the tags in their order.
func (p *PLC) names() []string {
	var names []string
	for _, t := range p.tasks {
		for i := range t.Tags {
			names = append(names, string(t.Tags[i].ID))
		}
	}
	return names
}

func (p *PLC) newCycle(t *Task) *cycle {
	c := &cycle{task: t, channels: make([]*Channel, len(t.Tags)), said: make([]signal.Quality, len(t.Tags))}
	for i := range t.Tags {
		tag := &t.Tags[i]
		stream := "plc/" + p.cfg.Name + "/" + string(tag.ID)
		var install float64
		if tag.Noise > 0 && tag.Hi > tag.Lo {
			install = *p.cfg.InstallBias * (tag.Hi - tag.Lo) * sim.Rand(p.cfg.InstallSeed, stream+"/install").NormFloat64()
		}
		c.channels[i] = newChannel(tag, install, func(part string) *rand.Rand { return p.k.Rand(stream + part) })
		if k := p.cfg.CrossSensitivity; k > 0 && tag.Noise > 0 && tag.Hi > tag.Lo && tag.AmbientC != nil {
			c.channels[i].cross = k * (tag.Hi - tag.Lo) * sim.Rand(p.cfg.InstallSeed, stream+"/cross").NormFloat64()
		}
		if g := p.cfg.InstallGain; g > 0 && tag.Noise > 0 {
			c.channels[i].gain = 1 + g*sim.Rand(p.cfg.InstallSeed, stream+"/gain").NormFloat64()
		}
	}
	if p.cfg.ClockJitter > 0 {
		c.stamps = p.k.Rand("plc/" + p.cfg.Name + "/" + t.Name + "/stamps")
	}
	c.scan = func() {
		p.k.AtVisible(p.k.Now()+t.Period, c.scan)
		p.scan(c)
	}
	return c
}

// Name is the name of the device.
func (p *PLC) Name() string { return p.cfg.Name }

// Config is what New was given, with every default spelled out.
func (p *PLC) Config() Config { return p.cfg }

// Tasks are the scan cycles: "scan", and "fast" if there is one. They and
// their tags must not be changed.
func (p *PLC) Tasks() []*Task { return p.tasks }

// Latest is the block of the last scan of a task, nil before the first. It may
// be called from any goroutine.
func (p *PLC) Latest(task int) *Block { return p.cycle[task].latest.Load() }

// OnScan has f called with every block, on the kernel's goroutine, after the
// recorder has seen it. It is for before Start.
func (p *PLC) OnScan(f func(*Block)) { p.onScan = append(p.onScan, f) }

// OnTruth has f called with every block before any server sees it; it is
// for the recorder.
func (p *PLC) OnTruth(f func(*Block)) { p.onTruth = append(p.onTruth, f) }

// Channel is the instrument of a tag, nil where there is no such tag.
func (p *PLC) Channel(id signal.ID) *Channel {
	at, ok := p.where[id]
	if !ok {
		return nil
	}
	return p.cycle[at.task].channels[at.index]
}

// Switch is where device faults are turned.
func (p *PLC) Switch() *Switch { return &p.sw }

// Start schedules the scans. Each task keeps a seeded phase of its own, so
// that no two of them ever meet.
func (p *PLC) Start() {
	for _, c := range p.cycle {
		p.k.AtVisible(p.k.Now()+c.phase, c.scan)
	}
}

// scan is one cycle of a task: writes to the machines, readings through the
// channels into a block, then recorder and servers.
func (p *PLC) scan(c *cycle) {
	if p.sw.stopped || p.sw.trouble.Down {
		return
	}
	c.flush()
	now := p.k.Now()
	c.seq++
	n := len(c.channels)
	b := &Block{
		Task: c.task.Index, Seq: c.seq, Base: c.base, At: now, Stamp: p.sw.stamp(p.start, now+c.jitter(p.cfg.ClockJitter.D())),
		Values: make([]float64, n), Quality: make([]signal.Quality, n),
	}
	p.latch(c, b)
	c.latest.Store(b)
	for _, f := range p.onTruth {
		f(b)
	}
	for _, f := range p.onScan {
		f(b)
	}
}

// jitter is by how much a scan's stamp is off, at most four standard deviations.
func (c *cycle) jitter(sd time.Duration) time.Duration {
	if sd == 0 {
		return 0
	}
	return time.Duration(min(max(c.stamps.NormFloat64(), -4), 4) * float64(sd))
}

// latch fills a block from the machines, or from the block before where the
// device is frozen.
func (p *PLC) latch(c *cycle, b *Block) {
	if last := c.latest.Load(); p.sw.frozen && last != nil {
		copy(b.Values, last.Values)
	} else {
		if c.task.Index == 0 {
			p.latchFlags()
		}
		c.takeZeros(func(i int) float64 { return c.channels[i].tag.Read(b.At) })
		for i, ch := range c.channels {
			x := ch.tag.Read(b.At)
			if c.zero != nil {
				x -= c.zero[i]
			}
			b.Values[i], c.said[i] = ch.read(b.At, x)
		}
	}
	switch {
	case p.cfg.Protocol == "modbus": // tells none, so all is Good
	case p.sw.quality != signal.Good:
		for i := range b.Quality {
			b.Quality[i] = p.sw.quality
		}
	default:
		copy(b.Quality, c.said)
	}
}

// Write sets a tag at the next scan of its task; of several writes between two
// scans the last one counts. It may be called from any goroutine.
func (p *PLC) Write(id signal.ID, v float64) error {
	at, ok := p.where[id]
	if !ok {
		return fmt.Errorf("plc %q has no tag %q", p.cfg.Name, id)
	}
	c := p.cycle[at.task]
	t := &c.task.Tags[at.index]
	if err := t.Accepts(v); err != nil {
		return fmt.Errorf("plc %q: %w", p.cfg.Name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.pending {
		if c.pending[i].index == at.index {
			c.pending[i].value = v
			return nil
		}
	}
	c.pending = append(c.pending, write{at.index, v})
	return nil
}

// Setpoint is the tag of a machine's load.
func Setpoint(machine string) string { return machine + "/load" }

// Setpoints are the tags of the machines whose load can be set.
func (p *PLC) Setpoints() (tags []signal.ID) {
	for _, m := range p.cfg.Setpoints {
		tags = append(tags, signal.ID(Setpoint(m)))
	}
	return tags
}

// Accepts tells why a tag would refuse to be set to v, if it would.
func (t *Tag) Accepts(v float64) error {
	if t.Write == nil {
		return fmt.Errorf("tag %q: %w", t.ID, ErrReadOnly)
	}
	if lo, hi := t.span(); math.IsNaN(v) || v < lo || v > hi {
		return fmt.Errorf("tag %q: %v is %w from %v to %v %s", t.ID, v, ErrRange, lo, hi, t.Unit)
	}
	return nil
}

// flush hands pending writes to the machines, in the order in which they came.
// A machine that refuses one keeps its value, as the next block shows.
func (c *cycle) flush() {
	c.mu.Lock()
	writes := c.pending
	c.pending, c.flushed = c.flushed[:0], writes
	c.mu.Unlock()
	for _, w := range writes {
		_ = c.task.Tags[w.index].Write(w.value)
	}
}
