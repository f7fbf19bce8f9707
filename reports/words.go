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
}

var stages = []stage{
	{"plc", "PLC", "never sent by the PLC's server"},
	{"link", "link", "sent by the server, not delivered by the wire"},
	{"edge", "edge", "delivered to the gateway, never at the broker"},
	{"north", "north", "at the broker, never applied by the twin"},
}

// fate is what becomes of a sample, in the order in which it is told.
var fates = struct{ owed, delivered, lost, unobtainable, late, backfilled stage }{
	stage{"owed", "owed", "a correct client could have had it"},
	stage{"delivered", "delivered", "owed, and the twin applied it"},
	stage{"lost", "lost", "owed, and never applied"},
	stage{"unobtainable", "unobtainable", "no client could have had it"},
	stage{"late", "late", "over the deadline, and no scheduled outage excuses it"},
	stage{"backfilled", "backfilled", "over the deadline because of a scheduled outage"},
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
