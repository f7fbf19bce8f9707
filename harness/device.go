package harness

import (
	"fmt"
	"path"
	"time"

	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// opcuaConfig is what the OPC UA server of a PLC is told. Where it is to be
// secured it gets a key and a certificate that begins a day before the run.
func opcuaConfig(p *plc.PLC, in *plant.Plant, start time.Time) (opcua.Config, error) {
	c := p.Config()
	cfg := opcua.Config{
		ApplicationURI: "urn:plantbed:" + c.Name + ":server",
		History:        c.History, Alarms: c.Alarms, Variables: c.Variables, Bind: c.Bind,
		Users: opcua.Users{Passwords: c.Users, NoAnonymous: c.NamedOnly},
	}
	fail := func(err error) (opcua.Config, error) { return cfg, fmt.Errorf("PLC %s: %w", c.Name, err) }
	for _, name := range c.Machines {
		describeMachine(&cfg, p, in.Machine(name))
	}
	for _, file := range c.Nodesets {
		m, err := opcua.ReadModel(file)
		if err != nil {
			return fail(err)
		}
		cfg.Models = append(cfg.Models, m)
	}
	if c.Security == "" {
		return cfg, nil
	}
	sec, err := opcua.NewSecurity(cfg.ApplicationURI, start.Add(-24*time.Hour), start.Add(c.CertLife.D()))
	if err != nil {
		return fail(err)
	}
	sec.Require = c.Security == "required"
	if c.Trusted != "" {
		if sec.Trust, err = opcua.TrustFolder(c.Trusted); err != nil {
			return fail(err)
		}
	}
	if c.UserCertificates != "" {
		if cfg.Users.Certificate, err = opcua.TrustFolder(c.UserCertificates); err != nil {
			return fail(err)
		}
	}
	cfg.Security = sec
	return cfg, nil
}

// describeMachine has a machine shown with its name plate, its state and, where
// it counts, a method that resets the counters.
func describeMachine(cfg *opcua.Config, p *plc.PLC, m *plant.Machine) {
	tag := func(name string) signal.ID {
		if name == "" {
			return ""
		}
		return signal.ID(path.Join(m.Name, name))
	}
	d := opcua.Machine{
		Name: m.Name, Manufacturer: "Plantbed", Model: m.Kind, SerialNumber: p.Name() + "/" + m.Name, ProductInstanceURI: "urn:plantbed:machine:" + p.Name() + ":" + m.Name,
		State: tag(m.StateSignal()), Good: tag(m.GoodSignal()), Total: tag(m.TotalSignal()), CycleS: m.IdealCycle,
	}
	if d.Total != "" { // units pass through
		d.Starved, d.Blocked = p.Flag(m.Starved).On, p.Flag(m.Blocked).On
	}
	cfg.Machines = append(cfg.Machines, d)
	var counters []signal.ID
	for _, id := range []signal.ID{d.Good, d.Total} {
		if id != "" {
			counters = append(counters, id)
		}
	}
	if len(counters) > 0 {
		cfg.Methods = append(cfg.Methods, opcua.Method{Object: m.Name, Name: "Reset", Do: func([]any) ([]any, error) { return nil, p.Zero(counters...) }})
	}
}
