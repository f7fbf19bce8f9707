package opcua

import (
	"math"
	"slices"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

func (x *exchange) createItems(r *ua.CreateMonitoredItemsRequest) (any, error) {
	if r.TimestampsToReturn >= ua.TimestampsToReturnInvalid {
		return nil, ua.StatusBadTimestampsToReturnInvalid
	}
	if err := x.operations(len(r.ItemsToCreate)); err != nil {
		return nil, err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sub, err := x.subscription(r.SubscriptionID)
	if err != nil {
		return nil, err
	}
	out := &ua.CreateMonitoredItemsResponse{}
	for _, c := range r.ItemsToCreate {
		it, err := x.createItem(sub, c, r.TimestampsToReturn)
		if err != nil {
			out.Results = append(out.Results, &ua.MonitoredItemCreateResult{StatusCode: result(err)})
			continue
		}
		out.Results = append(out.Results, &ua.MonitoredItemCreateResult{
			MonitoredItemID: it.id, RevisedSamplingInterval: it.sampling(), RevisedQueueSize: uint32(it.queue.size),
		})
	}
	return out, nil
}

// createItem makes one item; its errors are status codes.
func (x *exchange) createItem(sub *subscription, c *ua.MonitoredItemCreateRequest, stamps ua.TimestampsToReturn) (*item, error) {
	s := x.s
	if status := s.refuses("subscribe", true); status != ua.StatusOK {
		return nil, status
	}
	n := s.space().node(c.ItemToMonitor.NodeID)
	if err := s.space().checkQuery(n, c.ItemToMonitor); err != nil {
		return nil, err
	}
	forEvents := c.ItemToMonitor.AttributeID == ua.AttributeIDEventNotifier
	tag := n.tag != nil && c.ItemToMonitor.AttributeID == ua.AttributeIDValue
	if !tag {
		if _, err := s.readOther(n, c.ItemToMonitor, x.says()); err != nil {
			return nil, err
		}
	}
	switch {
	case c.MonitoringMode > ua.MonitoringModeReporting:
		return nil, ua.StatusBadMonitoringModeInvalid
	case len(sub.items) >= s.cfg.Limits.Items:
		return nil, ua.StatusBadTooManyMonitoredItems
	}
	it := &item{sub: sub, node: n, mode: c.MonitoringMode, stamps: stamps}
	it.query = ua.ReadValueID{AttributeID: c.ItemToMonitor.AttributeID, IndexRange: c.ItemToMonitor.IndexRange, DataEncoding: &ua.QualifiedName{}}
	if err := it.set(s, c.RequestedParameters); err != nil {
		return nil, err
	}
	for up(&sub.lastItem); sub.items[sub.lastItem] != nil; up(&sub.lastItem) {
	}
	it.id = sub.lastItem
	sub.items[it.id] = it
	sub.order = append(sub.order, it)
	if task, ok := it.task(); ok {
		s.feeds[task] = append(s.feeds[task], it)
	} else if !forEvents {
		sub.polled = append(sub.polled, it)
	}
	if it.mode != ua.MonitoringModeDisabled {
		it.first(s, x.says())
	}
	return it, nil
}

// eventQueue is how many events an item keeps that leaves it to the server.
const eventQueue = 100

// set takes over the parameters of an item, or none of them.
func (it *item) set(s *Server, p *ua.MonitoringParameters) error {
	if it.query.AttributeID == ua.AttributeIDEventNotifier {
		f, err := s.eventFilter(p.Filter)
		if err != nil {
			return err
		}
		it.event = f
	} else {
		f, err := it.filterOf(p.Filter)
		if err != nil {
			return err
		}
		it.filter = f
	}
	it.handle = p.ClientHandle
	it.every = it.scans(p.SamplingInterval)
	it.wait = min(max(it.wait, 1), it.every)
	size := min(max(int(min(p.QueueSize, math.MaxInt32)), 1), s.cfg.Limits.Queue)
	if it.event != nil && p.QueueSize == 0 {
		size = min(eventQueue, s.cfg.Limits.Queue)
	}
	if size != it.queue.size || p.DiscardOldest == it.queue.discardLast {
		it.queue.resize(size, !p.DiscardOldest)
	}
	return nil
}

// scans is how many scans of the task come nearest to a sampling interval in
// milliseconds; a negative one stands for the publishing interval.
func (it *item) scans(ms float64) int {
	_, period, ok := it.node.scanned()
	if !ok {
		return 1
	}
	if ms < 0 {
		ms = float64(it.sub.interval) / 1e6
	}
	if math.IsNaN(ms) {
		return 1
	}
	return int(min(max(math.Round(ms/period), 1), math.MaxInt32))
}

// task is the task whose scans the item follows, if it follows any.
func (it *item) task() (int, bool) {
	if it.query.AttributeID != ua.AttributeIDValue {
		return 0, false
	}
	task, _, ok := it.node.scanned()
	return task, ok
}

// sampling is the interval that the client is told, in milliseconds.
func (it *item) sampling() float64 {
	if it.event != nil {
		return 0
	}
	_, period, _ := it.node.scanned()
	if _, ok := it.task(); !ok {
		return float64(it.sub.interval) / 1e6
	}
	return float64(it.every) * period
}

// filterOf reads a filter; none means that status and value count.
func (it *item) filterOf(x *ua.ExtensionObject) (filter, error) {
	f := filter{trigger: ua.DataChangeTriggerStatusValue}
	if x == nil || x.TypeID == nil || x.EncodingMask == ua.ExtensionObjectEmpty {
		return f, nil
	}
	d, ok := x.Value.(*ua.DataChangeFilter)
	switch {
	case !ok && x.TypeID.NodeID.IntID() == id.EventFilter_Encoding_DefaultBinary:
		return f, ua.StatusBadFilterNotAllowed
	case !ok:
		return f, ua.StatusBadMonitoredItemFilterUnsupported
	case it.query.AttributeID != ua.AttributeIDValue:
		return f, ua.StatusBadFilterNotAllowed
	case d.Trigger > ua.DataChangeTriggerStatusValueTimestamp:
		return f, ua.StatusBadMonitoredItemFilterInvalid
	}
	f.trigger = d.Trigger
	switch ua.DeadbandType(d.DeadbandType) {
	case ua.DeadbandTypeNone:
		return f, nil
	case ua.DeadbandTypeAbsolute, ua.DeadbandTypePercent:
		return it.deadband(f, ua.DeadbandType(d.DeadbandType), d.DeadbandValue)
	}
	return f, ua.StatusBadDeadbandFilterInvalid
}

// deadband adds a deadband to a filter. The client gives it in what it sees:
// raw counts, or percent of the range that the node shows.
func (it *item) deadband(f filter, typ ua.DeadbandType, value float64) (filter, error) {
	n := it.node
	lo, hi := n.lo, n.hi
	if n.tag != nil {
		lo, hi = n.tag.tag.Lo, n.tag.tag.Hi
	}
	switch {
	case !n.numeric():
		return f, ua.StatusBadFilterNotAllowed
	case !(value >= 0) || math.IsInf(value, 0):
		return f, ua.StatusBadDeadbandFilterInvalid
	case typ == ua.DeadbandTypeAbsolute:
		f.deadband = value
		if n.tag != nil && scaled(n.tag.tag) {
			f.deadband *= n.tag.tag.Scale
		}
	case n.kind != id.AnalogItemType || value > 100 || !(lo < hi):
		return f, ua.StatusBadDeadbandFilterInvalid
	default:
		f.deadband = value / 100 * (hi - lo)
	}
	return f, nil
}

// numeric tells whether a variable holds numbers, which a deadband is for.
func (n *node) numeric() bool {
	number := func(kind byte) bool { return kind >= byte(ua.TypeIDSByte) && kind <= byte(ua.TypeIDDouble) }
	switch {
	case n.tag != nil:
		return n.tag.tag.Type != plc.Bool
	case n.memory != nil:
		return number(n.memory.kind)
	case n.several != nil:
		return number(n.several.kind)
	}
	return false
}

func (x *exchange) modifyItems(r *ua.ModifyMonitoredItemsRequest) (any, error) {
	if r.TimestampsToReturn >= ua.TimestampsToReturnInvalid {
		return nil, ua.StatusBadTimestampsToReturnInvalid
	}
	if err := x.operations(len(r.ItemsToModify)); err != nil {
		return nil, err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sub, err := x.subscription(r.SubscriptionID)
	if err != nil {
		return nil, err
	}
	out := &ua.ModifyMonitoredItemsResponse{}
	for _, m := range r.ItemsToModify {
		res := &ua.MonitoredItemModifyResult{StatusCode: ua.StatusBadMonitoredItemIDInvalid}
		if it := sub.items[m.MonitoredItemID]; it != nil {
			if res.StatusCode = result(it.set(x.s, m.RequestedParameters)); res.StatusCode == ua.StatusOK {
				it.stamps = r.TimestampsToReturn
				res.RevisedSamplingInterval, res.RevisedQueueSize = it.sampling(), uint32(it.queue.size)
			}
		}
		out.Results = append(out.Results, res)
	}
	return out, nil
}

func (x *exchange) setMonitoringMode(r *ua.SetMonitoringModeRequest) (any, error) {
	if r.MonitoringMode > ua.MonitoringModeReporting {
		return nil, ua.StatusBadMonitoringModeInvalid
	}
	out := &ua.SetMonitoringModeResponse{}
	err := x.eachItem(r.SubscriptionID, r.MonitoredItemIDs, func(_ *subscription, it *item) {
		it.setMode(x, r.MonitoringMode)
	}, &out.Results)
	return out, err
}

// setMode changes between disabled, sampling and reporting. An item that
// begins to sample does so at once; one that is disabled loses its queue.
func (it *item) setMode(x *exchange, mode ua.MonitoringMode) {
	was := it.mode
	it.mode, it.triggered = mode, false
	switch {
	case mode == ua.MonitoringModeDisabled:
		it.queue.clear()
	case was == ua.MonitoringModeDisabled:
		it.first(x.s, x.says())
	case mode == ua.MonitoringModeReporting:
		it.announce()
	}
}

func (x *exchange) deleteItems(r *ua.DeleteMonitoredItemsRequest) (any, error) {
	out := &ua.DeleteMonitoredItemsResponse{}
	var gone []*item
	err := x.eachItem(r.SubscriptionID, r.MonitoredItemIDs, func(sub *subscription, it *item) {
		delete(sub.items, it.id)
		gone = append(gone, it)
	}, &out.Results)
	if len(gone) > 0 {
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		x.s.drop(gone)
	}
	return out, err
}

// eachItem does something to items by their ids, and notes each result.
func (x *exchange) eachItem(sub uint32, ids []uint32, f func(*subscription, *item), results *[]ua.StatusCode) error {
	if err := x.operations(len(ids)); err != nil {
		return err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	of, err := x.subscription(sub)
	if err != nil {
		return err
	}
	for _, id := range ids {
		it := of.items[id]
		if it == nil {
			*results = append(*results, ua.StatusBadMonitoredItemIDInvalid)
			continue
		}
		f(of, it)
		*results = append(*results, ua.StatusOK)
	}
	return nil
}

// drop takes items out of everything that knows them. The mutex is held.
func (s *Server) drop(items []*item) {
	if len(items) == 0 {
		return
	}
	touched := make([]bool, len(s.feeds))
	for _, it := range items {
		it.dead = true
		it.queue.clear()
		if task, ok := it.task(); ok && len(touched) > 0 {
			touched[task] = true
		}
	}
	gone := func(it *item) bool { return it.dead }
	for task := range s.feeds {
		if touched[task] {
			s.feeds[task] = slices.DeleteFunc(s.feeds[task], gone)
		}
	}
	sub := items[0].sub
	left := slices.DeleteFunc(slices.Clone(sub.order), gone) // items may be sub.order itself
	sub.order = left
	sub.polled = slices.DeleteFunc(sub.polled, gone)
	sub.ready = slices.DeleteFunc(sub.ready, gone)
	sub.said = slices.DeleteFunc(sub.said, gone)
	for _, it := range left {
		it.links = slices.DeleteFunc(it.links, gone)
	}
}

// setTriggering links sampled items to one whose change has them reported.
func (x *exchange) setTriggering(r *ua.SetTriggeringRequest) (any, error) {
	if err := x.operations(len(r.LinksToAdd) + len(r.LinksToRemove)); err != nil {
		return nil, err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sub, err := x.subscription(r.SubscriptionID)
	if err != nil {
		return nil, err
	}
	by := sub.items[r.TriggeringItemID]
	if by == nil {
		return nil, ua.StatusBadMonitoredItemIDInvalid
	}
	out := &ua.SetTriggeringResponse{}
	for _, id := range r.LinksToRemove {
		i := slices.IndexFunc(by.links, func(it *item) bool { return it.id == id })
		if i < 0 {
			out.RemoveResults = append(out.RemoveResults, ua.StatusBadMonitoredItemIDInvalid)
			continue
		}
		by.links = slices.Delete(by.links, i, i+1)
		out.RemoveResults = append(out.RemoveResults, ua.StatusOK)
	}
	for _, id := range r.LinksToAdd {
		it := sub.items[id]
		if it == nil {
			out.AddResults = append(out.AddResults, ua.StatusBadMonitoredItemIDInvalid)
			continue
		}
		if !slices.Contains(by.links, it) {
			by.links = append(by.links, it)
		}
		out.AddResults = append(out.AddResults, ua.StatusOK)
	}
	return out, nil
}
