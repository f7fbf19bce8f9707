package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/hostclock"
)

// processHost runs the gateway as a process of its own: a kill is SIGKILL.
type processHost struct {
	r    *run
	file string
	log  *os.File
	deaf func() // ends the watch of the buffer's depth

	mu   sync.Mutex
	proc process
	died chan error    // the end of proc, once
	gone chan struct{} // closed behind that
	// stopped says that proc was asked to end, closed that the run is over.
	stopped, closed bool
	// clock is what the process's wall clock was last set to, where it has one
	// of its own.
	clock struct {
		own    bool
		set    time.Time
		offset time.Duration
		drift  float64
	}
	disk troubles
}

// process is a program that runs, as package os or package hostclock has it.
type process interface {
	Signal(os.Signal) error
	Kill() error
}

func newProcessHost(r *run, cfg gateway.Config) (host, error) {
	cfg.Buffer.Dir = filepath.Join(r.opts.Dir, "gateway")
	if err := os.RemoveAll(cfg.Buffer.Dir); err != nil {
		return nil, fmt.Errorf("gateway: cannot empty its folder: %w", err)
	}
	if cfg.Admin.Listen == "" {
		cfg.Admin.Listen = "127.0.0.1:0"
	}
	h := &processHost{r: r, file: filepath.Join(r.opts.Dir, "gateway.toml")}
	h.disk.plan(r, cfg.Buffer.Dir)
	h.clock.own = r.plans("gateway.clock")
	if err := writeGatewayConfig(h.file, cfg); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(r.opts.Dir, "gateway.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	h.log = log
	if err := h.boot(); err != nil {
		log.Close()
		return nil, err
	}
	h.listen()
	return h, nil
}

// listen has the depth of the buffer noted as it changes.
func (h *processHost) listen() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		newDepthWatch(h.log.Name()).run(ctx, func(depth float64) { h.r.tap.note("depth", depth, "") })
	}()
	h.deaf = func() { cancel(); <-done }
}

func writeGatewayConfig(file string, cfg gateway.Config) error {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(cfg); err != nil {
		return fmt.Errorf("gateway: cannot write its config: %w", err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

func (h *processHost) boot() error {
	self := h.r.opts.Exe
	if self == "" {
		var err error
		if self, err = os.Executable(); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	args := append([]string{"gateway", "-c", h.file}, h.r.opts.GatewayArgs...)
	args = append(args, h.disk.args()...)
	if h.clock.own {
		return h.bootApart(self, args)
	}
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = h.log, h.log
	cmd.SysProcAttr = sut.Group()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	h.runs(cmd.Process, cmd.Wait)
	return nil
}

// bootApart is boot with a wall clock of the process's own.
func (h *processHost) bootApart(self string, args []string) error {
	p, err := hostclock.Start(self, append([]string{self}, args...), hostclock.Options{Stdout: h.log, Stderr: h.log})
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	h.runs(p, p.Wait)
	h.setClock(p)
	return nil
}

// runs takes a process that was started.
func (h *processHost) runs(p process, wait func() error) {
	died, gone := make(chan error, 1), make(chan struct{})
	go func() {
		died <- wait()
		close(gone)
	}()
	h.proc, h.died, h.gone = p, died, gone
}

// setClock goes on from what the clock was set to, as that of a machine does
// whatever becomes of its processes.
func (h *processHost) setClock(p *hostclock.Process) {
	c := &h.clock
	if !c.set.IsZero() {
		p.Set(c.offset+time.Duration(c.drift*float64(time.Since(c.set))), c.drift)
	}
}

// Clock sets the wall clock of the gateway's host.
func (h *processHost) Clock(offset time.Duration, drift float64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.clock.own {
		return errors.New("the gateway was not started under a clock of its own")
	}
	h.clock.set, h.clock.offset, h.clock.drift = time.Now(), offset, drift
	if p, ok := h.proc.(*hostclock.Process); ok {
		h.setClock(p)
	}
	h.r.tap.note("gateway clock", offset.Seconds(), "")
	return nil
}

// Kill is SIGKILL; the kernel closes the process's sockets. At a point of its
// disk's work the process does it to itself.
func (h *processHost) Kill(at faults.DiskPoint) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc != nil && at.Op != "" {
		if err := h.disk.killAt(at); err != nil {
			return err
		}
		go h.struck(h.proc, h.gone)
		return nil
	}
	if h.proc != nil {
		h.proc.Kill()
		<-h.died
		h.proc, h.stopped = nil, false
		h.r.tap.note("gateway killed", 0, "")
	}
	return nil
}

// struck waits for a process to come to the point of its disk's work.
func (h *processHost) struck(p process, gone chan struct{}) {
	<-gone
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc == p {
		h.buried()
	}
}

// buried tells whether the process has killed itself, as it was to; it needs h.mu.
func (h *processHost) buried() bool {
	at := h.disk.now.Kill
	if at == nil || h.proc == nil {
		return false
	}
	select {
	case <-h.gone:
	default:
		return false
	}
	<-h.died
	h.disk.spare()
	h.proc, h.stopped = nil, false
	h.r.tap.note("gateway killed", 0, fmt.Sprintf("at its disk's %s", at.Op))
	return true
}

// Stop is SIGTERM.
func (h *processHost) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc != nil {
		h.proc.Signal(syscall.SIGTERM)
		h.stopped = true
		h.r.tap.note("gateway stopped", 0, "")
	}
}

// Restart starts the process again, on the same folder, once the last one has
// ended; the world does not wait for that.
func (h *processHost) Restart() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := h.disk.now.Kill; at != nil && !h.buried() {
		h.disk.spare()
		return fmt.Errorf("the gateway's disk did not come to %s number %d in the time there was", at.Op, at.Nth)
	}
	if h.stopped {
		h.stopped = false
		go h.succeed(h.proc, h.died)
		return nil
	}
	if h.proc != nil {
		return nil
	}
	return h.again()
}

// again needs h.mu.
func (h *processHost) again() error {
	if err := h.boot(); err != nil {
		return fmt.Errorf("the gateway does not start again: %w", err)
	}
	h.r.tap.note("gateway restarted", 0, "")
	return nil
}

// succeed boots behind a process that is still ending.
func (h *processHost) succeed(old process, died chan error) {
	select {
	case err := <-died:
		died <- err
	case <-time.After(patience):
		old.Kill()
		died <- <-died
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc != old || h.closed {
		return
	}
	<-died
	h.proc = nil
	if err := h.again(); err != nil {
		h.r.fail(err)
	}
}

// patience is how long a gateway that was asked to end may take.
const patience = 10 * time.Second

// Pause stops the process, and lets it go on.
func (h *processHost) Pause(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clock.own {
		h.r.fail(errors.New("a gateway under a clock of its own cannot be paused"))
		return
	}
	if h.proc == nil {
		return
	}
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	h.proc.Signal(sig)
}

// PushConfig has the process read its file again.
func (h *processHost) PushConfig() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc == nil {
		return nil
	}
	return h.proc.Signal(syscall.SIGHUP)
}

// FlipBit turns a bit of the newest file of the buffer that holds anything.
func (h *processHost) FlipBit(place float64) error {
	files, err := filepath.Glob(filepath.Join(h.r.opts.Dir, "gateway", "*"+segmentSuffix))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, file := range slices.Backward(files) {
		if at, ok, err := flipBit(file, place); ok || err != nil {
			h.r.tap.note("bit flipped", float64(at), filepath.Base(file))
			return err
		}
	}
	return errors.New("the gateway has stored nothing yet")
}

func flipBit(file string, place float64) (at int64, ok bool, err error) {
	info, err := os.Stat(file)
	if err != nil || info.Size() == 0 {
		return 0, false, err
	}
	at = int64(place * float64(info.Size()-1))
	return at, true, disk.FlipBit(file, at)
}

// settled cannot be known from outside; the drain goes by what arrives.
func (h *processHost) settled() bool { return true }

// close asks the process to end, and makes it after a while.
func (h *processHost) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.log.Close()
	h.deaf()
	h.closed = true
	if h.proc == nil {
		return nil
	}
	h.proc.Signal(syscall.SIGCONT)
	if !h.stopped {
		h.proc.Signal(syscall.SIGTERM)
	}
	select {
	case err := <-h.died:
		return wellEnded(err, h.log.Name())
	case <-time.After(10 * time.Second):
		h.proc.Kill()
		<-h.died
		return errors.New("gateway: it did not end within 10s of being asked to")
	}
}

func wellEnded(err error, log string) error {
	if err != nil {
		return fmt.Errorf("gateway: it ended badly: %w (see %s)", err, log)
	}
	return nil
}
