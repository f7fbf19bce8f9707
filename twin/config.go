package twin

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/mqtt"
)

// Config is the plant as the twin is to mirror it, and where it hears of it.
type Config struct {
	Assets []Asset `toml:"asset"`
	// StaleAfter is how long a tag with a period may be silent; 0 means five of
	// its periods, but at least 3 s.
	StaleAfter strict.Duration `toml:"stale_after"`
	MQTT       mqtt.Config     `toml:"mqtt"`
}

// Asset is a machine.
type Asset struct {
	Name string `toml:"name"`
	Kind string `toml:"kind"`
	Tags []Tag  `toml:"tag"`
}

// Tag is one property of an asset.
type Tag struct {
	ID   signal.ID   `toml:"id"`
	Unit signal.Unit `toml:"unit"`
	// Lo and Hi are the range of the instrument, in Unit.
	Lo float64 `toml:"lo"`
	Hi float64 `toml:"hi"`
	// Source is the gateway's name of the source that carries the tag.
	Source string `toml:"source"`
	// Period is how often a sample must come: the period of a poll, or the
	// sampling interval of a subscription that reports every scan. 0 means that
	// only changes are sent, so that silence says nothing.
	Period strict.Duration `toml:"period"`
}

const (
	staleLeast   = 3 * time.Second
	stalePeriods = 5
)

// stale is how long the tag may be silent, 0 for ever.
func (c *Config) stale(t Tag) time.Duration {
	if t.Period <= 0 {
		return 0
	}
	if c.StaleAfter > 0 {
		return c.StaleAfter.D()
	}
	return max(stalePeriods*t.Period.D(), staleLeast)
}

// Defaults fills in what is not set.
func (c *Config) Defaults() { c.MQTT.Defaults() }

// Validate reports everything that is wrong; it opens nothing.
func (c *Config) Validate() strict.Problems {
	var ps strict.Problems
	if c.StaleAfter < 0 {
		ps.Add("stale_after", "must not be negative")
	}
	if len(c.Assets) == 0 {
		ps.Add("asset", "there is none; a twin of nothing shows nothing")
	}
	assets, tags := map[string]bool{}, map[signal.ID]string{}
	for i, a := range c.Assets {
		path := fmt.Sprintf("asset[%d]", i)
		switch {
		case a.Name == "":
			ps.Add(path+".name", "must be set")
		case assets[a.Name]:
			ps.Add(path+".name", fmt.Sprintf("%q is there twice", a.Name))
		}
		assets[a.Name] = true
		for j, t := range a.Tags {
			ps = append(ps, t.validate(tags).Under(fmt.Sprintf("%s.tag[%d]", path, j))...)
			tags[t.ID] = a.Name
		}
	}
	return append(ps, c.MQTT.Validate().Under("mqtt")...)
}

func (t *Tag) validate(seen map[signal.ID]string) strict.Problems {
	var ps strict.Problems
	if t.ID == "" {
		ps.Add("id", "must be set")
	} else if asset, ok := seen[t.ID]; ok {
		ps.Add("id", fmt.Sprintf("%q is there already, in asset %q", t.ID, asset))
	}
	if t.Lo > t.Hi {
		ps.Add("lo", fmt.Sprintf("%g is above hi = %g", t.Lo, t.Hi))
	}
	if t.Period < 0 {
		ps.Add("period", "must not be negative")
	}
	return ps
}
