// Package hostclock runs a process under a wall clock of its own, as if its
// machine's had been set wrong. The process may be any program for this machine:
//
//	p, err := hostclock.Start("/usr/bin/gateway", []string{"gateway", "-c", "gw.toml"}, hostclock.Options{Stdout: log, Stderr: log})
//	p.Set(-72*time.Hour, 0)          // three days in the past
//	p.Set(0, 0)                      // and synchronised
//	p.Set(time.Hour, 200e-6)         // an hour ahead, gaining 200 ppm
//	p.Kill()
//	err = p.Wait()
//
// What a machine with a wrong clock does is reproduced: the wall clock jumps or
// drifts, the monotonic clock and with it all timers go on. It is done by
// tracing: the kernel's shortcut for reading the clock (the vDSO) is hidden from
// the process, so that every reading is a system call, and its answer is changed
// on the way back. That costs the process some 10 µs for each of its system
// calls, so it is for runs in which the clock is a fault. A traced process cannot
// be stopped and continued by signals. Linux on amd64 only.
package hostclock

import (
	"os"
	"sync/atomic"
	"time"
)

// Options of a process; the zero value has no output.
type Options struct {
	Stdout, Stderr *os.File
	// Dir is where it runs; empty is where this process does.
	Dir string
	// Env is its environment; nil is that of this process.
	Env []string
}

// Process is one under a clock of its own.
type Process struct {
	pid  int
	skew atomic.Pointer[skew]
	done chan struct{}
	err  error // set before done is closed
}

// skew is how far the clock is off since an instant.
type skew struct {
	set    time.Time
	offset time.Duration
	drift  float64
}

// Set has the wall clock be off by offset now, and gain drift seconds per
// second from now on; 0, 0 is right.
func (p *Process) Set(offset time.Duration, drift float64) {
	p.skew.Store(&skew{time.Now(), offset, drift})
}

// off is by how much the clock is wrong now.
func (p *Process) off() time.Duration {
	s := p.skew.Load()
	if s == nil {
		return 0
	}
	return s.offset + time.Duration(s.drift*float64(time.Since(s.set)))
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for its end, and says why that was not a good one.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}
