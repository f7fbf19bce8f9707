package harness

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/scenarios"
)

// host is the machine under the gateway: faults turn it, the run starts and
// ends it.
type host interface {
	faults.Host
	// settled tells that nothing waits in the gateway's buffer, as far as the
	// host can know.
	settled() bool
	close() error
}

// startGateway puts the gateway on its host: a process of its own in the live
// gear, a part of this one on a modelled disk in the virtual gear.
func (r *run) startGateway() error {
	if r.foreign != nil {
		r.host = r.startForeign()
		return nil
	}
	cfg := gatewayConfig(r)
	if ps := cfg.Validate(); len(ps) > 0 {
		return fmt.Errorf("the gateway's config does not hold: %w", ps.Err())
	}
	place := r.opts.Tweak.host
	if place == nil && r.sc.Gear == scenarios.GearLive && r.opts.Tweak.Gateway == nil {
		place = newProcessHost
	}
	if place != nil {
		h, err := place(r, cfg)
		if err != nil {
			return err
		}
		r.host = h
		return nil
	}
	h := &modelHost{r: r, cfg: cfg, fs: disk.NewModel(disk.Model{Sync: r.sc.Disk.Sync.D(), Capacity: int64(r.sc.Disk.Capacity)})}
	h.boot()
	r.host = h
	return nil
}

// modelHost runs the gateway in this process. A kill abandons the instance:
// its sockets are reset, its file handles go dead, its disk forgets what was
// not synced, and its context ends.
type modelHost struct {
	r     *run
	cfg   gateway.Config
	fs    *disk.ModelFS
	depth atomic.Int64

	mu   sync.Mutex
	gw   *service
	gone []*service // killed instances, to be waited for at the end
}

func (h *modelHost) boot() {
	opts := gateway.Options{FS: h.fs, Log: h.r.log.With("part", "gateway")}
	opts.Observe.OnDrop = func(reason string, n int) { h.r.tap.note("drop", float64(n), reason) }
	opts.Observe.OnDepth = func(depth int) {
		h.depth.Store(int64(depth))
		h.r.tap.note("depth", float64(depth), "")
	}
	if t := h.r.opts.Tweak.Gateway; t != nil {
		t(&opts)
	}
	h.gw = start(func(ctx context.Context) error { return gateway.Run(ctx, h.cfg, opts) })
}

// Kill is power off. It runs between two events of the world, so no time
// passes from the end of the context to the reset of the last socket.
func (h *modelHost) Kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gw == nil {
		return
	}
	h.gw.cancel()
	h.fs.Kill()
	h.r.resetLinks()
	h.gone, h.gw = append(h.gone, h.gw), nil
	h.depth.Store(0)
	h.r.tap.note("gateway killed", 0, "")
}

// Restart boots a new instance on what the disk has kept.
func (h *modelHost) Restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gw != nil {
		return
	}
	h.fs = h.fs.Reopen()
	h.r.tap.note("gateway restarted", 0, "")
	h.boot()
}

// Pause is a process that gets no CPU. Goroutines cannot be stopped, so what
// would be seen of it from outside is brought about: nothing moves on any of
// its links.
func (h *modelHost) Pause(on bool) { h.r.stallLinks(on) }

func (h *modelHost) DiskFull(afterBytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fs.SetCapacity(max(1, h.fs.Used()+afterBytes)) // 0 would be no limit
}

func (h *modelHost) DiskSlow(sync time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sync == 0 {
		sync = h.r.sc.Disk.Sync.D()
	}
	h.fs.SetSync(sync)
}

func (h *modelHost) ClearDisk() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fs.SetCapacity(int64(h.r.sc.Disk.Capacity))
	h.fs.SetSync(h.r.sc.Disk.Sync.D())
}

func (h *modelHost) settled() bool { return h.depth.Load() == 0 }

func (h *modelHost) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.gone {
		g.close() // its errors are its death's
	}
	if h.gw == nil {
		return nil
	}
	return h.gw.close()
}

// resetLinks resets every connection of the gateway, as the kernel does for a
// process that dies.
func (r *run) resetLinks() {
	for _, d := range r.south {
		d.wire.ResetAll()
	}
	r.north.ResetAll()
}

func (r *run) stallLinks(on bool) {
	for _, d := range r.south {
		d.link.Stall(on)
	}
	r.northLink.Stall(on)
}

// link is a wire whose stalls compose: a paused gateway and a stalled link may
// overlap, and what stalls longest decides.
type link struct {
	*wire.Wire
	stalls int
}

// Stall is called from the kernel's goroutine alone.
func (l *link) Stall(on bool) {
	if on {
		l.stalls++
	} else {
		l.stalls--
	}
	l.Wire.Stall(l.stalls > 0)
}
