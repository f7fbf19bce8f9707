package opcua

import (
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// several are tags that show as one array, all of them of one scan where they
// are of one task.
type several struct {
	tags []*variable
	kind byte // built-in type of the elements
}

// newSeveral puts tags together. Tags of different types show as doubles, in
// engineering units.
func newSeveral(tags []*variable) *several {
	s := &several{tags, wireType(tags[0].tag.Type)}
	for _, v := range tags {
		if wireType(v.tag.Type) != s.kind || scaled(v.tag) {
			s.kind = byte(ua.TypeIDDouble)
		}
	}
	return s
}

// task is the task of all of them; false where they have no one task.
func (m *several) task() (int, bool) {
	for _, v := range m.tags {
		if v.task != m.tags[0].task {
			return 0, false
		}
	}
	return m.tags[0].task, true
}

// sample reads them off the last scans. The quality is the worst of all, the
// time that of the oldest scan.
func (m *several) sample(img Image) sampled {
	list := reflect.MakeSlice(reflect.SliceOf(goTypes[m.kind]), len(m.tags), len(m.tags))
	var out sampled
	blocks := make([]*plc.Block, len(img.Tasks()))
	for i, v := range m.tags {
		b := blocks[v.task]
		if b == nil {
			if b = img.Latest(v.task); b == nil {
				return sampled{status: signal.BadWaitingForInitialData}
			}
			blocks[v.task] = b
		}
		set(list.Index(i), v.tag, b.Values[v.index], m.kind)
		if q := b.Quality[v.index]; q > out.status {
			out.status = q
		}
		if out.source.IsZero() || b.Stamp.Before(out.source) {
			out.source = b.Stamp
		}
	}
	out.value = list.Interface()
	return out
}

// set puts a value of a tag into an element.
func set(into reflect.Value, t *plc.Tag, v float64, kind byte) {
	switch {
	case kind == byte(ua.TypeIDBoolean):
		into.SetBool(v != 0)
	case into.CanInt():
		into.SetInt(count(t, v))
	case into.CanUint():
		into.SetUint(uint64(count(t, v)))
	default:
		into.SetFloat(v)
	}
}

// valueOf is the value of a variable that is no tag.
func (s *Server) valueOf(n *node, now time.Time) sampled {
	switch {
	case n.memory != nil:
		h := n.memory.now.Load()
		if h.value == nil {
			return sampled{status: signal.BadWaitingForInitialData, source: h.source}
		}
		return sampled{value: h.value, source: h.source}
	case n.several != nil:
		return n.several.sample(s.img)
	case n.read == nil:
		return sampled{}
	}
	return sampled{value: n.read(s, now)}
}
