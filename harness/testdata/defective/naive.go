package main

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/sim/signal"
)

// naive is the gateways of the conformance suite's reports, by what goes wrong
// in them. What they spoil they do not count: their entry must fail.
func naive(name string) (harness.Tweak, bool) {
	stage := func(f func(*naivety, []signal.Sample) []signal.Sample) harness.Tweak {
		// One for all instances of the gateway: a restart does not heal it.
		n := &naivety{spoil: f, seen: map[string]time.Time{}, last: map[signal.ID]float64{}}
		return harness.Tweak{Gateway: func(o *gateway.Options) { o.Stages = append(o.Stages, n) }}
	}
	buffer := func(kind string) harness.Tweak {
		return harness.Tweak{GatewayConfig: func(c *gateway.Config) { c.Buffer.Kind = kind }}
	}
	switch name {
	case "deaf-after-a-gap":
		return stage((*naivety).deaf), true
	case "deaf-for-good":
		return stage(func(_ *naivety, in []signal.Sample) []signal.Sample { return of("mb", in) }), true
	case "throws-away-what-is-late":
		return stage((*naivety).live), true
	case "deaf-after-a-jump":
		return stage((*naivety).expire), true
	case "own-times":
		return stage((*naivety).restamp), true
	case "old-index":
		return stage((*naivety).shifted), true
	case "hides-overflow":
		return stage((*naivety).unmark), true
	case "one-answer-behind":
		return stage((*naivety).behind), true
	case "drops-in-silence":
		return harness.Tweak{Gateway: func(o *gateway.Options) { o.Observe.OnDrop = nil }}, true
	case "says-nothing":
		return harness.Tweak{Gateway: func(o *gateway.Options) { o.Log = slog.New(slog.DiscardHandler) }}, true
	case "forgets-wishes":
		return harness.Tweak{GatewayConfig: func(c *gateway.Config) {
			for i := range c.Tags {
				c.Tags[i].Writable = false
			}
		}}, true
	case "begins-anew-when-configured":
		t := buffer("memory")
		t.PushConfig = func(h faults.Host) {
			if h.Kill(faults.DiskPoint{}) == nil {
				_ = h.Restart()
			}
		}
		return t, true
	case "memory":
		return buffer("memory"), true
	case "no-buffer":
		return buffer("none"), true
	}
	return harness.Tweak{}, false
}

// naivety is a pipeline stage of such a gateway.
type naivety struct {
	spoil func(*naivety, []signal.Sample) []signal.Sample

	mu   sync.Mutex
	seen map[string]time.Time // when a device was last heard of
	gap  map[string]bool      // it was silent for a while
	last map[signal.ID]float64
	// wall is the last time by the wall, expired when it went too far.
	wall, expired time.Time
}

var _ pipeline.Stage = (*naivety)(nil)

func (n *naivety) Name() string { return "naivety" }

func (n *naivety) Process(in []signal.Sample) []signal.Sample {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.gap == nil {
		n.gap = map[string]bool{}
	}
	if len(in) > 0 {
		d := device(in[0])
		if last := n.seen[d]; !last.IsZero() && time.Since(last) > 1500*time.Millisecond {
			n.gap[d] = true
		}
		n.seen[d] = time.Now()
	}
	return n.spoil(n, append([]signal.Sample(nil), in...))
}

// device is the controller of a tag in the suite's line.
func device(s signal.Sample) string {
	if strings.HasPrefix(string(s.ID), "pump/") || strings.HasPrefix(string(s.ID), "filler/") {
		return "ua"
	}
	return "mb"
}

// of keeps the samples of one device.
func of(d string, in []signal.Sample) (out []signal.Sample) {
	for _, s := range in {
		if device(s) == d {
			out = append(out, s)
		}
	}
	return out
}

// deaf hears nothing of the OPC UA controller any more once it was away.
func (n *naivety) deaf(in []signal.Sample) []signal.Sample {
	if n.gap["ua"] {
		return of("mb", in)
	}
	return in
}

// expire believes the wall clock: where that has gone on by more than a secure
// channel lasts, the channel counts as expired, and what the OPC UA controller
// sends until there is another is lost without a word.
func (n *naivety) expire(in []signal.Sample) []signal.Sample {
	const lasts, another = time.Minute, 3 * time.Second
	now := time.Now()
	if wall := now.Round(0); !n.wall.IsZero() && wall.Sub(n.wall) > lasts { // without its monotonic part
		n.expired = now
	}
	n.wall = now.Round(0)
	if !n.expired.IsZero() && now.Sub(n.expired) < another {
		return of("mb", in)
	}
	return in
}

// live passes on what is fresh, and nothing else.
func (n *naivety) live(in []signal.Sample) (out []signal.Sample) {
	for _, s := range in {
		if device(s) == "mb" || time.Since(s.SourceTime) < 1200*time.Millisecond {
			out = append(out, s)
		}
	}
	return out
}

func (n *naivety) restamp(in []signal.Sample) []signal.Sample {
	for i := range in {
		in[i].SourceTime = time.Now()
	}
	return in
}

// shifted reads the node beside the one it means once the device was away.
func (n *naivety) shifted(in []signal.Sample) []signal.Sample {
	if !n.gap["ua"] || len(in) == 0 || device(in[0]) != "ua" {
		return in
	}
	first := in[0].Value
	for i := range in[1:] {
		in[i].Value = in[i+1].Value
	}
	in[len(in)-1].Value = first
	return in
}

func (n *naivety) unmark(in []signal.Sample) []signal.Sample {
	for i := range in {
		in[i].Quality = in[i].Quality.Code()
	}
	return in
}

// behind takes each answer of the Modbus controller for that of the request
// before, once one was late.
func (n *naivety) behind(in []signal.Sample) []signal.Sample {
	for i, s := range in {
		if device(s) != "mb" {
			continue
		}
		if last, ok := n.last[s.ID]; ok && n.gap["mb"] {
			in[i].Value = last
		}
		n.last[s.ID] = s.Value
	}
	return in
}
