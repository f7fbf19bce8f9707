package opcua

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Pick takes every variable whose path fits a pattern. The server is browsed
// whenever items are made anew, so that a node that was added is found at the
// next subscription.
type Pick struct {
	// Root is the node that paths begin below, default the Objects folder; with
	// Namespace, its index is looked up as a tag's is.
	Root      string `toml:"root"`
	Namespace string `toml:"namespace"`
	// Match is a pattern over the browse names from the root down, parted by
	// slashes: * and ? and [a-z] within a name, ** for any number of names.
	Match string `toml:"match"`
	// Prefix comes before the path to make the tag's id.
	Prefix string `toml:"prefix"`
	// Sampling, Queue, Trigger and Deadband are as a tag's.
	Sampling strict.Duration `toml:"sampling"`
	Queue    int             `toml:"queue"`
	Trigger  string          `toml:"trigger"`
	Deadband float64         `toml:"deadband"`
}

// Bounds of a browse: a server may have more nodes than anybody wants, and
// references in a circle.
const (
	maxDepth  = 20
	maxNodes  = 100_000
	perBrowse = 500
)

func (p Pick) validate() strict.Problems {
	var ps strict.Problems
	if p.Match == "" {
		ps.Add("match", "a pick needs a pattern such as \"pump/**/temp*\"")
	}
	for _, name := range strings.Split(p.Match, "/") {
		if _, err := path.Match(name, ""); err != nil {
			ps.Add("match", fmt.Sprintf("%q is no pattern", name))
		}
	}
	if p.Root != "" {
		if _, err := (Tag{Node: p.Root}).nodeID(); err != nil {
			ps.Add("root", err.Error())
		}
	}
	return append(ps, p.tag("x", "i=1").validate()...)
}

// tag is the tag that a node becomes.
func (p Pick) tag(id, node string) Tag {
	return Tag{ID: signal.ID(p.Prefix + id), Node: node, Sampling: p.Sampling, Queue: p.Queue, Trigger: p.Trigger, Deadband: p.Deadband}
}

// matches holds a path against a pattern, name by name.
func matches(pattern, names []string) bool {
	switch {
	case len(pattern) == 0:
		return len(names) == 0
	case pattern[0] == "**":
		return matches(pattern[1:], names) || len(names) > 0 && matches(pattern, names[1:])
	case len(names) == 0:
		return false
	}
	ok, _ := path.Match(pattern[0], names[0])
	return ok && matches(pattern[1:], names[1:])
}

// place is a node that was found on the way down.
type place struct {
	node  *ua.NodeID
	names []string
}

// pick browses and adds an item for every variable that fits and is new, at
// the end, so that the handles of the others stay.
func (m *maker) pick(ctx context.Context) error {
	known := map[signal.ID]bool{}
	for i := range *m.items {
		known[(*m.items)[i].ID] = true
	}
	for _, p := range m.cfg.Picks {
		root := ua.NewNumericNodeID(0, id.ObjectsFolder)
		if p.Root != "" {
			it := &item{Tag: Tag{Node: p.Root, Namespace: p.Namespace}}
			it.node, _ = it.nodeID()
			var ok bool
			if root, ok = m.resolve(it); !ok {
				return fmt.Errorf("pick: the server has no namespace %q", p.Namespace)
			}
		}
		var fresh []item
		pattern := strings.Split(p.Match, "/")
		err := m.walk(ctx, root, func(at place) {
			if !matches(pattern, at.names) {
				return
			}
			t := p.tag(strings.Join(at.names, "/"), at.node.String())
			if !known[t.ID] {
				known[t.ID] = true
				fresh = append(fresh, item{Tag: t, node: at.node})
			}
		})
		if err != nil {
			return err
		}
		slices.SortFunc(fresh, func(a, b item) int { return strings.Compare(string(a.ID), string(b.ID)) })
		*m.items = append(*m.items, fresh...)
	}
	return nil
}

// walk calls found for every variable below a node, breadth first.
func (m *maker) walk(ctx context.Context, root *ua.NodeID, found func(place)) error {
	seen := map[string]bool{root.String(): true}
	level := []place{{node: root}}
	for depth := 0; len(level) > 0 && depth < maxDepth; depth++ {
		var next []place
		for some := range slices.Chunk(level, perBrowse) {
			err := m.browse(ctx, some, func(from place, r *ua.ReferenceDescription) {
				node := r.NodeID.NodeID
				if r.NodeID.ServerIndex != 0 || r.NodeID.NamespaceURI != "" || seen[node.String()] || len(seen) >= maxNodes {
					return
				}
				seen[node.String()] = true
				p := place{node, append(slices.Clip(from.names), r.BrowseName.Name)}
				if next = append(next, p); r.NodeClass == ua.NodeClassVariable {
					found(p)
				}
			})
			if err != nil {
				return err
			}
		}
		level = next
	}
	return nil
}

// browse asks for what is below some nodes, to the last continuation point.
func (m *maker) browse(ctx context.Context, from []place, each func(place, *ua.ReferenceDescription)) error {
	req := &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}}
	for _, p := range from {
		req.NodesToBrowse = append(req.NodesToBrowse, &ua.BrowseDescription{NodeID: p.node, BrowseDirection: ua.BrowseDirectionForward,
			ReferenceTypeID: ua.NewNumericNodeID(0, id.HierarchicalReferences), IncludeSubtypes: true,
			NodeClassMask: uint32(ua.NodeClassObject | ua.NodeClassVariable), ResultMask: uint32(ua.BrowseResultMaskAll)})
	}
	res, err := call[*ua.BrowseResponse](ctx, m.link, req, m.link.timeout)
	if err != nil {
		return fmt.Errorf("browse: %w", cause(err))
	}
	results := res.Results
	for len(results) == len(from) && len(from) > 0 {
		more := &ua.BrowseNextRequest{}
		var rest []place
		for i, r := range results {
			for _, ref := range r.References {
				each(from[i], ref)
			}
			if len(r.ContinuationPoint) > 0 {
				more.ContinuationPoints, rest = append(more.ContinuationPoints, r.ContinuationPoint), append(rest, from[i])
			}
		}
		if len(rest) == 0 {
			return nil
		}
		res, err := call[*ua.BrowseNextResponse](ctx, m.link, more, m.link.timeout)
		if err != nil {
			return fmt.Errorf("browse: %w", cause(err))
		}
		from, results = rest, res.Results
	}
	return fmt.Errorf("browse: %d results for %d nodes", len(results), len(from))
}
