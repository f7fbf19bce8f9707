package faults

import "time"

// disk is what a full and a slow disk amount to together.
type disk struct {
	full  bool
	after int64
	sync  time.Duration
}

// bindGatewayDisk is for both kinds, because the host clears them together: the
// least room and the slowest sync decide.
func bindGatewayDisk(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	return settle(disk{}, worstDisk, func(was, now disk) error {
		if now == (disk{}) || was.full && !now.full {
			h.ClearDisk()
			was = disk{}
		}
		if now.full && (!was.full || now.after != was.after) {
			h.DiskFull(now.after)
		}
		if now.sync != was.sync {
			h.DiskSlow(now.sync)
		}
		return nil
	}), ok
}

func worstDisk(open []active) (d disk) {
	for _, a := range open {
		if a.Kind == "gateway.disk_slow" {
			d.sync = max(d.sync, a.cfg.Sync.D())
			continue
		}
		if after := int64(a.cfg.After); !d.full || after < d.after {
			d.full, d.after = true, after
		}
	}
	return d
}
