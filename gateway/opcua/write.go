package opcua

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/sim/signal"
)

// takeWrites writes what comes until the connection ends.
func (r *receiver) takeWrites(ctx context.Context, writes <-chan pipeline.Write) {
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-writes:
			w.Answer(r.write(ctx, w))
		}
	}
}

// write writes in the type that the node has. If the node has the value
// already, as when an answer was lost, nothing is written.
func (r *receiver) write(ctx context.Context, w pipeline.Write) error {
	node, err := r.nodeOf(w.ID)
	if err != nil {
		return err
	}
	read, err := call[*ua.ReadResponse](ctx, r.link, &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnNeither, NodesToRead: []*ua.ReadValueID{
		{NodeID: node, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}}, r.link.timeout)
	if err != nil {
		return away(err)
	}
	if len(read.Results) != 1 || read.Results[0].Value == nil {
		return fmt.Errorf("write %s: its type cannot be read", w.ID)
	}
	now := read.Results[0].Value
	value, err := typed(now.Value(), w.Value)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.ID, err)
	}
	if now.Value() == value {
		return nil
	}
	v, err := ua.NewVariant(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.ID, err)
	}
	res, err := call[*ua.WriteResponse](ctx, r.link, &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{
		{NodeID: node, AttributeID: ua.AttributeIDValue, Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: v}}}}, r.link.timeout)
	switch {
	case err != nil:
		return away(err)
	case len(res.Results) != 1:
		return fmt.Errorf("write %s: %d results", w.ID, len(res.Results))
	case res.Results[0] != ua.StatusOK:
		return fmt.Errorf("write %s: %w", w.ID, res.Results[0])
	}
	return nil
}

// away tells a device that refuses from one that cannot be reached.
func away(err error) error {
	if status, ok := refused(err); ok {
		return status
	}
	return errors.Join(pipeline.ErrAway, cause(err))
}

func (r *receiver) nodeOf(id signal.ID) (*ua.NodeID, error) {
	m := &maker{link: r.link, cfg: r.cfg, items: r.items, uris: r.uris}
	for i := range *r.items {
		if it := &(*r.items)[i]; it.ID == id {
			if node, ok := m.resolve(it); ok {
				return node, nil
			}
			return nil, fmt.Errorf("write %s: the server has no namespace %q", id, it.Namespace)
		}
	}
	return nil, fmt.Errorf("write %s: no such tag", id)
}

// typed is a number in the type of what is there, if it fits without change.
func typed(like any, v float64) (any, error) {
	var out any
	switch like.(type) {
	case float64:
		return v, nil
	case float32:
		return float32(v), nil
	case bool:
		if v != 0 && v != 1 {
			return nil, fmt.Errorf("%v is neither 0 nor 1", v)
		}
		return v == 1, nil
	case int8:
		out = int8(v)
	case uint8:
		out = uint8(v)
	case int16:
		out = int16(v)
	case uint16:
		out = uint16(v)
	case int32:
		out = int32(v)
	case uint32:
		out = uint32(v)
	case int64:
		out = int64(v)
	case uint64:
		out = uint64(v)
	default:
		return nil, fmt.Errorf("a %T cannot be written", like)
	}
	if back, _ := number(out); back != v || v != math.Trunc(v) {
		return nil, fmt.Errorf("%v does not fit a %T", v, like)
	}
	return out, nil
}
