package wire

import (
	"fmt"
	"strings"
)

// Mode is a way of being down. It is a plain string, so that a Wire fits
// interfaces that do not know this package.
type Mode = string

// The modes of Down.
const (
	// RST resets both sides of every connection at once; whoever connects is
	// accepted and reset. So does a device that restarts.
	RST Mode = "rst"
	// FIN ends both sides of every connection in good order, though bytes on
	// the way are lost; whoever connects is accepted and ended.
	FIN Mode = "fin"
	// Blackhole lets bytes vanish both ways: nobody is told anything, also not
	// that the other side has gone. Whoever connects is accepted and hears
	// nothing. At Up what is left is reset.
	Blackhole Mode = "blackhole"
	// Refuse lets connections be and resets new ones.
	Refuse Mode = "refuse"
)

// Modes are all of them, for messages.
func Modes() []Mode { return []Mode{RST, FIN, Blackhole, Refuse} }

// Down takes the link down; "" means RST. A second Down changes the mode:
// connections get what the new mode has for them, and those that a black hole
// has swallowed stay so until Up.
func (w *Wire) Down(mode Mode) error {
	w.setDeaf(false, false)
	return w.down(mode)
}

// DownOneWay is a black hole in one direction: what is sent that way vanishes,
// the other way everything passes. At Up the connections that lost bytes are
// reset, as their streams cannot go on.
func (w *Wire) DownOneWay(dir Direction) {
	w.mu.Lock()
	w.mode = ""
	w.mu.Unlock()
	w.log.Debug("down one way", "way", dir)
	w.setDeaf(dir == ToClient, dir == ToServer)
}

func (w *Wire) setDeaf(toClient, toServer bool) {
	if d := &w.shape.Load().dirs; d[ToClient].deaf != toClient || d[ToServer].deaf != toServer {
		w.reshape(func(s *shape) { s.dirs[ToClient].deaf, s.dirs[ToServer].deaf = toClient, toServer })
	}
}

func (w *Wire) down(mode Mode) error {
	switch mode {
	case "":
		mode = RST
	case RST, FIN, Blackhole, Refuse:
	default:
		return fmt.Errorf("wire %s: no mode %q; there are %s", w.cfg.Name, mode, strings.Join(Modes(), ", "))
	}
	w.mu.Lock()
	w.mode = mode
	w.mu.Unlock()
	w.log.Debug("down", "mode", mode)
	for _, c := range w.every() {
		switch mode {
		case RST:
			c.reset()
		case FIN, Blackhole:
			c.mute(mode == FIN)
		}
	}
	return nil
}

// Up ends Down. Connections that went silent in it are reset.
func (w *Wire) Up() {
	w.mu.Lock()
	w.mode = ""
	w.mu.Unlock()
	w.log.Debug("up")
	w.setDeaf(false, false)
	for _, c := range w.every() {
		if c.muted.Load() || c.holed.Load() {
			c.reset()
		}
	}
}

// HalfOpen takes one end of every connection away, that of the server or else
// of the client, and tells the other nothing: what it sends vanishes, as behind
// a machine that lost its power. New connections pass. Mend resets what is left.
func (w *Wire) HalfOpen(serverGone bool) {
	for _, c := range w.every() {
		c.halve(serverGone)
	}
}

// Mend has the ends that HalfOpen has left find out.
func (w *Wire) Mend() {
	for _, c := range w.every() {
		if c.halved.Load() {
			c.reset()
		}
	}
}

// ResetAll resets every connection; the wire itself stays as it is. It is what
// the peers of a killed process see.
func (w *Wire) ResetAll() {
	for _, c := range w.every() {
		c.reset()
	}
}
