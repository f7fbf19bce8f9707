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
	// Swaps says that messages may come in another order than they were sent.
	Swaps bool
	// Jerky says that an answer may be held up for longer than who polls waits.
	Jerky bool
	// Once says that Late is meant of one answer, and those behind it.
	Once bool
}

// Effect tells what the fault leaves to the clients of a controller that
// speaks protocol, "opcua" or "modbus". The table of kinds has it.
func (c Config) Effect(protocol string) Effect {
	if k, ok := lookup(c.Kind); ok && k.effect != nil {
		return k.effect(c.WithDefaults(), protocol)
	}
	return Effect{}
}

// cutEffect is that of all through which nothing passes, or no connection lasts.
// Who cannot store must not take, so a disk that takes nothing is one of them:
// the sources keep it.
func cutEffect(Config, string) Effect { return Effect{Cut: true} }

// lockEffect is that of all that leave connections alone and let no new one be.
func lockEffect(Config, string) Effect { return Effect{Locks: true} }
