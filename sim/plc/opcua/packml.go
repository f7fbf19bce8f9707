package opcua

import (
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// The model PackML (OPC 30050), as far as the machines here fill it: Status,
// Admin and the three state machines in one another.
const packML = "http://opcfoundation.org/UA/PackML/"

// packMLTypes are its types, each after its supertype.
var packMLTypes = []modelType{
	{5, ua.NodeClassObjectType, id.BaseObjectType, "PackMLAdminObjectType"},
	{4, ua.NodeClassObjectType, id.BaseObjectType, "PackMLStatusObjectType"},
	{3, ua.NodeClassObjectType, id.FiniteStateMachineType, "PackMLBaseStateMachineType"},
	{2, ua.NodeClassObjectType, id.FiniteStateMachineType, "PackMLMachineStateMachineType"},
	{1, ua.NodeClassObjectType, id.FiniteStateMachineType, "PackMLExecuteStateMachineType"},
	{6, ua.NodeClassObjectType, id.BaseObjectType, "PackMLBaseObjectType"},
	{14, ua.NodeClassDataType, id.Structure, "PackMLCountDataType"},
	{packMLModes, ua.NodeClassDataType, id.Enumeration, "ProductionMaintenanceModeEnum"},
}

const (
	packMLObjects       = 72 // the folder of all machines
	packMLCountEncoding = 69
	packMLModes         = 11 // the modes that a unit can be in
	packMLProduce       = 1  // the one that it is in
)

// packMLState is a state of a machine (ISA-TR88.00.02) in each of the state
// machines in one another: its name and the id of its node.
type packMLState struct {
	base, machine, execute packMLName
}

type packMLName struct {
	name string
	id   uint32
}

// packMLStates are the states by their numbers.
var packMLStates = func() map[int]packMLState {
	cleared, running := packMLName{"Cleared", 71}, packMLName{"Running", 75}
	states := map[int]packMLState{
		1: {cleared, packMLName{"Clearing", 55}, packMLName{}}, 2: {cleared, packMLName{"Stopped", 53}, packMLName{}}, 7: {cleared, packMLName{"Stopping", 54}, packMLName{}},
		8: {packMLName{"Aborting", 61}, packMLName{}, packMLName{}}, 9: {packMLName{"Aborted", 62}, packMLName{}, packMLName{}},
	}
	for number, in := range map[int]packMLName{
		3: {"Starting", 29}, 4: {"Idle", 28}, 5: {"Suspended", 31}, 6: {"Execute", 36}, 10: {"Holding", 33}, 11: {"Held", 34}, 12: {"Unholding", 35},
		13: {"Suspending", 30}, 14: {"Unsuspending", 32}, 15: {"Resetting", 27}, 16: {"Completing", 37}, 17: {"Complete", 38},
	} {
		states[number] = packMLState{cleared, running, in}
	}
	return states
}()

// packMLCount is a PackMLCountDataType.
type packMLCount struct {
	ID       int32
	Name     string
	Unit     *ua.EUInformation
	Count    int32
	AccCount int32
}

// packMLCountFields describe it for clients that never heard of it.
var packMLCountFields = []modelField{{"ID", id.Int32}, {"Name", id.String}, {"Unit", id.EUInformation}, {"Count", id.Int32}, {"AccCount", id.Int32}}

// addPackMLTypes puts the types in.
func (sp *space) addPackMLTypes() *model {
	m := sp.addModel(packML, packMLTypes)
	folder := m.object(packMLObjects, "PackMLObjects", id.FolderType)
	sp.link(sp.std.nodes[id.ObjectsFolder], id.Organizes, folder)
	count := m.node(14)
	count.definition = m.structure(packMLCountEncoding, packMLCountFields)
	encoding := m.object(packMLCountEncoding, "Default Binary", id.DataTypeEncodingType)
	encoding.ns = 0
	sp.link(count, id.HasEncoding, encoding)
	m.node(packMLModes).definition = enumeration("Invalid", "Produce", "Maintenance", "Manual")
	return m
}

// addPackML describes a machine that has a state.
func (sp *space) addPackML(m *model, mc *Machine, top *node) {
	state := mc.reading(sp, mc.State)
	top.kind = m.typ(6)
	sp.link(m.node(packMLObjects), id.Organizes, top)
	m.property(top, m.ns, "TagID", id.String, constant(mc.Name))
	m.property(top, m.ns, "PackMLVersion", id.String, constant("TR88.00.02-2015"))

	status := m.part(top, m.ns, "Status", m.typ(4))
	speed := mc.speed()
	running := func(s *Server, now time.Time) any {
		if n, ok := state(s); ok && n == 6 {
			return speed
		}
		return float32(0)
	}
	m.property(status, m.ns, "UnitSupportedModes", id.NodeID, constant(m.node(packMLModes).id))
	for _, v := range []struct {
		name     string
		dataType uint32
		read     reading
	}{
		{"UnitModeCurrent", m.typ(packMLModes), constant(int32(packMLProduce))},
		{"UnitModeRequested", id.Boolean, constant(false)}, {"UnitModeChangeInProcess", id.Boolean, constant(false)},
		{"StateRequested", id.Int32, numberOf(state)}, {"StateChangeInProcess", id.Boolean, constant(false)},
		{"MachSpeed", id.Float, constant(speed)}, {"CurMachSpeed", id.Float, running},
	} {
		n := m.variable(status, m.ns, v.name, v.dataType, v.read)
		if v.dataType == id.Float {
			n.kind = id.AnalogItemType
			sp.addProperty(n, "EURange", id.Range, ua.NewExtensionObject(&ua.Range{High: float64(max(speed, 1))}))
			sp.addProperty(n, "EngineeringUnits", id.EUInformation, ua.NewExtensionObject(units("1/min")))
		}
	}

	for _, v := range []struct {
		name  string
		waits func() bool
	}{{"EquipmentBlocked", mc.Blocked}, {"EquipmentStarved", mc.Starved}} {
		if v.waits != nil {
			m.variable(status, m.ns, v.name, id.Boolean, func(*Server, time.Time) any { return v.waits() })
		}
	}

	base := m.part(top, m.ns, "BaseStateMachine", m.typ(3))
	machine := m.part(base, m.ns, "MachineState", m.typ(2))
	execute := m.part(machine, m.ns, "ExecuteState", m.typ(1))
	for _, level := range []struct {
		at *node
		of func(packMLState) packMLName
	}{
		{base, func(s packMLState) packMLName { return s.base }}, {machine, func(s packMLState) packMLName { return s.machine }}, {execute, func(s packMLState) packMLName { return s.execute }},
	} {
		m.currentState(level.at, state, func(number int) (string, uint32) {
			n := level.of(packMLStates[number])
			return n.name, n.id
		})
	}
	sp.addPackMLAdmin(m, mc, top)
}

// addPackMLAdmin shows what the machine has made.
func (sp *space) addPackMLAdmin(m *model, mc *Machine, top *node) {
	admin := m.part(top, m.ns, "Admin", m.typ(5))
	m.variable(admin, m.ns, "MachDesignSpeed", id.Float, constant(mc.speed()))
	total, good := mc.reading(sp, mc.Total), mc.reading(sp, mc.Good)
	counts := func(name string, of func(total, good int) int) {
		n := m.variable(admin, m.ns, name, m.typ(14), func(s *Server, _ time.Time) any {
			all, _ := total(s)
			fine, _ := good(s)
			made := int32(of(all, fine))
			return []*ua.ExtensionObject{m.extension(packMLCountEncoding, &packMLCount{Name: mc.Name, Unit: units("1"), Count: made, AccCount: made})}
		})
		n.array = true
	}
	if mc.Total != "" {
		counts("ProdProcessedCount", func(total, _ int) int { return total })
	}
	if mc.Total != "" && mc.Good != "" {
		counts("ProdDefectiveCount", func(total, good int) int { return total - good })
	}
}
