package faults

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/signal"
)

// Whatever windows overlap, at every instant each seam is as a dumb look at all
// windows says; and when all have closed it is healthy.
func TestComposition(t *testing.T) {
	base := uint64(time.Now().UnixNano())
	for i := range uint64(200) {
		seed := base + i
		if !composes(t, seed) {
			t.Fatalf("seed %d", seed)
		}
	}
}

func composes(t *testing.T, seed uint64) bool {
	rng := rand.New(rand.NewPCG(seed, 0))
	var cfgs []Config
	for range 1 + rng.IntN(25) {
		cfgs = append(cfgs, anyFault(rng))
	}
	if slices.ContainsFunc(cfgs, func(c Config) bool { return c.Kind == "gateway.clock" }) {
		// These two exclude each other.
		cfgs = slices.DeleteFunc(cfgs, func(c Config) bool { return c.Kind == "gateway.pause" })
	}
	k := sim.New(seed)
	plant := newFake(k)
	plan, ps := Resolve(cfgs, 2*time.Minute, seed)
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	if err := Schedule(k, plan, cfgs, plant, nil); err != nil {
		t.Fatal(err)
	}
	ok := true
	check := func(what string, got, want any) {
		if g, isFloat := got.(float64); isFloat && math.Abs(g-want.(float64)) < 1e-9 || got == want {
			return
		}
		t.Errorf("at %v %s is %v, want %v", k.Now(), what, got, want)
		ok = false
	}
	for range 40 {
		at := k.Now() + time.Duration(rng.Int64N(int64(4*time.Second)))
		k.At(at, func() { compare(plant, plan, cfgs, at, check) })
		k.Run(at)
	}
	k.Run(2 * time.Minute)
	compare(plant, nil, nil, k.Now(), check)
	return ok
}

// anyFault is over before the run is, and on a seam that several can meet on.
func anyFault(rng *rand.Rand) Config {
	pick := func(texts ...string) string { return texts[rng.IntN(len(texts))] }
	way := func() string { return pick("", "", ToServer, ToClient) }
	c := Config{At: sec(rng.IntN(60)), For: sec(1 + rng.IntN(50))}
	c.Kind = kinds[rng.IntN(len(kinds))].Name
	switch c.Kind {
	case "link.down":
		if c.Mode = pick("", "rst", "fin", "blackhole", "refuse"); c.Mode == "blackhole" {
			c.Way = way()
		}
	case "link.stall":
		c.Way = way()
	case "link.latency":
		c.Delay, c.Jitter, c.Way, c.Spread = sec(1+rng.IntN(9)), sec(rng.IntN(3)), way(), pick("", "pareto")
	case "link.loss":
		c.Good, c.Bad, c.Way = sec(20), sec(1+rng.IntN(9)), way()
	case "link.slice":
		c.Size, c.Way = strict.Bytes(1+rng.IntN(99)), way()
	case "link.profile":
		c.Profile = pick(ProfileNames()...)
	case "link.frame":
		c.Action, c.Frame = pick("drop", "repeat", "reorder", "cut"), pick("response", "publish")
	case "link.cut", "link.corrupt":
		c.After, c.Way = strict.Bytes(1+rng.IntN(99)), way()
	case "gateway.kill":
		c.On = pick("", "", "sync")
	case "gateway.clock":
		c.Offset, c.Drift = sec(rng.IntN(100)-50), pick("50 ppm", "-2000 ppm")
	case "broker.stop", "broker.restart":
		c.State = pick("", "lost")
	case "link.bandwidth":
		c.Rate, c.Way = pick("1 KiB/s", "64 KiB/s", "1 MB/s"), way()
	case "sensor.bias":
		c.Bias = pick("-5 %", "1 %", "7 %")
	case "sensor.drift":
		c.Rate = pick("-1 %/s", "1 %/s", "2 %/s", "30 %/min")
	case "sensor.temperature":
		c.PerKelvin = pick("-0.5 %", "1 %")
	case "sensor.gain":
		c.Gain = pick("-50 %", "100 %")
	case "sensor.noise":
		c.Factor = 1 + float64(rng.IntN(9))
	case "sensor.spike":
		c.Chance, c.Amplitude = pick("1 %", "50 %"), pick("5 %", "20 %")
	case "asset.bearing_wear": // does not compose
		c.Kind = "plc.stop"
	case "plc.bad_quality":
		c.Quality = pick("", "BadSensorFailure", "BadOutOfService")
	case "plc.clock":
		c.Offset, c.Drift = sec(rng.IntN(100)-50), pick("50 ppm", "-2000 ppm")
	case "plc.restart":
		c.IDs = pick("", "new", "same")
	case "plc.slow":
		c.Delay, c.Once = sec(1+rng.IntN(9)), rng.IntN(2) == 0
	case "plc.exception":
		c.Code = pick("", "timeout", "denied")
	case "plc.node_gone":
		c.Tags = [][]string{{"a"}, {"b", "c"}}[rng.IntN(2)]
	case "plc.counter_wrap":
		c.Scans = uint32(1 + rng.IntN(3))
	case "gateway.disk_full":
		c.After = 1000 * []strict.Bytes{0, 1, 2}[rng.IntN(3)]
	case "gateway.disk_slow":
		c.Sync = sec(1 + rng.IntN(5))
	}
	k, _ := lookup(c.Kind)
	if k.instant {
		c.For = 0
	}
	c.Target = map[Seam]string{SeamLink: "l", SeamChannel: "c", SeamSwitch: "s", SeamHost: "", SeamBroker: ""}[k.Seam]
	if rng.IntN(5) == 0 && c.Target != "" {
		c.Target += "2" // a bystander
	}
	return c
}

// compare holds the seams that end in "" and "2" against the windows open at t.
func compare(plant *fake, plan []Window, cfgs []Config, t time.Duration, check func(what string, got, want any)) {
	for _, suffix := range []string{"", "2"} {
		open := func(kind, target string) (on []active) {
			for _, w := range plan { // in the order of their starts
				if w.Kind == kind && w.Target == target+suffix && w.From <= t && (t < w.To || w.Open) {
					on = append(on, active{w, cfgs[w.Index].WithDefaults()})
				}
			}
			return on
		}
		if l := plant.links["l"+suffix]; l != nil {
			compareLink(l, open, check)
		}
		if c := plant.chans["c"+suffix]; c != nil {
			compareChannel(c, open, t, check)
		}
		if s := plant.sws["s"+suffix]; s != nil {
			compareSwitch(s, open, t, check)
			check("late", s.late, lateOf(plan, cfgs, open("plc.slow", "s"), t))
		}
	}
	at := func(kind string) (on []active) {
		for _, w := range plan {
			if w.Kind == kind && w.From <= t && t < w.To {
				on = append(on, active{w, cfgs[w.Index]})
			}
		}
		return on
	}
	if h := plant.hosts["gateway"]; h != nil {
		compareHost(h, t, at, check)
	}
	if b := plant.brokers["broker"]; b != nil {
		compareBroker(b, at, check)
	}
}

type opener func(kind, target string) []active

func compareLink(l *fakeLink, open opener, check func(string, any, any)) {
	mode := ""
	for _, a := range open("link.down", "l") {
		if mode = a.cfg.Mode; a.cfg.Way != "" {
			mode += " " + a.cfg.Way
		}
	}
	check("mode", l.mode, mode)
	for i, way := range []string{ToServer, ToClient} {
		compareShape([]Shape{l.toServer, l.toClient}[i], way, open, check)
		stalled := false
		for _, a := range open("link.stall", "l") {
			stalled = stalled || a.cfg.Way == "" || a.cfg.Way == way
		}
		check("stall "+way, l.stalled[i], stalled)
	}
	n := 0
	for _, kind := range []string{"link.frame", "link.cut", "link.corrupt"} {
		for _, a := range open(kind, "l") {
			n++
			if !slices.ContainsFunc(l.rules, func(r Rule) bool { return r.ID == a.id() && r.After == int64(a.cfg.After) && r.Frame == a.cfg.Frame }) {
				check(kind+" has a rule", false, true)
			}
		}
	}
	check("rules", len(l.rules), n)
	check("half open", l.halves > 0, len(open("link.half_open", "l")) > 0)
}

func compareShape(s Shape, way string, open opener, check func(string, any, any)) {
	on := func(kind string) (as []active) {
		for _, a := range open(kind, "l") {
			if a.cfg.Way == "" || a.cfg.Way == way {
				as = append(as, a)
			}
		}
		return as
	}
	var delay, got, bad, gotBad time.Duration
	for _, a := range on("link.latency") {
		delay += a.cfg.Delay.D() + a.cfg.Jitter.D()
	}
	for _, a := range on("link.loss") {
		bad += a.cfg.Bad.D()
	}
	profiles := on("link.profile")
	for _, a := range profiles {
		p := profileOf(a.cfg.Profile)
		delay += p.Delay + p.Jitter
		bad += p.Loss.Bad
	}
	for _, d := range s.Delays {
		got += d.Delay + d.Jitter
	}
	for _, l := range s.Losses {
		gotBad += l.Bad
	}
	check("delay "+way, got, delay)
	check("loss "+way, gotBad, bad)
	slice := 0
	for _, a := range on("link.slice") {
		if slice == 0 || int(a.cfg.Size) < slice {
			slice = int(a.cfg.Size)
		}
	}
	check("slice "+way, s.Slice, slice)
	least := math.Inf(1)
	for _, a := range on("link.bandwidth") {
		least = min(least, map[string]float64{"1 KiB/s": 1024, "64 KiB/s": 65536, "1 MB/s": 1e6}[a.cfg.Rate])
	}
	for _, a := range profiles {
		p := profileOf(a.cfg.Profile)
		least = min(least, map[string]float64{ToServer: p.Up, ToClient: p.Down}[way]*125_000)
	}
	if math.IsInf(least, 1) {
		least = 0
	}
	check("bandwidth "+way, s.Rate, least)
}

func compareChannel(c *fakeChannel, open opener, t time.Duration, check func(string, any, any)) {
	sum, gain, square, spared, amplitude := 0.0, 1.0, 1.0, 1.0, 0.0
	for _, a := range open("sensor.bias", "c") {
		sum += map[string]float64{"-5 %": -10, "1 %": 2, "7 %": 14}[a.cfg.Bias]
	}
	for _, a := range open("sensor.drift", "c") {
		sum += map[string]float64{"-1 %/s": -2, "1 %/s": 2, "2 %/s": 4, "30 %/min": 1}[a.cfg.Rate] * (t - a.From).Seconds()
	}
	for _, a := range open("sensor.gain", "c") {
		gain *= map[string]float64{"-50 %": 0.5, "100 %": 2}[a.cfg.Gain]
	}
	for _, a := range open("sensor.noise", "c") {
		square += a.cfg.Factor*a.cfg.Factor - 1
	}
	for _, a := range open("sensor.spike", "c") {
		spared *= 1 - map[string]float64{"1 %": 0.01, "50 %": 0.5}[a.cfg.Chance]
		amplitude = max(amplitude, map[string]float64{"5 %": 10, "20 %": 40}[a.cfg.Amplitude])
	}
	check("sensor's error", c.error(t), sum)
	cross := 0.0
	for _, a := range open("sensor.temperature", "c") {
		cross += map[string]float64{"-0.5 %": -1, "1 %": 2}[a.cfg.PerKelvin]
	}
	check("cross", c.cross, cross)
	check("gain", c.gain, gain)
	check("noise", c.noise, math.Sqrt(square))
	check("chance of spikes", c.chance, 1-spared)
	check("amplitude of spikes", c.amplitude, amplitude)
	check("stuck", c.stuck, len(open("sensor.stuck", "c")) > 0)
	check("dropout", c.dropout, len(open("sensor.dropout", "c")) > 0)
}

func compareSwitch(s *fakeSwitch, open opener, t time.Duration, check func(string, any, any)) {
	check("stopped", s.stopped, len(open("plc.stop", "s")) > 0)
	check("frozen", s.frozen, len(open("plc.freeze", "s")) > 0)
	quality := signal.Good
	for _, a := range open("plc.bad_quality", "s") {
		quality = map[string]signal.Quality{"BadDeviceFailure": signal.BadDeviceFailure, "BadSensorFailure": signal.BadSensorFailure, "BadOutOfService": signal.BadOutOfService}[a.cfg.Quality]
	}
	check("quality", s.quality, quality)
	compareTrouble(s, open, check)
	var off float64
	for _, a := range open("plc.clock", "s") {
		off += a.cfg.Offset.D().Seconds() + map[string]float64{"50 ppm": 50e-6, "-2000 ppm": -2e-3}[a.cfg.Drift]*(t-a.From).Seconds()
	}
	check("clock right to 100 ns", math.Abs(s.error(t).Seconds()-off) < 1e-7, true)
}

// lateOf: the window that opened last decides, but one that is late once is not
// late again when another has opened since.
func lateOf(plan []Window, cfgs []Config, open []active, t time.Duration) time.Duration {
	if len(open) == 0 {
		return 0
	}
	a := last(open)
	for _, w := range plan {
		if a.cfg.Once && w.Kind == "plc.slow" && w.Target == a.Target && a.From < w.From && w.From <= t {
			return 0
		}
	}
	return a.cfg.Delay.D()
}

func compareTrouble(s *fakeSwitch, open opener, check func(string, any, any)) {
	check("down", s.down, len(open("plc.restart", "s")) > 0)
	check("full of sessions", s.full, len(open("plc.sessions_full", "s")) > 0)
	check("without republish", s.short, len(open("plc.no_republish", "s")) > 0)
	check("moved", s.moved == 1, len(open("plc.namespace_moved", "s")) > 0)
	check("expired", s.expired, len(open("plc.cert_expired", "s")) > 0)
	code := ""
	for _, a := range open("plc.exception", "s") {
		code = a.cfg.Code
	}
	check("error", s.refuses, code)
	gone := 0
	for _, a := range open("plc.node_gone", "s") {
		gone += len(a.cfg.Tags)
	}
	check("tags gone", s.gone, gone)
	var certificate, wrap uint32
	for _, a := range open("plc.cert_rotated", "s") {
		certificate = uint32(a.Index) + 1
	}
	check("certificate", s.certificate, certificate)
	for _, a := range open("plc.counter_wrap", "s") {
		wrap = a.cfg.Scans
	}
	check("scans to the wrap", s.wrap, wrap)
}

func compareHost(h *fakeHost, t time.Duration, open func(string) []active, check func(string, any, any)) {
	if len(open("gateway.kill")) > 0 {
		check("dead", h.dead, true)
	}
	check("down", h.dead || h.stopped, len(open("gateway.kill"))+len(open("gateway.restart")) > 0)
	check("paused", h.paused, len(open("gateway.pause")) > 0)
	full := open("gateway.disk_full")
	check("disk full", h.full, len(full) > 0)
	least := int64(math.MaxInt64)
	for _, a := range full {
		least = min(least, int64(a.cfg.After))
	}
	if len(full) > 0 {
		check("room", h.after, least)
	}
	var slow time.Duration
	for _, a := range open("gateway.disk_slow") {
		slow = max(slow, a.cfg.Sync.D())
	}
	check("sync", h.sync, slow)
	check("read only", h.readOnly, len(open("gateway.disk_read_only")) > 0)
	var off float64
	for _, a := range open("gateway.clock") {
		off += a.cfg.Offset.D().Seconds() + map[string]float64{"50 ppm": 50e-6, "-2000 ppm": -2e-3}[a.cfg.Drift]*(t-a.From).Seconds()
	}
	check("host's clock right to 100 ns", math.Abs(h.error(t).Seconds()-off) < 1e-7, true)
}

func compareBroker(b *fakeBroker, open func(string) []active, check func(string, any, any)) {
	check("broker down", b.down, len(open("broker.stop"))+len(open("broker.restart")) > 0)
	check("quota", b.quota, len(open("broker.quota")) > 0)
	check("revoked", b.revoked, len(open("broker.credential_revoked")) > 0)
	check("intruder", b.intruded, len(open("broker.duplicate_client_id")) > 0)
}
