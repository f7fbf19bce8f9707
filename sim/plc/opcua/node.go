package opcua

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// tagSpace is the index of the namespace in which the PLC's nodes are, unless
// it has moved.
const tagSpace = 2

// node is one node of the address space. It never changes once it is made.
type node struct {
	id    *ua.NodeID
	ns    uint16 // of the browse name
	name  string // browse name and display name
	class ua.NodeClass
	refs  []ref
	kind  uint32 // type definition, of an object or variable
	typ   uint32 // by which others name it, of a type

	shared       bool   // by all servers
	display, doc string // where they are not the name and nothing

	abstract, symmetric bool
	inverse             string // name of a reference type backwards

	// Of a variable: a tag, or a value that the server knows. An empty slice
	// for dims is a scalar.
	tag      *variable
	dataType uint32
	array    bool
	read     func(s *Server, now time.Time) any
	guarded  bool // read needs Server.mu
	memory   *memory
	several  *several
	lo, hi   float64 // EURange of one that is no tag; hi <= lo is none
	bound    bool    // shows a tag under the id of an imported model

	definition any // of a data type: how its values are built

	method *Method // of a method
	alarm  *alarm  // of a condition
	events bool    // of an object: what is below it can be monitored for events
}

func (n *node) displayName() *ua.LocalizedText {
	if n.display != "" {
		return ua.NewLocalizedText(n.display)
	}
	return ua.NewLocalizedText(n.name)
}

// ref is a reference.
type ref struct {
	typ     uint32
	forward bool
	to      *node
}

// link makes a reference between two nodes, seen from both.
func link(from *node, typ uint32, to *node) {
	from.refs = append(from.refs, ref{typ, true, to})
	to.refs = append(to.refs, ref{typ, false, from})
}

// space is the address space of one server: the standard nodes, which all
// servers share, those of the PLC, and those of models that came with either.
type space struct {
	std     *standard
	objects []ref // what hangs below the Objects folder
	tags    map[string]*node
	names   []string    // namespaces
	index   uint16      // of the PLC's namespace among them
	gone    []signal.ID // tags that are there and do not show, sorted
	alarms  [][]*alarm  // by task

	more  map[uint32]*node  // of namespace 0 besides the standard ones
	byID  map[string]*node  // of other namespaces, by the text of their ids
	types []*node           // of other namespaces
	super map[uint32]uint32 // of types besides the standard ones
	extra map[*node][]ref   // of standard nodes
}

// newSpace lays out the tags: a folder per machine, below it one per
// component, and in these the variables.
func newSpace(img Image, cfg Config, moved int) (*space, error) {
	sp := &space{
		std: standardNodes(), tags: map[string]*node{}, index: uint16(tagSpace + moved),
		more: map[uint32]*node{}, byID: map[string]*node{}, super: map[uint32]uint32{}, extra: map[*node][]ref{},
		names: []string{"http://opcfoundation.org/UA/", cfg.ApplicationURI},
	}
	for i := range moved { // others that have come before it
		sp.names = append(sp.names, fmt.Sprintf("urn:plantbed:%s:module-%d", img.Name(), i+1))
	}
	sp.names = append(sp.names, "urn:plantbed:"+img.Name())
	var order []string
	for _, t := range img.Tasks() {
		for i := range t.Tags {
			tag := &t.Tags[i]
			if sp.tags[string(tag.ID)] != nil {
				return nil, fmt.Errorf("tag %q stands there twice", tag.ID)
			}
			sp.tags[string(tag.ID)] = sp.tagNode(&variable{tag: tag, task: t.Index, index: i, period: float64(t.Period) / 1e6})
			order = append(order, string(tag.ID))
		}
	}
	sort.Strings(order)
	methods := slices.Clone(cfg.Methods)
	for _, path := range order {
		if t := sp.tags[path].tag.tag; t.Write != nil {
			methods = append(methods, setter(img, t))
		}
		n := sp.tags[path]
		parent, typ := sp.parent(path)
		if typ == id.Organizes && parent != nil {
			typ = id.HasComponent
		}
		sp.attach(parent, typ, n)
	}
	for i := range cfg.Variables {
		if err := sp.addVariable(img, &cfg.Variables[i], cfg.start); err != nil {
			return nil, err
		}
	}
	if err := sp.addMachines(cfg.Machines); err != nil {
		return nil, err
	}
	for _, m := range methods {
		if err := sp.addMethod(m); err != nil {
			return nil, err
		}
	}
	if err := sp.addModels(cfg.Models, cfg.Bind, cfg.start); err != nil {
		return nil, err
	}
	sp.alarms = make([][]*alarm, len(img.Tasks()))
	for i := range cfg.Alarms {
		if err := sp.addAlarm(&cfg.Alarms[i]); err != nil {
			return nil, err
		}
	}
	return sp, nil
}

// parent is the folder of a path, made if need be; nil stands for Objects.
func (sp *space) parent(path string) (*node, uint32) {
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return nil, id.Organizes
	}
	dir := path[:cut]
	if n := sp.tags[dir]; n != nil {
		if n.tag != nil { // a tag that has others below it
			return n, id.HasComponent
		}
		return n, id.Organizes
	}
	n := &node{id: ua.NewStringNodeID(sp.index, dir), ns: sp.index, name: last(dir), class: ua.NodeClassObject, kind: id.FolderType}
	sp.tags[dir] = n
	up, typ := sp.parent(dir)
	sp.attach(up, typ, n)
	return n, id.Organizes
}

func (sp *space) attach(parent *node, typ uint32, n *node) {
	if parent == nil {
		objects := sp.std.nodes[id.ObjectsFolder]
		sp.objects = append(sp.objects, ref{typ, true, n})
		n.refs = append(n.refs, ref{typ, false, objects})
		return
	}
	link(parent, typ, n)
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// tagNode is the variable of a tag.
func (sp *space) tagNode(v *variable) *node {
	n := &node{
		id: ua.NewStringNodeID(sp.index, string(v.tag.ID)), ns: sp.index, name: last(string(v.tag.ID)),
		class: ua.NodeClassVariable, tag: v, dataType: uint32(wireType(v.tag.Type)), kind: id.BaseDataVariableType,
	}
	switch {
	case scaled(v.tag):
		n.kind = id.DataItemType
	case v.tag.Type != plc.Bool && v.tag.Hi > v.tag.Lo:
		n.kind = id.AnalogItemType
	}
	return n
}

// node finds a node; nil if there is none.
func (sp *space) node(n *ua.NodeID) *node {
	switch {
	case n == nil:
		return nil
	case n.Namespace() == sp.index && n.Type() == ua.NodeIDTypeString:
		path := n.StringID()
		found := sp.tags[path]
		if found == nil {
			found = sp.property(path)
		}
		if found == nil {
			found = sp.byID[n.String()]
		}
		if found == nil || sp.hides(found) {
			return nil
		}
		return found
	case n.Namespace() == 0 && n.Type() <= ua.NodeIDTypeNumeric:
		return sp.standard(n.IntID())
	case len(sp.byID) == 0:
		return nil
	}
	return sp.byID[n.String()]
}

// hides tells whether a node is a tag that is gone, or a property of one.
func (sp *space) hides(n *node) bool {
	if len(sp.gone) == 0 || n.ns == 0 && n.id.Namespace() == 0 {
		return false
	}
	if n.tag == nil && n.kind == id.PropertyType && len(n.refs) == 1 {
		n = n.refs[0].to
	}
	if n.tag == nil {
		return false
	}
	_, gone := slices.BinarySearch(sp.gone, n.tag.tag.ID)
	return gone
}

// refs lists the references of a node, the same each time.
func (sp *space) refs(n *node) []ref {
	list := sp.allRefs(n)
	if len(sp.gone) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(r ref) bool { return sp.hides(r.to) })
}

func (sp *space) allRefs(n *node) []ref {
	list := n.refs[:len(n.refs):len(n.refs)]
	if n.shared {
		if n == sp.std.nodes[id.ObjectsFolder] {
			list = append(list, sp.objects...)
		}
		list = append(list, sp.extra[n]...)
	}
	if n.tag != nil {
		for _, p := range propertiesOf(n) {
			list = append(list, ref{id.HasProperty, true, p})
		}
	}
	if kind := sp.typeNode(n.kind); kind != nil && n.kind != 0 {
		list = append(list, ref{id.HasTypeDefinition, true, kind})
	}
	return list
}
