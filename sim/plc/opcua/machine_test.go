package opcua

import (
	"slices"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// testMachines are the pump, whose speed stands for a state and whose current
// and running counters for counts, and the oven, which has no state.
func testMachines() []Machine {
	return []Machine{
		{Name: "pump", Manufacturer: "Plantbed", Model: "pump-skid", SerialNumber: "7", ProductInstanceURI: "urn:x:7", State: "pump/motor/speed", Total: "oven/energy", Good: "oven/zone", CycleS: 0.5,
			Starved: func() bool { return false }, Blocked: func() bool { return true }},
		{Name: "oven", Model: "oven"},
	}
}

// readNode reads the value of a node.
func readNode(c *raw, n *ua.NodeID) any {
	c.t.Helper()
	r := ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: n, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
	if r.Status != ua.StatusOK {
		c.t.Fatalf("%v: %v", n, r.Status)
	}
	return r.Value.Value()
}

func index(t *testing.T, c *raw, uri string) uint16 {
	t.Helper()
	names := readNode(c, ua.NewNumericNodeID(0, id.Server_NamespaceArray)).([]string)
	i := slices.Index(names, uri)
	if i < 0 {
		t.Fatalf("no %s in %q", uri, names)
	}
	return uint16(i)
}

// A machine is found, identified and told to be in its state as Machinery has
// it.
func TestMachinery(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Machines: testMachines()}, Options{})
	c := rawSession(t, s, 0)
	ns, di := index(t, c, machinery), index(t, c, devices)
	if got := below(c, ua.NewNumericNodeID(ns, machinesFolder)); !slices.Equal(got, []string{"pump", "oven"}) {
		t.Errorf("machines %q", got)
	}
	path := &ua.BrowsePath{StartingNode: ua.NewStringNodeID(2, "pump"), RelativePath: &ua.RelativePath{}}
	for _, name := range []string{"Identification", "ProductInstanceUri"} {
		path.RelativePath.Elements = append(path.RelativePath.Elements, &ua.RelativePathElement{ReferenceTypeID: ua.NewNumericNodeID(0, id.HierarchicalReferences), IncludeSubtypes: true, TargetName: &ua.QualifiedName{NamespaceIndex: di, Name: name}})
	}
	r := ask[*ua.TranslateBrowsePathsToNodeIDsResponse](c, &ua.TranslateBrowsePathsToNodeIDsRequest{BrowsePaths: []*ua.BrowsePath{path}}).Results[0]
	if len(r.Targets) != 1 || readNode(c, r.Targets[0].TargetID.NodeID) != "urn:x:7" {
		t.Errorf("%v, %d targets", r.StatusCode, len(r.Targets))
	}
	state := func() (string, uint32) {
		return readNode(c, ua.NewStringNodeID(2, "pump.MachineryItemState.CurrentState")).(*ua.LocalizedText).Text,
			readNode(c, ua.NewStringNodeID(2, "pump.MachineryItemState.CurrentState.Id")).(*ua.NodeID).IntID()
	}
	if name, node := state(); name != "" || node != 0 {
		t.Errorf("before the first scan: %q, %d", name, node)
	}
	for number, want := range map[float64]string{6: "Executing", 5: "NotExecuting", 9: "OutOfService"} {
		p.set("pump/motor/speed", number)
		p.scan(0)
		if name, node := state(); name != want || node == 0 {
			t.Errorf("state %v: %q, %d", number, name, node)
		}
	}
	typ := ask[*ua.BrowseResponse](c, browseOf(ua.NewStringNodeID(2, "pump.Identification"), id.HasTypeDefinition)).Results[0].References[0]
	if typ.NodeID.NodeID.IntID() != 1012 || typ.NodeID.NodeID.Namespace() != ns {
		t.Errorf("the type of an identification is %v", typ.NodeID.NodeID)
	}
}

func browseOf(n *ua.NodeID, by uint32) *ua.BrowseRequest {
	return &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{{
		NodeID: n, BrowseDirection: ua.BrowseDirectionForward, ReferenceTypeID: ua.NewNumericNodeID(0, by), IncludeSubtypes: true, ResultMask: 63,
	}}}
}

// PackML's state machines stand in one another, and Status and Admin say what
// the machine does and has made.
func TestPackML(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Machines: testMachines()}, Options{})
	c := rawSession(t, s, 0)
	ns := index(t, c, packML)
	text := func(path string) string {
		return readNode(c, ua.NewStringNodeID(2, "pump."+path)).(*ua.LocalizedText).Text
	}
	p.set("oven/energy", 100)
	p.set("oven/zone", 97)
	for number, want := range map[float64][3]string{
		6: {"Cleared", "Running", "Execute"}, 2: {"Cleared", "Stopped", ""}, 9: {"Aborted", "", ""}, 5: {"Cleared", "Running", "Suspended"}, 11: {"Cleared", "Running", "Held"},
	} {
		p.set("pump/motor/speed", number)
		p.scan(0)
		got := [3]string{text("BaseStateMachine.CurrentState"), text("BaseStateMachine.MachineState.CurrentState"), text("BaseStateMachine.MachineState.ExecuteState.CurrentState")}
		if got != want {
			t.Errorf("state %v: %q, want %q", number, got, want)
		}
		speed := readNode(c, ua.NewStringNodeID(2, "pump.Status.CurMachSpeed"))
		if (speed == float32(120)) != (number == 6) {
			t.Errorf("state %v: speed %v", number, speed)
		}
	}
	for name, want := range map[string]any{"EquipmentStarved": false, "EquipmentBlocked": true, "UnitModeCurrent": int32(packMLProduce)} {
		if got := readNode(c, ua.NewStringNodeID(2, "pump.Status."+name)); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	modes := readNode(c, ua.NewStringNodeID(2, "pump.Status.UnitSupportedModes")).(*ua.NodeID)
	is := ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: modes, AttributeID: ua.AttributeIDDataTypeDefinition, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
	if d, ok := is.Value.Value().(*ua.ExtensionObject).Value.(*ua.EnumDefinition); !ok || d.Fields[packMLProduce].Name != "Produce" {
		t.Errorf("the modes are %v", is.Value)
	}
	raw, ok := readNode(c, ua.NewStringNodeID(2, "pump.Admin.ProdDefectiveCount")).([]*ua.ExtensionObject)
	if !ok || len(raw) != 1 || raw[0].TypeID.NodeID.IntID() != packMLCountEncoding || raw[0].TypeID.NodeID.Namespace() != ns {
		t.Fatalf("%v", raw)
	}
	def := ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewNumericNodeID(ns, 14), AttributeID: ua.AttributeIDDataTypeDefinition, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
	if d := def.Value.Value().(*ua.ExtensionObject).Value.(*ua.StructureDefinition); len(d.Fields) != 5 || d.Fields[3].Name != "Count" {
		t.Errorf("%+v", d)
	}
	if got := below(c, ua.NewNumericNodeID(ns, packMLObjects)); !slices.Equal(got, []string{"pump"}) {
		t.Errorf("machines %q", got)
	}
}

// A machine without a tag, or with a state that is no tag, keeps a server from
// starting.
func TestMachinesThatCannotBe(t *testing.T) {
	for what, m := range map[string]Machine{"no tags": {Name: "press"}, "a tag": {Name: "pump/flow"}, "no such state": {Name: "pump", State: "pump/state"}} {
		if s, err := Listen(Config{Machines: []Machine{m}}, newPLC(), Options{}); err == nil {
			s.Close()
			t.Errorf("%s: no error", what)
		}
	}
}
