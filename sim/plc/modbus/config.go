package modbus

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// Config is how a device answers.
type Config struct {
	// Addr is where to listen; default "127.0.0.1:0", a free port.
	Addr string `toml:"addr"`
	// Unit is the unit id that is answered, besides 255 and 0, which stand for
	// whatever device has the IP address; default 1.
	Unit uint8 `toml:"unit"`
	// WrongUnit is what other unit ids get: "exception" (0x0B, the default) or
	// "silence".
	WrongUnit string `toml:"wrong_unit"`
	// Idle closes a connection on which nothing was asked for so long; 0 means
	// never.
	Idle strict.Duration `toml:"idle"`
	// Frame is how long the rest of a frame may take once it has begun;
	// default 5 s.
	Frame strict.Duration `toml:"frame"`
	// Identity is what function 43/14 tells.
	Identity Identity `toml:"identity"`
}

const defaultFrame = 5 * time.Second

// WithDefaults spells out what was left out.
func (c Config) WithDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Unit == 0 {
		c.Unit = 1
	}
	if c.WrongUnit == "" {
		c.WrongUnit = "exception"
	}
	if c.Frame == 0 {
		c.Frame = strict.Duration(defaultFrame)
	}
	c.Identity = c.Identity.withDefaults()
	return c
}

// Validate reports every problem at once.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	c = c.WithDefaults()
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		ps.Add("addr", fmt.Sprintf("%q is no address to listen on; write host:port", c.Addr))
	}
	if c.Unit > 247 {
		ps.Add("unit", fmt.Sprintf("%d is no Modbus unit id; they go from 1 to 247", c.Unit))
	}
	if c.WrongUnit != "exception" && c.WrongUnit != "silence" {
		ps.Add("wrong_unit", fmt.Sprintf("%q is not known; write \"exception\" or \"silence\"", c.WrongUnit))
	}
	if c.Idle < 0 {
		ps.Add("idle", fmt.Sprintf("%v is a negative time", c.Idle))
	}
	if c.Frame < 0 {
		ps.Add("frame", fmt.Sprintf("%v is a negative time", c.Frame))
	}
	ps = append(ps, c.Identity.validate().Under("identity")...)
	return ps
}

// Options are what the surroundings of a server hand in.
type Options struct {
	// Log may be nil.
	Log *slog.Logger
	// Tap is called right before a response that carries samples is written.
	// Offset is where in the connection's server-to-client stream that
	// response will end. Items is good for the time of the call only. Calls of
	// one connection come one after another, those of several at once.
	Tap func(conn int, offset int64, at time.Time, items []Ref)
	// Accept gives a new connection its number, or turns it away. Nil counts
	// from 0.
	Accept func(remote net.Addr) (conn int, ok bool)
}

// Ref names one latched sample by its place in the image.
type Ref struct {
	Task, Index int
	Seq         uint64
}

// Image is what a server serves; *plc.PLC is one.
type Image interface {
	Name() string
	Tasks() []*plc.Task
	Latest(task int) *plc.Block
	OnScan(func(*plc.Block))
	Write(id signal.ID, v float64) error
}

var _ Image = (*plc.PLC)(nil)
