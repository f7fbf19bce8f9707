package faults

import (
	"slices"
	"time"
)

// Every window pushes once, at its beginning.
func bindGatewayConfigPush(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	var done []int
	return func(_ time.Duration, open []active) error {
		if len(open) == 0 || slices.Contains(done, last(open).id()) {
			return nil
		}
		done = append(done, last(open).id())
		return h.PushConfig()
	}, ok
}
