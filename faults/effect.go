package faults

import "time"

// Effect is what a fault leaves to the best of clients: what nobody could have
// had through it is not owed. It is a matter of the fault and the protocol
// alone, never of what a stack did.
type Effect struct {
	// Cut says that nothing passes between client and controller in the window.
	Cut bool
	// Forgets says that the controller's sessions, and what it kept for them,
	// are gone at the window's beginning.
	Forgets bool
	// Moved says that sessions end so at the window's beginning and at its end.
	Moved bool
	// Locks says that a client that is away cannot come back within the window.
	Locks bool
	// Brittle says that what was sent and did not arrive is not sent again.
	Brittle bool
	// Refuses says that the controller answers with an error now and then;
	// what it did not send, nobody could have had.
	Refuses bool
	// Late is by how much answers come later, or what the gateway stores.
	Late time.Duration
	// Gone are the tags that nobody can read in the window.
	Gone []string
	// Deaf says that what the broker takes in the window, and until those who
	// listen are back, reaches nobody.
	Deaf bool
	// Garbles says that bytes may arrive that were never sent.
	Garbles bool
	// Once says that Late is meant of one answer, and those behind it.
	Once bool
}

// Effect tells what the fault leaves to the clients of a controller that
// speaks protocol, "opcua" or "modbus".
func (c Config) Effect(protocol string) Effect {
	c = c.WithDefaults()
	subscribed := protocol == "opcua"
	switch c.Kind {
	case "link.down", "link.stall", "gateway.pause":
		return Effect{Cut: true}
	case "gateway.disk_full", "gateway.disk_read_only":
		// Who cannot store must not take: the sources keep it, as in a cut.
		return Effect{Cut: true}
	case "gateway.disk_slow":
		return Effect{Late: 2 * c.Sync.D()} // the sync under way, and the one behind it
	case "link.latency":
		return Effect{Late: 2*c.Delay.D() + c.Jitter.D()} // an answer is two ways off
	case "plc.restart":
		return Effect{Cut: true, Forgets: true}
	case "plc.slow":
		return Effect{Late: c.Delay.D(), Once: c.Once}
	case "plc.exception":
		return exceptionEffect(c, subscribed)
	case "plc.sessions_full", "plc.cert_expired":
		return Effect{Locks: true}
	case "plc.node_gone":
		return Effect{Gone: c.Tags}
	case "plc.namespace_moved":
		return Effect{Moved: true}
	case "plc.no_republish":
		return Effect{Brittle: true}
	}
	if k, ok := lookup(c.Kind); ok && k.effect != nil {
		return k.effect(c, protocol)
	}
	return Effect{}
}

// exceptionEffect depends on what is refused: samples come as answers to
// publish requests or to reads, and a subscription must be made before that.
func exceptionEffect(c Config, subscribed bool) Effect {
	carrier := "read"
	if subscribed {
		carrier = "publish"
	}
	switch {
	case c.On == "" || c.On == carrier:
		if c.Scope == "item" && subscribed {
			return Effect{Locks: true} // it has items already; who makes them anew is refused
		}
		if percent.value(c.Chance) >= 1 {
			return Effect{Cut: true}
		}
		// A client may take any error of its session for the session's end.
		return Effect{Refuses: true}
	case subscribed && (c.On == "subscribe" || c.On == "read" || c.On == "browse"):
		return Effect{Locks: true}
	}
	return Effect{}
}
