package harness

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/internal/disk"
)

// troubles are those of the real disk under a gateway that is a process: what
// is wrong stands in a file that the process looks into at each operation.
type troubles struct {
	file, dir string // no file: nothing of the disk is planned
	now       disk.Trouble
	kills     int
}

// plan sees whether the disk is to be broken; where faults may still come
// while it runs, it may.
func (t *troubles) plan(r *run, dir string) {
	ofDisk := func(f faults.Config) bool {
		return strings.HasPrefix(f.Kind, "gateway.disk_") || f.Kind == "gateway.kill" && f.On != ""
	}
	if r.opts.begun != nil || slices.ContainsFunc(r.sc.Faults, ofDisk) {
		t.file, t.dir = filepath.Join(r.opts.Dir, "gateway-disk.json"), dir
	}
}

// plans tells whether a kind of fault is among those of the scenario.
func (r *run) plans(kind string) bool {
	return slices.ContainsFunc(r.sc.Faults, func(f faults.Config) bool { return f.Kind == kind })
}

// args are for the process.
func (t *troubles) args() []string {
	if t.file == "" {
		return nil
	}
	return []string{"--disk-trouble", t.file}
}

func (t *troubles) change(f func(*disk.Trouble)) error {
	if t.file == "" {
		return errors.New("the gateway was not started on a disk that can be broken")
	}
	f(&t.now)
	if err := t.now.Write(t.file); err != nil {
		return fmt.Errorf("the gateway's disk cannot be broken: %w", err)
	}
	return nil
}

func (t *troubles) killAt(at faults.DiskPoint) error {
	t.kills++
	return t.change(func(d *disk.Trouble) { d.Kill = &disk.KillAt{ID: t.kills, Op: at.Op, Nth: at.Nth} })
}

// spare takes killAt back.
func (t *troubles) spare() {
	_ = t.change(func(d *disk.Trouble) { d.Kill = nil })
}

// trouble is change for those that cannot say what went wrong.
func (h *processHost) trouble(f func(*disk.Trouble)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.disk.change(f); err != nil {
		h.r.fail(err)
	}
}

func (h *processHost) DiskFull(after int64) {
	used, err := disk.Used(h.disk.dir)
	if err != nil {
		h.r.fail(fmt.Errorf("the gateway's disk: %w", err))
		return
	}
	h.trouble(func(d *disk.Trouble) { d.Full, d.Capacity = true, used+after })
}

func (h *processHost) DiskSlow(sync time.Duration) {
	h.trouble(func(d *disk.Trouble) { d.Sync = sync })
}

func (h *processHost) DiskReadOnly(on bool) { h.trouble(func(d *disk.Trouble) { d.ReadOnly = on }) }

func (h *processHost) ClearDisk() {
	h.trouble(func(d *disk.Trouble) { *d = disk.Trouble{Kill: d.Kill} })
}
