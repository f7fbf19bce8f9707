package faults

import (
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// Seam is a sort of thing that a fault can turn.
type Seam string

// The five seams.
const (
	SeamLink    Seam = "link"
	SeamKnob    Seam = "component"
	SeamChannel Seam = "sensor"
	SeamSwitch  Seam = "PLC"
	SeamHost    Seam = "host"
	// SeamBroker is the host under the broker.
	SeamBroker Seam = "broker"
)

func (s Seam) article() string { return "a " + string(s) }

// The classes of faults that a detector should tell apart.
const (
	ClassProcess       = "process"
	ClassSensor        = "sensor"
	ClassCommunication = "communication"
	ClassGateway       = "gateway"
)

// Kind describes a sort of fault for people.
type Kind struct {
	Name  string
	Seam  Seam
	Class string
	Doc   string
	// Keys are those of its own, besides those that every kind has.
	Keys []Key
	// Shows is what a client of the thing sees of it.
	Shows string
	// Gears are where it works: "" is in all that have a network.
	Gears string
}

// Gear says in which gears it works: those with a network have links and hosts,
// all of them machines and sensors.
func (k Kind) Gear() string {
	switch {
	case k.Gears != "":
		return k.Gears
	case k.Seam == SeamKnob || k.Seam == SeamChannel:
		return "all"
	}
	return "virtual, live"
}

// Key is a key of a kind.
type Key struct {
	Name     string
	Doc      string
	Required bool
	Example  string
}

// kind is a row of the table.
type kind struct {
	Kind
	// target is what stands for a target that was left out.
	target string
	// check adds what is wrong with the kind's own keys.
	check func(Config, *strict.Problems)
	// bind finds the seam; not ok where the plant has none of that name.
	bind func(p Plant, target string) (apply, bool)
	// group is shared by kinds that turn the same thing, and so compose.
	group string
	// effect is what the fault leaves to the best of clients; nil is everything.
	effect func(c Config, protocol string) Effect
	// instant kinds strike and are over.
	instant bool
}

// lasts is the key of every kind that has an end.
var lasts = Key{"for", "how long it lasts; without it, to the end of the run", false, `"45s"`}

// oneWay is the key of kinds that have a direction.
var oneWay = Key{"way", "one direction alone: " + ToServer + " or " + ToClient + " (default: both)", false, `"to_client"`}

var brokerState = Key{"state", "its sessions and retained messages then: kept (default) or lost", false, `"lost"`}

// kinds is the table of all faults.
var kinds = []kind{
	{Kind: Kind{Name: "link.down", Seam: SeamLink, Class: ClassCommunication, Doc: "the link is down: connections are cut and new ones fail", Keys: []Key{lasts,
		{"mode", "how it shows: rst (default), fin, blackhole or refuse", false, `"blackhole"`},
		{"way", "with a black hole: one direction alone, " + ToServer + " or " + ToClient, false, `"to_client"`}}},
		check: checkLinkDown, bind: bindLinkDown, effect: downEffect},
	{Kind: Kind{Name: "link.half_open", Seam: SeamLink, Class: ClassCommunication, Doc: "one end of every connection is gone, and the other is told nothing; new connections pass", Keys: []Key{lasts,
		{"end", "which is gone: server (default) or client", false, `"client"`}}},
		check: checkLinkHalfOpen, bind: bindLinkHalfOpen, effect: cutEffect},
	{Kind: Kind{Name: "link.stall", Seam: SeamLink, Class: ClassCommunication, Doc: "nothing passes, and all of it arrives at the end", Keys: []Key{lasts, oneWay}},
		check: checkLinkStall, bind: bindLinkStall, effect: cutEffect},
	{Kind: Kind{Name: "link.latency", Seam: SeamLink, Class: ClassCommunication, Doc: "everything on the link is late, each way, in order", Keys: []Key{lasts,
		{"delay", "one way", true, `"200ms"`},
		{"jitter", "by how much the delay varies", false, `"20ms"`},
		{"spread", "how it varies: uniform (default: plus or minus the jitter), normal or lognormal (the jitter is the standard deviation), pareto (never less than the delay, on average the jitter more)", false, `"pareto"`},
		oneWay}},
		check: checkLinkLatency, bind: bindLinkShape, group: "link.shape", effect: latencyEffect},
	{Kind: Kind{Name: "link.loss", Seam: SeamLink, Class: ClassCommunication, Doc: "packets are lost in bursts (Gilbert-Elliott), as TCP shows it: late, all that follows behind it", Keys: []Key{lasts,
		{"good", "how long no packet is lost, on average", true, `"20s"`},
		{"bad", "how long all packets are lost then, on average", true, `"300ms"`},
		{"rto", "after what time a lost packet is sent again, doubling each time (default 200ms)", false, `"1s"`},
		oneWay}},
		check: checkLinkLoss, bind: bindLinkShape, group: "link.shape", effect: lossEffect},
	{Kind: Kind{Name: "link.bandwidth", Seam: SeamLink, Class: ClassCommunication, Doc: "the link carries only so much, each way", Keys: []Key{lasts,
		{"rate", "bytes or bits per second", true, `"64 KiB/s"`}, oneWay}},
		check: checkLinkBandwidth, bind: bindLinkShape, group: "link.shape"},
	{Kind: Kind{Name: "link.slice", Seam: SeamLink, Class: ClassCommunication, Doc: "bytes come in small pieces", Keys: []Key{lasts,
		{"size", "the most at a time", true, `"7 B"`},
		{"gap", "the pause between two pieces (default 100µs)", false, `"5ms"`},
		oneWay}},
		check: checkLinkSlice, bind: bindLinkShape, group: "link.shape"},
	{Kind: Kind{Name: "link.profile", Seam: SeamLink, Class: ClassCommunication, Doc: "the link is like a network of that kind: latency, jitter, loss and bandwidth together", Keys: []Key{lasts,
		{"profile", "one of " + strings.Join(ProfileNames(), ", "), true, `"lte"`}}},
		check: checkLinkProfile, bind: bindLinkShape, group: "link.shape", effect: profileEffect},
	{Kind: Kind{Name: "link.frame", Seam: SeamLink, Class: ClassCommunication, Doc: "something happens to one chosen Modbus frame or MQTT packet", Keys: []Key{lasts,
		{"action", "hold, drop, repeat, reorder (it and the next change places) or cut (the connection is reset in its place)", true, `"hold"`},
		{"frame", "Modbus: " + strings.Join(ModbusFrames, ", ") + "; MQTT: publish, puback and so on", true, `"publish"`},
		{"delay", "how long it is held", false, `"3s"`},
		{"nth", "which of them since the fault began (default 1)", false, `4`},
		{"count", "how many from there on (default 1)", false, `2`},
		{"way", "the direction, where it is not the frame's usual one", false, `"to_server"`}}},
		check: checkLinkFrame, bind: bindLinkRules, group: "link.rules", effect: frameEffect},
	{Kind: Kind{Name: "link.cut", Seam: SeamLink, Class: ClassCommunication, Doc: "each connection is reset once so many bytes have passed", Keys: []Key{lasts,
		{"after", "how many, from the fault's beginning on each connection", true, `"10 KiB"`}, oneWay}},
		check: checkLinkBytes, bind: bindLinkRules, group: "link.rules", effect: cutEffect},
	{Kind: Kind{Name: "link.corrupt", Seam: SeamLink, Class: ClassCommunication, Doc: "one bit of one byte is wrong on each connection, unseen by TCP", Keys: []Key{lasts,
		{"after", "how many bytes pass before it", true, `"10 KiB"`}, oneWay}},
		check: checkLinkBytes, bind: bindLinkRules, group: "link.rules", effect: garbleEffect},

	{Kind: Kind{Name: "sensor.bias", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor reads too high or too low", Keys: []Key{lasts,
		{"bias", "of the sensor's span", true, `"-5 %"`}}},
		check: checkSensorBias, bind: bindSensorOffset, group: "sensor.offset"},
	{Kind: Kind{Name: "sensor.drift", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor's reading runs away from the truth", Keys: []Key{lasts,
		{"rate", "of the sensor's span per time", true, `"2 %/h"`}}},
		check: checkSensorDrift, bind: bindSensorOffset, group: "sensor.offset"},
	{Kind: Kind{Name: "sensor.gain", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor reads in a wrong proportion", Keys: []Key{lasts,
		{"gain", "of the true value, more or less", true, `"-30 %"`}}},
		check: checkSensorGain, bind: bindSensorGain},
	{Kind: Kind{Name: "sensor.temperature", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor's reading goes with the temperature of the hall: its compensation has failed", Keys: []Key{lasts,
		{"per_kelvin", "of the sensor's span for each kelvin away from 25 degC", true, `"0.2 %"`}}},
		check: checkSensorTemperature, bind: bindSensorTemperature},
	{Kind: Kind{Name: "sensor.stuck", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor repeats its last reading, with a good quality", Keys: []Key{lasts}},
		bind: bindSensorStuck},
	{Kind: Kind{Name: "sensor.noise", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor is noisier", Keys: []Key{lasts,
		{"factor", "times the healthy noise", true, `5`}}},
		check: checkSensorNoise, bind: bindSensorNoise},
	{Kind: Kind{Name: "sensor.spike", Seam: SeamChannel, Class: ClassSensor, Doc: "single readings are far off", Keys: []Key{lasts,
		{"chance", "of each reading", true, `"0.1 %"`},
		{"amplitude", "of the sensor's span, up or down", true, `"20 %"`}}},
		check: checkSensorSpike, bind: bindSensorSpike},
	{Kind: Kind{Name: "sensor.dropout", Seam: SeamChannel, Class: ClassSensor, Doc: "the sensor's signal is lost, and its quality bad", Keys: []Key{lasts}},
		bind: bindSensorDropout},

	{Kind: Kind{Name: "asset.bearing_wear", Seam: SeamKnob, Class: ClassProcess, Doc: "a bearing wears out and fails, at at + life", Keys: []Key{
		{"life", "from the onset to the failure", true, `"70m"`}}},
		check: checkBearingWear, bind: bindBearingWear},

	{Kind: Kind{Name: "plc.stop", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller goes to STOP: it answers, and its values and scan counter stand", Keys: []Key{lasts}},
		bind: bindPLCStop},
	{Kind: Kind{Name: "plc.freeze", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller goes on scanning and counting, and its values stand", Keys: []Key{lasts}},
		bind: bindPLCFreeze},
	{Kind: Kind{Name: "plc.bad_quality", Seam: SeamSwitch, Class: ClassCommunication, Doc: "every value of the controller says that it is bad", Keys: []Key{lasts,
		{"quality", "a status (default " + defaultQuality.String() + ")", false, `"BadSensorFailure"`}}},
		check: checkPLCBadQuality, bind: bindPLCBadQuality},
	{Kind: Kind{Name: "plc.clock", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller's clock is wrong; offset, drift or both", Keys: []Key{lasts,
		{"offset", "at once, ahead or behind", false, `"-1h"`},
		{"drift", "gained from then on", false, `"50 ppm"`}}},
		check: checkPLCClock, bind: bindPLCClock},
	{Kind: Kind{Name: "plc.restart", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller is down and comes up without a memory: no session, no subscription, counters at 0", Keys: []Key{
		{"for", "how long it takes; without it, to the end of the run", false, `"20s"`},
		{"ids", "the ids that it gives out then: new (default), or the same again", false, `"same"`}}},
		check: checkPLCRestart, bind: bindPLCRestart, effect: restartEffect},
	{Kind: Kind{Name: "plc.slow", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller answers late", Keys: []Key{lasts,
		{"delay", "how much later", true, `"800ms"`},
		{"once", "one answer alone, and those behind it on its connection", false, `true`}}},
		check: checkPLCSlow, bind: bindPLCSlow, effect: slowEffect},
	{Kind: Kind{Name: "plc.exception", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller answers with errors", Keys: []Key{lasts,
		{"code", "the error: " + strings.Join(PLCErrors, ", ") + "; the first is the default", false, `"device_failure"`},
		{"on", "one kind of request alone: " + strings.Join(PLCRequests, ", "), false, `"read"`},
		{"scope", "what is refused: a whole request (default) or an item in it", false, `"item"`},
		{"chance", "of each (default 100 %)", false, `"5 %"`}}},
		check: checkPLCException, bind: bindPLCException, effect: exceptionEffect},
	{Kind: Kind{Name: "plc.sessions_full", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller has no session left for who comes now", Keys: []Key{lasts}},
		bind: bindPLCSessionsFull, effect: lockEffect},
	{Kind: Kind{Name: "plc.node_gone", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller does not know some of its tags", Keys: []Key{lasts,
		{"tags", "which", true, `["filler/motor/current"]`}}},
		bind: bindPLCNodeGone, effect: goneEffect},
	{Kind: Kind{Name: "plc.namespace_moved", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the index of an OPC UA controller's namespace is another; its sessions end", Keys: []Key{lasts}},
		bind: bindPLCNamespaceMoved, effect: movedEffect},
	{Kind: Kind{Name: "plc.no_republish", Seam: SeamSwitch, Class: ClassCommunication, Doc: "an OPC UA controller keeps nothing of what it has sent", Keys: []Key{lasts}},
		bind: bindPLCNoRepublish, effect: brittleEffect},
	{Kind: Kind{Name: "plc.cert_rotated", Seam: SeamSwitch, Class: ClassCommunication, Doc: "an OPC UA controller shows a new certificate", Keys: []Key{lasts}},
		bind: bindPLCCertificate, group: "plc.certificate"},
	{Kind: Kind{Name: "plc.cert_expired", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the certificate of an OPC UA controller has expired", Keys: []Key{lasts}},
		bind: bindPLCCertificate, group: "plc.certificate", effect: lockEffect},
	{Kind: Kind{Name: "plc.counter_wrap", Seam: SeamSwitch, Class: ClassCommunication, Doc: "the controller's scan counters go through 2^32 - 1 to 0", Keys: []Key{lasts,
		{"scans", "how many scans later (default 10)", false, `5`}}},
		bind: bindPLCCounterWrap},

	{Kind: Kind{Name: "gateway.kill", Seam: SeamHost, Class: ClassGateway, Doc: "the gateway is killed, and started again when the time is over", Keys: []Key{lasts,
		{"on", "at an operation of its disk: " + strings.Join(DiskOps, ", "), false, `"sync"`},
		{"nth", "which of these from the fault's beginning (default 1)", false, `3`},
		{"torn", "a part of what was written and not synced is kept", false, `true`}}},
		target: "gateway", check: checkGatewayKill, bind: bindGatewayLife, group: "gateway.life"},
	{Kind: Kind{Name: "gateway.restart", Seam: SeamHost, Class: ClassGateway, Doc: "the gateway is asked to end, and started again when the time is over", Keys: []Key{lasts}},
		target: "gateway", bind: bindGatewayLife, group: "gateway.life", effect: cutEffect},
	{Kind: Kind{Name: "gateway.pause", Seam: SeamHost, Class: ClassGateway, Doc: "the gateway stands still, and goes on as if nothing had been", Keys: []Key{lasts}},
		target: "gateway", bind: bindGatewayPause, effect: cutEffect},
	{Kind: Kind{Name: "gateway.config_push", Seam: SeamHost, Class: ClassGateway, Doc: "the gateway's configuration is pushed at it once more, unchanged", Keys: nil},
		target: "gateway", bind: bindGatewayConfigPush, instant: true},
	{Kind: Kind{Name: "gateway.clock", Seam: SeamHost, Class: ClassGateway, Doc: "the wall clock of the gateway's host is wrong; offset, drift or both", Keys: []Key{lasts,
		{"offset", "at once, ahead or behind", false, `"-72h"`},
		{"drift", "gained from then on", false, `"200 ppm"`}}, Gears: "live"},
		target: "gateway", check: checkGatewayClock, bind: bindGatewayClock},
	{Kind: Kind{Name: "gateway.disk_full", Seam: SeamHost, Class: ClassGateway, Doc: "the gateway's disk is full", Keys: []Key{lasts,
		{"after", "what still fits on it; without it, nothing", false, `"64 KiB"`}}},
		target: "gateway", check: checkGatewayDiskFull, bind: bindGatewayDisk, group: "gateway.disk", effect: cutEffect},
	{Kind: Kind{Name: "gateway.disk_slow", Seam: SeamHost, Class: ClassGateway, Doc: "the gateway's disk takes its time over every sync", Keys: []Key{lasts,
		{"sync", "how long a sync takes", true, `"200ms"`}}},
		target: "gateway", check: checkGatewayDiskSlow, bind: bindGatewayDisk, group: "gateway.disk", effect: diskSlowEffect},
	{Kind: Kind{Name: "gateway.disk_read_only", Seam: SeamHost, Class: ClassGateway, Doc: "nothing can be changed on the gateway's disk, as after an error of its file system", Keys: []Key{lasts}},
		target: "gateway", bind: bindGatewayDisk, group: "gateway.disk", effect: cutEffect},
	{Kind: Kind{Name: "gateway.bit_flip", Seam: SeamHost, Class: ClassGateway, Doc: "one bit of what the gateway has stored is turned over", Keys: []Key{
		{"place", "where in its newest segment, from its beginning (default 50 %)", false, `"90 %"`}}},
		target: "gateway", check: checkGatewayBitFlip, bind: bindGatewayBitFlip, instant: true},

	{Kind: Kind{Name: "broker.stop", Seam: SeamBroker, Class: ClassCommunication, Doc: "the broker is gone: connections are reset and new ones refused", Keys: []Key{lasts, brokerState}},
		target: "broker", check: checkBrokerStop, bind: bindBrokerStop, effect: deafEffect, group: "broker.stop"},
	{Kind: Kind{Name: "broker.restart", Seam: SeamBroker, Class: ClassCommunication, Doc: "the broker ends and is there again at once", Keys: []Key{brokerState}},
		target: "broker", check: checkBrokerStop, bind: bindBrokerStop, effect: deafEffect, group: "broker.stop", instant: true},
	{Kind: Kind{Name: "broker.quota", Seam: SeamBroker, Class: ClassCommunication, Doc: "the broker refuses every message of the gateway: quota exceeded (0x97)", Keys: []Key{lasts}},
		target: "broker", bind: bindBrokerQuota},
	{Kind: Kind{Name: "broker.credential_revoked", Seam: SeamBroker, Class: ClassCommunication, Doc: "the broker throws the gateway out and takes its credentials no more (0x87)", Keys: []Key{lasts}},
		target: "broker", bind: bindBrokerRevoked},
	{Kind: Kind{Name: "broker.duplicate_client_id", Seam: SeamBroker, Class: ClassCommunication, Doc: "another client takes over the gateway's session, again and again", Keys: []Key{lasts}},
		target: "broker", bind: bindBrokerDuplicate},
}

// Kinds lists all kinds of faults, grouped by their seams.
func Kinds() []Kind {
	out := make([]Kind, len(kinds))
	for i, k := range kinds {
		out[i] = k.Kind
		out[i].Keys = append([]Key(nil), k.Keys...)
		out[i].Shows = shows[k.Name]
	}
	return out
}

func lookup(name string) (*kind, bool) {
	for i := range kinds {
		if kinds[i].Name == name {
			return &kinds[i], true
		}
	}
	return nil, false
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

// composes names what windows of this kind have in common with those of others.
func (k *kind) composes() string {
	if k.group != "" {
		return k.group
	}
	return k.Name
}

func (k *kind) knows(key string) bool {
	for _, own := range k.Keys {
		if own.Name == key {
			return true
		}
	}
	return false
}

func (k *kind) keyList() string {
	names := []string{"kind", "target", "at"}
	for _, key := range k.Keys {
		names = append(names, key.Name)
	}
	return strings.Join(names, ", ") + ", and those of a schedule"
}
