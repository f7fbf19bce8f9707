package opcua

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// Requests are decoded here, field by field into gopcua's types. Its own
// decoder recurses into a variant of variants without a limit, which ends a Go
// process (a stack overflow is no panic), makes room for as many array
// dimensions as a message claims to have, and formats a name for each field.

// maxDepth is how deep structures, and the lists and pointers in them, may stand
// in one another; a browse path in an operand of a filter stands 17 deep.
const maxDepth = 32

// cursor reads little-endian fields off a message. After the first error
// everything reads as zero. What it returns as bytes shares memory with the
// message.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) || c.bad {
		c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) u8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bytes reads a byte string, nil for a null one.
func (c *cursor) bytes() []byte {
	n := int32(c.u32())
	if n <= 0 {
		c.bad = c.bad || n < -1
		return nil
	}
	return c.take(int(n))
}

// count reads the length of an array whose elements take at least one byte
// each, so that no message makes room for more elements than it has bytes.
func (c *cursor) count() int {
	n := int32(c.u32())
	if n < -1 || int(n) > len(c.b) {
		c.bad = true
	}
	if c.bad || n < 0 {
		return 0
	}
	return int(n)
}

// time reads a DateTime. The zero time stands for 0 and for what no time.Time
// in nanoseconds can hold.
func (c *cursor) time() time.Time {
	t := int64(c.u64())
	if t <= 0 {
		return time.Time{}
	}
	t -= epoch
	return time.Unix(t/ticksPerSecond, t%ticksPerSecond*100).UTC()
}

// decoder is what some of gopcua's types offer; those used here neither
// recurse nor make room for more than the message holds.
type decoder interface{ Decode(b []byte) (int, error) }

func (c *cursor) own(d decoder) {
	if c.bad {
		return
	}
	n, err := d.Decode(c.b)
	if err != nil || n > len(c.b) {
		c.bad = true
		return
	}
	c.b = c.b[n:]
}

// value fills v from the message, by its type.
func (c *cursor) value(v reflect.Value, depth int) {
	if depth > maxDepth || c.bad {
		c.bad = true
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(c.u8() != 0)
	case reflect.Uint8:
		v.SetUint(uint64(c.u8()))
	case reflect.Int32:
		v.SetInt(int64(int32(c.u32())))
	case reflect.Uint32:
		v.SetUint(uint64(c.u32()))
	case reflect.Uint16:
		v.SetUint(uint64(c.u16()))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(c.u64()))
	case reflect.String:
		v.SetString(string(c.bytes()))
	case reflect.Slice:
		c.slice(v, depth)
	case reflect.Pointer:
		c.pointer(v, depth)
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			*t = c.time()
			return
		}
		c.fields(v, 0, depth)
	default:
		c.bad = true
	}
}

// fields fills a struct from its field first on.
func (c *cursor) fields(v reflect.Value, first, depth int) {
	for i := first; i < v.NumField() && !c.bad; i++ {
		c.value(v.Field(i), depth+1)
	}
}

func (c *cursor) slice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(c.bytes())
		return
	}
	n := c.count()
	if n == 0 {
		return
	}
	list := reflect.MakeSlice(v.Type(), n, n)
	for i := 0; i < n && !c.bad; i++ {
		c.value(list.Index(i), depth+1)
	}
	v.Set(list)
}

func (c *cursor) pointer(v reflect.Value, depth int) {
	v.Set(reflect.New(v.Type().Elem()))
	switch x := v.Interface().(type) {
	case *ua.NodeID:
		c.own(x)
	case *ua.ExpandedNodeID:
		c.own(x)
	case *ua.LocalizedText:
		c.own(x)
	case *ua.DataValue:
		c.dataValue(x)
	case *ua.ExtensionObject:
		c.extension(x, depth)
	case *ua.Variant:
		c.variant(x)
	case *ua.DiagnosticInfo: // in no request that is served
		c.bad = true
	default:
		c.value(v.Elem(), depth+1)
	}
}

// extension decodes the bodies that a served request may hold, and steps over
// all others, which leaves their Value nil.
func (c *cursor) extension(x *ua.ExtensionObject, depth int) {
	x.TypeID = new(ua.ExpandedNodeID)
	c.own(x.TypeID)
	x.EncodingMask = c.u8()
	if x.EncodingMask == ua.ExtensionObjectEmpty || c.bad {
		return
	}
	body := c.bytes()
	if c.bad || x.EncodingMask != ua.ExtensionObjectBinary || x.TypeID.NodeID.Namespace() != 0 {
		return
	}
	var into any
	switch x.TypeID.NodeID.IntID() {
	case id.AnonymousIdentityToken_Encoding_DefaultBinary:
		into = new(ua.AnonymousIdentityToken)
	case id.UserNameIdentityToken_Encoding_DefaultBinary:
		into = new(ua.UserNameIdentityToken)
	case id.X509IdentityToken_Encoding_DefaultBinary:
		into = new(ua.X509IdentityToken)
	case id.DataChangeFilter_Encoding_DefaultBinary:
		into = new(ua.DataChangeFilter)
	case id.EventFilter_Encoding_DefaultBinary:
		into = new(ua.EventFilter)
	case id.SimpleAttributeOperand_Encoding_DefaultBinary:
		into = new(ua.SimpleAttributeOperand)
	case id.LiteralOperand_Encoding_DefaultBinary:
		into = new(ua.LiteralOperand)
	case id.ElementOperand_Encoding_DefaultBinary:
		into = new(ua.ElementOperand)
	case id.ReadRawModifiedDetails_Encoding_DefaultBinary:
		into = new(ua.ReadRawModifiedDetails)
	default:
		return
	}
	in := cursor{b: body}
	in.fields(reflect.ValueOf(into).Elem(), 0, depth+1)
	c.bad = c.bad || in.bad
	x.Value = into
}

// dataValue decodes the value to write. A value that nothing here could take
// (a matrix, a structure) is stepped over and left as a null variant.
func (c *cursor) dataValue(d *ua.DataValue) {
	d.EncodingMask = c.u8()
	d.Value = new(ua.Variant)
	if d.Has(ua.DataValueValue) {
		c.variant(d.Value)
	}
	if d.Has(ua.DataValueStatusCode) {
		d.Status = ua.StatusCode(c.u32())
	}
	if d.Has(ua.DataValueSourceTimestamp) {
		d.SourceTimestamp = c.time()
	}
	if d.Has(ua.DataValueSourcePicoseconds) {
		d.SourcePicoseconds = c.u16()
	}
	if d.Has(ua.DataValueServerTimestamp) {
		d.ServerTimestamp = c.time()
	}
	if d.Has(ua.DataValueServerPicoseconds) {
		d.ServerPicoseconds = c.u16()
	}
}

// variant decodes a scalar, or an array of one dimension, of a type that
// something here takes, and steps over all others, which leaves it null. What
// was stepped over first is known to have as many elements as it says.
func (c *cursor) variant(v *ua.Variant) {
	from := c.b
	typ := c.skipVariant(0)
	if c.bad || typ&ua.VariantArrayDimensions != 0 {
		return
	}
	switch typ &^= ua.VariantArrayValues; {
	case typ >= 1 && typ <= 15, typ == 17, typ >= 19 && typ <= 21:
		own := bytes.Clone(from[:len(from)-len(c.b)]) // the library's values share memory with what they come from
		if _, err := v.Decode(own); err != nil {
			c.bad = true
		}
	}
}

// fixed is the size on the wire of the built-in types that have one.
var fixed = [26]int{1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 4, 8: 8, 9: 8, 10: 4, 11: 8, 13: 8, 14: 16, 19: 4}

// skipVariant steps over a variant and returns its type: the mask byte, so
// that a scalar is 1 to 25 and an array has the high bits set.
func (c *cursor) skipVariant(depth int) byte {
	mask := c.u8()
	typ := mask & 0x3F
	if typ > 25 || depth > maxDepth {
		c.bad = true
		return mask
	}
	n := 1
	if mask&ua.VariantArrayValues != 0 {
		n = c.count()
	}
	for i := 0; i < n && !c.bad; i++ {
		c.skip(typ, depth)
	}
	if mask&ua.VariantArrayDimensions != 0 {
		c.take(4 * c.count())
	}
	return mask
}

// skip steps over one value of a built-in type.
func (c *cursor) skip(typ byte, depth int) {
	switch typ {
	case 0: // null
	case 12, 15, 16:
		c.bytes()
	case 17, 18:
		c.own(new(ua.ExpandedNodeID))
	case 20:
		c.u16()
		c.bytes()
	case 21:
		c.own(new(ua.LocalizedText))
	case 22:
		c.own(new(ua.ExpandedNodeID))
		if c.u8() != ua.ExtensionObjectEmpty {
			c.bytes()
		}
	case 24:
		c.skipVariant(depth + 1)
	case 23, 25: // a data value or diagnostics inside a variant: nobody writes one
		c.bad = true
	default:
		c.take(fixed[typ])
	}
}
