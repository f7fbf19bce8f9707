package opcua

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/schema"
	"github.com/gopcua/opcua/ua"
)

// wholeStandard is all of namespace 0, which models build on. It is read once
// in a process, and only where there is a model.
var wholeStandard = sync.OnceValues(func() (*Model, error) {
	m, err := ParseModel("Opc.Ua.NodeSet2.xml", schema.OpcUaNodeSet2)
	if err != nil {
		return nil, err
	}
	m.nodes = slices.DeleteFunc(m.nodes, func() func(modelNode) bool {
		parent := map[string]string{}
		for i := range m.nodes {
			parent[m.nodes[i].id] = m.nodes[i].parent
		}
		return func(n modelNode) bool { return ofServer(n.id, parent) }
	}())
	return m, nil
})

// ofServer tells whether a node is part of the Server object, of which this
// server has what it has; where models describe their namespaces is kept.
func ofServer(node string, parent map[string]string) bool {
	const server, namespaces = "i=2253", "i=11715"
	for range maxSupers {
		switch node {
		case "", namespaces:
			return false
		case server:
			return true
		}
		node = parent[node]
	}
	return false
}

// importer puts models into an address space.
type importer struct {
	sp    *space
	start time.Time
	known map[refKey]bool // references that are there
	named map[string]*ua.NodeID
	types map[*node]func() error // what is left to define of data types
}

type refKey struct {
	from, to *node
	typ      uint32
}

// addModels puts models in, on the whole of the standard, and binds their nodes
// to tags.
func (sp *space) addModels(models []*Model, bind map[string]string, start time.Time) error {
	if len(models) == 0 {
		return nil
	}
	std, err := wholeStandard()
	if err != nil {
		return err
	}
	im := &importer{sp: sp, start: start, known: map[refKey]bool{}}
	if err := im.add(true, std); err != nil {
		return err
	}
	im.named = sp.standardTypes()
	if err := im.add(false, models...); err != nil {
		return err
	}
	return sp.bind(bind)
}

// standardTypes are the types of namespace 0 by their names.
func (sp *space) standardTypes() map[string]*ua.NodeID {
	out := map[string]*ua.NodeID{}
	for _, nodes := range []map[uint32]*node{sp.more, sp.std.nodes} {
		for _, n := range nodes {
			if isType(n.class) {
				out[n.name] = n.id
			}
		}
	}
	return out
}

// add puts models in that may stand on one another in any order: first all
// nodes, then what joins them, then of what data types are made, each after its
// supertype, then values, which need the types.
func (im *importer) add(std bool, models ...*Model) error {
	made := map[*modelNode]*node{}
	for _, step := range []func(*modelNode, idReader) error{
		func(x *modelNode, ids idReader) (err error) { made[x], err = im.create(x, ids); return err },
		func(x *modelNode, ids idReader) error { return im.join(made[x], x.refs, ids, std) },
		func(x *modelNode, ids idReader) error { im.later(made[x], x, ids, std); return nil },
		func(x *modelNode, ids idReader) error { return im.define(made[x]) },
		func(x *modelNode, ids idReader) error { return im.fill(made[x], x, ids) },
	} {
		for _, m := range models {
			ids := im.reader(m)
			for i := range m.nodes {
				if err := step(&m.nodes[i], ids); err != nil {
					return m.at(i, err)
				}
			}
		}
	}
	return nil
}

// at says where something is wrong.
func (m *Model) at(i int, err error) error {
	return fmt.Errorf("%s:%d: node %s (%s): %w", m.file, m.nodes[i].line, m.nodes[i].id, m.nodes[i].name, err)
}

// reader reads ids of a file, whose namespaces have other numbers here.
func (im *importer) reader(m *Model) idReader {
	index := make([]uint16, len(m.uris)+1)
	for i, uri := range m.uris {
		index[i+1] = im.sp.namespace(uri)
	}
	return func(text string) (*ua.NodeID, error) {
		ns, rest := 0, text
		if after, ok := strings.CutPrefix(text, "ns="); ok {
			var number string
			number, rest, _ = strings.Cut(after, ";")
			n, err := strconv.Atoi(number)
			if err != nil || n < 0 || n >= len(index) {
				return nil, fmt.Errorf("%q: the file names no namespace %s", text, number)
			}
			ns = n
		}
		if n := im.named[text]; n != nil { // a name of the standard, which some files have without an alias
			return n, nil
		}
		n, err := ua.ParseNodeID(fmt.Sprintf("ns=%d;%s", index[ns], rest))
		if err != nil || !strings.Contains(rest, "=") {
			return nil, fmt.Errorf("%q is no node id, and no alias", text)
		}
		return n, nil
	}
}

// create makes a node, unless it is there already.
func (im *importer) create(x *modelNode, ids idReader) (*node, error) {
	at, err := ids(x.id)
	if err != nil {
		return nil, err
	}
	if n := im.sp.node(at); n != nil {
		if n.class != x.class {
			return nil, fmt.Errorf("there is a node of that id already, which is a %v", n.class)
		}
		return n, nil
	}
	n := &node{id: at, class: x.class, doc: x.doc, abstract: x.abstract, inverse: x.inverse, symmetric: x.sym, events: x.events}
	n.name = x.name
	if index, name, ok := strings.Cut(x.name, ":"); ok {
		if number, err := strconv.ParseUint(index, 10, 16); err == nil {
			q, err := ids(fmt.Sprintf("ns=%d;i=0", number))
			if err != nil {
				return nil, fmt.Errorf("browse name: %w", err)
			}
			n.ns, n.name = q.Namespace(), name
		}
	}
	if x.display != n.name {
		n.display = x.display
	}
	im.sp.put(n)
	return n, nil
}

// join makes the references of a node. Of the standard's own, those to what
// this server does not have are left out.
func (im *importer) join(n *node, refs []modelRef, ids idReader, std bool) error {
	for _, r := range refs {
		by, err := ids(r.typ)
		if err != nil {
			return fmt.Errorf("type of a reference: %w", err)
		}
		to, err := ids(r.to)
		if err != nil {
			return fmt.Errorf("reference: %w", err)
		}
		typ := im.sp.typeNode(im.sp.keyOf(by))
		target := im.sp.node(to)
		switch {
		case target == nil && (std || to.Namespace() == 0):
			continue
		case target == nil:
			return fmt.Errorf("it refers to %v of %s, and no model has that node", to, im.sp.names[to.Namespace()])
		case typ == nil || typ.class != ua.NodeClassReferenceType:
			return fmt.Errorf("%v is no type of a reference", by)
		}
		im.refer(n, typ.typ, r.forward, target)
	}
	return nil
}

// refer makes one reference, seen from both ends, once.
func (im *importer) refer(n *node, typ uint32, forward bool, to *node) {
	from := n
	if !forward {
		from, to = to, from
	}
	switch typ {
	case id.HasTypeDefinition:
		if from.kind == 0 {
			from.kind = to.typ
		}
		return
	case id.HasSubtype:
		if !to.shared && im.sp.super[to.typ] == 0 {
			im.sp.super[to.typ] = from.typ
		}
	}
	key := refKey{from, to, typ}
	if im.known[key] || slices.Contains(im.sp.refs(from), ref{typ, true, to}) {
		return
	}
	im.known[key] = true
	im.sp.link(from, typ, to)
}

// fill gives a variable its type and its value.
func (im *importer) fill(n *node, x *modelNode, ids idReader) error {
	if n.class != ua.NodeClassVariable && n.class != ua.NodeClassVariableType || n.shared || n.tag != nil || n.memory != nil || n.read != nil || n.several != nil {
		return nil
	}
	n.dataType = id.BaseDataType
	if x.dataType != "" {
		at, err := ids(x.dataType)
		if err != nil {
			return fmt.Errorf("data type: %w", err)
		}
		typ := im.sp.typeNode(im.sp.keyOf(at))
		if typ == nil || typ.class != ua.NodeClassDataType {
			return fmt.Errorf("%v is no data type that any model has", at)
		}
		n.dataType = typ.typ
	}
	kind := im.sp.builtIn(n.dataType)
	var value any
	if x.value != nil {
		var err error
		if value, err = x.value.value(ids); err != nil {
			return fmt.Errorf("value: %w", err)
		}
		if value != nil {
			v, err := ua.NewVariant(value)
			if err != nil {
				return fmt.Errorf("value: %w", err)
			}
			if is, _ := shapeOf(v); kind != 0 && is != kind {
				return fmt.Errorf("its value is a %s and its data type %s", x.value.name, im.sp.typeNode(n.dataType).name)
			}
		}
	}
	n.memory = newMemory(kind, x.rank, x.dims, x.access&accessWrite != 0, value, im.start)
	n.memory.secret = n.class == ua.NodeClassVariable && x.access&accessRead == 0
	return nil
}

// bind has variables of models show tags, with the types that those have, and
// methods of models do what methods of the PLC's machines do.
func (sp *space) bind(bind map[string]string) error {
	for _, text := range slices.Sorted(maps.Keys(bind)) {
		n, err := sp.find(text)
		if err != nil {
			return fmt.Errorf("bind: %w", err)
		}
		tag := sp.tags[bind[text]]
		if n.class == ua.NodeClassMethod {
			if err := sp.bindMethod(n, tag); err != nil {
				return fmt.Errorf("bind: %s: %q %w", text, bind[text], err)
			}
			continue
		}
		switch {
		case tag == nil || tag.tag == nil:
			return fmt.Errorf("bind: %s: there is no tag %q", text, bind[text])
		case n.class != ua.NodeClassVariable || n.shared || n.tag != nil || n.memory == nil:
			return fmt.Errorf("bind: %s is no variable of a model, or is bound already", text)
		case n.memory.rank != rankScalar && n.memory.rank > 0:
			return fmt.Errorf("bind: %s is an array, and a tag is none", text)
		}
		n.tag, n.dataType, n.bound, n.memory = tag.tag, tag.dataType, true, nil
	}
	return nil
}

// bindMethod has a method of a model do what one of the PLC's does. It takes the
// same arguments, as clients learn from the model.
func (sp *space) bindMethod(n, does *node) error {
	switch {
	case does == nil || does.method == nil:
		return errors.New("is no method of a machine or a variable, such as \"oven.Reset\"")
	case n.shared || n.method != nil:
		return errors.New("is for a method that does something already")
	}
	for _, list := range []struct {
		name string
		want []Argument
	}{{"InputArguments", does.method.In}, {"OutputArguments", does.method.Out}} {
		got := sp.argumentTypes(n, list.name)
		if !slices.EqualFunc(got, list.want, func(typ uint32, a Argument) bool { return typ == a.Type }) {
			return fmt.Errorf("has other %s than the method of the model", list.name)
		}
	}
	n.method = does.method
	return nil
}

// argumentTypes are the data types of the arguments that a method of a model
// has by its property of that name.
func (sp *space) argumentTypes(method *node, property string) (types []uint32) {
	for _, r := range sp.refs(method) {
		if !r.forward || r.to.name != property || r.to.memory == nil {
			continue
		}
		list, _ := r.to.memory.now.Load().value.([]*ua.ExtensionObject)
		for _, x := range list {
			if a, ok := x.Value.(*ua.Argument); ok && a.ValueRank == rankScalar {
				types = append(types, sp.keyOf(a.DataType))
			} else {
				types = append(types, 0)
			}
		}
	}
	return types
}

// find finds a node by an id such as "nsu=http://example.org/line/;s=Speed".
func (sp *space) find(text string) (*node, error) {
	plain := text
	if after, ok := strings.CutPrefix(text, "nsu="); ok {
		uri, rest, _ := strings.Cut(after, ";")
		i := slices.Index(sp.names, uri)
		if i < 0 {
			return nil, fmt.Errorf("%s: no model has the namespace %s", text, uri)
		}
		plain = fmt.Sprintf("ns=%d;%s", i, rest)
	}
	at, err := ua.ParseNodeID(plain)
	if err != nil {
		return nil, fmt.Errorf("%q is no node id", text)
	}
	n := sp.node(at)
	if n == nil {
		return nil, fmt.Errorf("%s: no model has that node", text)
	}
	return n, nil
}
