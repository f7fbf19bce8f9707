package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	gwopcua "github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/harness/broker"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/twin"
)

// server is what a PLC is reached by.
type server interface {
	Addr() net.Addr
	Close() error
}

// deviceLink is a PLC's server and the link in front of it.
type deviceLink struct {
	server server
	wire   *wire.Wire
	link   *link // the wire as faults see it
	// registers is the map of a Modbus device.
	registers *modbus.Map
	// secrets are what the gateway needs where the device asks for security.
	secrets gwopcua.Security
}

func (d *deviceLink) close() error {
	werr := d.wire.Close()
	if err := d.server.Close(); err != nil {
		return err
	}
	return werr
}

// startStack brings up what the gateway will find: broker, twin, devices with
// their links.
func (r *run) startStack(ctx context.Context) error {
	if err := r.mapForeign(); err != nil {
		return err
	}
	if err := r.startBroker(ctx); err != nil {
		return err
	}
	if err := r.startTwin(ctx); err != nil {
		return err
	}
	if err := r.startDesires(ctx); err != nil {
		return err
	}
	for i := range r.world.plcs {
		d, err := r.startDevice(i)
		if err != nil {
			return err
		}
		r.south = append(r.south, d)
	}
	return nil
}

// startBroker starts the embedded broker, or taps a stranger's, and lays the
// link that the gateway reaches it by.
func (r *run) startBroker(ctx context.Context) error {
	var front atomic.Pointer[wire.Wire] // nobody is told the address before it stands
	upstream := ""
	if r.sc.Broker.URL == "" {
		b, err := broker.Start(broker.Config{}, broker.Options{Log: r.log.With("part", "broker"), OnPublish: r.tap.published,
			Accept:   func(remote net.Addr) bool { _, ok := front.Load().Conn(remote); return ok },
			OnBypass: func(remote net.Addr, client string) { r.tap.bypass(fmt.Sprintf("broker: client %q", client)) }})
		if err != nil {
			return err
		}
		r.broker, upstream = b, b.Addr()
	} else {
		u, err := url.Parse(r.sc.Broker.URL)
		if err != nil {
			return fmt.Errorf("broker.url: %w", err)
		}
		upstream = u.Host
		// Watch returns once its subscription stands, and taps until ctx ends.
		if err := broker.Watch(ctx, r.sc.Broker.URL, r.tapBelow(), "twin-tap", r.log.With("part", "tap"), r.tap.published); err != nil {
			return err
		}
	}
	frames := r.framesOf(brokerTarget, wire.FramesMQTT)
	o := wire.Options{Log: r.log}
	if r.opts.Tweak.Wire != nil {
		r.opts.Tweak.Wire(brokerTarget, &o)
	}
	w, err := wire.Listen(wire.Config{Name: brokerTarget, Listen: r.anyPort(), Upstream: upstream, Seed: r.sc.Seed, Frames: frames}, o)
	if err != nil {
		return err
	}
	front.Store(w)
	r.north, r.northLink = w, &link{Wire: w, frames: frames}
	if r.opts.Tweak.Broker != nil {
		r.opts.Tweak.Broker(r.brokerURL())
	}
	return nil
}

func (r *run) brokerURL() string {
	if r.sc.Broker.URL != "" {
		return r.sc.Broker.URL
	}
	return r.broker.URL()
}

// startDevice starts the server of a PLC behind its link.
func (r *run) startDevice(i int) (*deviceLink, error) {
	p := r.world.plcs[i]
	d := &deviceLink{}
	log := r.log.With("plc", p.Name())
	var front atomic.Pointer[wire.Wire]
	accept := func(remote net.Addr) (conn int, ok bool) {
		if w := front.Load(); w != nil {
			conn, ok = w.Conn(remote)
		}
		if !ok {
			r.tap.bypass(p.Name())
		}
		return conn, ok
	}
	// The wire needs the server's address and the server asks the wire who
	// connects; nobody can connect before the gateway is told the address.
	switch p.Config().Protocol {
	case "modbus":
		s, err := modbus.Listen(modbus.Config{Unit: p.Config().Unit}, p, modbus.Options{Log: log, Accept: accept, Tap: r.tap.modbus(i)})
		if err != nil {
			return nil, err
		}
		d.server, d.registers = s, s.Map()
	default:
		cfg, err := opcuaConfig(p, r.world.plant, r.start)
		if err != nil {
			return nil, err
		}
		if cfg.Security.Require && r.serving == nil {
			if d.secrets, err = r.secretsFor(p.Name(), &cfg.Security, p.Config().CertLife.D()); err != nil {
				return nil, err
			}
		}
		s, err := opcua.Listen(cfg, p, opcua.Options{Log: log, Accept: accept, Tap: r.tap.opcua(i), Seed: r.sc.Seed})
		if err != nil {
			return nil, err
		}
		d.server = s
	}
	o := wire.Options{Log: log, Delivered: r.delivered(i)}
	if r.opts.Tweak.Wire != nil {
		r.opts.Tweak.Wire(p.Name(), &o)
	}
	frames := ""
	if d.registers != nil {
		frames = r.framesOf(p.Name(), wire.FramesModbus)
	}
	w, err := wire.Listen(wire.Config{Name: p.Name(), Listen: r.listenAt(p), Upstream: d.server.Addr().String(), Seed: r.sc.Seed, Frames: frames}, o)
	if err != nil {
		d.server.Close()
		return nil, err
	}
	front.Store(w)
	d.wire, d.link = w, &link{Wire: w, frames: frames}
	return d, nil
}

// delivered is told what the link of a PLC has brought to its client.
func (r *run) delivered(i int) func(conn int, from, to int64, at time.Time) {
	if r.serving != nil {
		return r.serving.delivered(i)
	}
	return func(conn int, from, to int64, at time.Time) {
		r.rec.Add(record.Deliver{PLC: i, Conn: conn, From: from, To: to, At: at.Sub(r.start).Nanoseconds()})
	}
}

// listenAt is where clients find a PLC; empty is any free port. The virtual
// gear keeps to those, so that many runs can go side by side.
func (r *run) listenAt(p *plc.PLC) string {
	if at := p.Config().Listen; at != "" && r.sc.Gear == scenarios.GearLive {
		return at
	}
	if r.serving != nil {
		return net.JoinHostPort(r.serving.host, "0")
	}
	return r.anyPort()
}

// startTwin has the twin listen at the broker, and waits until it does: what
// is published before its first subscription is kept by nobody.
func (r *run) startTwin(ctx context.Context) error {
	ready := make(chan struct{})
	opts := twin.Options{Seed: r.sc.Seed, Log: r.log.With("part", "twin"), OnReady: sync.OnceFunc(func() { close(ready) }),
		OnApplied: r.tap.applied, OnMark: r.tap.marked, OnAlarm: r.tap.alarmed, OnScore: r.tap.scored}
	for _, m := range r.models {
		opts.Models = append(opts.Models, *m)
	}
	cfg := twinConfig(r)
	r.twin = start(func(ctx context.Context) error { return twin.Run(ctx, cfg, opts) })
	select {
	case <-ready:
		return nil
	case err := <-r.twin.done:
		r.twin.done <- err
		return errors.Join(errors.New("the twin did not come up"), err)
	case <-time.After(10 * time.Second):
		return fmt.Errorf("the twin could not subscribe at the broker %s within 10s", r.brokerURL())
	case <-ctx.Done():
		return ctx.Err()
	}
}

func twinConfig(r *run) twin.Config {
	var c twin.Config
	c.StaleAfter = r.sc.Twin.StaleAfter
	c.MQTT.URL, c.MQTT.Prefix, c.MQTT.Foreign = r.brokerURL(), topicPrefix, r.twinDoor()
	c.Defaults()
	for _, m := range r.world.machines {
		a := twin.Asset{Name: m.Name, Kind: m.Kind}
		for _, t := range r.world.tags {
			if t.Machine == m.Name {
				a.Tags = append(a.Tags, twinTag(r, t))
			}
		}
		c.Assets = append(c.Assets, a)
	}
	return c
}

// twinTag says of a tag what the twin may know: its span, its source, and how
// often it must come where silence means something.
func twinTag(r *run, t record.Tag) twin.Tag {
	task := r.world.tasks[t.Task]
	cfg := r.sc.PLCs[task.PLC]
	tag := twin.Tag{ID: t.ID, Unit: t.Unit, Lo: t.Lo, Hi: t.Hi, Source: cfg.Name}
	c := r.sc.Gateway.Contract
	switch {
	case cfg.Protocol == "modbus" && task.Name == "fast":
		tag.Period = c.Modbus.FastPoll
	case cfg.Protocol == "modbus":
		tag.Period = c.Modbus.Poll
	case c.OPCUA.Trigger == "status-value-timestamp":
		tag.Period = max(c.OPCUA.Publishing, c.OPCUA.Sampling)
	}
	return tag
}

// service is a function that runs until its context ends.
type service struct {
	cancel context.CancelFunc
	done   chan error
}

func start(f func(context.Context) error) *service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{cancel, make(chan error, 1)}
	go func() { s.done <- f(ctx) }()
	return s
}

// close ends it and returns why it ended.
func (s *service) close() error {
	s.cancel()
	return <-s.done
}
