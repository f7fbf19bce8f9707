package opcua

import (
	"encoding/binary"
	"slices"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// point is a continuation point: what is left of a browse result.
type point struct {
	id   uint64
	rest []*ua.ReferenceDescription
	most int
}

func (x *exchange) browse(r *ua.BrowseRequest) (any, error) {
	if err := x.operations(len(r.NodesToBrowse)); err != nil {
		return nil, err
	}
	if v := r.View.ViewID; v != nil && (v.IntID() != 0 || v.Type() > ua.NodeIDTypeNumeric) {
		return nil, ua.StatusBadViewIDUnknown
	}
	most := int(min(r.RequestedMaxReferencesPerNode, uint32(x.s.cfg.Limits.References)))
	if most == 0 {
		most = x.s.cfg.Limits.References
	}
	out := &ua.BrowseResponse{}
	for _, d := range r.NodesToBrowse {
		list, err := x.s.space().browse(d)
		if status := x.s.refuses("browse", true); status != ua.StatusOK {
			err = status
		}
		if err != nil {
			out.Results = append(out.Results, &ua.BrowseResult{StatusCode: err.(ua.StatusCode)})
			continue
		}
		out.Results = append(out.Results, x.page(list, most))
	}
	return out, nil
}

// browse lists the references that a description asks for.
func (sp *space) browse(d *ua.BrowseDescription) ([]*ua.ReferenceDescription, error) {
	n := sp.node(d.NodeID)
	base := sp.keyOf(d.ReferenceTypeID)
	switch {
	case n == nil:
		return nil, ua.StatusBadNodeIDUnknown
	case d.BrowseDirection >= ua.BrowseDirectionInvalid:
		return nil, ua.StatusBadBrowseDirectionInvalid
	case base == 0 && (d.ReferenceTypeID.Type() > ua.NodeIDTypeNumeric || d.ReferenceTypeID.Namespace() != 0):
		return nil, ua.StatusBadReferenceTypeIDInvalid
	case base != 0 && !sp.isA(base, id.References):
		return nil, ua.StatusBadReferenceTypeIDInvalid
	}
	list := []*ua.ReferenceDescription{}
	for _, r := range sp.refs(n) {
		switch {
		case r.forward && d.BrowseDirection == ua.BrowseDirectionInverse,
			!r.forward && d.BrowseDirection == ua.BrowseDirectionForward,
			d.NodeClassMask != 0 && d.NodeClassMask&uint32(r.to.class) == 0,
			!sp.matches(r.typ, base, d.IncludeSubtypes):
			continue
		}
		list = append(list, sp.describe(r, ua.BrowseResultMask(d.ResultMask)))
	}
	return list, nil
}

// matches tells whether a reference is of the type asked for, 0 being any.
func (sp *space) matches(typ, base uint32, subtypes bool) bool {
	return base == 0 || typ == base || subtypes && sp.isA(typ, base)
}

// describe says of a reference what was asked for.
func (sp *space) describe(r ref, mask ua.BrowseResultMask) *ua.ReferenceDescription {
	d := &ua.ReferenceDescription{NodeID: &ua.ExpandedNodeID{NodeID: r.to.id}}
	if mask&ua.BrowseResultMaskReferenceTypeID != 0 {
		d.ReferenceTypeID = sp.idOf(r.typ)
	}
	if mask&ua.BrowseResultMaskIsForward != 0 {
		d.IsForward = r.forward
	}
	if mask&ua.BrowseResultMaskNodeClass != 0 {
		d.NodeClass = r.to.class
	}
	if mask&ua.BrowseResultMaskBrowseName != 0 {
		d.BrowseName = &ua.QualifiedName{NamespaceIndex: r.to.ns, Name: r.to.name}
	}
	if mask&ua.BrowseResultMaskDisplayName != 0 {
		d.DisplayName = r.to.displayName()
	}
	if mask&ua.BrowseResultMaskTypeDefinition != 0 && r.to.kind != 0 {
		d.TypeDefinition = &ua.ExpandedNodeID{NodeID: sp.idOf(r.to.kind)}
	}
	return d
}

// page answers with the first references and keeps the rest for BrowseNext.
func (x *exchange) page(list []*ua.ReferenceDescription, most int) *ua.BrowseResult {
	if len(list) <= most {
		return &ua.BrowseResult{References: list}
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if len(x.session.points) >= x.s.cfg.Limits.Continuations {
		return &ua.BrowseResult{StatusCode: ua.StatusBadNoContinuationPoints}
	}
	x.session.lastPoint++
	p := &point{id: x.session.lastPoint, rest: list[most:], most: most}
	x.session.points = append(x.session.points, p)
	return &ua.BrowseResult{References: list[:most], ContinuationPoint: binary.BigEndian.AppendUint64(nil, p.id)}
}

func (x *exchange) browseNext(r *ua.BrowseNextRequest) (any, error) {
	if err := x.operations(len(r.ContinuationPoints)); err != nil {
		return nil, err
	}
	out := &ua.BrowseNextResponse{}
	for _, key := range r.ContinuationPoints {
		p := x.takePoint(key)
		switch {
		case p == nil:
			out.Results = append(out.Results, &ua.BrowseResult{StatusCode: ua.StatusBadContinuationPointInvalid})
		case r.ReleaseContinuationPoints:
			out.Results = append(out.Results, &ua.BrowseResult{})
		default:
			out.Results = append(out.Results, x.page(p.rest, p.most))
		}
	}
	return out, nil
}

// takePoint removes a continuation point and returns it, nil if there is none.
func (x *exchange) takePoint(key []byte) *point {
	if len(key) != 8 {
		return nil
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	number := binary.BigEndian.Uint64(key)
	for i, p := range x.session.points {
		if p.id == number {
			x.session.points = slices.Delete(x.session.points, i, i+1)
			return p
		}
	}
	return nil
}

func (x *exchange) translate(r *ua.TranslateBrowsePathsToNodeIDsRequest) (any, error) {
	if err := x.operations(len(r.BrowsePaths)); err != nil {
		return nil, err
	}
	out := &ua.TranslateBrowsePathsToNodeIDsResponse{}
	for _, p := range r.BrowsePaths {
		out.Results = append(out.Results, x.s.space().walk(p))
	}
	return out, nil
}

// maxPath is how many elements a browse path may have.
const maxPath = 100

// walk follows a browse path from node to node by browse names.
func (sp *space) walk(p *ua.BrowsePath) *ua.BrowsePathResult {
	start := sp.node(p.StartingNode)
	if start == nil {
		return &ua.BrowsePathResult{StatusCode: ua.StatusBadNodeIDUnknown}
	}
	if n := len(p.RelativePath.Elements); n == 0 || n > maxPath {
		return &ua.BrowsePathResult{StatusCode: ua.StatusBadNothingToDo}
	}
	at := []*node{start}
	for _, e := range p.RelativePath.Elements {
		if e.TargetName.Name == "" {
			return &ua.BrowsePathResult{StatusCode: ua.StatusBadBrowseNameInvalid}
		}
		at = sp.step(at, e)
	}
	if len(at) == 0 {
		return &ua.BrowsePathResult{StatusCode: ua.StatusBadNoMatch}
	}
	out := &ua.BrowsePathResult{}
	for _, n := range at {
		out.Targets = append(out.Targets, &ua.BrowsePathTarget{TargetID: &ua.ExpandedNodeID{NodeID: n.id}, RemainingPathIndex: 1<<32 - 1})
	}
	return out
}

// step goes one element further, and to no node twice.
func (sp *space) step(from []*node, e *ua.RelativePathElement) []*node {
	var to []*node
	typ := sp.keyOf(e.ReferenceTypeID)
	if typ == 0 && e.ReferenceTypeID.Namespace() != 0 { // of a type that there is not
		return nil
	}
	for _, n := range from {
		for _, r := range sp.refs(n) {
			if r.forward != e.IsInverse && r.to.ns == e.TargetName.NamespaceIndex && r.to.name == e.TargetName.Name &&
				sp.matches(r.typ, typ, e.IncludeSubtypes) && !slices.Contains(to, r.to) {
				to = append(to, r.to)
			}
		}
	}
	return to
}

// registerNodes gives every node its own id: there is no shorter way to it.
func (x *exchange) registerNodes(r *ua.RegisterNodesRequest) (any, error) {
	if err := x.operations(len(r.NodesToRegister)); err != nil {
		return nil, err
	}
	return &ua.RegisterNodesResponse{RegisteredNodeIDs: r.NodesToRegister}, nil
}

func (x *exchange) unregisterNodes(r *ua.UnregisterNodesRequest) (any, error) {
	if err := x.operations(len(r.NodesToUnregister)); err != nil {
		return nil, err
	}
	return &ua.UnregisterNodesResponse{}, nil
}
