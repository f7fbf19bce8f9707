package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/harness/api"
	"github.com/plantbed/plantbed/harness/broker"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
)

// ServeOptions of Serve; all may be left out.
type ServeOptions struct {
	// Host is where PLCs listen that have no address of their own; default 127.0.0.1.
	Host string
	// API is where the HTTP API listens; default a free port of Host.
	API string
	// Broker is where an MQTT broker listens; "" is none.
	Broker string
	// Planned has the scenario's own faults happen too, as far as they hit
	// what is there.
	Planned bool
	Log     *slog.Logger
	// Ready is told once everything listens.
	Ready func(Served)
}

// Served is where a plant is reached.
type Served struct {
	Endpoints []api.Endpoint `json:"endpoints"`
	API       string         `json:"api"`
	Broker    string         `json:"broker"`
}

// Serve brings up the PLCs of a scenario behind their links, without a gateway,
// a twin or a record, and an HTTP API beside them. The world runs by the wall
// until ctx ends; then nothing of it is left, and Serve returns nil.
func Serve(ctx context.Context, sc *scenarios.Scenario, opts ServeOptions) (err error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Host == "" {
		opts.Host = "127.0.0.1"
	}
	if opts.API == "" {
		opts.API = net.JoinHostPort(opts.Host, "0")
	}
	r := &run{sc: sc, opts: Options{Log: opts.Log}, log: opts.Log, start: time.Now()}
	v := &serving{r: r, host: opts.Host, ended: make(chan struct{})}
	r.serving, r.tap = v, &taps{r: r}
	if r.world, err = newWorld(sc, sc.Seed, r.start); err != nil {
		return err
	}
	v.watch()
	defer func() { err = errors.Join(err, r.stop()) }()
	if err := v.listen(opts); err != nil {
		return err
	}
	if opts.Planned {
		v.plan()
	}
	door, err := api.Serve(opts.API, v, opts.Log.With("part", "api"))
	if err != nil {
		return err
	}
	v.served.API = "http://" + reachable(door.Addr().String())
	defer func() { err = errors.Join(err, door.Close()) }()
	defer close(v.ended) // what still waits for the world waits no more

	r.world.start()
	if opts.Ready != nil {
		opts.Ready(v.served)
	}
	const forever = 100 * 365 * 24 * time.Hour
	if err := r.world.kernel.Pace(ctx, r.start, forever, v.late); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// serving is a plant that stays up for whoever comes. Fields without a word
// belong to the kernel's goroutine.
type serving struct {
	r      *run
	host   string // where links listen whose PLC has no address of its own
	served Served // set before the world starts
	plcs   []counts
	in     *faults.Injector
	ended  chan struct{} // closed when the world has stopped
	lagMax time.Duration
	log    eventLog
	total  int // faults injected
}

// counts are what the link of a PLC did.
type counts struct{ bytes, conns atomic.Int64 }

func (v *serving) delivered(i int) func(conn int, from, to int64, at time.Time) {
	c := &v.plcs[i]
	return func(conn int, from, to int64, _ time.Time) {
		c.bytes.Add(to - from)
		for { // connections are numbered from 1
			most := c.conns.Load()
			if int64(conn) <= most || c.conns.CompareAndSwap(most, int64(conn)) {
				return
			}
		}
	}
}

// watch keeps what happens in the plant.
func (v *serving) watch() {
	w := v.r.world
	v.plcs = make([]counts, len(w.plcs))
	v.in = faults.NewInjector(w.kernel, seams{v.r}, v.edge)
	w.plant.OnEvent(func(e plant.Event) {
		out := api.Event{AtS: e.At.Seconds(), Kind: e.Kind, Machine: e.Machine, Component: e.Component, Mode: e.Mode}
		if e.Kind == "state" {
			out.StateName = plant.StateName(e.State)
		}
		v.log.add(out)
	})
}

// edge is told that a fault begins or ends.
func (v *serving) edge(w faults.Window, started bool) {
	kind := "fault ends"
	if started {
		kind = "fault begins"
		v.total++
	}
	f := apiFault(w)
	v.log.add(api.Event{AtS: v.r.world.kernel.Now().Seconds(), Kind: kind, Fault: &f})
	v.r.log.Info(kind, "fault", w.Kind, "target", w.Target, "id", w.Index, "err", w.Err)
}

func (v *serving) late(d time.Duration) { v.lagMax = max(v.lagMax, d) }

// listen opens everything that clients connect to.
func (v *serving) listen(opts ServeOptions) error {
	r := v.r
	for i, p := range r.world.plcs {
		d, err := r.startDevice(i)
		if err != nil {
			return fmt.Errorf("PLC %s: %w", p.Name(), err)
		}
		r.south = append(r.south, d)
		v.served.Endpoints = append(v.served.Endpoints, api.Endpoint{PLC: p.Name(), Protocol: p.Config().Protocol, URL: endpointURL(p, d)})
	}
	if opts.Broker == "" {
		return nil
	}
	b, err := broker.Start(broker.Config{}, broker.Options{Log: r.log.With("part", "broker")})
	if err != nil {
		return err
	}
	r.broker = b
	w, err := wire.Listen(wire.Config{Name: brokerTarget, Listen: opts.Broker, Upstream: b.Addr(), Seed: r.sc.Seed, Frames: wire.FramesMQTT}, wire.Options{Log: r.log})
	if err != nil {
		return err
	}
	r.north, r.northLink = w, &link{Wire: w, frames: wire.FramesMQTT}
	v.served.Broker = "mqtt://" + reachable(w.Addr())
	return nil
}

func endpointURL(p *plc.PLC, d *deviceLink) string {
	if p.Config().Protocol == "modbus" {
		return "tcp://" + reachable(d.wire.Addr())
	}
	return "opc.tcp://" + reachable(d.wire.Addr())
}

// reachable is an address at which a client on this machine finds a listener
// that may listen on all of them.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// plan has the scenario's faults happen at their times. Those that hit the
// gateway, or a broker that is not there, hit nothing; those that wait for a
// machine are not planned.
func (v *serving) plan() {
	sc := v.r.sc
	windows, _ := faults.Resolve(sc.Faults, sc.Duration.D(), sc.Seed)
	for i, c := range sc.Faults {
		if len(c.Validate(v.targets())) > 0 || c.While != "" {
			v.r.log.Warn("a planned fault hits nothing that is served", "fault", i, "kind", c.Kind, "target", c.Target)
			continue
		}
		c.When = faults.When{}
		for _, w := range windows {
			if w.Index != i {
				continue
			}
			v.r.world.kernel.AtVisible(w.From, func() {
				if _, err := v.in.Inject(c); err != nil {
					v.r.log.Error("a planned fault did not happen", "fault", i, "err", err)
				}
			})
		}
	}
}

// targets are the names that a fault may hit.
func (v *serving) targets() faults.Names {
	var n faults.Names
	w := v.r.world
	n.Framed = map[string]string{}
	for _, p := range w.plcs {
		n.Links, n.Switches = append(n.Links, p.Name()), append(n.Switches, p.Name())
		if p.Config().Protocol == "modbus" {
			n.Framed[p.Name()] = "modbus"
		}
	}
	if v.r.north != nil {
		n.Links, n.Brokers = append(n.Links, brokerTarget), append(n.Brokers, brokerTarget)
		n.Framed[brokerTarget] = "mqtt"
	}
	for _, t := range w.tags {
		n.Channels = append(n.Channels, string(t.ID))
	}
	for _, m := range w.plant.Machines() {
		for _, c := range m.Knobs() {
			n.Knobs = append(n.Knobs, m.Name+"/"+c)
		}
	}
	return n
}
