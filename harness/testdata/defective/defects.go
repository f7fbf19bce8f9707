package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

// account is what a defect says of itself.
type account struct {
	Tag   string `json:"tag"`   // the tag it spoils; empty for several
	N     int    `json:"n"`     // every how many samples
	After string `json:"after"` // from when on, by source time since the first sample
	Count int    `json:"count"` // how many samples it spoilt
}

// defect is a way to spoil the stack.
type defect struct {
	own   *account
	tweak harness.Tweak
}

// The tags that defects draw from, all analogue: subscribed ones, and a polled
// one that is a scaled integer.
var (
	subscribed = []string{"pump/motor/current", "pump/motor/bearing-de/vibration", "pump/pump/discharge-pressure"}
	polled     = []string{"capper/air/pressure"}
)

// plant makes the named defect; its tag, n and instant are drawn from seed.
func plant(name string, seed uint64) (*defect, error) {
	r := rand.New(rand.NewPCG(seed, uint64(len(name))))
	own := &account{Tag: subscribed[r.IntN(len(subscribed))], N: 5 + r.IntN(20)}
	after := time.Duration(20+r.IntN(30)) * time.Second
	own.After = after.String()
	s := &spoiler{own: own, after: after}
	d := &defect{own: own, tweak: harness.Tweak{Gateway: func(o *gateway.Options) { o.Stages = append(o.Stages, s) }}}
	switch name {
	case "none":
		d.tweak = harness.Tweak{}
	case "drop":
		s.spoil = s.drop
	case "swap":
		s.other = subscribed[(index(subscribed, own.Tag)+1)%len(subscribed)]
		s.spoil = s.swap
	case "unscaled":
		own.Tag = polled[r.IntN(len(polled))]
		own.After, own.N = "0s", 1
		s.spoil = s.unscale
		d.tweak.GatewayConfig = forget(own.Tag)
	case "hold":
		s.spoil = s.hold
	case "restamp":
		s.spoil = s.restamp
	case "reorder":
		s.spoil = s.reorder
	case "deadband":
		s.spoil = s.deadband
	case "silent":
		s.spoil = s.silent
	case "nosync":
		own.Tag = ""
		s.spoil = s.note
		d.tweak.Gateway = func(o *gateway.Options) {
			s.boot()
			o.Stages = append(o.Stages, s)
			o.FS = unsynced{o.FS}
		}
	case "swallow":
		own.Tag = ""
		w := &swallower{own: own, n: own.N}
		d.tweak = harness.Tweak{Wire: w.tweak}
	case "bypass":
		d.tweak = harness.Tweak{Direct: "plc-pump"}
	case "repeat-keyed", "repeat-unkeyed":
		e := &echo{own: own, keyed: name == "repeat-keyed"}
		d.tweak = harness.Tweak{Broker: e.start}
	default:
		if hide(name, s, d) {
			return d, nil
		}
		tweak, ok := naive(name)
		if !ok {
			tweak, ok = lie(name)
		}
		if !ok {
			return nil, fmt.Errorf("there is no defect %q", name)
		}
		d.tweak = tweak
	}
	return d, nil
}

func index(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

// spoiler is a pipeline stage with a defect. From the instant After on it
// hands the samples of its tag to spoil, which returns what goes on.
type spoiler struct {
	own   *account
	other string
	after time.Duration
	spoil func(in []signal.Sample) []signal.Sample

	mu    sync.Mutex
	first time.Time
	seen  int
	held  []signal.Sample
	last  float64
	began bool

	boots  int
	passes []time.Time
}

func (s *spoiler) Name() string { return "spoiler" }

func (s *spoiler) Process(in []signal.Sample) []signal.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() && len(in) > 0 {
		s.first = time.Now()
	}
	return s.spoil(in)
}

var _ pipeline.Stage = (*spoiler)(nil)

// mine tells whether a sample is to be spoilt.
func (s *spoiler) mine(x signal.Sample) bool {
	return string(x.ID) == s.own.Tag && time.Since(s.first) >= s.after
}

// nth counts the tag's samples and hits every n-th.
func (s *spoiler) nth(x signal.Sample) bool {
	if !s.mine(x) {
		return false
	}
	s.seen++
	return s.seen%s.own.N == 0
}

func (s *spoiler) drop(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if s.nth(x) {
			s.own.Count++
			continue
		}
		out = append(out, x)
	}
	return out
}

// swap exchanges two tags wherever both were latched in one scan.
func (s *spoiler) swap(in []signal.Sample) []signal.Sample {
	out := append([]signal.Sample(nil), in...)
	if time.Since(s.first) < s.after {
		return out
	}
	for i, a := range out {
		if string(a.ID) != s.own.Tag {
			continue
		}
		for j, b := range out {
			if string(b.ID) == s.other && b.SourceTime.Equal(a.SourceTime) {
				out[i].Value, out[j].Value = b.Value, a.Value
				if a.Value != b.Value {
					s.own.Count += 2
				}
			}
		}
	}
	return out
}

// unscale counts the samples of a tag whose scale was forgotten in the config.
func (s *spoiler) unscale(in []signal.Sample) []signal.Sample {
	for _, x := range in {
		if string(x.ID) == s.own.Tag && x.Value != 0 {
			s.own.Count++
		}
	}
	return in
}

// forget sets the scale of one polled tag to 1.
func forget(tag string) func(*gateway.Config) {
	return func(c *gateway.Config) {
		for i := range c.Modbus {
			for j := range c.Modbus[i].Blocks {
				for k := range c.Modbus[i].Blocks[j].Tags {
					if t := &c.Modbus[i].Blocks[j].Tags[k]; string(t.ID) == tag {
						t.Scale = 1
					}
				}
			}
		}
	}
}

// hold keeps the tag's samples back for 30 s and lets them go together; it
// counts those that the deadline of 5 s finds too late.
func (s *spoiler) hold(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	holding := time.Since(s.first) < s.after+30*time.Second
	if !holding && len(s.held) > 0 {
		for _, x := range s.held {
			if time.Since(x.SourceTime) > 5*time.Second {
				s.own.Count++
			}
		}
		out, s.held = append(out, s.held...), nil
	}
	for _, x := range in {
		if holding && s.mine(x) {
			s.held = append(s.held, x)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (s *spoiler) restamp(in []signal.Sample) []signal.Sample {
	out := append([]signal.Sample(nil), in...)
	for i := range out {
		if s.nth(out[i]) {
			out[i].SourceTime = time.Now()
			s.own.Count++
		}
	}
	return out
}

// reorder lets every n-th sample of the tag go after its successor.
func (s *spoiler) reorder(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if s.nth(x) && len(s.held) == 0 {
			s.held = append(s.held, x)
			continue
		}
		out = append(out, x)
		if len(s.held) > 0 && x.ID == s.held[0].ID {
			out, s.held = append(out, s.held[0]), nil
			s.own.Count++
		}
	}
	return out
}

// deadband passes the tag on only where it moved by more than N thousandths.
func (s *spoiler) deadband(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if s.mine(x) {
			if s.began && math.Abs(x.Value-s.last) <= float64(s.own.N)/1000*math.Abs(s.last) {
				s.own.Count++
				continue
			}
			s.began, s.last = true, x.Value
		}
		out = append(out, x)
	}
	return out
}

// silent drops the whole fast scan of a tag's PLC once the link has been
// down (no sample of it for over 3 s), while everything else goes on.
func (s *spoiler) silent(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if string(x.ID) == s.own.Tag {
			if gap := time.Since(s.lastSeen()); !s.first.IsZero() && s.seen > 0 && gap > 3*time.Second {
				s.began = true
			}
			s.seen++
			s.first = time.Now()
			if s.began {
				s.own.Count++
				continue
			}
		}
		out = append(out, x)
	}
	return out
}

func (s *spoiler) lastSeen() time.Time { return s.first }

// note writes down when each subscribed sample went into the buffer.
func (s *spoiler) note(in []signal.Sample) []signal.Sample {
	for _, x := range in {
		if strings.HasPrefix(string(x.ID), "pump/") || strings.HasPrefix(string(x.ID), "filler/") {
			s.passes = append(s.passes, time.Now())
		}
	}
	return in
}

// What testdata/killed.toml schedules, and what its contract and buffer say.
const (
	cutToKill    = 30 * time.Second
	killToBoot   = 10 * time.Second
	durable      = time.Second
	groupCommits = 70_013_717 * time.Nanosecond
)

// boot is called when an instance of the gateway starts. At the second boot
// everything is lost that went into the buffer from the cut of the way north
// (with the group that was open then) until the kill; what came within the
// last second before the kill was not owed yet.
func (s *spoiler) boot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boots++; s.boots != 2 {
		return
	}
	kill := time.Now().Add(-killToBoot)
	for _, p := range s.passes {
		if p.After(kill.Add(-cutToKill-groupCommits)) && !p.After(kill.Add(-durable)) {
			s.own.Count++
		}
	}
}

// unsynced is a disk whose syncs do nothing.
type unsynced struct{ disk.FS }

func (u unsynced) Create(name string) (disk.File, error) { return wrap(u.FS.Create(name)) }
func (u unsynced) Append(name string) (disk.File, error) { return wrap(u.FS.Append(name)) }

type unsyncedFile struct{ disk.File }

func wrap(f disk.File, err error) (disk.File, error) { return unsyncedFile{f}, err }

func (unsyncedFile) Sync() error { return nil }

// swallower is a wire that loses every n-th response of the Modbus device.
type swallower struct {
	own  *account
	n    int
	mu   sync.Mutex
	seen int
	last string
}

func (w *swallower) tweak(plc string, o *wire.Options) {
	if plc != "plc-oven" {
		return
	}
	o.Tamper = func(_ int, toClient bool, chunk []byte) []byte {
		w.mu.Lock()
		defer w.mu.Unlock()
		// A response that brings nothing new is no loss: behind the header and
		// the byte count stands the scan counter.
		if !toClient || len(chunk) < 13 || string(chunk[9:13]) == w.last {
			return chunk
		}
		w.last = string(chunk[9:13])
		if w.seen++; w.seen <= 20 || w.seen%w.n != 0 {
			return chunk
		}
		w.own.Count++
		return nil
	}
}
