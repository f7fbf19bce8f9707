package opcua

import (
	"reflect"

	"github.com/gopcua/opcua/ua"
)

// clause is one element of a where clause; others refer to it by its place.
type clause struct {
	op      ua.FilterOperator
	typ     uint32    // of OfType
	args    []int     // other clauses
	compare []operand // what a comparison compares
}

// operand is a field of the event, or else a value.
type operand struct {
	path  string
	field bool
	value any
}

func (o *operand) of(e *event) any {
	if o.field {
		return e.field(o.path)
	}
	return o.value
}

// operands are how many each operator takes that there is.
var operands = map[ua.FilterOperator]int{
	ua.FilterOperatorOfType: 1, ua.FilterOperatorNot: 1, ua.FilterOperatorAnd: 2, ua.FilterOperatorOr: 2,
	ua.FilterOperatorEquals: 2, ua.FilterOperatorGreaterThan: 2, ua.FilterOperatorLessThan: 2, ua.FilterOperatorGreaterThanOrEqual: 2, ua.FilterOperatorLessThanOrEqual: 2,
}

// clauseOf reads an element of a where clause. It refers to later elements
// alone, so that no clause goes round in a circle.
func clauseOf(e *ua.ContentFilterElement, at, of int) (clause, error) {
	c := clause{op: e.FilterOperator}
	want := operands[c.op]
	logical := c.op == ua.FilterOperatorNot || c.op == ua.FilterOperatorAnd || c.op == ua.FilterOperatorOr
	switch {
	case want == 0:
		return c, ua.StatusBadFilterOperatorUnsupported
	case len(e.FilterOperands) != want:
		return c, ua.StatusBadEventFilterInvalid
	}
	for _, o := range e.FilterOperands {
		switch v := o.Value.(type) {
		case *ua.LiteralOperand:
			n, ok := v.Value.Value().(*ua.NodeID)
			switch {
			case c.op == ua.FilterOperatorOfType && ok && n.Namespace() == 0:
				c.typ = n.IntID()
			case c.op == ua.FilterOperatorOfType || logical:
				return c, ua.StatusBadEventFilterInvalid
			default:
				c.compare = append(c.compare, operand{value: v.Value.Value()})
			}
		case *ua.SimpleAttributeOperand:
			if c.op == ua.FilterOperatorOfType || logical {
				return c, ua.StatusBadEventFilterInvalid
			}
			c.compare = append(c.compare, operand{path: pathOf(v), field: true})
		case *ua.ElementOperand:
			if int(v.Index) <= at || int(v.Index) >= of || !logical {
				return c, ua.StatusBadEventFilterInvalid
			}
			c.args = append(c.args, int(v.Index))
		default:
			return c, ua.StatusBadEventFilterInvalid
		}
	}
	return c, nil
}

// passes tells whether an event is one that the item reports. Elements refer
// to later ones alone, so the last is known first.
func (f *eventFilter) passes(std *standard, e *event) bool {
	if len(f.where) == 0 {
		return true
	}
	holds := make([]bool, len(f.where))
	for i := len(f.where) - 1; i >= 0; i-- {
		switch c := &f.where[i]; c.op {
		case ua.FilterOperatorOfType:
			holds[i] = std.isA(e.typ, c.typ)
		case ua.FilterOperatorNot:
			holds[i] = !holds[c.args[0]]
		case ua.FilterOperatorAnd:
			holds[i] = holds[c.args[0]] && holds[c.args[1]]
		case ua.FilterOperatorOr:
			holds[i] = holds[c.args[0]] || holds[c.args[1]]
		default:
			holds[i] = compares(c.op, c.compare[0].of(e), c.compare[1].of(e))
		}
	}
	return holds[0]
}

// compares two values as an operator has it. Numbers compare whatever their
// types; other values are equal or not, and nothing compares with what is not
// there.
func compares(op ua.FilterOperator, a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	number := func(v reflect.Value) bool { return v.CanInt() || v.CanUint() || v.CanFloat() }
	if !x.IsValid() || !y.IsValid() || !number(x) || !number(y) {
		return op == ua.FilterOperatorEquals && x.IsValid() && y.IsValid() && equal(a, b)
	}
	p, q := asFloat(x), asFloat(y)
	switch op {
	case ua.FilterOperatorEquals:
		return p == q
	case ua.FilterOperatorGreaterThan:
		return p > q
	case ua.FilterOperatorLessThan:
		return p < q
	case ua.FilterOperatorGreaterThanOrEqual:
		return p >= q
	}
	return p <= q
}

// equal tells whether two values are sent as the same bytes.
func equal(a, b any) bool {
	x, err1 := ua.NewVariant(a)
	y, err2 := ua.NewVariant(b)
	return err1 == nil && err2 == nil && sameVariant(x, y)
}
