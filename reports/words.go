package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/harness/score"
)

// stage is where a sample can get lost, in the order of its walk.
type stage struct {
	key   string // as in the card
	title string
	doc   string
	fell  string // what happened to a sample that was lost here: "were ..."
	leg   string // what it waits for here
	to    string // where it is when it has got past it
}

var stages = []stage{
	{"plc", "PLC", "never sent by the PLC's server", "never sent by the PLC", "in the PLC, from the scan to the socket", "sent by the PLC"},
	{"link", "link", "sent by the server, not delivered by the wire", "lost on the wire between PLC and gateway", "on the wire to the gateway", "delivered to the gateway"},
	{"edge", "edge", "delivered to the gateway, never at the broker", "lost in the gateway, or on its way from there to the broker", "in the gateway and on its way to the broker", "at the broker"},
	{"north", "north", "at the broker, never applied by the twin", "lost between the broker and the twin", "between the broker and the twin", "applied by the twin"},
}

func stageNamed(key string) stage {
	for _, s := range stages {
		if s.key == key {
			return s
		}
	}
	return stage{key: key, title: key, doc: key, fell: "lost at " + key, leg: key, to: key}
}

// fate is what becomes of a sample, in the order in which it is told.
var fates = struct{ owed, delivered, lost, unobtainable, late, backfilled stage }{
	stage{key: "owed", title: "owed", doc: "a correct client could have had it"},
	stage{key: "delivered", title: "delivered", doc: "owed, and the twin applied it"},
	stage{key: "lost", title: "lost", doc: "owed, and never applied"},
	stage{key: "unobtainable", title: "unobtainable", doc: "no client could have had it"},
	stage{key: "late", title: "late", doc: "over the deadline, and no scheduled outage excuses it"},
	stage{key: "backfilled", title: "backfilled", doc: "over the deadline because of a scheduled outage"},
}

// faultWords is a fault as something that is the case: "the link to plc-pump
// was down".
func faultWords(kind, target string) string {
	if w, ok := faultVerbs[kind]; ok {
		return strings.ReplaceAll(w, "%", targetWords(kind, target))
	}
	return kind + " was on at " + target
}

// targetWords names what a fault is about.
func targetWords(kind, target string) string {
	switch {
	case strings.HasPrefix(kind, "link.") && target == "broker":
		return "the link to the broker"
	case strings.HasPrefix(kind, "link."):
		return "the link to " + target
	case strings.HasPrefix(kind, "sensor."):
		return "the sensor " + target
	case target == "gateway" || target == "broker":
		return "the " + target
	}
	return target
}

// faultVerbs holds, by kind of fault, what is the case while it is on; % is
// the target. A kind that is not listed is told by its name.
var faultVerbs = map[string]string{
	"link.down": "% was down", "link.latency": "% was slow", "link.bandwidth": "% was narrow", "link.stall": "% stood still",
	"sensor.bias": "% read off", "sensor.drift": "% drifted", "sensor.gain": "% read out of proportion", "sensor.stuck": "% was stuck",
	"sensor.noise": "% was noisy", "sensor.spike": "% had spikes", "sensor.dropout": "% gave no signal",
	"asset.bearing_wear": "the bearing % wore out",
	"plc.stop":           "% was in STOP", "plc.freeze": "the values of % stood still", "plc.bad_quality": "every value of % said that it was bad",
	"plc.clock": "the clock of % was wrong", "plc.restart": "% restarted", "plc.slow": "% answered late", "plc.exception": "% answered with errors",
	"plc.sessions_full": "% had no session left", "plc.node_gone": "% did not know some of its tags", "plc.namespace_moved": "the namespace of % had moved",
	"plc.no_republish": "% kept nothing that it had sent", "plc.cert_rotated": "% showed a new certificate", "plc.cert_expired": "the certificate of % had expired",
	"plc.counter_wrap": "the scan counters of % wrapped",
	"gateway.kill":     "% was dead", "gateway.pause": "% stood still", "gateway.disk_full": "the disk of % was full", "gateway.disk_slow": "the disk of % was slow",
	"broker.kill": "% was dead", "broker.pause": "% stood still", "broker.restart": "% restarted",
}

// verdictWord is a verdict as it is said in a sentence.
func verdictWord(v score.Verdict) string {
	switch v {
	case score.Pass:
		return "passed"
	case score.Fail:
		return "failed"
	}
	return "unknown"
}

// verdictTag is a verdict as it is shouted.
func verdictTag(v score.Verdict) string {
	switch v {
	case score.Pass:
		return "PASS"
	case score.Fail:
		return "FAIL"
	}
	return "UNKNOWN"
}

// opWord is the direction of a bound in words.
func opWord(op string) string {
	switch op {
	case ">=":
		return "at least"
	case "<=":
		return "at most"
	}
	return op
}

// metricDoc says what a metric is.
func metricDoc(name string) string {
	for _, m := range score.Metrics {
		if m.Name == name {
			return m.Doc
		}
	}
	return ""
}

// metricUnit is the unit of a metric by the score's table.
func metricUnit(name string) string {
	for _, m := range score.Metrics {
		if m.Name == name {
			return m.Unit
		}
	}
	return ""
}

// number writes a figure for reading: whole numbers with thousands set apart,
// others with four significant digits.
func number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return count(int(v))
	case math.Abs(v) >= 1000 && math.Abs(v) < 1e15:
		return count(int(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// percent is a share in words, with three digits.
func percent(share float64) string {
	p := share * 100
	if math.IsNaN(p) || math.Abs(p) >= 999.5 {
		return number(math.Round(p)) + " %"
	}
	return strconv.FormatFloat(p, 'g', 3, 64) + " %"
}

// count sets thousands apart: 864120 is 864,120.
func count(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// measure is a figure with its unit; a plain number has none.
func measure(v *float64, unit string) string {
	if v == nil {
		return "unknown"
	}
	return quantity(*v, unit)
}

func quantity(v float64, unit string) string {
	switch unit {
	case "", "1":
		return number(v)
	case "1/d":
		return number(v) + " per day"
	}
	return number(v) + " " + unit
}

// interval is a 95 % interval in words, "" where there is none.
func interval(ci *[2]float64) string {
	if ci == nil {
		return ""
	}
	return number(ci[0]) + " to " + number(ci[1])
}

// bound is what an expectation asks for: "at most 5 s".
func bound(e score.Expectation) string {
	return opWord(e.Op) + " " + quantity(e.Want, metricUnit(e.Metric))
}

// span is a length of time in words: "2h", "1m30s", "12.5s".
func span(seconds float64) string {
	if math.IsNaN(seconds) || math.Abs(seconds) > 1e9 {
		return number(seconds) + " s"
	}
	d := time.Duration(math.Round(seconds*1000)) * time.Millisecond
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}

// instant is a time in the run: "1:20:05", and with tenths where they matter.
func instant(seconds float64) string {
	if math.IsNaN(seconds) || seconds < 0 || seconds > 1e9 {
		return number(seconds) + " s"
	}
	tenths := int(math.Round(seconds * 10))
	s := fmt.Sprintf("%d:%02d:%02d", tenths/36000, tenths/600%60, tenths/10%60)
	if tenths%10 != 0 {
		s += fmt.Sprintf(".%d", tenths%10)
	}
	return s
}

// plural is "1 expectation", "3 expectations".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}
