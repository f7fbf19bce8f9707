package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/plantbed/plantbed/gateway"
)

// processHost runs the gateway as a process of its own: a kill is SIGKILL.
type processHost struct {
	r    *run
	file string
	log  *os.File
	deaf func() // ends the watch of the buffer's depth

	mu   sync.Mutex
	cmd  *exec.Cmd
	died chan error // the end of cmd
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
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	cmd := exec.Command(self, append([]string{"gateway", "-c", h.file}, h.r.opts.GatewayArgs...)...)
	cmd.Stdout, cmd.Stderr = h.log, h.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	h.cmd, h.died = cmd, died
	return nil
}

// Kill is SIGKILL; the kernel closes the process's sockets.
func (h *processHost) Kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd != nil {
		h.cmd.Process.Kill()
		<-h.died
		h.cmd = nil
		h.r.tap.note("gateway killed", 0, "")
	}
}

// Restart starts the process again, on the same folder.
func (h *processHost) Restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd != nil {
		return
	}
	if err := h.boot(); err != nil {
		h.r.log.Error("the gateway does not start again", "err", err)
		return
	}
	h.r.tap.note("gateway restarted", 0, "")
}

// Pause stops the process, and lets it go on.
func (h *processHost) Pause(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd == nil {
		return
	}
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	h.cmd.Process.Signal(sig)
}

// The disk under a real process is not the harness's to break.
func (h *processHost) DiskFull(int64)         { h.noDisk() }
func (h *processHost) DiskSlow(time.Duration) { h.noDisk() }
func (h *processHost) ClearDisk()             {}

func (h *processHost) noDisk() {
	h.r.log.Error("gateway.disk_* needs the virtual gear: the disk under a real process is not ours to break")
}

// settled cannot be known from outside; the drain goes by what arrives.
func (h *processHost) settled() bool { return true }

// close asks the process to end, and makes it after a while.
func (h *processHost) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.log.Close()
	h.deaf()
	if h.cmd == nil {
		return nil
	}
	h.cmd.Process.Signal(syscall.SIGCONT)
	h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-h.died:
		return wellEnded(err, h.log.Name())
	case <-time.After(10 * time.Second):
		h.cmd.Process.Kill()
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
