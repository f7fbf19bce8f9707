package opcua

import (
	"fmt"
	"reflect"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// addVariable puts a variable of the controller's own beside its tags. Its first
// value is of the time start.
func (sp *space) addVariable(img Image, v *plc.Variable, start time.Time) error {
	if sp.tags[v.Name] != nil {
		return fmt.Errorf("variable %q: there is a node of that name", v.Name)
	}
	n := &node{
		id: ua.NewStringNodeID(sp.index, v.Name), ns: sp.index, name: last(v.Name), class: ua.NodeClassVariable,
		kind: id.BaseDataVariableType, lo: v.Low, hi: v.High,
	}
	var err error
	if len(v.Tags) > 0 {
		err = sp.putTogether(n, v)
	} else {
		n.memory, err = memoryOf(v, start)
		n.dataType = uint32(v.Kind())
	}
	if err != nil {
		return fmt.Errorf("variable %q: %w", v.Name, err)
	}
	sp.tags[v.Name] = n
	parent, typ := sp.parent(v.Name)
	if typ == id.Organizes && parent != nil {
		typ = id.HasComponent
	}
	sp.attach(parent, typ, n)
	sp.describeRange(n, v)
	if n.memory == nil || !v.Writable || v.IsArray() {
		return nil
	}
	return sp.addMethod(Method{
		Object: folder(v.Name), Name: "Set" + title(n.name),
		In: []Argument{{"Value", string(v.Unit), n.dataType}},
		served: func(x *exchange, _ *node, in []any) ([]any, error) {
			if !n.within(in[0]) {
				return nil, ua.StatusBadOutOfRange
			}
			if status := n.memory.write(ua.MustVariant(in[0]), "", x.says()); status != ua.StatusOK {
				return nil, status
			}
			return nil, nil
		},
	})
}

// putTogether makes a node that shows several tags.
func (sp *space) putTogether(n *node, v *plc.Variable) error {
	var list []*variable
	for _, id := range v.Tags {
		t := sp.tags[string(id)]
		if t == nil || t.tag == nil {
			return fmt.Errorf("there is no tag %q", id)
		}
		list = append(list, t.tag)
	}
	n.several = newSeveral(list)
	n.dataType = uint32(n.several.kind)
	return nil
}

// memoryOf is the memory of a variable with its first value.
func memoryOf(v *plc.Variable, start time.Time) (*memory, error) {
	list, err := v.Elements()
	if err != nil {
		return nil, err
	}
	kind, rank := byte(v.Kind()), int32(rankScalar)
	if v.IsArray() {
		rank = rankArray
	}
	if len(list) == 0 {
		return newMemory(kind, rank, nil, v.Writable, nil, start), nil
	}
	typ := goTypes[kind]
	out := reflect.MakeSlice(reflect.SliceOf(typ), len(list), len(list))
	for i, e := range list {
		if text, ok := e.(string); ok && kind == byte(ua.TypeIDGUID) {
			e = ua.NewGUID(text)
		}
		out.Index(i).Set(reflect.ValueOf(e).Convert(typ))
	}
	value := out.Interface()
	switch {
	case rank == rankScalar:
		value = out.Index(0).Interface()
	case kind == byte(ua.TypeIDByte):
		value = ua.ByteArray(out.Interface().([]byte))
	}
	return newMemory(kind, rank, nil, v.Writable, value, start), nil
}

// describeRange adds the properties EURange and EngineeringUnits.
func (sp *space) describeRange(n *node, v *plc.Variable) {
	if v.High > v.Low {
		n.kind = id.AnalogItemType
		sp.addProperty(n, "EURange", id.Range, ua.NewExtensionObject(&ua.Range{Low: v.Low, High: v.High}))
	}
	if v.Unit != "" {
		sp.addProperty(n, "EngineeringUnits", id.EUInformation, ua.NewExtensionObject(units(v.Unit)))
	}
}

// addProperty adds a property of namespace 0 with a value that stays.
func (sp *space) addProperty(n *node, name string, dataType uint32, value any) {
	path := n.id.StringID() + "." + name
	p := &node{id: ua.NewStringNodeID(sp.index, path), name: name, class: ua.NodeClassVariable, kind: id.PropertyType, dataType: dataType, read: constant(value)}
	sp.tags[path] = p
	sp.link(n, id.HasProperty, p)
}

// within tells whether a value, or each element of a list, is in the range of
// a variable that has one.
func (n *node) within(value any) bool {
	if !(n.lo < n.hi) {
		return true
	}
	ok := func(v reflect.Value) bool { f := asFloat(v); return f >= n.lo && f <= n.hi }
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return ok(v)
	}
	for i := range v.Len() {
		if !ok(v.Index(i)) {
			return false
		}
	}
	return true
}

// folder is the path above a path, empty for the topmost.
func folder(path string) string {
	return path[:max(0, len(path)-len(last(path))-1)]
}
