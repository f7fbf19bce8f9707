package sut

import (
	"net"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Endpoints is what a SUT is told of a run: the addresses of its links and what
// is to be read behind them. It is what templates see as the dot.
type Endpoints struct {
	// Scenario and Seed name the run.
	Scenario string
	Seed     uint64
	// Dir is the SUT's directory as it sees it, absolute; Plantbed is this
	// program's file.
	Dir, Plantbed string
	Broker        Broker
	PLCs          []PLC

	ports *ports
}

// Broker is where the SUT publishes.
type Broker struct {
	// URL is mqtt://host:port, with user and password where the broker asks.
	URL, Host      string
	Port           int
	User, Password string
}

// PLC is a device as it is reached through its link.
type PLC struct {
	Name string
	// Protocol is opcua or modbus.
	Protocol string
	// URL is opc.tcp://host:port or tcp://host:port.
	URL, Host string
	Port      int
	// Namespace is the URI of the tags' OPC UA namespace, whose index is 2.
	Namespace string
	// Unit is the Modbus unit id.
	Unit int
	// Tags are all of it; a Modbus device has them by Blocks too.
	Tags   []Tag
	Blocks []Block
	// The terms of the contract: of a subscription, or the period of a poll.
	Sampling, Publishing, Lifetime time.Duration
	Queue                          int
	Trigger                        string
}

// IsOPCUA and IsModbus are for templates.
func (p PLC) IsOPCUA() bool  { return p.Protocol == "opcua" }
func (p PLC) IsModbus() bool { return p.Protocol == "modbus" }

// Tag is one signal of a PLC.
type Tag struct {
	ID   signal.ID
	Unit signal.Unit
	// Type is bool, int16, uint16, int32, uint32, int64, uint64, float or double.
	Type string
	// Scale is engineering units per raw count; 1 for floats.
	Scale float64
	// Period is that of its scan.
	Period time.Duration
	// Node is its OPC UA node id, such as "ns=2;s=pump/motor/current", and
	// Name the part after s=.
	Node, Name string
	// Register is the Modbus address of its first register, counted from 0,
	// Words how many it takes, Order how their bytes lie: abcd, cdab, badc, dcba.
	Register, Words int
	Order           string
}

// Block is a run of registers that is read in one request: a scan counter, an
// unsigned 32-bit number with the high word first, and the tags latched with it.
type Block struct {
	Start, Count, Counter int
	Poll                  time.Duration
	Tags                  []Tag
}

// OPCUA and Modbus are the PLCs of each protocol.
func (e Endpoints) OPCUA() []PLC  { return e.of("opcua") }
func (e Endpoints) Modbus() []PLC { return e.of("modbus") }

func (e Endpoints) of(protocol string) (out []PLC) {
	for _, p := range e.PLCs {
		if p.Protocol == protocol {
			out = append(out, p)
		}
	}
	return out
}

// ports are the free ports that templates have asked for, by name.
type ports struct{ byName map[string]int }

// get is a port that was free a moment ago, the same for the same name.
func (p *ports) get(name string) (int, error) {
	if p == nil {
		return 40000, nil // an example
	}
	if n := p.byName[name]; n != 0 {
		return n, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	if p.byName == nil {
		p.byName = map[string]int{}
	}
	p.byName[name] = l.Addr().(*net.TCPAddr).Port
	return p.byName[name], nil
}

// example is what templates and expressions are tried on.
var example = Endpoints{
	Scenario: "example", Seed: 1, Dir: "/sut", Plantbed: "plantbed",
	Broker: Broker{URL: "mqtt://127.0.0.1:1883", Host: "127.0.0.1", Port: 1883},
	PLCs: []PLC{
		{Name: "plc-a", Protocol: "opcua", URL: "opc.tcp://127.0.0.1:4840", Host: "127.0.0.1", Port: 4840, Namespace: "urn:plantbed:plc-a",
			Sampling: time.Second, Publishing: time.Second, Lifetime: 10 * time.Minute, Queue: 50, Trigger: "status-value",
			Tags: []Tag{{ID: "pump/motor/current", Unit: "A", Type: "float", Scale: 1, Period: time.Second, Node: "ns=2;s=pump/motor/current", Name: "pump/motor/current"}}},
		{Name: "plc-b", Protocol: "modbus", URL: "tcp://127.0.0.1:502", Host: "127.0.0.1", Port: 502, Unit: 1, Sampling: time.Second,
			Tags:   []Tag{{ID: "oven/zone-1/temp", Unit: "degC", Type: "int16", Scale: 0.1, Period: time.Second, Register: 2, Words: 1, Order: "abcd"}},
			Blocks: []Block{{Start: 0, Count: 3, Counter: 0, Poll: time.Second, Tags: []Tag{{ID: "oven/zone-1/temp", Unit: "degC", Type: "int16", Scale: 0.1, Period: time.Second, Register: 2, Words: 1, Order: "abcd"}}}}},
	},
}
