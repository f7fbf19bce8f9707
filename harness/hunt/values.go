package hunt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
)

// span says within which bounds a key is drawn, where those that its example
// suggests are too weak, or so strong that no stack could do its work. A key
// without a row is drawn around its example.
type span struct{ kind, key, lo, hi string }

// spans; a kind of "" is any. The upper bounds leave the path of a small line
// able to carry it: what breaks there is the stack's doing.
var spans = []span{
	{"link.latency", "delay", "5ms", "900ms"},
	{"link.latency", "jitter", "1ms", "300ms"},
	{"link.bandwidth", "rate", "8 KiB/s", "256 KiB/s"},
	// Single bytes at the longest gap are 8 kB/s, as narrow as the bandwidth.
	{"link.slice", "size", "1 B", "64 B"},
	{"link.slice", "gap", "20µs", "120µs"},
	// A packet that is lost three times in a row comes within the deadline.
	{"link.loss", "bad", "30ms", "300ms"},
	{"link.loss", "rto", "100ms", "500ms"},
	{"plc.slow", "delay", "20ms", "6s"},
	{"plc.clock", "offset", "5ms", "3h"},
	{"plc.clock", "drift", "1 ppm", "500 ppm"},
	{"plc.exception", "chance", "1 %", "100 %"},
	{"gateway.disk_slow", "sync", "20ms", "3s"},
	{"gateway.disk_full", "after", "1 KiB", "256 KiB"},
	{"asset.bearing_wear", "life", "5m", "60m"},
}

// number is a TOML value that is a number, quoted and with a unit or not.
var number = regexp.MustCompile(`^("?)(-?[0-9][0-9_]*(?:\.[0-9]+)?)( ?)([^"0-9]*)("?)$`)

// scaled is a value of the same form, times a factor; not ok where the value is
// no number.
func scaled(value string, factor float64) (string, bool) {
	if d, err := time.ParseDuration(strings.Trim(value, `"`)); err == nil && strings.HasPrefix(value, `"`) {
		return strconv.Quote(roundDuration(time.Duration(float64(d) * factor)).String()), true
	}
	m := number.FindStringSubmatch(value)
	if m == nil {
		return "", false
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(m[2], "_", ""), 64)
	if err != nil {
		return "", false
	}
	v = twoDigits(v * factor)
	if !strings.Contains(m[2], ".") && m[1] == "" { // a plain integer stays one
		v = math.Round(v)
	}
	return m[1] + strconv.FormatFloat(v, 'f', -1, 64) + m[3] + m[4] + m[5], true
}

// twoDigits rounds to two significant digits.
func twoDigits(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 1, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// roundDuration keeps two digits or so, in steps that people write.
func roundDuration(d time.Duration) time.Duration {
	for _, step := range []time.Duration{time.Minute, 10 * time.Second, time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond} {
		if d >= 10*step || d <= -10*step {
			return d.Round(step)
		}
	}
	return d.Round(time.Microsecond)
}

// drawer draws values for the keys of one kind of fault.
type drawer struct {
	kind  faults.Kind
	names faults.Names
	// words are the texts that a key takes, found by trying those that its
	// documentation mentions.
	words map[string][]string
}

func newDrawer(k faults.Kind, names faults.Names) *drawer {
	d := &drawer{kind: k, names: names, words: map[string][]string{}}
	for _, key := range k.Keys {
		d.words[key.Name] = d.wordsOf(key)
	}
	return d
}

var word = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_-]*`)

// wordsOf tries every word of a key's documentation as its value. A key that
// takes any word is free text, of which only the example is sure to mean
// something.
func (d *drawer) wordsOf(key faults.Key) []string {
	if !strings.HasPrefix(key.Example, `"`) || number.MatchString(key.Example) {
		return nil
	}
	if _, err := time.ParseDuration(strings.Trim(key.Example, `"`)); err == nil {
		return nil
	}
	if d.takes(key.Name, `"qqq"`) {
		return []string{key.Example}
	}
	var out []string
	for _, w := range append(word.FindAllString(key.Doc, -1), strings.Trim(key.Example, `"`)) {
		if v := strconv.Quote(w); !slices.Contains(out, v) && d.takes(key.Name, v) {
			out = append(out, v)
		}
	}
	return out
}

// takes tells that nothing is wrong with the value of one key; others may be missing.
func (d *drawer) takes(key, value string) bool {
	c, err := Fault{Kind: d.kind.Name, Keys: []Key{{key, value}}}.Config()
	if err != nil {
		return false
	}
	for _, p := range c.Validate(d.names) {
		if p.Path == key {
			return false
		}
	}
	return true
}

// value draws one; empty where this key had better be left out.
func (d *drawer) value(r *rand.Rand, key faults.Key, target string) string {
	if i := slices.IndexFunc(spans, func(s span) bool { return s.kind == d.kind.Name && s.key == key.Name }); i >= 0 {
		v := between(r, spans[i].lo, spans[i].hi)
		if strings.Contains(key.Example, `"-`) && r.IntN(2) == 0 {
			v = `"-` + v[1:]
		}
		return v
	}
	switch {
	case strings.HasPrefix(key.Example, "["):
		return d.some(r, key, target)
	case key.Example == "true" || key.Example == "false":
		return "true"
	case len(d.words[key.Name]) > 0:
		return d.words[key.Name][r.IntN(len(d.words[key.Name]))]
	}
	if v, ok := scaled(key.Example, 0.1*math.Pow(30, r.Float64())); ok {
		return v
	}
	return key.Example
}

// between draws from lo to hi, small and large alike.
func between(r *rand.Rand, lo, hi string) string {
	a, b := amount(lo), amount(hi)
	v, _ := scaled(strconv.Quote(lo), math.Pow(b/a, r.Float64()))
	return v
}

// amount is the number of a value, in its own unit; of a duration, nanoseconds.
func amount(text string) float64 {
	if d, err := time.ParseDuration(text); err == nil {
		return float64(d)
	}
	if m := number.FindStringSubmatch(text); m != nil {
		if v, err := strconv.ParseFloat(m[2], 64); err == nil {
			return v
		}
	}
	panic(fmt.Sprintf("hunt: %q in the table of spans is no amount", text))
}

// some is a list of one to three of the target's tags.
func (d *drawer) some(r *rand.Rand, key faults.Key, target string) string {
	if key.Name != "tags" || len(d.names.Channels) == 0 {
		return key.Example
	}
	n := 1 + r.IntN(min(3, len(d.names.Channels)))
	first := r.IntN(len(d.names.Channels))
	var list []string
	for i := range n {
		list = append(list, strconv.Quote(d.names.Channels[(first+i)%len(d.names.Channels)]))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// milder are values that are weaker than the one a key has, the weakest first;
// "" leaves the key out.
func (d *drawer) milder(key faults.Key, value string) []string {
	var out []string
	if !key.Required {
		out = append(out, "")
	}
	if list := strings.Split(strings.Trim(value, "[]"), ", "); strings.HasPrefix(value, "[") && len(list) > 1 {
		return append(out, "["+list[0]+"]")
	}
	if v, ok := scaled(value, 0.5); ok && v != value {
		out = append(out, v)
	}
	return out
}
