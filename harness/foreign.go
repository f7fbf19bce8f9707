package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	gwmqtt "github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/mqtt"
)

// foreign is a gateway that is not the built-in one.
type foreign struct {
	sut sut.SUT
	// listen is where links must listen for it, "" for the loopback.
	listen string
}

// voice is how a gateway's messages are read that are not in the native form:
// mapped at the broker's tap and at the twin's door.
type voice struct{ tap, door *sut.Mapper }

// prepareForeign does what takes long, before the run's clock starts.
func (r *run) prepareForeign(ctx context.Context) error {
	if !r.sc.Foreign() {
		return nil
	}
	s, err := sut.New(*r.sc.SUT, sut.Options{Dir: r.opts.Dir, Log: r.log.With("part", "sut"), SmallDisk: r.plans("gateway.disk_full"), OwnClock: r.plans("gateway.clock"),
		Samples: func() int64 { return r.tap.mapped.Load() },
		Died: func(err error) {
			r.tap.note("gateway ended", 0, err.Error())
			r.log.Error("the system under test is gone", "err", err)
		}})
	if err != nil {
		return err
	}
	f := &foreign{sut: s}
	if f.listen, err = s.Prepare(ctx); err != nil {
		return errors.Join(err, s.Stop())
	}
	r.foreign = f
	return nil
}

// mapForeign compiles the mapping for the tags of the run, once for each place
// that uses it. The native form needs none.
func (r *run) mapForeign() error {
	var c sut.Config
	switch m := r.sc.Gateway.MQTT; {
	case r.foreign != nil:
		c = *r.sc.SUT
	case m.Format == gwmqtt.FormatSparkplug:
		c = sparkplugVoice(m.Group)
	default:
		return nil
	}
	v := &voice{}
	for _, into := range []**sut.Mapper{&v.tap, &v.door} {
		m, ps := c.Mapper(r.endpoints())
		if len(ps) > 0 {
			return fmt.Errorf("the mapping of [sut] does not hold: %w", ps.Err())
		}
		*into = m
	}
	r.voice = v
	return nil
}

// sparkplugVoice reads the built-in gateway as an edge node. A birth repeats
// what was sent already, and a death was not sampled.
func sparkplugVoice(group string) sut.Config {
	return sut.Config{Output: sut.Output{Topics: []string{"spBv1.0/" + cmp.Or(group, "plantbed") + "/#"}, Format: "sparkplug", When: `parts[2] == "NDATA"`}}
}

// sparkplugTick is the resolution of Sparkplug's time stamps.
const sparkplugTick = time.Millisecond

// twinDoor has the twin read what the SUT publishes.
func (r *run) twinDoor() *mqtt.Foreign {
	if r.voice == nil {
		return nil
	}
	d := r.voice.door
	return &mqtt.Foreign{Topics: d.Topics(), Takes: d.Takes, Decode: d.Decode}
}

// anyPort is where a link listens whose address is nobody's to say.
func (r *run) anyPort() string {
	if r.foreign == nil || r.foreign.listen == "" {
		return ""
	}
	return net.JoinHostPort(r.foreign.listen, "0")
}

// tapBelow is the prefix of the topics that the tap of a stranger's broker sees.
func (r *run) tapBelow() string {
	if r.voice != nil {
		return ""
	}
	return topicPrefix
}

// decode reads a message at the broker's tap; ok is false where it is none of
// the gateway's.
func (t *taps) decode(topic string, body []byte, at time.Time) (b payload.Batch, ok bool, err error) {
	if v := t.r.voice; v != nil {
		if !v.tap.Takes(topic) {
			return b, false, nil
		}
		b, err = v.tap.Decode(topic, body, at)
		t.mapped.Add(int64(len(b.Samples)))
		return b, len(b.Samples) > 0 || err != nil, err
	}
	if !isData(topic) {
		return b, false, nil
	}
	b, err = t.decoder.Decode(body)
	return b, true, err
}

// source is the source time of a sample as the record holds it.
func (t *taps) source(s *signal.Sample) int64 {
	if !sut.HasTime(*s) {
		return record.NoSource
	}
	return t.ns(s.SourceTime)
}

// foreignHost is the host of a SUT. Starting and killing one may take a while,
// and the world must not wait for it: they happen one after another on a
// goroutine of their own.
type foreignHost struct {
	*foreign
	r    *run
	ops  chan func(context.Context)
	over *service
}

// opsWaiting is how many kills and restarts may wait to be done.
const opsWaiting = 1024

func (r *run) startForeign() host {
	h := &foreignHost{foreign: r.foreign, r: r, ops: make(chan func(context.Context), opsWaiting)}
	h.over = start(func(ctx context.Context) error {
		for {
			select {
			case op := <-h.ops:
				op(ctx)
			case <-ctx.Done():
				return nil
			}
		}
	})
	h.ops <- h.first
	return h
}

// first starts it; one that does not come up ends the run.
func (h *foreignHost) first(ctx context.Context) {
	begun := time.Now()
	if err := h.sut.Start(ctx, h.r.endpoints()); err != nil {
		h.r.fail(err)
		return
	}
	go h.await(ctx, begun, h.r.fail)
}

// await waits until the latest start is ready.
func (h *foreignHost) await(ctx context.Context, begun time.Time, fail func(error)) {
	err := h.sut.Ready(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		fail(err)
	default:
		h.r.tap.note("gateway ready", time.Since(begun).Seconds(), "")
	}
}

func (h *foreignHost) do(what string, op func(context.Context) error) {
	h.ops <- func(ctx context.Context) {
		if err := op(ctx); err != nil {
			h.r.log.Error("the system under test: "+what, "err", err)
			return
		}
		h.r.tap.note("gateway "+what, 0, "")
	}
}

func (h *foreignHost) Kill(at faults.DiskPoint) error {
	if at.Op != "" {
		return errStrangersDisk
	}
	h.do("killed", func(context.Context) error { return h.sut.Kill() })
	return nil
}

// Stop is a kill, as far as is known of a stranger.
func (h *foreignHost) Stop() { _ = h.Kill(faults.DiskPoint{}) }

func (h *foreignHost) Restart() error {
	h.do("restarted", func(ctx context.Context) error {
		begun := time.Now()
		if err := h.sut.Restart(ctx); err != nil {
			return err
		}
		go h.await(ctx, begun, func(err error) { h.r.log.Error("the system under test is not ready again", "err", err) })
		return nil
	})
	return nil
}

func (h *foreignHost) Pause(on bool) {
	what := map[bool]string{true: "paused", false: "resumed"}[on]
	h.do(what, func(context.Context) error { return h.sut.Pause(on) })
}

// Of the disk under a stranger only its room and its files are within reach;
// Validate says so of the rest before a run begins.

func (h *foreignHost) DiskFull(after int64) {
	h.must("disk full", func() error { return h.sut.Full(after) })
}

func (h *foreignHost) ClearDisk() { h.must("disk with room again", h.sut.Room) }

// must is do for what ends the run where it fails: a run without its fault is
// not that of the scenario.
func (h *foreignHost) must(what string, op func() error) {
	h.ops <- func(context.Context) {
		if err := op(); err != nil {
			h.r.fail(fmt.Errorf("the system under test: %s: %w", what, err))
			return
		}
		h.r.tap.note("gateway "+what, 0, "")
	}
}

func (h *foreignHost) DiskSlow(time.Duration) { h.r.fail(errStrangersDisk) }

func (h *foreignHost) DiskReadOnly(on bool) {
	if on {
		h.r.fail(errStrangersDisk)
	}
}

var errStrangersDisk = errors.New("the syncs and opens of a stranger are out of reach; this fault needs the built-in gateway")

func (h *foreignHost) PushConfig() error {
	return errors.New("how a stranger takes a configuration is not known; gateway.config_push needs the built-in gateway")
}

func (h *foreignHost) FlipBit(place float64) error {
	h.ops <- func(context.Context) {
		file, at, err := h.sut.Flip(place)
		if err != nil {
			h.r.fail(fmt.Errorf("gateway.bit_flip: %w", err))
			return
		}
		h.r.tap.note("bit flipped", float64(at), file)
	}
	return nil
}

func (h *foreignHost) Clock(offset time.Duration, drift float64) error {
	h.must(fmt.Sprintf("clock off by %s", offset), func() error { return h.sut.Clock(offset, drift) })
	return nil
}

// settled cannot be known from outside; the drain goes by what arrives.
func (h *foreignHost) settled() bool { return true }

func (h *foreignHost) close() error { return h.over.close() }

// stopForeign ends the SUT; before its host is closed it may still be starting.
func (r *run) stopForeign() error {
	if r.foreign == nil {
		return nil
	}
	return r.foreign.sut.Stop()
}

// endpoints is what the SUT is told: the addresses of the links, never those
// of the servers behind them. Before the links listen it has none.
func (r *run) endpoints() sut.Endpoints {
	e := sut.Endpoints{Scenario: r.sc.Name, Seed: r.sc.Seed, Plantbed: r.opts.Exe}
	if e.Plantbed == "" {
		e.Plantbed, _ = os.Executable()
	}
	if r.north != nil {
		e.Broker.Host, e.Broker.Port = hostPort(r.north.Addr())
		u := url.URL{Scheme: "mqtt", Host: r.north.Addr()}
		if own, err := url.Parse(r.sc.Broker.URL); err == nil && own.User != nil {
			u.User = own.User
			e.Broker.User = own.User.Username()
			e.Broker.Password, _ = own.User.Password()
		}
		e.Broker.URL = u.String()
	}
	for i, p := range r.world.plcs {
		var d *deviceLink
		if i < len(r.south) {
			d = r.south[i]
		}
		e.PLCs = append(e.PLCs, r.endpoint(p, d))
	}
	return e
}

func (r *run) endpoint(p *plc.PLC, d *deviceLink) sut.PLC {
	c := r.sc.Gateway.Contract
	out := sut.PLC{Name: p.Name(), Protocol: p.Config().Protocol}
	if d != nil {
		out.URL = endpointURL(p, d)
		out.Host, out.Port = hostPort(reachable(d.wire.Addr()))
	}
	modbus := out.Protocol == "modbus"
	if modbus {
		out.Unit, out.Sampling = int(p.Config().Unit), c.Modbus.Poll.D()
	} else {
		out.Namespace = "urn:plantbed:" + p.Name()
		out.Sampling, out.Publishing, out.Lifetime, out.Queue, out.Trigger = c.OPCUA.Sampling.D(), c.OPCUA.Publishing.D(), c.OPCUA.Lifetime.D(), c.OPCUA.Queue, c.OPCUA.Trigger
	}
	for _, task := range p.Tasks() {
		for _, tag := range task.Tags {
			t := sut.Tag{ID: tag.ID, Unit: tag.Unit, Type: tag.Type.String(), Scale: tag.Scale, Period: task.Period, Name: string(tag.ID)}
			if !modbus {
				t.Node = "ns=2;s=" + string(tag.ID)
			}
			out.Tags = append(out.Tags, t)
		}
	}
	if d != nil && d.registers != nil {
		r.placeRegisters(&out, p, d)
	}
	return out
}

// placeRegisters says where the tags of a Modbus device stand, and in which
// blocks they are read.
func (r *run) placeRegisters(out *sut.PLC, p *plc.PLC, d *deviceLink) {
	at := map[signal.ID]int{}
	for i, t := range out.Tags {
		at[t.ID] = i
	}
	for _, b := range d.registers.Blocks {
		block := sut.Block{Start: int(b.Start), Count: int(b.Count), Counter: int(b.Counter), Poll: r.sc.Gateway.Contract.Modbus.Poll.D()}
		if p.Tasks()[b.Task].Name == "fast" {
			block.Poll = r.sc.Gateway.Contract.Modbus.FastPoll.D()
		}
		for _, reg := range d.registers.Registers {
			if reg.Task != b.Task || reg.Address < b.Start || int(reg.Address) >= int(b.Start)+int(b.Count) {
				continue
			}
			t := &out.Tags[at[reg.ID]]
			t.Register, t.Words, t.Order = int(reg.Address), reg.Words(), reg.Order.String()
			block.Tags = append(block.Tags, *t)
		}
		out.Blocks = append(out.Blocks, block)
	}
}

func hostPort(addr string) (string, int) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, 0
	}
	n, _ := strconv.Atoi(port)
	return host, n
}

// sparkplug notes what a message of an edge node says of its order: its kind,
// its sequence number, and the number that ties a death to a birth.
func (t *taps) sparkplug(topic string, body []byte) {
	parts := strings.Split(topic, "/")
	if len(parts) < 4 || parts[0] != "spBv1.0" {
		return
	}
	text, n := parts[2], float64(-1)
	if seq, ok := sparkplug.Sequence(body); ok {
		n = float64(seq)
	}
	if seq, ok := sparkplug.BdSeq(body); ok {
		text += fmt.Sprintf(" bdSeq %d", seq)
	}
	t.note(noteSparkplug, n, text)
}

const noteSparkplug = "sparkplug"
