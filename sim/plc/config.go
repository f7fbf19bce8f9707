package plc

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
	// Setpoints are those of the machines whose load the PLC takes a value for:
	// each has a writable tag "MACHINE/load", as a share of the usual.
	Setpoints []string `toml:"setpoints,omitempty"`
	// Unit is the Modbus unit id, 1 to 247; default 1.
	Unit uint8 `toml:"unit"`
	// Order is how the bytes of values lie in Modbus registers: "abcd" (high
	// word first, the default), "cdab", "badc" or "dcba". TagOrders has single
	// tags lie otherwise.
	Order     string            `toml:"order,omitempty"`
	TagOrders map[string]string `toml:"tag_orders,omitempty"`
	// Listen is where clients of the live gear find the PLC, as host:port;
	// empty means any free port of this machine.
	Listen string `toml:"listen,omitempty"`
	// Security is what an OPC UA server offers besides talk without security:
	// "" nothing, "offered" the current policies, "required" those alone.
	Security string `toml:"security,omitempty"`
	// CertLife is how long the server's certificate is good from the start of
	// the run on; default five years.
	CertLife strict.Duration `toml:"cert_life,omitzero"`
	// Users are the names and passwords of those who may open an OPC UA session,
	// besides whoever gives no name; NamedOnly refuses the latter.
	Users     map[string]string `toml:"users,omitempty"`
	NamedOnly bool              `toml:"named_only,omitzero"`
	// History is how far back an OPC UA server can be asked for values; default
	// 0, not at all.
	History strict.Duration `toml:"history,omitzero"`
	// Alarms are raised by the device itself, at each scan.
	Alarms []Alarm `toml:"alarm,omitempty"`
	// Variables are the controller's own, beside the tags of its machines.
	Variables []Variable `toml:"variable,omitempty"`
	// Nodesets are files of the form NodeSet2 (OPC UA Part 6, annex F) with
	// models that the server shows too, with all that they build on. A relative
	// one is looked for in the folder of the scenario.
	Nodesets []string `toml:"nodeset,omitempty"`
	// Bind has nodes of these models show tags: the id of a node, such as
	// "nsu=http://example.org/line/;s=Filler.Speed", and a tag.
	Bind map[string]string `toml:"bind,omitempty"`
	// Trusted is a folder with the certificates (DER) of the clients that may
	// come over a secured channel; empty trusts all.
	Trusted string `toml:"trusted,omitempty"`
	// UserCertificates is a folder with the certificates (DER) of users, who
	// show that they hold the key instead of saying a password.
	UserCertificates string `toml:"user_certificates,omitempty"`
	// InstallBias is the standard deviation, over instruments, of the constant
	// offset with which each was installed, as a share of its span; default
	// 0.001, that is 0.1 %.
	InstallBias *float64 `toml:"install_bias"`
	// InstallGain is the standard deviation of the gains with which instruments
	// were installed; 0.002, that is 0.2 %, is usual, 0 calibrates them all.
	InstallGain float64 `toml:"install_gain,omitempty"`
	// CrossSensitivity is the standard deviation, over instruments, of how far
	// readings go with the temperature around them, as a share of the span for
	// each kelvin away from 25 degC; 0.0002, that is 0.02 % per kelvin, is usual,
	// 0 compensates them all.
	CrossSensitivity float64 `toml:"cross_sensitivity,omitempty"`
	// ClockJitter is the standard deviation of each scan's time stamp from what
	// the device's clock says; 1 ms is usual, 0 stamps exactly.
	ClockJitter strict.Duration `toml:"clock_jitter,omitzero"`
	// InstallSeed draws those offsets. It is no part of the run's seed: another
	// seed is another day at the same plant, with the same instruments in it.
	InstallSeed uint64 `toml:"install_seed"`
}

// defaults for what a scenario leaves out.
const (
	defaultScan        = time.Second
	defaultUnit        = 1
	defaultInstallBias = 0.001
	defaultCertLife    = 5 * 365 * 24 * time.Hour
)

// WithDefaults spells out what was left out.
func (c Config) WithDefaults() Config {
	if c.Scan == 0 {
		c.Scan = strict.Duration(defaultScan)
	}
	if c.Unit == 0 {
		c.Unit = defaultUnit
	}
	if c.CertLife == 0 && c.Security != "" {
		c.CertLife = strict.Duration(defaultCertLife)
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
	for i, m := range c.Setpoints {
		if !slices.Contains(c.Machines, m) {
			ps.AddName(fmt.Sprintf("setpoints[%d]", i), fmt.Sprintf("%q is none of the PLC's machines", m), m, c.Machines)
		}
	}
	switch {
	case c.Security != "" && c.Security != "offered" && c.Security != "required":
		ps.Add("security", fmt.Sprintf("%q is no security; write \"offered\" or \"required\", or leave it out", c.Security))
	case c.Security != "" && c.Protocol == "modbus":
		ps.Add("security", "Modbus TCP has none")
	}
	for i := range c.Alarms {
		c.Alarms[i].check(fmt.Sprintf("alarm[%d]", i), &ps)
	}
	names := map[string]bool{}
	for i := range c.Variables {
		v := &c.Variables[i]
		v.check(fmt.Sprintf("variable[%d]", i), &ps)
		if names[v.Name] {
			ps.Add(fmt.Sprintf("variable[%d].name", i), fmt.Sprintf("%q stands there twice", v.Name))
		}
		names[v.Name] = true
	}
	if c.Protocol == "modbus" && (len(c.Users) > 0 || c.History != 0 || len(c.Alarms) > 0 || len(c.Variables) > 0 || len(c.Nodesets) > 0) {
		ps.Add("protocol", "Modbus has neither users nor history nor alarms nor variables nor models")
	}
	if len(c.Bind) > 0 && len(c.Nodesets) == 0 {
		ps.Add("bind", "there is no nodeset whose nodes could show tags")
	}
	if c.Trusted != "" && c.Security == "" {
		ps.Add("trusted", "without security no client shows a certificate")
	}
	if c.UserCertificates != "" && c.Security == "" {
		ps.Add("user_certificates", "without security no user shows a certificate")
	}
	if c.NamedOnly && len(c.Users) == 0 && c.UserCertificates == "" {
		ps.Add("named_only", "with no users nobody could come in")
	}
	if c.History < 0 {
		ps.Add("history", fmt.Sprintf("%v is negative", c.History))
	}
	if c.CertLife < 0 || c.CertLife > 0 && c.Security == "" {
		ps.Add("cert_life", "a certificate needs security, and a life above 0")
	}
	if c.Unit > 247 {
		ps.Add("unit", fmt.Sprintf("%d is no Modbus unit id; they go from 1 to 247", c.Unit))
	}
	c.validateOrders(&ps)
	if err := checkListen(c.Listen); err != nil {
		ps.Add("listen", err.Error())
	}
	if b := *c.InstallBias; !(b >= 0 && b <= 0.1) {
		ps.Add("install_bias", fmt.Sprintf("%v is not a share of the span between 0 and 0.1", b))
	}
	if g := c.InstallGain; !(g >= 0 && g <= 0.1) {
		ps.Add("install_gain", fmt.Sprintf("%v is not a share between 0 and 0.1", g))
	}
	if j := c.ClockJitter; j < 0 || j > c.Scan/4 {
		ps.Add("clock_jitter", fmt.Sprintf("%v is not between 0 and a quarter of the scan, so that stamps keep their order", j))
	}
	if k := c.CrossSensitivity; !(k >= 0 && k <= 0.01) {
		ps.Add("cross_sensitivity", fmt.Sprintf("%v is not a share of the span for each kelvin between 0 and 0.01", k))
	}
	return ps
}

func (c Config) validateOrders(ps *strict.Problems) {
	if _, err := ParseOrder(c.Order); err != nil {
		ps.Add("order", err.Error())
	}
	if c.Protocol == "opcua" && (c.Order != "" || len(c.TagOrders) > 0) {
		ps.Add("order", "only the registers of Modbus have an order of bytes; OPC UA has but one")
	}
	for _, id := range slices.Sorted(maps.Keys(c.TagOrders)) {
		if _, err := ParseOrder(c.TagOrders[id]); err != nil || c.TagOrders[id] == "" {
			ps.Add("tag_orders", fmt.Sprintf("%s: %q is no order of bytes; write abcd, cdab, badc or dcba", id, c.TagOrders[id]))
		}
	}
}

// checkListen looks at the form of an address alone; no network here.
func checkListen(addr string) error {
	if addr == "" {
		return nil
	}
	at := strings.LastIndexByte(addr, ':')
	if at >= 0 {
		if port, err := strconv.Atoi(addr[at+1:]); err == nil && port >= 1 && port <= 65535 && !strings.ContainsAny(addr[:at], "/ ") {
			return nil
		}
	}
	return fmt.Errorf("%q is no address to listen on; write host:port, such as \"127.0.0.1:4840\"", addr)
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
