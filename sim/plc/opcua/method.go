package opcua

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// Method is something that a client can have the device do.
type Method struct {
	// Object is the path of the folder that has it, such as "oven".
	Object, Name string
	In, Out      []Argument
	// Do gets as many values as In has arguments, each of its type, and returns
	// as many as Out has. An error that is a ua.StatusCode is what the client
	// is told. It may be called from any goroutine.
	Do func(in []any) (out []any, err error)

	// served stands for Do in methods of the server's own, which must know the
	// session and the object; anywhere is for those of types, whose instances
	// need not be in the address space.
	served   func(x *exchange, object *node, in []any) ([]any, error)
	anywhere bool
}

// Argument is one argument of a method: a scalar of a built-in type of OPC UA,
// such as id.Double.
type Argument struct {
	Name, Doc string
	Type      uint32
}

// setter is the method that sets a writable tag: SetSetpoint for oven/setpoint.
func setter(img Image, t *plc.Tag) Method {
	path := string(t.ID)
	object := ""
	if cut := strings.LastIndexByte(path, '/'); cut >= 0 {
		object = path[:cut]
	}
	return Method{
		Object: object, Name: "Set" + title(last(path)),
		In: []Argument{{"Value", string(t.Unit), uint32(wireType(t.Type))}},
		Do: func(in []any) ([]any, error) {
			v, ok := engineering(t, ua.MustVariant(in[0]))
			if !ok {
				return nil, ua.StatusBadTypeMismatch
			}
			return nil, img.Write(t.ID, v)
		},
	}
}

// title is a name as methods have it: bottom_speed becomes BottomSpeed.
func title(name string) string {
	up := true
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = true
			return -1
		}
		if up {
			up = false
			return unicode.ToUpper(r)
		}
		return r
	}, name)
}

// addMethod puts a method under its object.
func (sp *space) addMethod(m Method) error {
	path := m.Object + "." + m.Name
	if sp.tags[path] != nil {
		return fmt.Errorf("method %q stands there twice", path)
	}
	var parent *node
	if m.Object != "" {
		if parent = sp.tags[m.Object]; parent == nil || parent.class != ua.NodeClassObject {
			return fmt.Errorf("method %q: there is no folder %q", m.Name, m.Object)
		}
	}
	n := &node{id: ua.NewStringNodeID(sp.index, path), ns: sp.index, name: m.Name, class: ua.NodeClassMethod, method: &m}
	sp.tags[path] = n
	sp.attach(parent, id.HasComponent, n)
	for _, list := range []struct {
		name string
		args []Argument
	}{{"InputArguments", m.In}, {"OutputArguments", m.Out}} {
		if len(list.args) == 0 {
			continue
		}
		value := arguments(list.args)
		p := &node{
			id: ua.NewStringNodeID(sp.index, path+"."+list.name), name: list.name, class: ua.NodeClassVariable,
			kind: id.PropertyType, dataType: id.Argument, array: true, read: func(*Server, time.Time) any { return value },
		}
		sp.tags[path+"."+list.name] = p
		link(n, id.HasProperty, p)
	}
	return nil
}

// arguments describes arguments as a client reads them.
func arguments(list []Argument) []*ua.ExtensionObject {
	out := make([]*ua.ExtensionObject, len(list))
	for i, a := range list {
		out[i] = ua.NewExtensionObject(&ua.Argument{
			Name: a.Name, DataType: ua.NewFourByteNodeID(0, uint16(a.Type)), ValueRank: -1,
			ArrayDimensions: []uint32{}, Description: ua.NewLocalizedText(a.Doc),
		})
	}
	return out
}

func (x *exchange) call(r *ua.CallRequest) (any, error) {
	if err := x.operations(len(r.MethodsToCall)); err != nil {
		return nil, err
	}
	out := &ua.CallResponse{}
	for _, m := range r.MethodsToCall {
		if status := x.s.refuses("call", true); status != ua.StatusOK {
			out.Results = append(out.Results, &ua.CallMethodResult{StatusCode: status})
			continue
		}
		out.Results = append(out.Results, x.callOne(m))
	}
	return out, nil
}

// callOne calls one method of one object.
func (x *exchange) callOne(r *ua.CallMethodRequest) *ua.CallMethodResult {
	sp := x.s.space()
	object, n := sp.node(r.ObjectID), sp.node(r.MethodID)
	refuse := func(status ua.StatusCode) *ua.CallMethodResult { return &ua.CallMethodResult{StatusCode: status} }
	if object == nil {
		return refuse(ua.StatusBadNodeIDUnknown)
	}
	if n = sp.methodOf(object, n); n == nil {
		return refuse(ua.StatusBadMethodInvalid)
	}
	if n.method == nil { // of a model, which says nothing of what it does
		return refuse(ua.StatusBadNotExecutable)
	}
	m := n.method
	switch {
	case len(r.InputArguments) < len(m.In):
		return refuse(ua.StatusBadArgumentsMissing)
	case len(r.InputArguments) > len(m.In):
		return refuse(ua.StatusBadTooManyArguments)
	}
	res := &ua.CallMethodResult{}
	in := make([]any, len(m.In))
	for i, a := range r.InputArguments {
		in[i] = a.Value()
		status := ua.StatusOK
		if uint32(a.Type()) != m.In[i].Type || a.Has(ua.VariantArrayValues) {
			status, res.StatusCode = ua.StatusBadTypeMismatch, ua.StatusBadInvalidArgument
		}
		res.InputArgumentResults = append(res.InputArgumentResults, status)
	}
	if res.StatusCode != ua.StatusOK {
		return res
	}
	var out []any
	var err error
	if m.served != nil {
		out, err = m.served(x, object, in)
	} else {
		out, err = m.Do(in)
	}
	if res.StatusCode = x.s.callStatus(m.Name, err); res.StatusCode != ua.StatusOK {
		return res
	}
	for _, v := range out {
		res.OutputArguments = append(res.OutputArguments, ua.MustVariant(v))
	}
	return res
}

// callStatus is an error of a method as a client is told.
func (s *Server) callStatus(name string, err error) ua.StatusCode {
	var status ua.StatusCode
	switch {
	case err == nil:
		return ua.StatusOK
	case errors.As(err, &status):
		return status
	case errors.Is(err, plc.ErrRange):
		return ua.StatusBadOutOfRange
	case errors.Is(err, plc.ErrReadOnly):
		return ua.StatusBadNotWritable
	}
	s.log.Warn("a method failed", "method", name, "err", err)
	return ua.StatusBadDeviceFailure
}

// methodOf is the method of an object that a client means: itself, or the
// object's own of that name where the client names that of the object's type;
// nil if the object has none.
func (sp *space) methodOf(object, method *node) *node {
	if method == nil || method.class != ua.NodeClassMethod {
		return nil
	}
	if method.method != nil && method.method.anywhere || sp.has(object, method) {
		return method
	}
	for typ := object.kind; typ != 0; typ = sp.superOf(typ) {
		if t := sp.typeNode(typ); t == nil || !sp.has(t, method) {
			continue
		}
		for _, r := range sp.refs(object) {
			if r.forward && r.to.class == ua.NodeClassMethod && r.to.ns == method.ns && r.to.name == method.name {
				return r.to
			}
		}
	}
	return nil
}

// has tells whether a node has a method itself.
func (sp *space) has(n, method *node) bool {
	return slices.ContainsFunc(sp.refs(n), func(r ref) bool { return r.forward && r.to == method })
}
