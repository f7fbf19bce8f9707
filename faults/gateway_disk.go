package faults

import "time"

// disk is what a full, a slow and a read-only disk amount to together.
type disk struct {
	full     bool
	after    int64
	sync     time.Duration
	readOnly bool
}

// bindGatewayDisk is for all of these, because the host clears them together:
// the least room and the slowest sync decide.
func bindGatewayDisk(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	return settle(disk{}, worstDisk, func(was, now disk) error {
		if now == (disk{}) || was.full && !now.full || was.readOnly && !now.readOnly {
			h.ClearDisk()
			was = disk{}
		}
		if now.full && (!was.full || now.after != was.after) {
			h.DiskFull(now.after)
		}
		if now.sync != was.sync {
			h.DiskSlow(now.sync)
		}
		if now.readOnly && !was.readOnly {
			h.DiskReadOnly(true)
		}
		return nil
	}), ok
}

func worstDisk(open []active) (d disk) {
	for _, a := range open {
		switch a.Kind {
		case "gateway.disk_slow":
			d.sync = max(d.sync, a.cfg.Sync.D())
			continue
		case "gateway.disk_read_only":
			d.readOnly = true
			continue
		}
		if after := int64(a.cfg.After); !d.full || after < d.after {
			d.full, d.after = true, after
		}
	}
	return d
}
