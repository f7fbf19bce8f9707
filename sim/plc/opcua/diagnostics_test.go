package opcua

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// The counters say what was: who came, who is there, who was sent away.
func TestDiagnostics(t *testing.T) {
	s := serve(t, newPLC(), Config{Limits: Limits{Sessions: 2}}, Options{})
	c := rawSession(t, s, time.Minute)
	gone := rawSession(t, s, time.Minute)
	rawDial(t, s).refused(&ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("third")}}, ua.StatusBadTooManySessions)
	gone.subscribe(time.Hour, 1000, 10)
	ask[*ua.CloseSessionResponse](gone, &ua.CloseSessionRequest{DeleteSubscriptions: true})
	c.subscribe(time.Hour, 1000, 10)
	read := func(node uint32) any {
		return ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewNumericNodeID(0, node), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}}).Results[0].Value.Value()
	}
	sum := read(id.Server_ServerDiagnostics_ServerDiagnosticsSummary).(*ua.ExtensionObject).Value.(*ua.ServerDiagnosticsSummaryDataType)
	want := ua.ServerDiagnosticsSummaryDataType{CurrentSessionCount: 1, CumulatedSessionCount: 2, RejectedSessionCount: 1, CurrentSubscriptionCount: 1, CumulatedSubscriptionCount: 2, RejectedRequestsCount: 1}
	if *sum != want {
		t.Errorf("%+v\nwant %+v", *sum, want)
	}
	if got := read(id.Server_ServerDiagnostics_ServerDiagnosticsSummary_CumulatedSessionCount); got != uint32(2) {
		t.Errorf("the counter by itself is %v", got)
	}
}

// The arrays tell of every session, of who has it, and of every subscription.
func TestSessionDiagnostics(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c, other := rawSession(t, s, time.Minute), rawSession(t, s, 2*time.Minute)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 2}, want{tag: "pump/motor/speed", queue: 2})
	for range 5 { // of which the queue holds two
		p.scan(1)
	}
	first := c.publishDue(s, sub)
	p.scan(1)
	second := c.publishDue(s, sub)
	ask[*ua.RepublishResponse](c, &ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: first.NotificationMessage.SequenceNumber})
	c.refused(&ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}}, ua.StatusBadNothingToDo)
	read := func(node uint32, part string) []*ua.ExtensionObject {
		t.Helper()
		r := ask[*ua.ReadResponse](other, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewNumericNodeID(0, node), AttributeID: ua.AttributeIDValue, IndexRange: part, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
		if r.Status != ua.StatusOK {
			t.Fatalf("node %d: %v", node, r.Status)
		}
		return r.Value.Value().([]*ua.ExtensionObject)
	}
	const sessions = id.Server_ServerDiagnostics_SessionsDiagnosticsSummary_SessionDiagnosticsArray
	list := read(sessions, "")
	if len(list) != 2 || len(read(sessions, "1")) != 1 {
		t.Fatalf("%d sessions", len(list))
	}
	d := list[0].Value.(*ua.SessionDiagnosticsDataType)
	if d.SessionName != "raw" || d.EndpointURL != "opc.tcp://far:1/" || d.ActualSessionTimeout != 60_000 || d.CurrentSubscriptionsCount != 1 || d.CurrentMonitoredItemsCount != 2 ||
		d.PublishCount.TotalCount != 2 || d.BrowseCount.TotalCount != 1 || d.BrowseCount.ErrorCount != 1 || d.TotalRequestCount.TotalCount != 6 || d.ReadCount.TotalCount != 0 || d.QueryFirstCount.TotalCount != 0 {
		t.Errorf("%+v", d)
	}
	sec := read(id.Server_ServerDiagnostics_SessionsDiagnosticsSummary_SessionSecurityDiagnosticsArray, "")[1].Value.(*ua.SessionSecurityDiagnosticsDataType)
	if sec.AuthenticationMechanism != "Anonymous" || sec.SecurityPolicyURI != ua.SecurityPolicyURINone || sec.SecurityMode != ua.MessageSecurityModeNone {
		t.Errorf("%+v", sec)
	}
	got := *read(id.Server_ServerDiagnostics_SubscriptionDiagnosticsArray, "")[0].Value.(*ua.SubscriptionDiagnosticsDataType)
	want := ua.SubscriptionDiagnosticsDataType{
		SessionID: d.SessionID, SubscriptionID: sub, PublishingInterval: 3_600_000, MaxKeepAliveCount: 10, MaxLifetimeCount: 1000, PublishingEnabled: true,
		RepublishRequestCount: 1, RepublishMessageRequestCount: 1, RepublishMessageCount: 1, PublishRequestCount: 2, DataChangeNotificationsCount: 4, NotificationsCount: 2,
		UnacknowledgedMessageCount: 2, MonitoredItemCount: 2, MonitoringQueueOverflowCount: got.MonitoringQueueOverflowCount,
		NextSequenceNumber: second.NotificationMessage.SequenceNumber + 1,
	}
	if got.SessionID.String() != d.SessionID.String() || got.MonitoringQueueOverflowCount == 0 {
		t.Errorf("%v, %d overflows", got.SessionID, got.MonitoringQueueOverflowCount)
	}
	if got.SessionID = d.SessionID; got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}
