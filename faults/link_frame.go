package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// FrameActions are what can happen to a frame on a link.
var FrameActions = []string{"hold", "drop", "repeat", "reorder", "cut"}

// The frames that can be chosen, by protocol. A Modbus exception is a response too.
var (
	ModbusFrames = []string{"request", "response", "exception"}
	MQTTFrames   = []string{"connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp",
		"subscribe", "suback", "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"}
)

func checkLinkFrame(c Config, ps *strict.Problems) {
	checkOneOf(ps, "action", "action", c.Action, FrameActions)
	checkOneOf(ps, "frame", "frame", c.Frame, slices.Concat(ModbusFrames, MQTTFrames))
	checkOneOf(ps, "way", "way", c.Way, ways)
	notNegative(ps, "delay", c.Delay)
	switch {
	case c.Action == "hold" && c.Delay == 0:
		ps.Add("delay", "is missing: how long the frame is held, such as \"3s\"")
	case c.Action != "hold" && c.Delay != 0:
		ps.Addf("delay", "goes with action = \"hold\", and not with %q", c.Action)
	}
	for _, n := range []struct {
		key string
		v   int
	}{{"nth", c.Nth}, {"count", c.Count}} {
		if n.v < 0 {
			ps.Addf(n.key, "%d is negative", n.v)
		}
	}
}

func ruleFrame(c Config) Rule {
	return Rule{Do: c.Action, Frame: c.Frame, Nth: c.Nth, Count: c.Count, Hold: c.Delay.D()}
}

// frameEffect: a frame that is held is one late answer; one that is repeated
// harms nobody who looks at its number; without the others a client may have to
// connect anew.
func frameEffect(c Config, _ string) Effect {
	switch c.Action {
	case "hold":
		return Effect{Late: c.Delay.D(), Once: true}
	case "repeat":
		return Effect{}
	case "reorder": // which no network does, and no client of MQTT looks for
		return Effect{Cut: true, Swaps: c.Frame == "publish"}
	}
	return Effect{Cut: true}
}

// checkFrames reports a link on which the fault's frames cannot be told.
func (n Names) checkFrames(c Config, ps *strict.Problems) {
	if n.Framed == nil || !slices.Contains(n.Links, c.Target) {
		return
	}
	known := map[string][]string{"modbus": ModbusFrames, "mqtt": MQTTFrames}[n.Framed[c.Target]]
	switch {
	case known == nil:
		ps.Addf("target", "the frames of %q cannot be told apart: it must be the link of a Modbus PLC, or that to a broker without TLS", c.Target)
	case c.Frame != "" && !slices.Contains(known, c.Frame):
		ps.AddName("frame", fmt.Sprintf("there is no frame %q on the link to %s; there are %s", c.Frame, c.Target, strings.Join(known, ", ")), c.Frame, known)
	}
}
