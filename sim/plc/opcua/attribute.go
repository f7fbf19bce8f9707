package opcua

import (
	"cmp"
	"math"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// Bits of an access level.
const accessRead, accessWrite, accessHistory = 1, 2, 4

// attribute is the value of an attribute other than the value of a tag.
func (s *Server) attribute(n *node, a ua.AttributeID, now time.Time) (any, error) {
	switch a {
	case ua.AttributeIDNodeID:
		return n.id, nil
	case ua.AttributeIDNodeClass:
		return int32(n.class), nil
	case ua.AttributeIDBrowseName:
		return &ua.QualifiedName{NamespaceIndex: n.ns, Name: n.name}, nil
	case ua.AttributeIDDisplayName:
		return n.displayName(), nil
	case ua.AttributeIDDescription:
		return ua.NewLocalizedText(n.doc), nil
	case ua.AttributeIDWriteMask, ua.AttributeIDUserWriteMask:
		return uint32(0), nil
	}
	switch n.class {
	case ua.NodeClassVariable:
		return s.variableAttribute(n, a, now)
	case ua.NodeClassObject:
		if a == ua.AttributeIDEventNotifier {
			if n.events || n == s.space().std.nodes[id.Server] {
				return byte(ua.EventNotifierTypeSubscribeToEvents), nil
			}
			return byte(0), nil
		}
	case ua.NodeClassMethod:
		if a == ua.AttributeIDExecutable || a == ua.AttributeIDUserExecutable {
			return n.method != nil, nil
		}
	default:
		return s.typeAttribute(n, a)
	}
	return nil, ua.StatusBadAttributeIDInvalid
}

func (s *Server) variableAttribute(n *node, a ua.AttributeID, now time.Time) (any, error) {
	switch a {
	case ua.AttributeIDDataType:
		return s.space().idOf(n.dataType), nil
	case ua.AttributeIDValueRank:
		return n.rank(), nil
	case ua.AttributeIDArrayDimensions:
		if n.memory != nil && n.memory.dims != nil {
			return n.memory.dims, nil
		}
		if n.rank() == rankArray {
			return []uint32{0}, nil
		}
	case ua.AttributeIDAccessLevel, ua.AttributeIDUserAccessLevel:
		level := byte(accessRead)
		if n.memory != nil && n.memory.secret {
			level = 0
		}
		if n.tag != nil && n.tag.tag.Write != nil || n.memory != nil && n.memory.writable {
			level |= accessWrite
		}
		if n.tag != nil && s.cfg.History > 0 {
			level |= accessHistory
		}
		return level, nil
	case ua.AttributeIDMinimumSamplingInterval:
		if _, period, ok := n.scanned(); ok {
			return period, nil
		}
		return float64(0), nil
	case ua.AttributeIDHistorizing:
		return n.tag != nil && s.cfg.History > 0, nil
	}
	return nil, ua.StatusBadAttributeIDInvalid
}

// rank is the ValueRank of a variable.
func (n *node) rank() int32 {
	switch {
	case n.memory != nil:
		return n.memory.rank
	case n.array || n.several != nil:
		return rankArray
	}
	return rankScalar
}

// scanned tells the task at whose scans a variable changes, and its period in
// milliseconds; false for one that does not depend on scans.
func (n *node) scanned() (task int, period float64, ok bool) {
	switch {
	case n.tag != nil:
		return n.tag.task, n.tag.period, true
	case n.several != nil:
		task, ok = n.several.task()
		return task, n.several.tags[0].period, ok
	}
	return 0, 0, false
}

func (s *Server) typeAttribute(n *node, a ua.AttributeID) (any, error) {
	switch {
	case n.definition != nil && a == ua.AttributeIDDataTypeDefinition:
		return ua.NewExtensionObject(n.definition), nil
	case a == ua.AttributeIDIsAbstract:
		return n.abstract, nil
	case n.class == ua.NodeClassReferenceType && a == ua.AttributeIDSymmetric:
		return n.symmetric, nil
	case n.class == ua.NodeClassReferenceType && a == ua.AttributeIDInverseName && !n.symmetric:
		return ua.NewLocalizedText(n.inverse), nil
	case n.class == ua.NodeClassVariableType && a == ua.AttributeIDValueRank:
		return int32(-2), nil
	case n.class == ua.NodeClassVariableType && a == ua.AttributeIDDataType:
		return s.space().idOf(cmp.Or(n.dataType, id.BaseDataType)), nil
	}
	return nil, ua.StatusBadAttributeIDInvalid
}

// readAnswer is the answer to a Read.
type readAnswer struct {
	s      *Server
	now    time.Time
	stamps ua.TimestampsToReturn
	nodes  []*ua.ReadValueID
}

func (x *exchange) read(r *ua.ReadRequest) (any, error) {
	switch {
	case r.TimestampsToReturn >= ua.TimestampsToReturnInvalid:
		return nil, ua.StatusBadTimestampsToReturnInvalid
	case r.MaxAge < 0 || math.IsNaN(r.MaxAge):
		return nil, ua.StatusBadMaxAgeInvalid
	}
	if err := x.operations(len(r.NodesToRead)); err != nil {
		return nil, err
	}
	return &readAnswer{x.s, x.says(), r.TimestampsToReturn, r.NodesToRead}, nil
}

// append reads all nodes; tags of one task come from one and the same scan.
func (r *readAnswer) append(b []byte) ([]byte, []Ref) {
	blocks := make([]*plc.Block, len(r.s.img.Tasks()))
	for i := range blocks {
		blocks[i] = r.s.img.Latest(i)
	}
	var refs []Ref
	now := ticks(r.now)
	b = appendU32(b, uint32(len(r.nodes)))
	for _, q := range r.nodes {
		n := r.s.space().node(q.NodeID)
		if status := r.s.refuses("read", true); status != ua.StatusOK {
			b = appendNothing(b, status, now, r.stamps)
			continue
		}
		if n != nil && n.tag != nil && q.AttributeID == ua.AttributeIDValue && q.IndexRange == "" && q.DataEncoding.Name == "" {
			v := n.tag
			block := blocks[v.task]
			if block == nil {
				b = appendNothing(b, ua.StatusBadWaitingForInitialData, now, r.stamps)
				continue
			}
			b = appendTag(b, v.tag, block.Values[v.index], block.Quality[v.index], ticks(block.Stamp), now, r.stamps)
			if r.s.tap != nil {
				refs = append(refs, v.ref(block.Seq))
			}
			continue
		}
		b = r.other(b, n, q, now)
	}
	return appendU32(b, 0), refs
}

// ref names the sample of a scan.
func (v *variable) ref(seq uint64) Ref {
	return Ref{Tag: v.tag.ID, Seq: seq, Task: int32(v.task), Index: int32(v.index)}
}

// other reads whatever is no plain value of a tag.
func (r *readAnswer) other(b []byte, n *node, q *ua.ReadValueID, now uint64) []byte {
	if n != nil && n.guarded {
		r.s.mu.Lock()
		defer r.s.mu.Unlock()
	}
	v, err := r.s.readOther(n, q, r.now)
	switch {
	case err != nil:
		return appendNothing(b, err.(ua.StatusCode), now, r.stamps)
	case v.variant == nil:
		return appendNothing(b, ua.StatusCode(v.status), now, r.stamps)
	case q.AttributeID != ua.AttributeIDValue:
		return appendVariant(b, v.variant, 0, 0, now, r.stamps)
	}
	return appendVariant(b, v.variant, v.status, v.ticks(now), now, r.stamps)
}

// look is an attribute as it is sent; without a variant there is only a status.
type look struct {
	variant *ua.Variant
	sampled
}

// ticks is the time of the value, or else the time of looking.
func (l *look) ticks(now uint64) uint64 {
	if l.source.IsZero() {
		return now
	}
	return ticks(l.source)
}

// readOther reads an attribute; its errors are status codes.
func (s *Server) readOther(n *node, q *ua.ReadValueID, now time.Time) (l look, err error) {
	if err := s.space().checkQuery(n, q); err != nil {
		return l, err
	}
	if q.AttributeID == ua.AttributeIDValue && n.class == ua.NodeClassVariable {
		if n.memory != nil && n.memory.secret {
			return l, ua.StatusBadNotReadable
		}
		if l.sampled = s.valueOf(n, now); l.status.IsBad() && l.value == nil {
			return l, nil
		}
	} else if l.value, err = s.attribute(n, q.AttributeID, now); err != nil {
		return l, err
	}
	if q.IndexRange != "" {
		if l.value, err = slice(l.value, q.IndexRange); err != nil {
			return l, err
		}
	}
	if l.variant, err = ua.NewVariant(l.value); err != nil {
		return l, ua.StatusBadInternalError
	}
	return l, nil
}

// checkQuery finds what is wrong with what to read or to monitor.
func (sp *space) checkQuery(n *node, q *ua.ReadValueID) error {
	switch {
	case n == nil:
		return ua.StatusBadNodeIDUnknown
	case q.AttributeID == 0 || q.AttributeID > ua.AttributeIDAccessLevelEx:
		return ua.StatusBadAttributeIDInvalid
	case q.DataEncoding.Name != "" && (q.AttributeID != ua.AttributeIDValue || !sp.isA(n.dataType, id.Structure)):
		return ua.StatusBadDataEncodingInvalid // only structures have any
	case q.DataEncoding.Name != "" && q.DataEncoding.Name != "Default Binary":
		return ua.StatusBadDataEncodingUnsupported
	case q.IndexRange != "" && n.tag != nil && q.AttributeID == ua.AttributeIDValue:
		if _, err := parseRange(q.IndexRange); err != nil {
			return err
		}
		return ua.StatusBadIndexRangeNoData // a tag is a scalar
	}
	return nil
}
