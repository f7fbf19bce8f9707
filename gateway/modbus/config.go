package modbus

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// maxRegisters is what one request may read (Modbus Application Protocol, 6.3).
const maxRegisters = 125

// Config is one Modbus TCP device and what to read from it.
type Config struct {
	Name string `toml:"name"`
	// URL is "tcp://host:port" or "host:port"; the port is 502 if there is none.
	URL string `toml:"url"`
	// Unit is the unit id, 1 to 247; devices without a serial line behind them
	// mostly take any.
	Unit int `toml:"unit"`
	// Timeout bounds the dial and the wait for a response.
	Timeout strict.Duration `toml:"timeout"`
	Blocks  []Block         `toml:"block"`
	// Tags that stand in no block are put into as few as can be, none of more
	// than MaxRegisters, default 125, and none reaching over more than MaxGap
	// registers that nobody asked for, default 0: a device may refuse those that
	// it does not have.
	Tags         []Point `toml:"tag"`
	MaxGap       int     `toml:"max_gap"`
	MaxRegisters int     `toml:"max_registers"`
}

// Block is a run of registers that one request reads.
type Block struct {
	// Counter is the address of the block's 32-bit scan counter, high word
	// first; nil if it has none.
	Counter *uint16 `toml:"counter"`
	// Start and Count are the registers to read. A counter outside of them is
	// read along with what lies between.
	Start uint16          `toml:"start"`
	Count int             `toml:"count"`
	Poll  strict.Duration `toml:"poll"`
	// Registers is "holding" (function 3) or "input" (function 4).
	Registers string `toml:"registers"`
	Tags      []Tag  `toml:"tag"`
}

// Tag is one value in a block.
type Tag struct {
	ID signal.ID `toml:"id"`
	// Address is that of its first register, counted from 0 as on the wire.
	Address uint16 `toml:"address"`
	// Type is "bool", "int16", "uint16", "int32", "uint32", "int64", "uint64",
	// "float" or "double".
	Type string `toml:"type"`
	// Scale is engineering units per raw count; 0 means 1.
	Scale float64 `toml:"scale"`
	// Order is how the bytes of a value of two or four registers stand:
	// "abcd" (high word first, the default), "cdab" (low word first), "badc" and
	// "dcba" (the same with the bytes of each word swapped). The last two also
	// swap the bytes of a single register.
	Order string `toml:"order"`
}

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	if c.Unit == 0 {
		c.Unit = 1
	}
	if c.Timeout == 0 {
		c.Timeout = strict.Duration(time.Second)
	}
	if c.MaxRegisters == 0 {
		c.MaxRegisters = maxRegisters
	}
	for i := range c.Tags {
		p := &c.Tags[i]
		p.Poll, p.Registers = cmp.Or(p.Poll, strict.Duration(time.Second)), cmp.Or(p.Registers, "holding")
		p.Scale, p.Order = cmp.Or(p.Scale, 1), cmp.Or(p.Order, "abcd")
	}
	for i := range c.Blocks {
		b := &c.Blocks[i]
		if b.Poll == 0 {
			b.Poll = strict.Duration(time.Second)
		}
		if b.Registers == "" {
			b.Registers = "holding"
		}
		for k := range b.Tags {
			t := &b.Tags[k]
			if t.Scale == 0 {
				t.Scale = 1
			}
			if t.Order == "" {
				t.Order = "abcd"
			}
		}
	}
}

// Validate reports every problem of a configuration whose defaults are filled
// in.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	if c.Name == "" {
		ps.Add("name", "a source needs a name")
	}
	if _, err := c.address(); err != nil {
		ps.Add("url", err.Error())
	}
	if c.Unit < 0 || c.Unit > 255 {
		ps.Add("unit", fmt.Sprintf("%d is no unit id; they go from 0 to 255", c.Unit))
	}
	if c.Timeout.D() < time.Millisecond {
		ps.Add("timeout", fmt.Sprintf("must be at least 1ms, is %s", c.Timeout))
	}
	if len(c.Blocks)+len(c.Tags) == 0 {
		ps.Add("block", "a source without blocks or tags reads nothing")
	}
	if c.MaxGap < 0 {
		ps.Add("max_gap", fmt.Sprintf("%d is negative", c.MaxGap))
	}
	if c.MaxRegisters < 4 || c.MaxRegisters > maxRegisters {
		ps.Add("max_registers", fmt.Sprintf("%d is not between 4 and %d", c.MaxRegisters, maxRegisters))
	}
	seen, taken := map[signal.ID]string{}, map[register]string{}
	for i, b := range c.Blocks {
		at := fmt.Sprintf("block[%d]", i)
		ps = append(ps, b.validate(at, seen)...)
		ps = append(ps, b.overlaps(at, taken)...)
	}
	for i, p := range c.Tags {
		at := fmt.Sprintf("tag[%d]", i)
		ps = append(ps, p.validate().Under(at)...)
		if first, ok := seen[p.ID]; ok && p.ID != "" {
			ps.Add(at+".id", fmt.Sprintf("%q is already %s", p.ID, first))
			continue
		}
		seen[p.ID] = at
		for w := range kinds[p.Type].words {
			r := register{p.Registers, int(p.Address) + w}
			if other, ok := taken[r]; ok {
				ps.Add(at+".address", fmt.Sprintf("register %d is already %q's", r.address, other))
				break
			}
			taken[r] = string(p.ID)
		}
	}
	return ps
}

// register is one register of a device: holding and input ones are two tables.
type register struct {
	table   string
	address int
}

// overlaps finds tags that share a register: one of them has a wrong address.
// taken maps what earlier tags cover to the tag.
func (b Block) overlaps(at string, taken map[register]string) strict.Problems {
	var ps strict.Problems
	for i, t := range b.Tags {
		for w := range kinds[t.Type].words {
			r := register{b.Registers, int(t.Address) + w}
			if other, ok := taken[r]; ok {
				ps.Add(fmt.Sprintf("%s.tag[%d].address", at, i), fmt.Sprintf("register %d is already %q's", r.address, other))
				break
			}
			taken[r] = string(t.ID)
		}
	}
	return ps
}

func (b Block) validate(at string, seen map[signal.ID]string) strict.Problems {
	var ps strict.Problems
	if b.Poll.D() < time.Millisecond {
		ps.Add("poll", fmt.Sprintf("must be at least 1ms, is %s", b.Poll))
	}
	if b.Registers != "holding" && b.Registers != "input" {
		ps.Add("registers", fmt.Sprintf("%q is neither \"holding\" nor \"input\"", b.Registers))
	}
	if b.Count < 1 {
		ps.Add("count", fmt.Sprintf("must be at least 1, is %d", b.Count))
	} else if start, end := b.span(); end > 1<<16 {
		ps.Add("count", fmt.Sprintf("registers %d to %d: the last one there is is 65535", start, end-1))
	} else if end-start > maxRegisters {
		ps.Add("count", fmt.Sprintf("registers %d to %d: one request reads at most %d", start, end-1, maxRegisters))
	}
	for i, t := range b.Tags {
		sub := fmt.Sprintf("tag[%d]", i)
		ps = append(ps, t.validate(b).Under(sub)...)
		if first, ok := seen[t.ID]; ok && t.ID != "" {
			ps.Add(sub+".id", fmt.Sprintf("%q is already %s", t.ID, first))
			continue
		}
		seen[t.ID] = at + "." + sub
	}
	return ps.Under(at)
}

func (t Tag) validate(b Block) strict.Problems {
	var ps strict.Problems
	if t.ID == "" {
		ps.Add("id", "a tag needs an id")
	}
	k, ok := kinds[t.Type]
	if !ok {
		ps.Add("type", fmt.Sprintf("%q is none of bool, int16, uint16, int32, uint32, int64, uint64, float, double", t.Type))
	} else if lo, hi := int(b.Start), int(b.Start)+b.Count; int(t.Address) < lo || int(t.Address)+k.words > hi {
		ps.Add("address", fmt.Sprintf("registers %d to %d are not in the block's %d to %d", t.Address, int(t.Address)+k.words-1, lo, hi-1))
	}
	if t.Scale-t.Scale != 0 { // NaN or infinite
		ps.Add("scale", fmt.Sprintf("must be a finite number, is %v", t.Scale))
	}
	if _, ok := orders[t.Order]; !ok {
		ps.Add("order", fmt.Sprintf("%q is none of abcd, cdab, badc, dcba", t.Order))
	}
	return ps
}

// span is the range of registers that the request reads, [start, end).
func (b Block) span() (start, end int) {
	start, end = int(b.Start), int(b.Start)+b.Count
	if b.Counter != nil {
		start, end = min(start, int(*b.Counter)), max(end, int(*b.Counter)+2)
	}
	return start, end
}

// address is the host and port to dial.
func (c Config) address() (string, error) {
	rest := c.URL
	if scheme, after, ok := strings.Cut(c.URL, "://"); ok {
		if scheme != "tcp" {
			return "", fmt.Errorf("%q: the scheme must be tcp", c.URL)
		}
		rest = after
	}
	u, err := url.Parse("tcp://" + rest)
	if err != nil || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
		return "", fmt.Errorf("%q is not of the form \"tcp://host:port\"", c.URL)
	}
	port := u.Port()
	if port == "" {
		port = "502"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("%q: the port must be between 1 and 65535", c.URL)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
