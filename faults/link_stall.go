package faults

import "github.com/plantbed/plantbed/internal/strict"

func checkLinkStall(c Config, ps *strict.Problems) { checkOneOf(ps, "way", "way", c.Way, ways) }

// Each way stalls while any window holds it back.
func bindLinkStall(p Plant, target string) (apply, bool) {
	type stalled struct{ toServer, toClient bool }
	l, ok := p.Link(target)
	return settle(stalled{},
		func(open []active) (s stalled) {
			for _, a := range open {
				s.toServer = s.toServer || a.cfg.Way != ToClient
				s.toClient = s.toClient || a.cfg.Way != ToServer
			}
			return s
		},
		func(was, now stalled) error {
			turns := func(was, now bool) bool { return was != now }
			server, client := turns(was.toServer, now.toServer), turns(was.toClient, now.toClient)
			switch {
			case server && client && now.toServer == now.toClient:
				l.Stall("", now.toServer)
			default:
				if server {
					l.Stall(ToServer, now.toServer)
				}
				if client {
					l.Stall(ToClient, now.toClient)
				}
			}
			return nil
		}), ok
}
