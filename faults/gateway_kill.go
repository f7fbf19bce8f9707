package faults

import (
	"github.com/plantbed/plantbed/internal/strict"
)

// DiskOps are the operations of a store's disk at which it can be killed: half
// of a write, before a sync, and so on.
var DiskOps = []string{"create", "write", "sync", "rename", "remove", "truncate", "syncdir"}

func checkGatewayKill(c Config, ps *strict.Problems) {
	checkOneOf(ps, "on", "operation", c.On, DiskOps)
	switch {
	case c.Nth < 0:
		ps.Addf("nth", "%d is negative", c.Nth)
	case c.On == "" && c.Nth > 0:
		ps.Add("nth", "says which of the operations it is; write on = \"sync\", or another")
	case c.On == "" && c.Torn:
		ps.Add("torn", "is a matter of an operation; write on = \"write\", or another")
	}
}

// life is how a gateway is down: the worst of the open windows.
type life struct {
	killed, stopped bool
	point           DiskPoint
}

// bindGatewayLife is for kills and restarts: it is up again when the last window
// has closed, and whoever is dead cannot be stopped.
func bindGatewayLife(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	return settle(life{}, worstLife, func(was, now life) error {
		switch {
		case now == life{}:
			return h.Restart()
		case now.killed && !was.killed:
			return h.Kill(now.point)
		case now.stopped && !was.stopped && !was.killed:
			h.Stop()
		}
		return nil
	}), ok
}

func worstLife(open []active) (l life) {
	for _, a := range open {
		switch {
		case a.Kind == "gateway.restart":
			l.stopped = true
		case !l.killed:
			l.killed, l.point = true, DiskPoint{a.cfg.On, a.cfg.Nth, a.cfg.Torn}
		}
	}
	return l
}
