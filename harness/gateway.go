package harness

import (
	"net/url"
	"strings"

	"github.com/plantbed/plantbed/gateway"
	gwmodbus "github.com/plantbed/plantbed/gateway/modbus"
	gwopcua "github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/sim/plc"
)

// topicPrefix is the root of the MQTT topics of a run.
const topicPrefix = "plantbed"

// gatewayName is a level of the topics.
const gatewayName = "edge-1"

func isData(topic string) bool { return strings.HasSuffix(topic, "/data") }

// gatewayConfig is what the gateway of this run is told: the addresses of the
// links, never those of the servers behind them.
func gatewayConfig(r *run) gateway.Config {
	g := r.sc.Gateway
	c := gateway.Config{Name: gatewayName, Seed: r.sc.Seed}
	for i, p := range r.world.plcs {
		addr := r.south[i].wire.Addr()
		if r.opts.Tweak.Direct == p.Name() {
			addr = r.south[i].server.Addr().String()
		}
		if p.Config().Protocol == "modbus" {
			c.Modbus = append(c.Modbus, modbusSource(r, p, r.south[i], addr))
		} else {
			c.OPCUA = append(c.OPCUA, opcuaSource(r, p, r.south[i], addr))
			c.Tags = append(c.Tags, scaledTags(p)...)
		}
	}
	c.Tags = append(c.Tags, r.writableTags()...)
	c.MQTT.URL, c.MQTT.Prefix = "mqtt://"+r.north.Addr(), topicPrefix
	if u, err := url.Parse(r.sc.Broker.URL); err == nil && u.User != nil {
		c.MQTT.URL = (&url.URL{Scheme: "mqtt", User: u.User, Host: r.north.Addr()}).String()
	}
	c.MQTT.Format, c.MQTT.Group = g.MQTT.Format, g.MQTT.Group
	c.MQTT.KeepAlive, c.MQTT.MaxBackoff = g.MQTT.KeepAlive, g.MQTT.MaxBackoff
	c.Buffer.Kind, c.Buffer.MaxBytes, c.Buffer.Policy, c.Buffer.Commit, c.Buffer.MaxAge = g.Buffer.Kind, g.Buffer.MaxBytes, g.Buffer.Policy, g.Buffer.Commit, g.Buffer.MaxAge
	if g.Contract.Deliver.Kind == "deadband" {
		c.Deadband = g.Contract.Deliver.Deadband
	}
	if r.opts.Tweak.GatewayConfig != nil {
		r.opts.Tweak.GatewayConfig(&c)
	}
	c.Defaults()
	return c
}

func opcuaSource(r *run, p *plc.PLC, d *deviceLink, addr string) gwopcua.Config {
	t := r.sc.Gateway.Contract.OPCUA
	c := gwopcua.Config{Name: p.Name(), URL: "opc.tcp://" + addr, Sampling: t.Sampling, Publishing: t.Publishing, Queue: t.Queue, Lifetime: t.Lifetime, Trigger: t.Trigger, Security: d.secrets}
	for _, task := range p.Tasks() {
		for _, tag := range task.Tags {
			c.Tags = append(c.Tags, gwopcua.Tag{ID: tag.ID, Node: "ns=2;s=" + string(tag.ID), Namespace: "urn:plantbed:" + p.Name()})
		}
	}
	return c
}

// scaledTags are the tags that an OPC UA server gives as raw counts.
func scaledTags(p *plc.PLC) (out []gateway.Tag) {
	for _, task := range p.Tasks() {
		for _, tag := range task.Tags {
			if tag.Type.IsInteger() && tag.Scale != 1 {
				out = append(out, gateway.Tag{ID: tag.ID, Factor: tag.Scale})
			}
		}
	}
	return out
}

func modbusSource(r *run, p *plc.PLC, d *deviceLink, addr string) gwmodbus.Config {
	t := r.sc.Gateway.Contract.Modbus
	c := gwmodbus.Config{Name: p.Name(), URL: "tcp://" + addr, Unit: int(p.Config().Unit)}
	for _, b := range d.registers.Blocks {
		poll := t.Poll
		if p.Tasks()[b.Task].Name == "fast" {
			poll = t.FastPoll
		}
		counter := b.Counter
		block := gwmodbus.Block{Counter: &counter, Start: b.Start, Count: int(b.Count), Poll: poll}
		for _, reg := range d.registers.Registers {
			if reg.Task == b.Task && reg.Address >= b.Start && int(reg.Address) < int(b.Start)+int(b.Count) {
				block.Tags = append(block.Tags, gwmodbus.Tag{ID: reg.ID, Address: reg.Address, Type: reg.Type.String(), Scale: reg.Scale, Order: reg.Order.String()})
			}
		}
		c.Blocks = append(c.Blocks, block)
	}
	return c
}
