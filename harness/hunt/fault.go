package hunt

import (
	"fmt"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/internal/strict"
)

// Fault is a fault as it is drawn and shrunk: its keys are texts, so that this
// package need not know what a kind's keys mean.
type Fault struct {
	Kind, Target string
	// At and For are those of a [[fault]]; For is 0 for a kind without it.
	At, For time.Duration
	Keys    []Key
}

// Key is a key of the fault's kind, with its value as TOML writes it.
type Key struct{ Name, Value string }

// Config reads the fault as a scenario would.
func (f Fault) Config() (faults.Config, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "kind = %q\n", f.Kind)
	if f.Target != "" {
		fmt.Fprintf(&b, "target = %q\n", f.Target)
	}
	fmt.Fprintf(&b, "at = %q\n", f.At)
	if f.For > 0 {
		fmt.Fprintf(&b, "for = %q\n", f.For)
	}
	for _, k := range f.Keys {
		fmt.Fprintf(&b, "%s = %s\n", k.Name, k.Value)
	}
	var c faults.Config
	_, ps := strict.Decode("", []byte(b.String()), &c)
	return c, ps.Err()
}

// String is one line: "link.down plc-a at 2m0s for 45s, mode "blackhole"".
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Kind)
	if f.Target != "" {
		b.WriteString(" on " + f.Target)
	}
	fmt.Fprintf(&b, " at %s", short(f.At))
	if f.For > 0 {
		fmt.Fprintf(&b, " for %s", short(f.For))
	}
	for _, k := range f.Keys {
		fmt.Fprintf(&b, ", %s %s", k.Name, strings.Trim(k.Value, `"`))
	}
	return b.String()
}

// short writes 2m0s as 2m.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// end is when the fault is over, as far as the schedule says.
func (f Fault) end() time.Duration { return f.At + f.For }

// with is the fault with one key set, or taken away where value is empty.
func (f Fault) with(name, value string) Fault {
	keys := make([]Key, 0, len(f.Keys)+1)
	found := false
	for _, k := range f.Keys {
		if k.Name == name {
			if found = true; value == "" {
				continue
			}
			k.Value = value
		}
		keys = append(keys, k)
	}
	if !found && value != "" {
		keys = append(keys, Key{name, value})
	}
	f.Keys = keys
	return f
}

// label is the kind with its modes, the keys that are words: "link.down blackhole".
func (f Fault) label() string {
	label := f.Kind
	for _, k := range f.Keys {
		if text := strings.Trim(k.Value, `"`); word.FindString(text) == text && k.Value != "true" {
			label += " " + text
		}
	}
	return label
}

// fits tells that a fault of label a may be one of label b: the same, or a mode
// of it.
func fits(a, b string) bool { return a == b || strings.HasPrefix(a, b+" ") }

// value is that of a key, "" where the fault does not have it.
func (f Fault) value(name string) string {
	for _, k := range f.Keys {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}
