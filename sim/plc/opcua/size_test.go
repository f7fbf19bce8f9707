package opcua

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// manyTags is an image of n tags in machines of 100.
func manyTags(n int) *testPLC {
	task := &plc.Task{Name: "scan", Period: time.Second}
	for i := range n {
		task.Tags = append(task.Tags, tag(fmt.Sprintf("m%d/part/t%d", i/100, i%100), plc.Float64, 1))
	}
	return newImage(task)
}

// heapMB is what is in use after everything else was given back.
func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// One server has 100,000 tags, which can be found and monitored; the bench
// monitors them all, this test every tenth.
func TestAHundredThousandTags(t *testing.T) {
	const n = 100_000
	p := manyTags(n)
	s := serve(t, p, Config{}, Options{})
	p.scan(0)
	c := rawSession(t, s, time.Minute)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	for from := 0; from < n; from += 5000 {
		items := &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, TimestampsToReturn: ua.TimestampsToReturnBoth}
		for i := from; i < from+5000; i += 10 {
			items.ItemsToCreate = append(items.ItemsToCreate, want{tag: fmt.Sprintf("m%d/part/t%d", i/100, i%100), queue: 1}.request(i))
		}
		for _, r := range ask[*ua.CreateMonitoredItemsResponse](c, items).Results {
			if r.StatusCode != ua.StatusOK {
				t.Fatal(r.StatusCode)
			}
		}
	}
	got := 0
	for got < n/10 {
		m := c.publishDue(s, sub).NotificationMessage
		if len(m.NotificationData) == 0 {
			t.Fatalf("%d values of %d", got, n)
		}
		for _, d := range m.NotificationData {
			got += len(d.Value.(*ua.DataChangeNotification).MonitoredItems)
		}
	}
	if list := below(c, ua.NewNumericNodeID(0, id.ObjectsFolder)); len(list) != n/100+1 {
		t.Errorf("%d machines below Objects", len(list)-1)
	}
}

// A hundred servers of a hundred tags and a machine each fit into 300 MB.
func TestAHundredServers(t *testing.T) {
	before := heapMB()
	var all []*Server
	for range 100 {
		p := manyTags(100)
		all = append(all, serve(t, p, Config{Machines: []Machine{{Name: "m0", State: "m0/part/t1", Good: "m0/part/t2", Total: "m0/part/t3"}}}, Options{}))
		p.scan(0)
	}
	for _, s := range all[:3] {
		rawSession(t, s, time.Minute)
	}
	if mb := heapMB() - before; mb > 300 {
		t.Errorf("%.0f MB", mb)
	}
	runtime.KeepAlive(all)
}

// A hundred clients follow one server at once, each without a gap.
func TestAHundredClients(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	type client struct {
		c   *raw
		sub uint32
	}
	var all []client
	for range 100 {
		c := rawSession(t, s, time.Minute)
		sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
		c.monitor(sub, want{tag: "pump/flow", queue: 20})
		all = append(all, client{c, sub})
	}
	rawDial(t, s).refused(&ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("one more")}}, ua.StatusBadTooManySessions)
	for range 10 {
		p.scan(1)
	}
	for i, a := range all {
		list := values(a.c.publishDue(s, a.sub).NotificationMessage)
		if len(list) != 11 { // before the first scan, and ten
			t.Fatalf("client %d has %d values", i, len(list))
		}
		for n, g := range list[1:] {
			if g.value != float64(n+1) {
				t.Fatalf("client %d: value %d is %v", i, n, g.value)
			}
		}
	}
}
