package opcua

import (
	"context"
	"fmt"
	"math"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// item is a tag and how it fares at the server. Its client handle is its index
// in the list of items plus one.
type item struct {
	Tag
	node    *ua.NodeID // as configured
	created bool
	bad     ua.StatusCode // why it could not be created, StatusOK if it could
}

func newItems(tags []Tag) ([]item, error) {
	items := make([]item, len(tags))
	for i, t := range tags {
		n, err := t.nodeID()
		if err != nil {
			return nil, err
		}
		items[i] = item{Tag: t, node: n}
	}
	return items, nil
}

// maker creates monitored items, each for itself: what a server refuses is
// marked bad and hinders no other.
type maker struct {
	link    *link
	cfg     *Config
	sub     *subscription
	items   *[]item
	uris    []string // the server's namespaces
	perCall int
}

// create makes every item that is not there yet. An error means that the
// connection is of no more use.
func (m *maker) create(ctx context.Context) error {
	if err := m.look(ctx); err != nil {
		return err
	}
	if err := m.pick(ctx); err != nil {
		return err
	}
	var todo []int
	for i := range *m.items {
		if !(*m.items)[i].created {
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		n := min(m.perCall, len(todo))
		if err := m.createSome(ctx, todo[:n]); err != nil {
			return err
		}
		todo = todo[n:]
	}
	return nil
}

// look asks the server for its namespaces and its limit.
func (m *maker) look(ctx context.Context) error {
	m.uris, m.perCall = nil, itemsPerCall
	nodes := []*ua.NodeID{
		ua.NewNumericNodeID(0, id.Server_NamespaceArray),
		ua.NewNumericNodeID(0, id.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall),
	}
	req := &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnNeither}
	for _, n := range nodes {
		req.NodesToRead = append(req.NodesToRead, &ua.ReadValueID{NodeID: n, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}})
	}
	res, err := call[*ua.ReadResponse](ctx, m.link, req, m.link.timeout)
	if err != nil {
		if _, ok := refused(err); ok {
			return nil
		}
		return fmt.Errorf("read namespaces: %w", cause(err))
	}
	if len(res.Results) == len(nodes) {
		m.uris, _ = plain(res.Results[0]).([]string)
		if n, ok := number(plain(res.Results[1])); ok && n >= 1 {
			m.perCall = int(min(n, itemsPerCall))
		}
	}
	return nil
}

func plain(dv *ua.DataValue) any {
	if dv == nil || dv.Value == nil || dv.Status != ua.StatusOK {
		return nil
	}
	return dv.Value.Value()
}

// createSome makes the given items in one call. If the server refuses the call
// as a whole, it is made again in halves, down to the items it refuses.
func (m *maker) createSome(ctx context.Context, which []int) error {
	var asked []int
	req := &ua.CreateMonitoredItemsRequest{SubscriptionID: m.sub.id, TimestampsToReturn: ua.TimestampsToReturnBoth}
	for _, i := range which {
		if node, ok := m.resolve(&(*m.items)[i]); ok {
			asked = append(asked, i)
			req.ItemsToCreate = append(req.ItemsToCreate, m.request(i, node))
		} else {
			(*m.items)[i].bad = ua.StatusBadNodeIDUnknown
		}
	}
	if len(asked) == 0 {
		return nil
	}
	res, err := call[*ua.CreateMonitoredItemsResponse](ctx, m.link, req, m.link.timeout)
	if err == nil {
		return m.take(asked, res.Results)
	}
	status, ok := refused(err)
	switch {
	case !ok:
		return fmt.Errorf("create monitored items: %w", cause(err))
	case len(asked) == 1:
		(*m.items)[asked[0]].bad = status
		return nil
	}
	half := len(asked) / 2
	if status == ua.StatusBadTooManyOperations {
		m.perCall = half
	}
	if err := m.createSome(ctx, asked[:half]); err != nil {
		return err
	}
	return m.createSome(ctx, asked[half:])
}

func (m *maker) take(asked []int, results []*ua.MonitoredItemCreateResult) error {
	if len(results) != len(asked) {
		return fmt.Errorf("create monitored items: %d results for %d items", len(results), len(asked))
	}
	for k, i := range asked {
		(*m.items)[i].bad = results[k].StatusCode
		(*m.items)[i].created = results[k].StatusCode == ua.StatusOK
	}
	return nil
}

// resolve gives the node with the namespace index that the server has today.
func (m *maker) resolve(it *item) (*ua.NodeID, bool) {
	if it.Namespace == "" {
		return it.node, true
	}
	for i, uri := range m.uris {
		if uri != it.Namespace || i > math.MaxUint16 {
			continue
		}
		node, err := it.nodeID() // a fresh one to be changed
		if err == nil && node.SetNamespace(uint16(i)) == nil {
			return node, true
		}
	}
	return nil, false
}

func (m *maker) request(i int, node *ua.NodeID) *ua.MonitoredItemCreateRequest {
	sampling, queue := m.cfg.Sampling, m.cfg.Queue
	if (*m.items)[i].Sampling > 0 {
		sampling = (*m.items)[i].Sampling
	}
	if (*m.items)[i].Queue > 0 {
		queue = (*m.items)[i].Queue
	}
	p := &ua.MonitoringParameters{
		ClientHandle:     uint32(i + 1),
		SamplingInterval: milliseconds(sampling.D()),
		QueueSize:        uint32(queue),
		DiscardOldest:    true,
	}
	trigger, band := m.cfg.Trigger, (*m.items)[i].Deadband
	if t := (*m.items)[i].Trigger; t != "" {
		trigger = t
	}
	switch t := triggers[trigger]; {
	case band > 0:
		p.Filter = ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: t, DeadbandType: uint32(ua.DeadbandTypeAbsolute), DeadbandValue: band})
	case t != ua.DataChangeTriggerStatusValue: // which is the default
		p.Filter = ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: t})
	}
	return &ua.MonitoredItemCreateRequest{
		ItemToMonitor:       &ua.ReadValueID{NodeID: node, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
		MonitoringMode:      ua.MonitoringModeReporting,
		RequestedParameters: p,
	}
}

// summary counts the bad items and names the first.
func summary(items []item) (bad int, first string) {
	for i := range items {
		if it := &items[i]; !it.created {
			if bad++; bad == 1 {
				first = fmt.Sprintf("%s (%s): %v", it.ID, it.Node, it.bad)
			}
		}
	}
	return bad, first
}
