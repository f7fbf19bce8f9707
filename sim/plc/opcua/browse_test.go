package opcua

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"
)

// tree lists what is below a node, as gopcua's client sees it.
func tree(t *testing.T, n *opcua.Node, path string) []string {
	t.Helper()
	below, err := n.ReferencedNodes(context.Background(), id.HierarchicalReferences, ua.BrowseDirectionForward, ua.NodeClassAll, true)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, b := range below {
		name, err := b.BrowseName(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		here := path + "/" + name.Name
		list = append(append(list, here), tree(t, b, here)...)
	}
	return list
}

func TestBrowse(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := connect(t, s)
	all := tree(t, c.Node(ua.NewTwoByteNodeID(id.ObjectsFolder)), "")
	var tags []string
	for _, p := range all {
		if !strings.HasPrefix(p, "/Server") && !strings.Contains(p, "EURange") && !strings.Contains(p, "EngineeringUnits") && !strings.Contains(p, "Definition") {
			tags = append(tags, p[1:])
		}
	}
	want := []string{
		"oven", "oven/SetSetpoint", "oven/SetSetpoint/InputArguments", "oven/energy", "oven/offset", "oven/setpoint", "oven/zone",
		"pump", "pump/motor", "pump/motor/bearing", "pump/motor/bearing/SetTemp", "pump/motor/bearing/SetTemp/InputArguments", "pump/motor/bearing/temp", "pump/motor/current", "pump/motor/speed",
		"pump/flow", "pump/running", "pump/vibration",
	}
	slices.Sort(tags)
	slices.Sort(want)
	if !slices.Equal(tags, want) {
		t.Errorf("below Objects: %q\nwant %q", tags, want)
	}
	if !slices.Contains(all, "/Server/ServerStatus/BuildInfo/ProductName") || !slices.Contains(all, "/pump/motor/current/EURange") {
		t.Errorf("standard nodes or properties are missing: %q", all)
	}
	seen.Note(t, "gopcua v0.9.1", "browse", !t.Failed())
	types := tree(t, c.Node(ua.NewTwoByteNodeID(id.TypesFolder)), "")
	if !slices.Contains(types, "/VariableTypes/BaseVariableType/BaseDataVariableType/DataItemType/BaseAnalogType/AnalogItemType") {
		t.Errorf("types: %q", types)
	}
}

// every reference is seen from both ends, and every hierarchical target can be
// found by its id; with models and without.
func TestReferencesMatch(t *testing.T) {
	for what, cfg := range map[string]Config{
		"plain": {}, "machines, variables": {Machines: testMachines(), Variables: testVariables()},
	} {
		t.Run(what, func(t *testing.T) { checkReferences(t, cfg) })
	}
}

func checkReferences(t *testing.T, cfg Config) {
	t.Helper()
	sp, err := newSpace(newPLC(), cfg.WithDefaults("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	type way struct {
		from, to string
		typ      uint32
	}
	seen, there, back := map[string]bool{}, map[way]bool{}, map[way]bool{}
	for todo := []*node{sp.std.nodes[id.RootFolder]}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[n.id.String()] {
			continue
		}
		seen[n.id.String()] = true
		for _, r := range sp.refs(n) {
			found := sp.node(r.to.id)
			if found == nil || found.name != r.to.name {
				t.Fatalf("%v → %v is not in the address space", n.id, r.to.id)
			}
			switch {
			case r.typ == id.HasTypeDefinition:
			case r.forward:
				there[way{n.id.String(), r.to.id.String(), r.typ}] = true
			default:
				back[way{r.to.id.String(), n.id.String(), r.typ}] = true
			}
			todo = append(todo, found)
		}
	}
	for w := range there {
		if !back[w] {
			t.Errorf("%v → %v has no way back", w.from, w.to)
		}
	}
	if len(there) != len(back) {
		t.Errorf("%d references forward, %d backward", len(there), len(back))
	}
	for number := range sp.std.nodes {
		if !seen[sp.std.nodes[number].id.String()] {
			t.Errorf("node %d (%s) hangs in the air", number, sp.std.nodes[number].name)
		}
	}
	for text := range sp.byID {
		if !seen[text] {
			t.Errorf("node %s hangs in the air", text)
		}
	}
}

func TestBrowsePages(t *testing.T) {
	s := serve(t, newPLC(), Config{Limits: Limits{Continuations: 1}}, Options{})
	c := rawSession(t, s, time.Minute)
	oven := &ua.BrowseDescription{NodeID: ua.NewStringNodeID(2, "oven"), ReferenceTypeID: ua.NewTwoByteNodeID(id.HierarchicalReferences), IncludeSubtypes: true, ResultMask: 63}
	one := ask[*ua.BrowseResponse](c, &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, RequestedMaxReferencesPerNode: 3, NodesToBrowse: []*ua.BrowseDescription{oven, oven}})
	if len(one.Results[0].References) != 3 || one.Results[1].StatusCode != ua.StatusBadNoContinuationPoints {
		t.Errorf("first page %+v, second browse %v", one.Results[0], one.Results[1].StatusCode)
	}
	next := func(release bool, key []byte) *ua.BrowseResult {
		return ask[*ua.BrowseNextResponse](c, &ua.BrowseNextRequest{ReleaseContinuationPoints: release, ContinuationPoints: [][]byte{key}}).Results[0]
	}
	key := slices.Clone(one.Results[0].ContinuationPoint)
	if got := next(false, key); len(got.References) != 2 || got.ContinuationPoint != nil {
		t.Errorf("second page %+v", got)
	}
	if got := next(false, key); got.StatusCode != ua.StatusBadContinuationPointInvalid {
		t.Errorf("the same page again: %v", got.StatusCode)
	}
	two := ask[*ua.BrowseResponse](c, &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, RequestedMaxReferencesPerNode: 3, NodesToBrowse: []*ua.BrowseDescription{oven}})
	if got := next(true, two.Results[0].ContinuationPoint); got.StatusCode != ua.StatusOK || len(got.References) != 0 {
		t.Errorf("released: %+v", got)
	}
	for _, bad := range []struct {
		d    ua.BrowseDescription
		want ua.StatusCode
	}{
		{ua.BrowseDescription{NodeID: ua.NewStringNodeID(2, "x"), ReferenceTypeID: ua.NewTwoByteNodeID(0)}, ua.StatusBadNodeIDUnknown},
		{ua.BrowseDescription{NodeID: ua.NewStringNodeID(2, "oven"), ReferenceTypeID: ua.NewTwoByteNodeID(id.ObjectsFolder)}, ua.StatusBadReferenceTypeIDInvalid},
		{ua.BrowseDescription{NodeID: ua.NewStringNodeID(2, "oven"), ReferenceTypeID: ua.NewTwoByteNodeID(0), BrowseDirection: 7}, ua.StatusBadBrowseDirectionInvalid},
	} {
		r := ask[*ua.BrowseResponse](c, &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{&bad.d}})
		if r.Results[0].StatusCode != bad.want {
			t.Errorf("%+v: %v, want %v", bad.d, r.Results[0].StatusCode, bad.want)
		}
	}
}

func TestTranslate(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	path := func(names ...string) *ua.BrowsePath {
		p := &ua.BrowsePath{StartingNode: ua.NewTwoByteNodeID(id.ObjectsFolder), RelativePath: &ua.RelativePath{}}
		for _, n := range names {
			ns := uint16(2)
			if n == "EURange" || n == "Server" {
				ns = 0
			}
			p.RelativePath.Elements = append(p.RelativePath.Elements, &ua.RelativePathElement{
				ReferenceTypeID: ua.NewTwoByteNodeID(id.HierarchicalReferences), IncludeSubtypes: true, TargetName: &ua.QualifiedName{NamespaceIndex: ns, Name: n},
			})
		}
		return p
	}
	r := ask[*ua.TranslateBrowsePathsToNodeIDsResponse](c, &ua.TranslateBrowsePathsToNodeIDsRequest{BrowsePaths: []*ua.BrowsePath{
		path("pump", "motor", "current"), path("pump", "motor", "current", "EURange"), path("Server"), path("pump", "nothing"), path(""),
	}})
	for i, want := range []string{"ns=2;s=pump/motor/current", "ns=2;s=pump/motor/current.EURange", "i=2253"} {
		if got := r.Results[i]; got.StatusCode != ua.StatusOK || len(got.Targets) != 1 || got.Targets[0].TargetID.String() != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if r.Results[3].StatusCode != ua.StatusBadNoMatch || r.Results[4].StatusCode != ua.StatusBadBrowseNameInvalid {
		t.Errorf("%v, %v", r.Results[3].StatusCode, r.Results[4].StatusCode)
	}
	reg := ask[*ua.RegisterNodesResponse](c, &ua.RegisterNodesRequest{NodesToRegister: []*ua.NodeID{ua.NewStringNodeID(2, "pump/flow")}})
	if got := reg.RegisteredNodeIDs[0].String(); got != "ns=2;s=pump/flow" {
		t.Errorf("registered as %s", got)
	}
	ask[*ua.UnregisterNodesResponse](c, &ua.UnregisterNodesRequest{NodesToUnregister: reg.RegisteredNodeIDs})
}
