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
	// Keys are those of its own, besides kind, target and at.
	Keys []Key
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
}

// lasts is the key of every kind that has an end.
var lasts = Key{"for", "how long it lasts; without it, to the end of the run", false, `"45s"`}

// kinds is the table of all faults.
var kinds = []kind{
	{Kind: Kind{"link.down", SeamLink, ClassCommunication, "the link is down: connections are cut and new ones fail", []Key{lasts,
		{"mode", "how it shows: rst (default), fin, blackhole or refuse", false, `"blackhole"`}}},
		check: checkLinkDown, bind: bindLinkDown},
	{Kind: Kind{"link.latency", SeamLink, ClassCommunication, "everything on the link is late, each way, in order", []Key{lasts,
		{"delay", "one way", true, `"200ms"`},
		{"jitter", "the delay varies by plus or minus this, uniformly", false, `"20ms"`}}},
		check: checkLinkLatency, bind: bindLinkLatency},
	{Kind: Kind{"link.bandwidth", SeamLink, ClassCommunication, "the link carries only so much, each way", []Key{lasts,
		{"rate", "bytes or bits per second", true, `"64 KiB/s"`}}},
		check: checkLinkBandwidth, bind: bindLinkBandwidth},
	{Kind: Kind{"link.stall", SeamLink, ClassCommunication, "nothing passes, and all of it arrives at the end: lost packets as TCP shows them", []Key{lasts}},
		bind: bindLinkStall},

	{Kind: Kind{"sensor.bias", SeamChannel, ClassSensor, "the sensor reads too high or too low", []Key{lasts,
		{"bias", "of the sensor's span", true, `"-5 %"`}}},
		check: checkSensorBias, bind: bindSensorOffset, group: "sensor.offset"},
	{Kind: Kind{"sensor.drift", SeamChannel, ClassSensor, "the sensor's reading runs away from the truth", []Key{lasts,
		{"rate", "of the sensor's span per time", true, `"2 %/h"`}}},
		check: checkSensorDrift, bind: bindSensorOffset, group: "sensor.offset"},
	{Kind: Kind{"sensor.gain", SeamChannel, ClassSensor, "the sensor reads in a wrong proportion", []Key{lasts,
		{"gain", "of the true value, more or less", true, `"-30 %"`}}},
		check: checkSensorGain, bind: bindSensorGain},
	{Kind: Kind{"sensor.stuck", SeamChannel, ClassSensor, "the sensor repeats its last reading, with a good quality", []Key{lasts}},
		bind: bindSensorStuck},
	{Kind: Kind{"sensor.noise", SeamChannel, ClassSensor, "the sensor is noisier", []Key{lasts,
		{"factor", "times the healthy noise", true, `5`}}},
		check: checkSensorNoise, bind: bindSensorNoise},
	{Kind: Kind{"sensor.spike", SeamChannel, ClassSensor, "single readings are far off", []Key{lasts,
		{"chance", "of each reading", true, `"0.1 %"`},
		{"amplitude", "of the sensor's span, up or down", true, `"20 %"`}}},
		check: checkSensorSpike, bind: bindSensorSpike},
	{Kind: Kind{"sensor.dropout", SeamChannel, ClassSensor, "the sensor's signal is lost, and its quality bad", []Key{lasts}},
		bind: bindSensorDropout},

	{Kind: Kind{"asset.bearing_wear", SeamKnob, ClassProcess, "a bearing wears out and fails, at at + life", []Key{
		{"life", "from the onset to the failure", true, `"70m"`}}},
		check: checkBearingWear, bind: bindBearingWear},

	{Kind: Kind{"plc.stop", SeamSwitch, ClassCommunication, "the controller goes to STOP: it answers, and its values and scan counter stand", []Key{lasts}},
		bind: bindPLCStop},
	{Kind: Kind{"plc.freeze", SeamSwitch, ClassCommunication, "the controller goes on scanning and counting, and its values stand", []Key{lasts}},
		bind: bindPLCFreeze},
	{Kind: Kind{"plc.bad_quality", SeamSwitch, ClassCommunication, "every value of the controller says that it is bad", []Key{lasts,
		{"quality", "a status (default " + defaultQuality.String() + ")", false, `"BadSensorFailure"`}}},
		check: checkPLCBadQuality, bind: bindPLCBadQuality},
	{Kind: Kind{"plc.clock", SeamSwitch, ClassCommunication, "the controller's clock is wrong; offset, drift or both", []Key{lasts,
		{"offset", "at once, ahead or behind", false, `"-1h"`},
		{"drift", "gained from then on", false, `"50 ppm"`}}},
		check: checkPLCClock, bind: bindPLCClock},
	{Kind: Kind{"plc.restart", SeamSwitch, ClassCommunication, "the controller is down and comes up without a memory: no session, no subscription, counters at 0", []Key{
		{"for", "how long it takes; without it, to the end of the run", false, `"20s"`},
		{"ids", "the ids that it gives out then: new (default), or the same again", false, `"same"`}}},
		check: checkPLCRestart, bind: bindPLCRestart},
	{Kind: Kind{"plc.slow", SeamSwitch, ClassCommunication, "the controller answers late", []Key{lasts,
		{"delay", "how much later", true, `"800ms"`},
		{"once", "one answer alone, and those behind it on its connection", false, `true`}}},
		check: checkPLCSlow, bind: bindPLCSlow},
	{Kind: Kind{"plc.exception", SeamSwitch, ClassCommunication, "the controller answers with errors", []Key{lasts,
		{"code", "the error: " + strings.Join(PLCErrors, ", ") + "; the first is the default", false, `"device_failure"`},
		{"on", "one kind of request alone: " + strings.Join(PLCRequests, ", "), false, `"read"`},
		{"scope", "what is refused: a whole request (default) or an item in it", false, `"item"`},
		{"chance", "of each (default 100 %)", false, `"5 %"`}}},
		check: checkPLCException, bind: bindPLCException},
	{Kind: Kind{"plc.sessions_full", SeamSwitch, ClassCommunication, "the controller has no session left for who comes now", []Key{lasts}},
		bind: bindPLCSessionsFull},
	{Kind: Kind{"plc.node_gone", SeamSwitch, ClassCommunication, "the controller does not know some of its tags", []Key{lasts,
		{"tags", "which", true, `["filler/motor/current"]`}}},
		bind: bindPLCNodeGone},
	{Kind: Kind{"plc.namespace_moved", SeamSwitch, ClassCommunication, "the index of an OPC UA controller's namespace is another; its sessions end", []Key{lasts}},
		bind: bindPLCNamespaceMoved},
	{Kind: Kind{"plc.no_republish", SeamSwitch, ClassCommunication, "an OPC UA controller keeps nothing of what it has sent", []Key{lasts}},
		bind: bindPLCNoRepublish},
	{Kind: Kind{"plc.cert_rotated", SeamSwitch, ClassCommunication, "an OPC UA controller shows a new certificate", []Key{lasts}},
		bind: bindPLCCertificate, group: "plc.certificate"},
	{Kind: Kind{"plc.cert_expired", SeamSwitch, ClassCommunication, "the certificate of an OPC UA controller has expired", []Key{lasts}},
		bind: bindPLCCertificate, group: "plc.certificate"},
	{Kind: Kind{"plc.counter_wrap", SeamSwitch, ClassCommunication, "the controller's scan counters go through 2^32 - 1 to 0", []Key{lasts,
		{"scans", "how many scans later (default 10)", false, `5`}}},
		bind: bindPLCCounterWrap},

	{Kind: Kind{"gateway.kill", SeamHost, ClassGateway, "the gateway is killed, and started again when the time is over", []Key{lasts}},
		target: "gateway", bind: bindGatewayKill},
	{Kind: Kind{"gateway.pause", SeamHost, ClassGateway, "the gateway stands still, and goes on as if nothing had been", []Key{lasts}},
		target: "gateway", bind: bindGatewayPause},
	{Kind: Kind{"gateway.disk_full", SeamHost, ClassGateway, "the gateway's disk is full", []Key{lasts,
		{"after", "what still fits on it; without it, nothing", false, `"64 KiB"`}}},
		target: "gateway", check: checkGatewayDiskFull, bind: bindGatewayDisk, group: "gateway.disk"},
	{Kind: Kind{"gateway.disk_slow", SeamHost, ClassGateway, "the gateway's disk takes its time over every sync", []Key{lasts,
		{"sync", "how long a sync takes", true, `"200ms"`}}},
		target: "gateway", check: checkGatewayDiskSlow, bind: bindGatewayDisk, group: "gateway.disk"},
}

// Kinds lists all kinds of faults, grouped by their seams.
func Kinds() []Kind {
	out := make([]Kind, len(kinds))
	for i, k := range kinds {
		out[i] = k.Kind
		out[i].Keys = append([]Key(nil), k.Keys...)
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
	names := append([]string(nil), common...)
	for _, key := range k.Keys {
		names = append(names, key.Name)
	}
	return strings.Join(names, ", ")
}
