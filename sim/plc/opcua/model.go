package opcua

import (
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// model is a companion model in an address space: its types, and what builds
// instances of them. Nodes of the model itself have numbers in its namespace;
// instances have ids of the PLC's, made of the path of browse names.
type model struct {
	sp *space
	ns uint16
}

// modelType is a type of a model; a super of 0 is linked by hand.
type modelType struct {
	id    uint32
	class ua.NodeClass
	super uint32 // of namespace 0
	name  string
}

// modelField is a field of a structure.
type modelField struct {
	name     string
	dataType uint32
}

// addModel puts the types of a model in, those that are not there already.
func (sp *space) addModel(uri string, types []modelType) *model {
	m := &model{sp, sp.namespace(uri)}
	for _, t := range types {
		if m.node(t.id) != nil {
			continue
		}
		n := &node{id: ua.NewNumericNodeID(m.ns, t.id), ns: m.ns, name: t.name, class: t.class}
		sp.put(n)
		if t.super != 0 {
			sp.super[n.typ] = t.super
			sp.link(sp.standard(t.super), id.HasSubtype, n)
		}
	}
	return m
}

// node is a node of the model by its number.
func (m *model) node(number uint32) *node {
	return m.sp.byID[ua.NewNumericNodeID(m.ns, number).String()]
}

// typ is the key of a type of the model.
func (m *model) typ(number uint32) uint32 { return m.node(number).typ }

// object is an object of the model itself.
func (m *model) object(number uint32, name string, kind uint32) *node {
	if n := m.node(number); n != nil {
		return n
	}
	n := &node{id: ua.NewNumericNodeID(m.ns, number), ns: m.ns, name: name, class: ua.NodeClassObject, kind: kind}
	m.sp.put(n)
	return n
}

// part adds an object to one of the PLC's.
func (m *model) part(of *node, ns uint16, name string, kind uint32) *node {
	return m.add(of, &node{ns: ns, name: name, class: ua.NodeClassObject, kind: kind}, id.HasComponent)
}

// variable adds a variable to an object of the PLC's.
func (m *model) variable(of *node, ns uint16, name string, dataType uint32, read reading) *node {
	return m.add(of, &node{ns: ns, name: name, class: ua.NodeClassVariable, kind: id.BaseDataVariableType, dataType: dataType, read: read}, id.HasComponent)
}

// property adds a property.
func (m *model) property(of *node, ns uint16, name string, dataType uint32, read reading) *node {
	return m.add(of, &node{ns: ns, name: name, class: ua.NodeClassVariable, kind: id.PropertyType, dataType: dataType, read: read}, id.HasProperty)
}

func (m *model) add(of, n *node, by uint32) *node {
	path := of.id.StringID() + "." + n.name
	n.id = ua.NewStringNodeID(m.sp.index, path)
	m.sp.tags[path] = n
	m.sp.link(of, by, n)
	return n
}

// currentState adds the state that a state machine is in, by what a tag says.
func (m *model) currentState(machine *node, number func(*Server) (int, bool), of func(number int) (string, uint32)) {
	at := func(s *Server) (string, uint32) {
		if n, ok := number(s); ok {
			return of(n)
		}
		return "", 0
	}
	state := m.variable(machine, 0, "CurrentState", id.LocalizedText, func(s *Server, _ time.Time) any {
		name, _ := at(s)
		return ua.NewLocalizedText(name)
	})
	state.kind = id.FiniteStateVariableType
	m.property(state, 0, "Id", id.NodeID, func(s *Server, _ time.Time) any {
		if _, node := at(s); node != 0 {
			return ua.NewNumericNodeID(m.ns, node)
		}
		return ua.NewTwoByteNodeID(0)
	})
}

// structure describes a structure for clients that never heard of it.
func (m *model) structure(encoding uint32, fields []modelField) *ua.StructureDefinition {
	d := &ua.StructureDefinition{DefaultEncodingID: ua.NewNumericNodeID(m.ns, encoding), BaseDataType: ua.NewNumericNodeID(0, id.Structure)}
	for _, f := range fields {
		d.Fields = append(d.Fields, &ua.StructureField{
			Name: f.name, Description: ua.NewLocalizedText(""), DataType: ua.NewNumericNodeID(0, f.dataType), ValueRank: rankScalar, ArrayDimensions: []uint32{},
		})
	}
	return d
}

// enumeration describes the values of an enumeration, from 0 on.
func enumeration(names ...string) *ua.EnumDefinition {
	d := &ua.EnumDefinition{}
	for i, name := range names {
		d.Fields = append(d.Fields, &ua.EnumField{Value: int64(i), DisplayName: ua.NewLocalizedText(name), Description: ua.NewLocalizedText(""), Name: name})
	}
	return d
}

// extension is a structure of the model as it travels.
func (m *model) extension(encoding uint32, value any) *ua.ExtensionObject {
	return &ua.ExtensionObject{TypeID: &ua.ExpandedNodeID{NodeID: ua.NewNumericNodeID(m.ns, encoding)}, EncodingMask: ua.ExtensionObjectBinary, Value: value}
}
