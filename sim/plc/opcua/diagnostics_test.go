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
