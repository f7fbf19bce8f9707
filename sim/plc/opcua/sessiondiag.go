package opcua

import (
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// calls counts the requests of a session by the id of their type. Server.mu
// guards it.
type calls map[uint16]*ua.ServiceCounterDataType

// called counts a request.
func (c calls) called(typ uint16) {
	n := c[typ]
	if n == nil {
		n = &ua.ServiceCounterDataType{}
		c[typ] = n
	}
	n.TotalCount++
}

// of is the counter of one service.
func (c calls) of(typ uint16) *ua.ServiceCounterDataType {
	if n := c[typ]; n != nil {
		copied := *n
		return &copied
	}
	return &ua.ServiceCounterDataType{}
}

// all adds up the counters.
func (c calls) all() *ua.ServiceCounterDataType {
	sum := &ua.ServiceCounterDataType{}
	for _, n := range c {
		sum.TotalCount += n.TotalCount
		sum.ErrorCount += n.ErrorCount
	}
	return sum
}

// failed counts a request that was answered with a fault.
func (x *exchange) failed(typ uint16) {
	if x.session == nil {
		return
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if n := x.session.calls[typ]; n != nil {
		n.ErrorCount++
	}
}

// serviceCounters are the fields of a session's diagnostics that count one
// service, by the id of its request.
var serviceCounters = map[string]uint16{
	"ReadCount": id.ReadRequest_Encoding_DefaultBinary, "HistoryReadCount": id.HistoryReadRequest_Encoding_DefaultBinary,
	"WriteCount": id.WriteRequest_Encoding_DefaultBinary, "CallCount": id.CallRequest_Encoding_DefaultBinary,
	"CreateMonitoredItemsCount": id.CreateMonitoredItemsRequest_Encoding_DefaultBinary, "ModifyMonitoredItemsCount": id.ModifyMonitoredItemsRequest_Encoding_DefaultBinary,
	"SetMonitoringModeCount": id.SetMonitoringModeRequest_Encoding_DefaultBinary, "SetTriggeringCount": id.SetTriggeringRequest_Encoding_DefaultBinary,
	"DeleteMonitoredItemsCount": id.DeleteMonitoredItemsRequest_Encoding_DefaultBinary, "CreateSubscriptionCount": id.CreateSubscriptionRequest_Encoding_DefaultBinary,
	"ModifySubscriptionCount": id.ModifySubscriptionRequest_Encoding_DefaultBinary, "SetPublishingModeCount": id.SetPublishingModeRequest_Encoding_DefaultBinary,
	"PublishCount": id.PublishRequest_Encoding_DefaultBinary, "RepublishCount": id.RepublishRequest_Encoding_DefaultBinary,
	"TransferSubscriptionsCount": id.TransferSubscriptionsRequest_Encoding_DefaultBinary, "DeleteSubscriptionsCount": id.DeleteSubscriptionsRequest_Encoding_DefaultBinary,
	"BrowseCount": id.BrowseRequest_Encoding_DefaultBinary, "BrowseNextCount": id.BrowseNextRequest_Encoding_DefaultBinary,
	"TranslateBrowsePathsToNodeIDsCount": id.TranslateBrowsePathsToNodeIDsRequest_Encoding_DefaultBinary,
	"RegisterNodesCount":                 id.RegisterNodesRequest_Encoding_DefaultBinary, "UnregisterNodesCount": id.UnregisterNodesRequest_Encoding_DefaultBinary,
}

var counterType = reflect.TypeFor[*ua.ServiceCounterDataType]()

// diagnostics is what the server tells of a session. The mutex is held.
func (sess *session) diagnostics() *ua.SessionDiagnosticsDataType {
	d := &ua.SessionDiagnosticsDataType{
		SessionID: sess.node, SessionName: sess.name, ClientDescription: sess.client.description, ServerURI: sess.client.server,
		EndpointURL: sess.client.url, LocaleIDs: sess.locales, ActualSessionTimeout: float64(sess.timeout) / 1e6,
		MaxResponseMessageSize: sess.client.maxResponse, ClientConnectionTime: sess.client.came, ClientLastContactTime: sess.seen,
		CurrentSubscriptionsCount: uint32(len(sess.subs)), CurrentPublishRequestsInQueue: uint32(len(sess.queue)),
		TotalRequestCount: sess.calls.all(),
	}
	for _, sub := range sess.subs {
		d.CurrentMonitoredItemsCount += uint32(len(sub.items))
	}
	for v, i := reflect.ValueOf(d).Elem(), 0; i < v.NumField(); i++ {
		if f := v.Field(i); f.Type() == counterType && f.IsNil() { // of a service that is not there: 0
			f.Set(reflect.ValueOf(sess.calls.of(serviceCounters[v.Type().Field(i).Name])))
		}
	}
	return d
}

// clientOf is what a client says of itself when it creates a session.
type clientOf struct {
	description *ua.ApplicationDescription
	server, url string
	maxResponse uint32
	came        time.Time
}

// securityDiagnostics is what the server tells of who has a session.
func (sess *session) securityDiagnostics() *ua.SessionSecurityDiagnosticsDataType {
	kind, name, named := strings.Cut(sess.user, ":")
	d := &ua.SessionSecurityDiagnosticsDataType{
		SessionID: sess.node, ClientUserIDOfSession: name, AuthenticationMechanism: "Anonymous",
		Encoding: "UA Binary", TransportProtocol: "UA-TCP", SecurityMode: sess.mode, SecurityPolicyURI: sess.policy, ClientCertificate: sess.cert,
	}
	if named {
		d.ClientUserIDHistory = []string{name}
		d.AuthenticationMechanism = map[string]string{"user": "UserName", "certificate": "Certificate"}[kind]
	}
	return d
}

// published is what a subscription counts of itself.
type published struct {
	modified, enabled, disabled, republishAsked, republished, transferred, requests, values, events, messages, late, discarded uint32
}

// diagnostics is what the server tells of a subscription. The mutex is held.
func (sub *subscription) diagnostics() *ua.SubscriptionDiagnosticsDataType {
	n := &sub.count
	d := &ua.SubscriptionDiagnosticsDataType{
		SessionID: ua.NewTwoByteNodeID(0), SubscriptionID: sub.id, Priority: sub.priority, PublishingInterval: float64(sub.interval) / 1e6,
		MaxKeepAliveCount: sub.keep, MaxLifetimeCount: sub.lifetime, MaxNotificationsPerPublish: uint32(sub.most), PublishingEnabled: sub.enabled,
		ModifyCount: n.modified, EnableCount: n.enabled, DisableCount: n.disabled,
		RepublishRequestCount: n.republishAsked, RepublishMessageRequestCount: n.republishAsked, RepublishMessageCount: n.republished,
		TransferRequestCount: n.transferred, TransferredToSameClientCount: n.transferred,
		PublishRequestCount: n.requests, DataChangeNotificationsCount: n.values, EventNotificationsCount: n.events, NotificationsCount: n.messages,
		LatePublishRequestCount: n.late, CurrentKeepAliveCount: sub.silent, CurrentLifetimeCount: sub.idle,
		UnacknowledgedMessageCount: uint32(len(sub.sent)), DiscardedMessageCount: n.discarded,
		MonitoredItemCount: uint32(len(sub.order)), NextSequenceNumber: sub.next,
	}
	if sub.session != nil {
		d.SessionID = sub.session.node
	}
	if sub.most == math.MaxInt32 {
		d.MaxNotificationsPerPublish = 0
	}
	for _, it := range sub.order {
		if it.mode == ua.MonitoringModeDisabled {
			d.DisabledMonitoredItemCount++
		}
		if it.event != nil {
			d.EventQueueOverFlowCount += uint32(it.queue.dropped)
		} else {
			d.MonitoringQueueOverflowCount += uint32(it.queue.dropped)
		}
	}
	return d
}

// each makes the reading of an array with one element a session.
func each(of func(*session) any) reading {
	return func(s *Server, _ time.Time) any {
		list := make([]*ua.ExtensionObject, 0, len(s.sessions))
		for _, sess := range s.sessions {
			list = append(list, ua.NewExtensionObject(of(sess)))
		}
		return list
	}
}

// readSubscriptions reads the array of all subscriptions, by their ids.
func readSubscriptions(s *Server, _ time.Time) any {
	list := make([]*ua.ExtensionObject, 0, len(s.subs))
	for _, sub := range s.allSubscriptions() {
		list = append(list, ua.NewExtensionObject(sub.diagnostics()))
	}
	return list
}

// addSessionDiagnostics puts the arrays into the standard nodes. They are read
// with the mutex held.
func (std *standard) addSessionDiagnostics() {
	summary := std.add(ua.NodeClassObject, id.Server_ServerDiagnostics_SessionsDiagnosticsSummary, "SessionsDiagnosticsSummary")
	summary.kind = id.SessionsDiagnosticsSummaryType
	server := std.nodes[id.Server_ServerDiagnostics]
	link(server, id.HasComponent, summary)
	for _, a := range []struct {
		parent         *node
		id             uint32
		name           string
		dataType, kind uint32
		read           reading
	}{
		{server, id.Server_ServerDiagnostics_SubscriptionDiagnosticsArray, "SubscriptionDiagnosticsArray", id.SubscriptionDiagnosticsDataType, id.SubscriptionDiagnosticsArrayType, readSubscriptions},
		{summary, id.Server_ServerDiagnostics_SessionsDiagnosticsSummary_SessionDiagnosticsArray, "SessionDiagnosticsArray", id.SessionDiagnosticsDataType, id.SessionDiagnosticsArrayType,
			each(func(sess *session) any { return sess.diagnostics() })},
		{summary, id.Server_ServerDiagnostics_SessionsDiagnosticsSummary_SessionSecurityDiagnosticsArray, "SessionSecurityDiagnosticsArray", id.SessionSecurityDiagnosticsDataType, id.SessionSecurityDiagnosticsArrayType,
			each(func(sess *session) any { return sess.securityDiagnostics() })},
	} {
		n := std.add(ua.NodeClassVariable, a.id, a.name)
		n.dataType, n.kind, n.read, n.array, n.guarded = a.dataType, a.kind, a.read, true, true
		link(a.parent, id.HasComponent, n)
	}
}
