package scenarios

import (
	"cmp"
	"time"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/internal/strict"
)

// Gateway is the built-in gateway as a scenario sets it up.
type Gateway struct {
	Contract Contract `toml:"contract"`
	Buffer   Buffer   `toml:"buffer"`
	MQTT     MQTT     `toml:"mqtt"`
}

// Contract is what every sample owes: the terms under which devices are read
// and what the stack promises to deliver. Loss is counted against it.
type Contract struct {
	OPCUA  OPCUAContract  `toml:"opcua"`
	Modbus ModbusContract `toml:"modbus"`
	// Deadline is the age, from scan to twin, over which a sample is late.
	Deadline strict.Duration `toml:"deadline"`
	// Recover is the time a correct client is given to be back after a link
	// returns, or after the run or the gateway has started.
	Recover strict.Duration `toml:"recover"`
	// DurableWithin is the time after which what was delivered to the gateway
	// must survive its being killed.
	DurableWithin strict.Duration `toml:"durable_within"`
	Deliver       Deliver         `toml:"deliver"`
}

// OPCUAContract is a subscription and its monitored items.
type OPCUAContract struct {
	// Sampling is the shortest time between two values of an item; at most the
	// period of the scan means every scan.
	Sampling   strict.Duration `toml:"sampling"`
	Publishing strict.Duration `toml:"publishing"`
	// Queue is how many values the server keeps of each item while it cannot
	// publish; what overflows is unobtainable.
	Queue int `toml:"queue"`
	// Lifetime is how long a subscription outlives its client's connection.
	Lifetime strict.Duration `toml:"lifetime"`
	// Trigger is what makes a new value: status-value or
	// status-value-timestamp.
	Trigger string `toml:"trigger"`
}

// ModbusContract is how often registers are polled.
type ModbusContract struct {
	Poll strict.Duration `toml:"poll"`
	// FastPoll is the period for the block of a fast scan.
	FastPoll strict.Duration `toml:"fast_poll"`
}

// Deliver is what the stack promises to pass on: raw, or the values that leave
// a deadband. A transform that is not declared here counts as loss.
type Deliver struct {
	Kind string `toml:"kind"`
	// Deadband is in engineering units.
	Deadband float64 `toml:"deadband"`
}

// Buffer is the gateway's store-and-forward buffer: that part of buffer.Config
// which is a scenario's to say.
type Buffer struct {
	// Kind is disk, which is durable, memory or none.
	Kind     string       `toml:"kind"`
	MaxBytes strict.Bytes `toml:"max_bytes"`
	// Policy for a full buffer: reject-new holds the sources back, drop-oldest
	// gives up what has waited longest.
	Policy string `toml:"policy"`
	// Commit is how long the first sample of a group waits for others before
	// the group is synced to disk.
	Commit strict.Duration `toml:"commit"`
	// MaxAge is how long a sample is kept that cannot be delivered; 0 means as
	// long as there is room. What is given up so counts as lost.
	MaxAge strict.Duration `toml:"max_age,omitzero"`
}

// MQTT is the gateway's way north.
type MQTT struct {
	// KeepAlive is in whole seconds.
	KeepAlive strict.Duration `toml:"keep_alive"`
	// MaxBackoff is the longest pause between two attempts to connect.
	MaxBackoff strict.Duration `toml:"max_backoff"`
	// Format is "plantbed", or "sparkplug": then the gateway is an edge node of
	// the group Group.
	Format string `toml:"format,omitempty"`
	Group  string `toml:"group,omitempty"`
}

// Twin is the digital twin as a scenario sets it up.
type Twin struct {
	// StaleAfter is how long a tag that has a period may be silent before the
	// twin no longer shows it as good; 0 means five periods, at least 3 s.
	StaleAfter strict.Duration `toml:"stale_after"`
}

// The names that the fields above may have.
var (
	triggers     = []string{"status-value", "status-value-timestamp"}
	deliverKinds = []string{"raw", "deadband"}
)

func (g Gateway) validate() strict.Problems {
	ps := g.Contract.validate().Under("contract")
	ps = append(ps, g.Buffer.validate().Under("buffer")...)
	return append(ps, g.MQTT.validate().Under("mqtt")...)
}

func (c Contract) validate() strict.Problems {
	var ps strict.Problems
	if c.OPCUA.Sampling < 0 {
		ps.Addf("opcua.sampling", "%v is negative", c.OPCUA.Sampling)
	}
	atLeast(&ps, "opcua.publishing", c.OPCUA.Publishing, ms(1))
	atLeastInt(&ps, "opcua.queue", c.OPCUA.Queue, 1)
	atLeast(&ps, "opcua.lifetime", c.OPCUA.Lifetime, 3*c.OPCUA.Publishing)
	checkOneOf(&ps, "opcua.trigger", c.OPCUA.Trigger, triggers)
	atLeast(&ps, "modbus.poll", c.Modbus.Poll, ms(1))
	atLeast(&ps, "modbus.fast_poll", c.Modbus.FastPoll, ms(1))
	atLeast(&ps, "deadline", c.Deadline, ms(1))
	atLeast(&ps, "recover", c.Recover, 0)
	atLeast(&ps, "durable_within", c.DurableWithin, 0)
	checkOneOf(&ps, "deliver.kind", c.Deliver.Kind, deliverKinds)
	switch {
	case c.Deliver.Deadband < 0:
		ps.Addf("deliver.deadband", "%v is negative", c.Deliver.Deadband)
	case c.Deliver.Deadband > 0 && c.Deliver.Kind == "raw":
		ps.Add("deliver.deadband", "raw delivery has no deadband; write kind = \"deadband\"")
	}
	return ps
}

// withDefaults takes them from the buffer itself.
func (b Buffer) withDefaults() Buffer {
	c := b.config()
	c.Defaults()
	return Buffer{Kind: c.Kind, MaxBytes: c.MaxBytes, Policy: c.Policy, Commit: c.Commit, MaxAge: c.MaxAge}
}

func (b Buffer) config() buffer.Config {
	return buffer.Config{Kind: b.Kind, MaxBytes: b.MaxBytes, Policy: b.Policy, Commit: b.Commit, MaxAge: b.MaxAge}
}

func (b Buffer) validate() strict.Problems { return b.config().Validate() }

func (m MQTT) validate() strict.Problems {
	var ps strict.Problems
	atLeast(&ps, "keep_alive", m.KeepAlive, seconds(1))
	if m.KeepAlive.D()%time.Second != 0 {
		ps.Addf("keep_alive", "%v is not whole seconds, as MQTT has it", m.KeepAlive)
	}
	atLeast(&ps, "max_backoff", m.MaxBackoff, ms(100))
	checkOneOf(&ps, "format", cmp.Or(m.Format, mqtt.FormatPlantbed), []string{mqtt.FormatPlantbed, mqtt.FormatSparkplug})
	if m.Group != "" && m.Format != mqtt.FormatSparkplug {
		ps.Add("group", "only an edge node of Sparkplug has a group")
	}
	return ps
}

func atLeast(ps *strict.Problems, path string, got, least strict.Duration) {
	if got < least {
		ps.Addf(path, "%v is less than the least, %v", got, least)
	}
}

func atLeastInt(ps *strict.Problems, path string, got, least int) {
	if got < least {
		ps.Addf(path, "%d is less than the least, %d", got, least)
	}
}
