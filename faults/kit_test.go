package faults

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/signal"
)

// fake is a plant that knows every name beginning with its seam's letter, keeps
// the state of each seam, and writes down the calls.
type fake struct {
	k     *sim.Kernel
	calls []string
	links map[string]*fakeLink
	chans map[string]*fakeChannel
	sws   map[string]*fakeSwitch
	hosts map[string]*fakeHost

	brokers  map[string]*fakeBroker
	machines map[string]*fakeMachine
	wear     error // what every knob answers
}

func newFake(k *sim.Kernel) *fake {
	return &fake{k: k, links: map[string]*fakeLink{}, chans: map[string]*fakeChannel{}, sws: map[string]*fakeSwitch{}, hosts: map[string]*fakeHost{},
		brokers: map[string]*fakeBroker{}, machines: map[string]*fakeMachine{}}
}

// seam is the part that all fakes share.
type seam struct {
	f    *fake
	name string
}

// log writes a call down with its second; shifts are below that.
func (s seam) log(format string, args ...any) {
	at := s.f.k.Now().Truncate(time.Second)
	s.f.calls = append(s.f.calls, fmt.Sprintf("%v %s ", at, s.name)+fmt.Sprintf(format, args...))
}

func get[T any](m map[string]*T, name string, make func() *T) *T {
	if m[name] == nil {
		m[name] = make()
	}
	return m[name]
}

func (f *fake) Link(n string) (Link, bool) {
	if !strings.HasPrefix(n, "l") {
		return nil, false
	}
	return get(f.links, n, func() *fakeLink { return &fakeLink{seam: seam{f, n}} }), true
}

func (f *fake) Knob(n string) (Knob, bool) {
	return fakeKnob{seam{f, n}}, strings.HasPrefix(n, "k")
}

func (f *fake) Channel(n string) (Channel, Span, bool) {
	if !strings.HasPrefix(n, "c") {
		return nil, Span{}, false
	}
	return get(f.chans, n, func() *fakeChannel { return &fakeChannel{seam: seam{f, n}, gain: 1, noise: 1} }), Span{-50, 150}, true
}

func (f *fake) Switch(n string) (Switch, bool) {
	if !strings.HasPrefix(n, "s") {
		return nil, false
	}
	return get(f.sws, n, func() *fakeSwitch { return &fakeSwitch{seam: seam{f, n}} }), true
}

func (f *fake) Host(n string) (Host, bool) {
	if n != "gateway" {
		return nil, false
	}
	return get(f.hosts, n, func() *fakeHost { return &fakeHost{seam: seam{f, n}} }), true
}

type fakeLink struct {
	seam
	mode               string
	toServer, toClient Shape
	stalled            [2]bool // to server, to client
	rules              []Rule
	halves             int
}

func (l *fakeLink) Down(m, way string) error {
	if way != "" {
		m += " " + way
	}
	l.log("Down(%s)", m)
	l.mode = m
	return nil
}
func (l *fakeLink) Up() { l.log("Up()"); l.mode = "" }
func (l *fakeLink) SetShape(s, c Shape) {
	if reflect.DeepEqual(s, c) {
		l.log("SetShape(%v)", s)
	} else {
		l.log("SetShape(%v, %v)", s, c)
	}
	l.toServer, l.toClient = s, c
}
func (l *fakeLink) Stall(way string, on bool) {
	l.log("Stall(%v)", strings.TrimSpace(fmt.Sprintf("%s %v", way, on)))
	if way != ToClient {
		l.stalled[0] = on
	}
	if way != ToServer {
		l.stalled[1] = on
	}
}
func (l *fakeLink) SetRules(rs []Rule) error {
	var text []string
	for _, r := range rs {
		text = append(text, strings.TrimSpace(fmt.Sprintf("%s %s %d/%d after %d %v %s", r.Do, r.Frame, r.Nth, r.Count, r.After, r.Hold, r.Way)))
	}
	l.log("SetRules(%s)", strings.Join(text, "; "))
	l.rules = rs
	return nil
}
func (l *fakeLink) HalfOpen(server bool) { l.log("HalfOpen(%v)", server); l.halves++ }
func (l *fakeLink) Mend()                { l.log("Mend()"); l.halves = 0 }

type fakeKnob struct{ seam }

func (k fakeKnob) Wear(onset, failure time.Duration) error {
	if onset != k.f.k.Now() {
		k.log("Wear with an onset %v from now", onset-k.f.k.Now())
	}
	k.log("Wear(%v, %v)", onset.Truncate(time.Second), failure.Truncate(time.Second))
	return k.f.wear
}
func (k fakeKnob) Set(level float64) error { k.log("Set(%v)", level); return nil }
func (k fakeKnob) Clear()                  { k.log("Clear()") }

type fakeChannel struct {
	seam
	bias, rate, gain, noise, chance, amplitude, cross float64
	from                                              time.Duration
	stuck, dropout                                    bool
}

func (c *fakeChannel) SetBias(v float64) { c.log("SetBias(%.4g)", v); c.bias = v }
func (c *fakeChannel) Drift(from time.Duration, r float64) {
	c.log("Drift(%v, %.4g)", from.Truncate(time.Second), r)
	c.from, c.rate = from, r
}
func (c *fakeChannel) SetGain(g float64)  { c.log("SetGain(%.4g)", g); c.gain = g }
func (c *fakeChannel) SetCross(v float64) { c.log("SetCross(%.4g)", v); c.cross = v }
func (c *fakeChannel) SetNoise(f float64) { c.log("SetNoise(%.4g)", f); c.noise = f }
func (c *fakeChannel) Stuck(on bool)      { c.log("Stuck(%v)", on); c.stuck = on }
func (c *fakeChannel) Spike(p, a float64) {
	c.log("Spike(%.4g, %.4g)", p, a)
	c.chance, c.amplitude = p, a
}
func (c *fakeChannel) Dropout(on bool) { c.log("Dropout(%v)", on); c.dropout = on }
func (c *fakeChannel) Clear() {
	c.log("Clear()")
	*c = fakeChannel{seam: c.seam, gain: 1, noise: 1}
}

// error is what bias and drift add to a reading at t.
func (c *fakeChannel) error(t time.Duration) float64 {
	return c.bias + c.rate*max(0, (t-c.from).Seconds())
}

type fakeSwitch struct {
	seam
	stopped, frozen bool
	quality         signal.Quality
	set, offset     time.Duration
	drift           float64

	down, full, short, expired bool
	late                       time.Duration
	refuses                    string
	gone, moved                int
	certificate, wrap          uint32
}

func (s *fakeSwitch) Stop()          { s.log("Stop()"); s.stopped = true }
func (s *fakeSwitch) Start()         { s.log("Start()"); s.stopped = false }
func (s *fakeSwitch) Freeze(on bool) { s.log("Freeze(%v)", on); s.frozen = on }
func (s *fakeSwitch) BadQuality(q signal.Quality) {
	s.log("BadQuality(%v)", q)
	s.quality = q
}
func (s *fakeSwitch) Clock(off time.Duration, drift float64) {
	s.log("Clock(%v, %.3g)", off.Round(time.Millisecond), drift)
	s.set, s.offset, s.drift = s.f.k.Now(), off, drift
}
func (s *fakeSwitch) Restart(down, same bool) {
	s.log("Restart(%v, %v)", down, same)
	s.down = down
}
func (s *fakeSwitch) Slow(d time.Duration, once bool) { s.log("Slow(%v, %v)", d, once); s.late = d }
func (s *fakeSwitch) Refuse(code, on string, share float64, items bool) error {
	s.log("Refuse(%q, %q, %v, %v)", code, on, share, items)
	s.refuses = code
	return nil
}
func (s *fakeSwitch) SessionsFull(on bool) { s.log("SessionsFull(%v)", on); s.full = on }
func (s *fakeSwitch) Gone(tags []string) error {
	s.log("Gone(%v)", tags)
	s.gone = len(tags)
	return nil
}
func (s *fakeSwitch) MoveNamespace(n int) error {
	s.log("MoveNamespace(%d)", n)
	s.moved = n
	return nil
}
func (s *fakeSwitch) NoRepublish(on bool) error {
	s.log("NoRepublish(%v)", on)
	s.short = on
	return nil
}
func (s *fakeSwitch) Certificate(n uint32, expired bool) error {
	s.log("Certificate(%d, %v)", n, expired)
	s.certificate, s.expired = n, expired
	return nil
}
func (s *fakeSwitch) WrapCounter(n uint32) { s.log("WrapCounter(%d)", n); s.wrap = n }
func (s *fakeSwitch) Clear()               { s.log("Clear()"); *s = fakeSwitch{seam: s.seam} }

// error is how far the clock is off at t.
func (s *fakeSwitch) error(t time.Duration) time.Duration {
	return s.offset + time.Duration(s.drift*float64(t-s.set))
}

type fakeHost struct {
	seam
	dead, stopped, paused, full, readOnly bool
	after                                 int64
	sync                                  time.Duration
	flips                                 int
	set, offset                           time.Duration
	drift                                 float64
}

func (h *fakeHost) Kill(p DiskPoint) error {
	if p == (DiskPoint{}) {
		h.log("Kill()")
	} else {
		h.log("Kill(%s %d %v)", p.Op, p.Nth, p.Torn)
	}
	h.dead = true
	return nil
}
func (h *fakeHost) Stop()                    { h.log("Stop()"); h.stopped = true }
func (h *fakeHost) Restart() error           { h.log("Restart()"); h.dead, h.stopped = false, false; return nil }
func (h *fakeHost) Pause(on bool)            { h.log("Pause(%v)", on); h.paused = on }
func (h *fakeHost) DiskFull(after int64)     { h.log("DiskFull(%d)", after); h.full, h.after = true, after }
func (h *fakeHost) DiskSlow(d time.Duration) { h.log("DiskSlow(%v)", d); h.sync = d }
func (h *fakeHost) DiskReadOnly(on bool)     { h.log("DiskReadOnly(%v)", on); h.readOnly = on }
func (h *fakeHost) ClearDisk() {
	h.log("ClearDisk()")
	h.full, h.after, h.sync, h.readOnly = false, 0, 0, false
}
func (h *fakeHost) PushConfig() error       { h.log("PushConfig()"); return nil }
func (h *fakeHost) FlipBit(p float64) error { h.log("FlipBit(%v)", p); h.flips++; return nil }
func (h *fakeHost) Clock(off time.Duration, drift float64) error {
	h.log("Clock(%v, %.3g)", off.Round(time.Millisecond), drift)
	h.set, h.offset, h.drift = h.f.k.Now(), off, drift
	return nil
}

// error is how far the clock is off at t.
func (h *fakeHost) error(t time.Duration) time.Duration {
	return h.offset + time.Duration(h.drift*float64(t-h.set))
}

type fakeBroker struct {
	seam
	down, quota, revoked, intruded bool
}

func (b *fakeBroker) Stop() { b.log("Stop()"); b.down = true }
func (b *fakeBroker) Start(keep bool) error {
	b.log("Start(%v)", keep)
	b.down = false
	return nil
}
func (b *fakeBroker) Quota(on bool)   { b.log("Quota(%v)", on); b.quota = on }
func (b *fakeBroker) Revoke(on bool)  { b.log("Revoke(%v)", on); b.revoked = on }
func (b *fakeBroker) Intrude(on bool) { b.log("Intrude(%v)", on); b.intruded = on }

// fakeMachine changes its state when told.
type fakeMachine struct {
	state string
	tell  []func(string)
}

func (m *fakeMachine) State() string            { return m.state }
func (m *fakeMachine) OnState(f func(s string)) { m.tell = append(m.tell, f) }
func (m *fakeMachine) turn(state string) {
	m.state = state
	for _, f := range m.tell {
		f(state)
	}
}

func (f *fake) Broker(n string) (Broker, bool) {
	if n != "broker" {
		return nil, false
	}
	return get(f.brokers, n, func() *fakeBroker { return &fakeBroker{seam: seam{f, n}} }), true
}

func (f *fake) Machine(n string) (Machine, bool) {
	if !strings.HasPrefix(n, "m") {
		return nil, false
	}
	return f.machine(n), true
}

func (f *fake) machine(n string) *fakeMachine {
	return get(f.machines, n, func() *fakeMachine { return &fakeMachine{state: "Idle"} })
}

// fault is a config from kind, target, at and for in seconds, and more by change.
func fault(kind, target string, at, lasts int, change ...func(*Config)) Config {
	c := Config{Kind: kind, Target: target, At: sec(at), For: sec(lasts)}
	for _, f := range change {
		f(&c)
	}
	return c
}

func sec(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Second) }

// runs takes the faults through a run of a minute and wants these calls.
func runs(t *testing.T, cfgs []Config, want ...string) {
	t.Helper()
	k := sim.New(1)
	plant := newFake(k)
	plan, ps := Resolve(cfgs, time.Minute, 1)
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	if err := Schedule(k, plan, cfgs, plant, nil); err != nil {
		t.Fatal(err)
	}
	k.Run(time.Minute)
	if !slices.Equal(plant.calls, want) {
		t.Errorf("calls:\n\t%s\nwant:\n\t%s", strings.Join(plant.calls, "\n\t"), strings.Join(want, "\n\t"))
	}
}
