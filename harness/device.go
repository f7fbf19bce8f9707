package harness

import (
	"time"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/opcua"
)

// opcuaConfig is what the OPC UA server of a PLC is told. Where it is to be
// secured it gets a key and a certificate that begins a day before the run.
func opcuaConfig(p *plc.PLC, start time.Time) (opcua.Config, error) {
	c := p.Config()
	cfg := opcua.Config{
		ApplicationURI: "urn:plantbed:" + c.Name + ":server",
		History:        c.History, Alarms: c.Alarms,
		Users: opcua.Users{Passwords: c.Users, NoAnonymous: c.NamedOnly},
	}
	if c.Security == "" {
		return cfg, nil
	}
	sec, err := opcua.NewSecurity(cfg.ApplicationURI, start.Add(-24*time.Hour), start.Add(c.CertLife.D()))
	sec.Require = c.Security == "required"
	cfg.Security = sec
	return cfg, err
}
