package opcua

import (
	"fmt"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

// Machine is one whose tags the PLC has. It is shown as the models Machinery
// (OPC 40001-1) and, where it has a state, PackML (OPC 30050) have it.
type Machine struct {
	Name string // of the folder of its tags
	// What its name plate says; ProductInstanceURI is unique in the world.
	Manufacturer, Model, SerialNumber, ProductInstanceURI string
	// State, Good and Total are its tags of a PackML state number and of
	// counters of good and of all units; empty where it has none.
	State, Good, Total signal.ID
	CycleS             float64 // ideal time per unit, in seconds
	// Starved and Blocked tell whether it waits for units, or for room behind
	// it; nil where units do not pass through. They may be called from any
	// goroutine.
	Starved, Blocked func() bool
}

const (
	machinery = "http://opcfoundation.org/UA/Machinery/"
	devices   = "http://opcfoundation.org/UA/DI/"

	machinesFolder = 1001
)

// machineryTypes are the types of Machinery that are used here.
var machineryTypes = []modelType{
	{1004, ua.NodeClassObjectType, id.BaseObjectType, "MachineryItemIdentificationType"},
	{1012, ua.NodeClassObjectType, 0, "MachineIdentificationType"}, // below 1004
	{1002, ua.NodeClassObjectType, id.FiniteStateMachineType, "MachineryItemState_StateMachineType"},
}

// itemStates are the states of a machine for Machinery, by those of PackML.
func itemState(number int) (string, uint32) {
	switch number {
	case 6:
		return "Executing", 5006
	case 8, 9:
		return "OutOfService", 5004
	}
	return "NotExecuting", 5007
}

// addMachines describes the machines.
func (sp *space) addMachines(list []Machine) error {
	if len(list) == 0 {
		return nil
	}
	di := sp.namespace(devices)
	m := sp.addModel(machinery, machineryTypes)
	sp.super[m.typ(1012)] = m.typ(1004)
	sp.link(m.node(1004), id.HasSubtype, m.node(1012))
	folder := m.object(machinesFolder, "Machines", id.FolderType)
	sp.link(sp.std.nodes[id.ObjectsFolder], id.Organizes, folder)
	pack := sp.addPackMLTypes()
	for i := range list {
		mc := &list[i]
		top := sp.tags[mc.Name]
		if top == nil || top.class != ua.NodeClassObject {
			return fmt.Errorf("machine %q: no tag is below it", mc.Name)
		}
		top.kind = id.BaseObjectType
		sp.link(folder, id.Organizes, top)
		sp.identify(m, di, mc, top)
		if mc.State == "" {
			continue
		}
		if t := sp.tags[string(mc.State)]; t == nil || t.tag == nil {
			return fmt.Errorf("machine %q: there is no tag %q", mc.Name, mc.State)
		}
		m.currentState(m.part(top, m.ns, "MachineryItemState", m.typ(1002)), mc.reading(sp, mc.State), itemState)
		sp.addPackML(pack, mc, top)
	}
	return nil
}

// identify adds what is on a machine's name plate.
func (sp *space) identify(m *model, di uint16, mc *Machine, top *node) {
	plate := m.part(top, di, "Identification", m.typ(1012))
	for i := range top.refs { // it is an add-in, not a component
		if top.refs[i].to == plate {
			top.refs[i].typ = id.HasAddIn
		}
	}
	plate.refs[0].typ = id.HasAddIn
	m.property(plate, di, "Manufacturer", id.LocalizedText, constant(ua.NewLocalizedText(mc.Manufacturer)))
	m.property(plate, di, "Model", id.LocalizedText, constant(ua.NewLocalizedText(mc.Model)))
	m.property(plate, di, "SerialNumber", id.String, constant(mc.SerialNumber))
	m.property(plate, di, "ProductInstanceUri", id.String, constant(mc.ProductInstanceURI))
}

// reading makes a look at the last scan of a tag; false before the first, or
// without a tag.
func (mc *Machine) reading(sp *space, tag signal.ID) func(*Server) (int, bool) {
	n := sp.tags[string(tag)]
	if n == nil || n.tag == nil {
		return func(*Server) (int, bool) { return 0, false }
	}
	v := n.tag
	return func(s *Server) (int, bool) {
		b := s.img.Latest(v.task)
		if b == nil {
			return 0, false
		}
		return int(b.Values[v.index]), true
	}
}

// speed is the ideal number of units a minute.
func (mc *Machine) speed() float32 {
	if mc.CycleS <= 0 {
		return 0
	}
	return float32(60 / mc.CycleS)
}

// numberOf reads a number as an Int32.
func numberOf(f func(*Server) (int, bool)) reading {
	return func(s *Server, _ time.Time) any { n, _ := f(s); return int32(n) }
}
