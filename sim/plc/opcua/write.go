package opcua

import (
	"errors"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

func (x *exchange) write(r *ua.WriteRequest) (any, error) {
	if err := x.operations(len(r.NodesToWrite)); err != nil {
		return nil, err
	}
	out := &ua.WriteResponse{}
	for _, w := range r.NodesToWrite {
		out.Results = append(out.Results, x.s.writeOne(w, x.says()))
	}
	return out, nil
}

// hasAttribute tells whether a node has an attribute, with a value or without.
func (s *Server) hasAttribute(n *node, a ua.AttributeID) bool {
	if a == ua.AttributeIDValue {
		return n.class == ua.NodeClassVariable
	}
	_, err := s.attribute(n, a, time.Time{})
	return err == nil
}

// writeOne hands a value to the PLC, which takes it over at its next scan.
func (s *Server) writeOne(w *ua.WriteValue, now time.Time) ua.StatusCode {
	n := s.space().node(w.NodeID)
	if status := s.refuses("write", true); status != ua.StatusOK {
		return status
	}
	switch {
	case n == nil:
		return ua.StatusBadNodeIDUnknown
	case !s.hasAttribute(n, w.AttributeID):
		return ua.StatusBadAttributeIDInvalid
	case w.AttributeID != ua.AttributeIDValue || n.memory == nil && (n.tag == nil || n.tag.tag.Write == nil):
		return ua.StatusBadNotWritable
	case w.IndexRange != "" && n.memory == nil:
		if _, err := parseRange(w.IndexRange); err != nil {
			return ua.StatusBadIndexRangeInvalid
		}
		return ua.StatusBadIndexRangeNoData // a tag is a scalar
	case w.Value.EncodingMask&^ua.DataValueValue != 0:
		return ua.StatusBadWriteNotSupported // status and time are the device's own
	case n.memory != nil && !n.within(w.Value.Value.Value()):
		return ua.StatusBadOutOfRange
	case n.memory != nil:
		return n.memory.write(w.Value.Value, w.IndexRange, now)
	}
	v, ok := engineering(n.tag.tag, w.Value.Value)
	if !ok {
		return ua.StatusBadTypeMismatch
	}
	err := s.img.Write(n.tag.tag.ID, v)
	switch {
	case err == nil:
		return ua.StatusOK
	case errors.Is(err, plc.ErrReadOnly):
		return ua.StatusBadNotWritable
	case errors.Is(err, plc.ErrRange):
		return ua.StatusBadOutOfRange
	}
	s.log.Warn("write refused", "tag", n.tag.tag.ID, "err", err)
	return ua.StatusBadDeviceFailure
}

// engineering is the value of a variant of the tag's own type, in engineering
// units; a variant of another type is refused, as the standard has it.
func engineering(t *plc.Tag, v *ua.Variant) (float64, bool) {
	scale := t.Scale
	if scale == 0 || !t.Type.IsInteger() {
		scale = 1
	}
	switch x := v.Value().(type) {
	case bool:
		if x {
			return 1, t.Type == plc.Bool
		}
		return 0, t.Type == plc.Bool
	case int16:
		return float64(x) * scale, t.Type == plc.Int16
	case uint16:
		return float64(x) * scale, t.Type == plc.UInt16
	case int32:
		return float64(x) * scale, t.Type == plc.Int32
	case uint32:
		return float64(x) * scale, t.Type == plc.UInt32
	case int64:
		return float64(x) * scale, t.Type == plc.Int64
	case uint64:
		return float64(x) * scale, t.Type == plc.UInt64
	case float32:
		return float64(x), t.Type == plc.Float32
	case float64:
		return x, t.Type == plc.Float64
	}
	return 0, false
}
