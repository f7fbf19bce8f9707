package plc

import "sync/atomic"

// Flag is a bit that the controller works out for itself at every scan of its
// task "scan", such as that a machine waits for the one behind it. It is no
// tag: nobody samples it, and it has neither instrument nor quality.
type Flag struct {
	read func() bool
	on   atomic.Bool
}

// On tells what the last scan found; false before the first. It may be called
// from any goroutine.
func (f *Flag) On() bool { return f.on.Load() }

// Flag adds one, which read tells on the kernel's goroutine. It is for before
// Start.
func (p *PLC) Flag(read func() bool) *Flag {
	f := &Flag{read: read}
	p.flags = append(p.flags, f)
	return f
}

// latchFlags is part of a scan; a frozen device does without.
func (p *PLC) latchFlags() {
	for _, f := range p.flags {
		f.on.Store(f.read())
	}
}
