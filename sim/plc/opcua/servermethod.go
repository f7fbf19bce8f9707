package opcua

import (
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// addServerMethods puts the methods of the Server object in, by which a client
// that was cut off finds its way back (Part 5, 9.1 and 9.2).
func (std *standard) addServerMethods() {
	subscription := []Argument{{"SubscriptionId", "", id.UInt32}}
	handles := arguments([]Argument{{"ServerHandles", "", id.UInt32}, {"ClientHandles", "", id.UInt32}})
	for _, a := range handles {
		a.Value.(*ua.Argument).ValueRank = rankArray
	}
	for _, m := range []struct {
		id, in, out uint32
		Method
	}{
		{id.Server_GetMonitoredItems, id.Server_GetMonitoredItems_InputArguments, id.Server_GetMonitoredItems_OutputArguments, Method{Name: "GetMonitoredItems", In: subscription, served: monitoredItems}},
		{id.Server_ResendData, id.Server_ResendData_InputArguments, 0, Method{Name: "ResendData", In: subscription, served: resendData}},
	} {
		n := std.add(ua.NodeClassMethod, m.id, m.Name)
		n.method = &m.Method
		link(std.nodes[id.Server], id.HasComponent, n)
		args := func(number uint32, name string, value []*ua.ExtensionObject) {
			a := std.add(ua.NodeClassVariable, number, name)
			a.kind, a.dataType, a.array, a.read = id.PropertyType, id.Argument, true, func(*Server, time.Time) any { return value }
			link(n, id.HasProperty, a)
		}
		args(m.in, "InputArguments", arguments(subscription))
		if m.out != 0 {
			args(m.out, "OutputArguments", handles)
		}
	}
}

// ownSubscription finds a subscription of whoever calls. The mutex is held.
func (x *exchange) ownSubscription(in []any) (*subscription, error) {
	sub := x.s.subs[in[0].(uint32)]
	switch {
	case sub == nil:
		return nil, ua.StatusBadSubscriptionIDInvalid
	case sub.session != x.session:
		return nil, ua.StatusBadUserAccessDenied
	}
	return sub, nil
}

// monitoredItems lists the items of a subscription by the server's ids and by
// the client's.
func monitoredItems(x *exchange, _ *node, in []any) ([]any, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sub, err := x.ownSubscription(in)
	if err != nil {
		return nil, err
	}
	ids, handles := []uint32{}, []uint32{}
	for _, it := range sub.order {
		ids, handles = append(ids, it.id), append(handles, it.handle)
	}
	return []any{ids, handles}, nil
}

// resendData has the last values of all items sent again.
func resendData(x *exchange, _ *node, in []any) ([]any, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sub, err := x.ownSubscription(in)
	if err != nil {
		return nil, err
	}
	sub.repeat()
	return nil, nil
}
