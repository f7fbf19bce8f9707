package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		live, floor uint64
		want        int
	}{{0, 24 << 20, 2300}, {4 << 20, 24 << 20, 500}, {8 << 20, 24 << 20, 200}, {12 << 20, 24 << 20, 100}, {40 << 20, 24 << 20, 100}} {
		if got := growth(c.live, c.floor); got != c.want {
			t.Errorf("%d MiB of %d: %d %%, want %d", c.live>>20, c.floor>>20, got, c.want)
		}
	}
}

// A heap that grows is collected as ever, and one that has shrunk seldom.
func TestCollectAbove(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	kept := make([]byte, 300<<20)
	collectAbove(400 << 20)
	percent := func(what string, ok func(uint64) bool) {
		t.Helper()
		s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			runtime.GC()
			if metrics.Read(s); ok(s[0].Value.Uint64()) {
				return
			}
		}
		t.Errorf("%s: still %d %%", what, s[0].Value.Uint64())
	}
	percent("a large heap", func(p uint64) bool { return p == 100 })
	runtime.KeepAlive(kept)
	kept = nil
	percent("a small heap", func(p uint64) bool { return p > 150 })
	kept = make([]byte, 300<<20)
	percent("a large heap again", func(p uint64) bool { return p == 100 })
	runtime.KeepAlive(kept)
}
