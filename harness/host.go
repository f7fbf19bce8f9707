package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/plantbed/plantbed/faults"
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
	if r.sc.Gear == scenarios.GearLive && r.opts.Tweak.Gateway == nil {
		h, err := newProcessHost(r, cfg)
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

	mu     sync.Mutex
	gw     *service
	ending *service   // was asked to end, and may not have yet
	gone   []*service // killed instances, to be waited for at the end
	closed bool
	config chan gateway.Reload // of the instance that runs
	point  faults.DiskPoint    // of the kill that the disk waits for
}

func (h *modelHost) boot() {
	opts := gateway.Options{FS: h.fs, Log: h.r.log.With("part", "gateway")}
	h.config = make(chan gateway.Reload, 1)
	opts.Reload = h.config
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
// passes from the end of the context to the reset of the last socket. At a
// point of the disk's work it runs in the middle of that.
func (h *modelHost) Kill(at faults.DiskPoint) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gw == nil && h.ending == nil {
		return nil
	}
	if at.Op != "" {
		h.point = at
		h.fs.KillAt(at.Op, at.Nth, at.Torn, h.r.sc.Seed, h.struck)
		return nil
	}
	h.fs.Kill()
	h.abandon("")
	return nil
}

// struck is the disk's word that it has killed its owner.
func (h *modelHost) struck() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.abandon(fmt.Sprintf("at its disk's %s", h.point.Op))
}

// abandon needs h.mu.
func (h *modelHost) abandon(where string) {
	for _, g := range []*service{h.gw, h.ending} {
		if g != nil {
			g.cancel()
			h.gone = append(h.gone, g)
		}
	}
	h.gw, h.ending = nil, nil
	h.r.resetLinks()
	h.depth.Store(0)
	h.r.tap.note("gateway killed", 0, where)
}

// Stop asks it to end, as an administrator does.
func (h *modelHost) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gw != nil {
		h.gw.cancel()
		h.ending, h.gw = h.gw, nil
		h.r.tap.note("gateway stopped", 0, "")
	}
}

// Restart boots a new instance on what the disk has kept, once the last one has
// ended.
func (h *modelHost) Restart() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fs.Spare() {
		return fmt.Errorf("the gateway's disk did not come to %s number %d in the time there was", h.point.Op, h.point.Nth)
	}
	if h.ending != nil {
		go h.succeed(h.ending)
		return nil
	}
	if h.gw == nil {
		h.fs = h.fs.Reopen()
		h.r.tap.note("gateway restarted", 0, "")
		h.boot()
	}
	return nil
}

// succeed boots behind an instance that is still ending.
func (h *modelHost) succeed(old *service) {
	err := <-old.done
	old.done <- err
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ending == old && !h.closed {
		h.ending = nil
		h.r.tap.note("gateway restarted", 0, "")
		h.boot()
	}
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

func (h *modelHost) DiskReadOnly(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var fault error
	if on {
		fault = syscall.EROFS
	}
	h.fs.SetFault(fault)
}

func (h *modelHost) ClearDisk() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fs.SetCapacity(int64(h.r.sc.Disk.Capacity))
	h.fs.SetSync(h.r.sc.Disk.Sync.D())
	h.fs.SetFault(nil)
}

// PushConfig has a gateway that runs read its configuration again.
func (h *modelHost) PushConfig() error {
	h.r.tap.note("config pushed", 0, "")
	if t := h.r.opts.Tweak.PushConfig; t != nil {
		t(h)
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gw == nil {
		return nil
	}
	select {
	case h.config <- gateway.Reload{Config: h.cfg}:
	default: // the one before is not read yet
	}
	return nil
}

// FlipBit turns a bit of the newest segment that holds anything.
func (h *modelHost) FlipBit(place float64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	fs := h.fs
	if h.gw == nil && h.ending == nil {
		fs = fs.Reopen()
		h.fs = fs
	}
	names, err := fs.List()
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(names) {
		if b, err := fs.ReadFile(name); err == nil && strings.HasSuffix(name, segmentSuffix) && len(b) > 0 {
			at := int64(place * float64(len(b)-1))
			h.r.tap.note("bit flipped", float64(at), name)
			return fs.FlipBit(name, at)
		}
	}
	return errors.New("the gateway has stored nothing yet")
}

// segmentSuffix is how the gateway's buffer names its data.
const segmentSuffix = ".seg"

// Clock is not possible here: the gateway shares its process with the plant.
func (h *modelHost) Clock(offset time.Duration, drift float64) error {
	if offset == 0 && drift == 0 {
		return nil
	}
	return errors.New("the gateway shares its process, and so its clock, with the plant; gateway.clock needs the live gear")
}

func (h *modelHost) settled() bool { return h.depth.Load() == 0 }

func (h *modelHost) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, g := range h.gone {
		g.close() // its errors are its death's
	}
	var err error
	for _, g := range []*service{h.ending, h.gw} {
		if g != nil {
			err = errors.Join(err, g.close())
		}
	}
	return err
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
		d.link.Stall("", on)
	}
	r.northLink.Stall("", on)
}
