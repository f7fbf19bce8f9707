package sut

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/plantbed/plantbed/internal/hostclock"
)

// clock is what the wall clock of a SUT's machine was last set to; it goes on
// whatever becomes of the processes there.
type clock struct {
	set    time.Time // zero: never, it is right
	offset time.Duration
	drift  float64
}

func (c clock) apply(p *hostclock.Process) {
	if !c.set.IsZero() {
		p.Set(c.offset+time.Duration(c.drift*float64(time.Since(c.set))), c.drift)
	}
}

// errOneClock says why a SUT's clock cannot be set.
var errOneClock = errors.New("sut: it was not started under a clock of its own")

// Clock is SUT.Clock for those that share their clock.
func (b *base) Clock(offset time.Duration, drift float64) error {
	if offset == 0 && drift == 0 {
		return nil
	}
	return errOneClock
}

// Clock sets the wall clock of the program, not of what it starts in its turn.
func (p *process) Clock(offset time.Duration, drift float64) error {
	if !p.opts.OwnClock {
		return p.base.Clock(offset, drift)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock = clock{time.Now(), offset, drift}
	if p.life != nil {
		p.clock.apply(p.life.apart)
	}
	return nil
}

// bootApart starts the program under a clock of its own; it needs p.mu.
func (p *process) bootApart(l *life, words, env []string) error {
	exe, err := exec.LookPath(words[0])
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	apart, err := hostclock.Start(exe, words, hostclock.Options{Stdout: w, Stderr: w, Dir: p.home(), Env: env})
	w.Close()
	if err != nil {
		r.Close()
		return err
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		defer r.Close()
		_, _ = io.Copy(p.log, r)
	}()
	l.pid, l.apart = apart.Pid(), apart
	l.wait = func() error {
		err := apart.Wait()
		select {
		case <-heard:
		case <-time.After(time.Second): // what it left behind may hold its output open
			r.Close()
			<-heard
		}
		return err
	}
	p.clock.apply(apart)
	return nil
}
