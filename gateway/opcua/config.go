package opcua

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Config is one OPC UA server and what to read from it.
type Config struct {
	Name string `toml:"name"`
	// URL is "opc.tcp://host:port"; it is dialled as it stands, whatever the
	// server says of its own endpoints.
	URL string `toml:"url"`
	// Sampling is the interval at which the server looks at a value, Queue how
	// many values it keeps of each tag between two publishes.
	Sampling strict.Duration `toml:"sampling"`
	Queue    int             `toml:"queue"`
	// Publishing is the interval at which the server sends what it has queued.
	Publishing strict.Duration `toml:"publishing"`
	// Lifetime is how long the server shall keep the subscription, and queue
	// for it, while no client is there.
	Lifetime strict.Duration `toml:"lifetime"`
	// Trigger says which change makes a sample: "status", "status-value" or
	// "status-value-timestamp".
	Trigger string `toml:"trigger"`
	// RequestTimeout bounds the wait for an answer of the server, but for that
	// to a publish request, which comes when there is something to say.
	RequestTimeout strict.Duration `toml:"request_timeout"`
	Security       Security        `toml:"security"`
	Tags           []Tag           `toml:"tag"`
	Picks          []Pick          `toml:"pick"`
}

// Tag is one node to be read.
type Tag struct {
	ID signal.ID `toml:"id"`
	// Node is a node id such as "ns=2;s=pump/motor/current" or "ns=3;i=1001".
	Node string `toml:"node"`
	// Namespace is the URI of the node's namespace. If it is set, the index is
	// looked up whenever items are created and the one in Node is ignored.
	Namespace string `toml:"namespace"`
	// Sampling and Queue, where set, take the place of the server's.
	Sampling strict.Duration `toml:"sampling"`
	Queue    int             `toml:"queue"`
	// Trigger, where set, takes the place of the server's.
	Trigger string `toml:"trigger"`
	// Deadband is the least change that the server reports, in the unit of the
	// raw value; 0 is every change.
	Deadband float64 `toml:"deadband"`
}

// keepAlive is about how often the server shall say that nothing changed.
const keepAlive = 3 * time.Second

var triggers = map[string]ua.DataChangeTrigger{
	"status":                 ua.DataChangeTriggerStatus,
	"status-value":           ua.DataChangeTriggerStatusValue,
	"status-value-timestamp": ua.DataChangeTriggerStatusValueTimestamp,
}

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	orDuration(&c.Sampling, 500*time.Millisecond)
	orDuration(&c.Publishing, time.Second)
	orDuration(&c.Lifetime, 10*time.Minute)
	orDuration(&c.RequestTimeout, 20*time.Second)
	c.Security.defaults()
	if c.Queue == 0 {
		c.Queue = 50
	}
	if c.Trigger == "" {
		c.Trigger = "status-value"
	}
}

func orDuration(d *strict.Duration, v time.Duration) {
	if *d == 0 {
		*d = strict.Duration(v)
	}
}

// keepAliveCount is the number of publishing intervals between keep-alives.
func (c *Config) keepAliveCount() uint32 {
	return uint32(max(1, keepAlive/c.Publishing.D()))
}

// lifetimeCount is the lifetime in publishing intervals; OPC UA wants at least
// three keep-alives in it.
func (c *Config) lifetimeCount() uint32 {
	return max(uint32(c.Lifetime.D()/c.Publishing.D()), 3*c.keepAliveCount())
}

// Validate reports every problem of a configuration whose defaults are filled
// in.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	c.validateServer(&ps)
	ps = append(ps, c.Security.validate().Under("security")...)
	if len(c.Tags)+len(c.Picks) == 0 {
		ps.Add("tag", "a source without tags or picks reads nothing")
	}
	for i, p := range c.Picks {
		ps = append(ps, p.validate().Under(fmt.Sprintf("pick[%d]", i))...)
	}
	seen := map[signal.ID]int{}
	for i, t := range c.Tags {
		at := fmt.Sprintf("tag[%d]", i)
		ps = append(ps, t.validate().Under(at)...)
		if first, ok := seen[t.ID]; ok && t.ID != "" {
			ps.Add(at+".id", fmt.Sprintf("%q is already tag[%d]", t.ID, first))
			continue
		}
		seen[t.ID] = i
	}
	return ps
}

func (c Config) validateServer(ps *strict.Problems) {
	if c.Name == "" {
		ps.Add("name", "a source needs a name")
	}
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "opc.tcp" || u.Hostname() == "" {
		ps.Add("url", fmt.Sprintf("%q is not of the form \"opc.tcp://host:port\"", c.URL))
	}
	if c.Sampling < 0 {
		ps.Add("sampling", "must not be negative")
	}
	if c.Publishing.D() < time.Millisecond {
		ps.Add("publishing", fmt.Sprintf("must be at least 1ms, is %s", c.Publishing))
	} else if period := c.Publishing.D() * time.Duration(c.keepAliveCount()); c.Lifetime.D() < 3*period {
		ps.Add("lifetime", fmt.Sprintf("must be at least three keep-alive periods, %v, is %s", 3*period, c.Lifetime))
	}
	if c.RequestTimeout.D() < time.Millisecond {
		ps.Add("request_timeout", fmt.Sprintf("must be at least 1ms, is %s", c.RequestTimeout))
	}
	if c.Queue < 1 {
		ps.Add("queue", fmt.Sprintf("must be at least 1, is %d", c.Queue))
	}
	if _, ok := triggers[c.Trigger]; !ok {
		ps.Add("trigger", fmt.Sprintf("%q is none of \"status\", \"status-value\", \"status-value-timestamp\"", c.Trigger))
	}
}

func (t Tag) validate() strict.Problems {
	var ps strict.Problems
	if t.ID == "" {
		ps.Add("id", "a tag needs an id")
	}
	if _, err := t.nodeID(); err != nil {
		ps.Add("node", err.Error())
	}
	if t.Sampling < 0 {
		ps.Add("sampling", "must not be negative")
	}
	if t.Queue < 0 {
		ps.Add("queue", "must not be negative")
	}
	if _, ok := triggers[t.Trigger]; !ok && t.Trigger != "" {
		ps.Add("trigger", fmt.Sprintf("%q is none of \"status\", \"status-value\", \"status-value-timestamp\"", t.Trigger))
	}
	if !(t.Deadband >= 0) || t.Deadband > math.MaxFloat64 {
		ps.Add("deadband", "must be 0 or more")
	}
	return ps
}

// nodeID reads Node; the identifier must name its kind.
func (t Tag) nodeID() (*ua.NodeID, error) {
	_, id, found := strings.Cut(t.Node, ";")
	if !found {
		id = t.Node
	}
	if len(id) < 3 || id[1] != '=' || !strings.ContainsRune("isgb", rune(id[0])) {
		return nil, fmt.Errorf("%q is no node id; write it like \"ns=2;s=pump/motor/current\" or \"ns=2;i=1001\"", t.Node)
	}
	n, err := ua.ParseNodeID(t.Node)
	if err != nil {
		return nil, fmt.Errorf("%q is no node id: %v", t.Node, err)
	}
	return n, nil
}
