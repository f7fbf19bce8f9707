package sut

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/plantbed/plantbed/internal/hostclock"
)

// process is a SUT that is a program. It runs in a process group of its own, so
// that what it starts itself dies with it.
type process struct {
	base
	mu    sync.Mutex
	life  *life // nil while it is down
	clock clock
}

// behind is how much nicer a SUT is than this process.
const behind = 5

// life is one run of the program.
type life struct {
	pid  int
	wait func() error
	// apart is set where it has a clock of its own.
	apart *hostclock.Process
	// ended gets the end once; gone is closed then.
	ended chan error
	gone  chan struct{}
	// asked says that the end was ours.
	asked bool
}

// Prepare has nothing to do.
func (p *process) Prepare(context.Context) (string, error) { return "", nil }

func (p *process) Start(_ context.Context, e Endpoints) error {
	if err := p.prepare(e, p.home()); err != nil {
		return err
	}
	return p.boot()
}

func (p *process) Restart(context.Context) error { return p.boot() }

func (p *process) Ready(ctx context.Context) error {
	p.mu.Lock()
	l := p.life
	p.mu.Unlock()
	if l == nil {
		return fmt.Errorf("sut: %s is not running%s", p.cfg.Name, p.log.tail())
	}
	return p.wait(ctx, l.ended)
}

// boot starts the program, where it does not run already.
func (p *process) boot() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life != nil {
		return nil
	}
	words, err := p.words()
	if err != nil {
		return err
	}
	env, err := p.environ()
	if err != nil {
		return err
	}
	p.log.look(p.cfg.Ready.Log)
	l := &life{ended: make(chan error, 1), gone: make(chan struct{})}
	if p.opts.OwnClock {
		err = p.bootApart(l, words, append(os.Environ(), env...))
	} else {
		err = p.bootHere(l, words, append(os.Environ(), env...))
	}
	if err != nil {
		return fmt.Errorf("sut: cannot start %s: %w", p.cfg.Name, err)
	}
	// A late simulator says nothing about a gateway, so it goes first.
	syscall.Setpriority(syscall.PRIO_PGRP, l.pid, behind)
	p.life = l
	go p.reap(l)
	return nil
}

func (p *process) bootHere(l *life, words, env []string) error {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = p.home(), env
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.WaitDelay = time.Second // what it left behind may hold its output open
	cmd.SysProcAttr = Group()
	if err := cmd.Start(); err != nil {
		return err
	}
	l.pid, l.wait = cmd.Process.Pid, cmd.Wait
	return nil
}

// reap waits for the end of a life.
func (p *process) reap(l *life) {
	err := l.wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	l.ended <- err
	close(l.gone)
	p.mu.Lock()
	own := !l.asked
	if p.life == l {
		p.life = nil
	}
	p.mu.Unlock()
	if own && p.opts.Died != nil {
		p.opts.Died(fmt.Errorf("%s ended of its own accord: %s", p.cfg.Name, endOf(err)))
	}
}

// take marks the life as ended by us, and gives it.
func (p *process) take() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.life
	if l != nil {
		l.asked = true
		p.life = nil
	}
	return l
}

// group signals the program and all that it has started.
func (l *life) group(s syscall.Signal) { syscall.Kill(-l.pid, s) }

func (p *process) Kill() error {
	if l := p.take(); l != nil {
		l.group(syscall.SIGKILL)
		<-l.gone
	}
	return nil
}

func (p *process) Pause(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil {
		return nil
	}
	if p.life.apart != nil {
		return errors.New("sut: what has a clock of its own cannot be paused")
	}
	s := syscall.SIGCONT
	if on {
		s = syscall.SIGSTOP
	}
	p.life.group(s)
	return nil
}

func (p *process) Stop() error {
	defer p.leaveStore()
	l := p.take()
	if p.log != nil {
		defer p.log.close()
	}
	if l == nil {
		return nil
	}
	l.group(syscall.SIGCONT)
	l.group(signals[p.cfg.Stop.Signal])
	late := time.NewTimer(p.cfg.Stop.Grace.D())
	defer late.Stop()
	select {
	case <-l.gone:
	case <-late.C:
		p.opts.Log.Warn("the system under test did not end when it was asked to", "name", p.cfg.Name, "within", p.cfg.Stop.Grace.String())
	}
	l.group(syscall.SIGKILL) // and what it left behind
	<-l.gone
	return nil
}
