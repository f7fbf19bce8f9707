package opcua

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// Nodes name their types by a number: below foreign it is the id of a node of
// namespace 0, above it a place in space.types.
const foreign = 1 << 24

// typeNode is the node of a type; nil if there is none.
func (sp *space) typeNode(key uint32) *node {
	if key < foreign {
		return sp.standard(key)
	}
	if i := int(key - foreign); i < len(sp.types) {
		return sp.types[i]
	}
	return nil
}

// standard is a node of namespace 0.
func (sp *space) standard(number uint32) *node {
	if n := sp.std.nodes[number]; n != nil {
		return n
	}
	return sp.more[number]
}

// idOf is the id of a type.
func (sp *space) idOf(key uint32) *ua.NodeID {
	if n := sp.typeNode(key); n != nil {
		return n.id
	}
	return ua.NewNumericNodeID(0, key) // a type that nobody has looked up
}

// keyOf is the number of a type by its id; 0 if there is none.
func (sp *space) keyOf(n *ua.NodeID) uint32 {
	if n.Namespace() == 0 && n.Type() <= ua.NodeIDTypeNumeric {
		return n.IntID()
	}
	if found := sp.byID[n.String()]; found != nil {
		return found.typ
	}
	return 0
}

// maxSupers is how deep types may stand on one another.
const maxSupers = 64

// isA tells whether a type is another or below it.
func (sp *space) isA(typ, super uint32) bool {
	for range maxSupers {
		if typ == super {
			return true
		}
		if typ = sp.superOf(typ); typ == 0 {
			return false
		}
	}
	return false
}

func (sp *space) superOf(typ uint32) uint32 {
	if super := sp.std.super[typ]; super != 0 {
		return super
	}
	return sp.super[typ]
}

// builtIn is the built-in type in which values of a data type travel; 0 if
// that is left to the value.
func (sp *space) builtIn(typ uint32) byte {
	for range maxSupers {
		switch {
		case typ == id.Enumeration:
			return byte(ua.TypeIDInt32)
		case typ == 0 || typ == id.BaseDataType || typ == id.Number || typ == id.Integer || typ == id.UInteger:
			return 0
		case typ <= 25:
			return byte(typ)
		}
		typ = sp.superOf(typ)
	}
	return 0
}

// link makes a reference between two nodes, of which either may be standard.
func (sp *space) link(from *node, typ uint32, to *node) {
	sp.refer(from, ref{typ, true, to})
	sp.refer(to, ref{typ, false, from})
}

// refer adds a reference to a node. Those of standard nodes, which all servers
// share, are kept beside them.
func (sp *space) refer(n *node, r ref) {
	if n.shared {
		sp.extra[n] = append(sp.extra[n], r)
		return
	}
	n.refs = append(n.refs, r)
}

// namespace is the index of a namespace, which is added if it is not there.
func (sp *space) namespace(uri string) uint16 {
	for i, name := range sp.names {
		if name == uri {
			return uint16(i)
		}
	}
	sp.names = append(sp.names, uri)
	return uint16(len(sp.names) - 1)
}

// put adds a node that is no tag; a type gets its number.
func (sp *space) put(n *node) {
	switch {
	case n.id.Namespace() == 0 && n.id.Type() <= ua.NodeIDTypeNumeric:
		sp.more[n.id.IntID()] = n
		n.typ = n.id.IntID()
	default:
		sp.byID[n.id.String()] = n
		if isType(n.class) {
			n.typ = foreign + uint32(len(sp.types))
			sp.types = append(sp.types, n)
		}
	}
}

func isType(c ua.NodeClass) bool {
	return c == ua.NodeClassObjectType || c == ua.NodeClassVariableType || c == ua.NodeClassDataType || c == ua.NodeClassReferenceType
}
