package opcua

import (
	"testing"

	"github.com/gopcua/opcua/ua"
)

// TestBusyAtRepublish: an error that may pass is no word that a notification is
// gone.
func TestBusyAtRepublish(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 5; n++ {
		f.set(nodeOf(0), float64(n), at(n))
		eventually(t, "a sample", func() bool { return len(c.samples()) >= n })
	}
	f.with(func() { f.lost["publish"], f.always["Republish"] = 1, ua.StatusBadInternalError })
	f.set(nodeOf(0), 6.0, at(6))
	eventually(t, "a loss", func() (ok bool) { f.with(func() { ok = f.lost["publish"] == 0 }); return ok })
	f.cut()
	eventually(t, "refusals on more than one connection", func() bool { return f.count("Republish") > republishTries })
	f.set(nodeOf(0), 7.0, at(7))
	f.with(func() { delete(f.always, "Republish") })
	eventually(t, "all samples", func() bool { return len(c.samples()) >= 7 })
	wantCount(t, c.samples(), 7)
}

// TestBusyForEver: a server that never answers a Republish otherwise is read on.
func TestBusyForEver(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.always["Republish"] = ua.StatusBadInternalError
	f.keepAlive = 5
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.set(nodeOf(0), 1.0, at(1))
	eventually(t, "a sample", func() bool { return len(c.samples()) == 1 })
	f.with(func() { f.lost["publish"] = 1 })
	f.set(nodeOf(0), 2.0, at(2))
	eventually(t, "a loss", func() (ok bool) { f.with(func() { ok = f.lost["publish"] == 0 }); return ok })
	f.cut()
	eventually(t, "data again", func() bool { f.set(nodeOf(0), 3.0, at(3)); return len(c.samples()) > 1 })
	if got := c.samples()[1].Value; got != 3 {
		t.Errorf("%v came, want 3", got)
	}
	if c.lostGaps() == 0 {
		t.Error("nobody was told of a gap")
	}
}

// TestBusyAtPublish: an error that may pass costs no connection.
func TestBusyAtPublish(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.keepAlive = 100 // a second, so that a busy machine is not taken for silence
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 5; n++ {
		f.with(func() { f.faults["Publish"] = ua.StatusBadDeviceFailure })
		f.set(nodeOf(0), float64(n), at(n))
		eventually(t, "a sample", func() bool { return len(c.samples()) >= n })
	}
	wantCount(t, c.samples(), 5)
	if n := f.count("CreateSession"); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
	f.with(func() { f.always["Publish"] = ua.StatusBadDeviceFailure })
	f.set(nodeOf(0), 6.0, at(6))
	eventually(t, "down", func() bool { _, down := c.ups(); return down > 0 })
	f.with(func() { delete(f.always, "Publish") })
	eventually(t, "the last sample", func() bool { return len(c.samples()) >= 6 })
}

func (c *catcher) lostGaps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gaps
}
