package plc

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Config is a [[plc]] table of a scenario.
type Config struct {
	Name string `toml:"name"`
	// Protocol is "opcua" or "modbus".
	Protocol string `toml:"protocol"`
	// Scan is the period of the task "scan"; default 1 s.
	Scan strict.Duration `toml:"scan"`
	// FastScan is the period of the task "fast", which latches FastTags; 0
	// means no such task.
	FastScan strict.Duration `toml:"fast_scan"`
	FastTags []string        `toml:"fast_tags"`
	// Machines are the names of the machines whose signals the PLC reads.
	Machines []string `toml:"machines"`
	// Unit is the Modbus unit id, 1 to 247; default 1.
	Unit uint8 `toml:"unit"`
	// InstallBias is the standard deviation, over instruments, of the constant
	// offset with which each was installed, as a share of its span; default
	// 0.001, that is 0.1 %.
	InstallBias *float64 `toml:"install_bias"`
	// InstallSeed draws those offsets. It is no part of the run's seed: another
	// seed is another day at the same plant, with the same instruments in it.
	InstallSeed uint64 `toml:"install_seed"`
}

// defaults for what a scenario leaves out.
const (
	defaultScan        = time.Second
	defaultUnit        = 1
	defaultInstallBias = 0.001
)

// WithDefaults spells out what was left out.
func (c Config) WithDefaults() Config {
	if c.Scan == 0 {
		c.Scan = strict.Duration(defaultScan)
	}
	if c.Unit == 0 {
		c.Unit = defaultUnit
	}
	if c.InstallBias == nil {
		share := defaultInstallBias
		c.InstallBias = &share
	}
	return c
}

// Validate reports every problem at once; that tags and machines exist is for
// those to say who know them.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	c = c.WithDefaults()
	if c.Name == "" {
		ps.Add("name", "a PLC needs a name")
	}
	if c.Protocol != "opcua" && c.Protocol != "modbus" {
		ps.Add("protocol", fmt.Sprintf("%q is no protocol of a PLC; write \"opcua\" or \"modbus\"", c.Protocol))
	}
	if c.Scan.D() < time.Millisecond {
		ps.Add("scan", fmt.Sprintf("a scan every %v is not possible; the least is 1ms", c.Scan))
	}
	c.validateFast(&ps)
	if c.Unit > 247 {
		ps.Add("unit", fmt.Sprintf("%d is no Modbus unit id; they go from 1 to 247", c.Unit))
	}
	if b := *c.InstallBias; !(b >= 0 && b <= 0.1) {
		ps.Add("install_bias", fmt.Sprintf("%v is not a share of the span between 0 and 0.1", b))
	}
	return ps
}

func (c Config) validateFast(ps *strict.Problems) {
	switch {
	case c.FastScan == 0 && len(c.FastTags) > 0:
		ps.Add("fast_scan", "fast_tags need a period to be scanned with")
	case c.FastScan != 0 && c.FastScan.D() < time.Millisecond:
		ps.Add("fast_scan", fmt.Sprintf("a scan every %v is not possible; the least is 1ms", c.FastScan))
	case c.FastScan != 0 && len(c.FastTags) == 0:
		ps.Add("fast_tags", "a fast scan without tags")
	}
	seen := map[string]bool{}
	for i, t := range c.FastTags {
		if seen[t] {
			ps.Add(fmt.Sprintf("fast_tags[%d]", i), fmt.Sprintf("%q stands there twice", t))
		}
		seen[t] = true
	}
}
