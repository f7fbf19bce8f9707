package opcua

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Failures of other stacks that are publicly known, brought about.

// TestBadNodeAfterDrop (influxdata/telegraf#19186): the server restarts and
// lacks one node. The others go on, and it too once it is there again.
func TestBadNodeAfterDrop(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 10), c)
	eventually(t, "up", up(c, 1))
	f.down()
	f.with(func() { clear(f.subs); f.bad[nodeOf(3)] = ua.StatusBadNodeIDUnknown })
	f.up()
	eventually(t, "up again", up(c, 2))
	for i := range 10 {
		f.set(nodeOf(i), float64(i), at(i))
	}
	eventually(t, "9 samples", func() bool { return len(c.samples()) == 9 })
	for _, s := range c.samples() {
		if s.ID == tagID(3) {
			t.Errorf("%+v of a node that is not there", s)
		}
	}
}

// TestIDsBeginAgain (Azure/Industrial-IoT#2055): the server restarts and gives
// out the same subscription id once more, to us or to somebody else.
func TestIDsBeginAgain(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{false, true} {
		f, c := newFake(t), &catcher{}
		start(t, testConfig(f.url, 1), c)
		eventually(t, "up", up(c, 1))
		f.set(nodeOf(0), 1.0, at(1))
		eventually(t, "one", func() bool { return len(c.samples()) == 1 })
		f.down()
		f.with(func() {
			clear(f.subs)
			if f.lastSub = 0; taken { // the id is a stranger's now, who has not asked for anything yet
				f.noTransfer = ua.StatusBadUserAccessDenied
			}
		})
		f.up()
		eventually(t, "a new subscription", func() bool { return f.count("CreateMonitoredItems") >= 2 })
		f.set(nodeOf(0), 2.0, at(2))
		eventually(t, "two", func() bool { return len(c.samples()) == 2 })
		wantCount(t, c.samples(), 2)
	}
}

// TestNothingLeftToRepublish (node-opcua#1524): what was lost on the wire is no
// longer in the retransmission queue. The rest goes on, and the gap is told.
func TestNothingLeftToRepublish(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.retain = 1
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.set(nodeOf(0), 1.0, at(1))
	eventually(t, "one", func() bool { return len(c.samples()) == 1 })
	f.with(func() { f.lost["publish"] = 3 })
	for n := 2; n <= 4; n++ {
		f.set(nodeOf(0), float64(n), at(n))
		time.Sleep(40 * time.Millisecond)
	}
	f.cut()
	eventually(t, "up again", up(c, 2))
	f.set(nodeOf(0), 5.0, at(5))
	eventually(t, "live again", func() bool { s := c.samples(); return s[len(s)-1].Value == 5 })
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.got)+c.gaps != 5 || c.gaps == 0 {
		t.Errorf("%d samples and a gap of %d notifications, of 5 in all: %v", len(c.got), c.gaps, c.got)
	}
}

// TestNamespacesMove (Azure/Industrial-IoT#1306): the server restarts with its
// namespaces in another order. A tag with a URI is read where it is now.
func TestNamespacesMove(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	cfg := testConfig(f.url, 1)
	cfg.Tags[0].Namespace, cfg.Tags[0].Node = "urn:plant", "ns=9;s=q000"
	start(t, cfg, c)
	eventually(t, "up", up(c, 1))
	f.set("ns=2;s=q000", 1.0, at(1))
	eventually(t, "one", func() bool { return len(c.samples()) == 1 })
	f.down()
	f.with(func() { clear(f.subs); f.uris = []string{"http://opcfoundation.org/UA/", "urn:plant", "urn:fake"} })
	f.up()
	eventually(t, "up again", up(c, 2))
	f.set("ns=1;s=q000", 2.0, at(2))
	f.set("ns=2;s=q000", 99.0, at(2)) // another node now
	eventually(t, "two", func() bool { return len(c.samples()) == 2 })
	time.Sleep(30 * time.Millisecond)
	wantCount(t, c.samples(), 2)
}

// TestParametersPerTag: sampling, queue, trigger and deadband are the server's
// or the tag's own.
func TestParametersPerTag(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	cfg := testConfig(f.url, 2)
	cfg.Sampling, cfg.Queue, cfg.Trigger = strict.Duration(250*time.Millisecond), 7, "status-value-timestamp"
	cfg.Tags[1].Sampling, cfg.Tags[1].Queue, cfg.Tags[1].Trigger, cfg.Tags[1].Deadband = strict.Duration(20*time.Millisecond), 99, "status-value", 0.5
	start(t, cfg, c)
	eventually(t, "up", up(c, 1))
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, want := range []struct {
		sampling float64
		queue    uint32
		filter   ua.DataChangeFilter
	}{
		{250, 7, ua.DataChangeFilter{Trigger: ua.DataChangeTriggerStatusValueTimestamp}},
		{20, 99, ua.DataChangeFilter{Trigger: ua.DataChangeTriggerStatusValue, DeadbandType: uint32(ua.DeadbandTypeAbsolute), DeadbandValue: 0.5}},
	} {
		p := f.subs[1].params[nodeOf(i)]
		got, ok := p.Filter.Value.(*ua.DataChangeFilter)
		if p.SamplingInterval != want.sampling || p.QueueSize != want.queue || !ok || *got != want.filter || !p.DiscardOldest {
			t.Errorf("tag %d: %+v, filter %+v", i, p, p.Filter.Value)
		}
	}
}

// TestOverflowIsCounted (Industrial-IoT#1341, open62541#4014): a server that
// samples faster than it publishes marks the value before which its queue
// dropped others; the mark goes on with the sample and is counted.
func TestOverflowIsCounted(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.set(nodeOf(0), 1.0, at(1))
	f.setStatus(nodeOf(0), 2.0, at(2), ua.StatusCode(signal.Good.WithOverflow()))
	eventually(t, "two", func() bool { return len(c.samples()) == 2 })
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.overflows != 1 || !c.got[1].Quality.Overflow() || c.got[0].Quality.Overflow() {
		t.Errorf("%d overflows in %+v", c.overflows, c.got)
	}
}
