package opcua

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// A tag that goes is unknown to every service, says so to those who monitor it,
// and is reported again with the first scan after it is back.
func TestATagGoesAndComes(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	p.set("pump/flow", 3)
	p.scan(1)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10}, want{tag: "pump/vibration", queue: 10})
	c.publishDue(s, sub)
	p.tell(plc.Trouble{Gone: []signal.ID{"pump/flow"}})
	for _, node := range []string{"pump/flow", "pump/flow.EURange"} {
		if got := statusOf(c, readOf(node)); got != ua.StatusBadNodeIDUnknown {
			t.Errorf("%s: %v", node, got)
		}
	}
	if got := statusOf(c, readOf("pump/vibration")); got != ua.StatusOK {
		t.Errorf("its neighbour: %v", got)
	}
	created := ask[*ua.CreateMonitoredItemsResponse](c, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, ItemsToCreate: []*ua.MonitoredItemCreateRequest{want{tag: "pump/flow"}.request(9)}})
	if got := created.Results[0].StatusCode; got != ua.StatusBadNodeIDUnknown {
		t.Errorf("an item of it: %v", got)
	}
	if names := below(c, ua.NewStringNodeID(2, "pump")); slices.Contains(names, "flow") || !slices.Contains(names, "vibration") {
		t.Errorf("below pump: %v", names)
	}
	p.scan(1)
	var of []got
	for _, g := range values(c.publishDue(s, sub).NotificationMessage) {
		if g.handle == 0 {
			of = append(of, g)
		}
	}
	if len(of) != 1 || of[0].status != signal.Quality(ua.StatusBadNodeIDUnknown) || !math.IsNaN(of[0].value) {
		t.Errorf("gone, it says %v", of)
	}
	p.tell(plc.Trouble{})
	p.scan(1)
	last := values(c.publishDue(s, sub).NotificationMessage)
	if i := slices.IndexFunc(last, func(g got) bool { return g.handle == 0 }); i < 0 || last[i].value != 3 || last[i].status != signal.Good {
		t.Errorf("back, it says %v", last)
	}
}

// below lists the browse names under a node.
func below(c *raw, n *ua.NodeID) (names []string) {
	c.t.Helper()
	r := ask[*ua.BrowseResponse](c, &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{{
		NodeID: n, ReferenceTypeID: ua.NewTwoByteNodeID(id.HierarchicalReferences), IncludeSubtypes: true, ResultMask: uint32(ua.BrowseResultMaskAll)}}})
	for _, ref := range r.Results[0].References {
		names = append(names, ref.BrowseName.Name)
	}
	return names
}

// The namespace is still there under its name, and no longer under its index;
// sessions end, as they do when a controller gets another program.
func TestTheNamespaceMoves(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	p.tell(plc.Trouble{Moved: 1})
	if kind, _ := c.frame(); !strings.Contains(kind, syscall.ECONNRESET.Error()) {
		t.Errorf("the old connection ends with %q", kind)
	}
	client := connect(t, s)
	if got := client.Namespaces(); len(got) != 4 || got[3] != "urn:plantbed:plc-test" {
		t.Errorf("namespaces %q", got)
	}
	again := rawSession(t, s, time.Minute)
	if got := statusOf(again, readIn(2, "pump/flow")); got != ua.StatusBadNodeIDUnknown {
		t.Errorf("at the old index: %v", got)
	}
	if got := statusOf(again, readIn(3, "pump/flow")); got != ua.StatusOK {
		t.Errorf("at the new index: %v", got)
	}
	p.tell(plc.Trouble{})
	if got := statusOf(rawSession(t, s, time.Minute), readOf("pump/flow")); got != ua.StatusOK {
		t.Errorf("moved back: %v", got)
	}
}

// A device remembers what was written into its variables, and when, whatever
// their ids have become; what nobody has written has kept its time too.
func TestVariablesWhenTheNamespaceMoves(t *testing.T) {
	p, s, c := troubledServer(t, Config{Variables: testVariables(), Models: []*Model{lineModel(t)}})
	own, model := readOf("oven/batch"), readOf("oven/names")
	ns := index(t, c, line)
	own.NodesToRead = append(own.NodesToRead, readIn(ns, "Filler.Gate").NodesToRead...)
	for i, v := range []any{"B-2", int32(3)} {
		w := writeOf("x", v)
		w.NodesToWrite[0].NodeID = own.NodesToRead[i].NodeID
		if got := ask[*ua.WriteResponse](c, w).Results[0]; got != ua.StatusOK {
			t.Fatal(got)
		}
	}
	look := func(c *raw, by int) (list []string) {
		for _, q := range append(slices.Clone(own.NodesToRead), model.NodesToRead...) {
			at := ua.NewStringNodeID(q.NodeID.Namespace()+uint16(by), q.NodeID.StringID())
			r := ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: at, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
			list = append(list, fmt.Sprint(r.Status, r.Value.Value(), r.SourceTimestamp))
		}
		return list
	}
	before := look(c, 0)
	for _, by := range []int{2, 1, 0} {
		p.tell(plc.Trouble{Moved: by})
		if got := look(rawSession(t, s, time.Minute), by); !slices.Equal(got, before) {
			t.Errorf("moved by %d:\n%v, want\n%v", by, got, before)
		}
	}
	if w := writeOf("oven/batch", "C"); ask[*ua.WriteResponse](rawSession(t, s, time.Minute), w).Results[0] != ua.StatusOK || look(rawSession(t, s, time.Minute), 0)[0] == before[0] {
		t.Error("moved back, it keeps nothing")
	}
}
