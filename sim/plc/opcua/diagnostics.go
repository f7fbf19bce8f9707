package opcua

import (
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// stats are what a server counts of itself (Part 5, 12.9). They are read by
// clients, with and without Server.mu.
type stats struct {
	sessions, allSessions, refusedByUser, refused, timedOut, aborted                 atomic.Uint32
	subscriptions, allSubscriptions, refusedBySecurity, refusedRequests, republished atomic.Uint32
}

// summary is what a client reads of them.
func (st *stats) summary() *ua.ServerDiagnosticsSummaryDataType {
	return &ua.ServerDiagnosticsSummaryDataType{
		CurrentSessionCount: st.sessions.Load(), CumulatedSessionCount: st.allSessions.Load(),
		SecurityRejectedSessionCount: st.refusedByUser.Load(), RejectedSessionCount: st.refused.Load(),
		SessionTimeoutCount: st.timedOut.Load(), SessionAbortCount: st.aborted.Load(),
		CurrentSubscriptionCount: st.subscriptions.Load(), CumulatedSubscriptionCount: st.allSubscriptions.Load(),
		SecurityRejectedRequestsCount: st.refusedBySecurity.Load(), RejectedRequestsCount: st.refusedRequests.Load(),
	}
}

// counted makes the reading of one counter.
func counted(f func(*stats) *atomic.Uint32) reading {
	return func(s *Server, _ time.Time) any { return f(&s.stats).Load() }
}

// diagnostics are the nodes of the counters.
var diagnostics = []struct {
	id   uint32
	name string
	read reading
}{
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_ServerViewCount, "ServerViewCount", constant(uint32(0))},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount, "CurrentSessionCount", counted(func(s *stats) *atomic.Uint32 { return &s.sessions })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_CumulatedSessionCount, "CumulatedSessionCount", counted(func(s *stats) *atomic.Uint32 { return &s.allSessions })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_SecurityRejectedSessionCount, "SecurityRejectedSessionCount", counted(func(s *stats) *atomic.Uint32 { return &s.refusedByUser })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_RejectedSessionCount, "RejectedSessionCount", counted(func(s *stats) *atomic.Uint32 { return &s.refused })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_SessionTimeoutCount, "SessionTimeoutCount", counted(func(s *stats) *atomic.Uint32 { return &s.timedOut })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_SessionAbortCount, "SessionAbortCount", counted(func(s *stats) *atomic.Uint32 { return &s.aborted })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_PublishingIntervalCount, "PublishingIntervalCount", constant(uint32(0))},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSubscriptionCount, "CurrentSubscriptionCount", counted(func(s *stats) *atomic.Uint32 { return &s.subscriptions })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_CumulatedSubscriptionCount, "CumulatedSubscriptionCount", counted(func(s *stats) *atomic.Uint32 { return &s.allSubscriptions })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_SecurityRejectedRequestsCount, "SecurityRejectedRequestsCount", counted(func(s *stats) *atomic.Uint32 { return &s.refusedBySecurity })},
	{id.Server_ServerDiagnostics_ServerDiagnosticsSummary_RejectedRequestsCount, "RejectedRequestsCount", counted(func(s *stats) *atomic.Uint32 { return &s.refusedRequests })},
}

// addDiagnostics puts them into the standard nodes.
func (std *standard) addDiagnostics() {
	sum := std.add(ua.NodeClassVariable, id.Server_ServerDiagnostics_ServerDiagnosticsSummary, "ServerDiagnosticsSummary")
	sum.dataType, sum.kind = id.ServerDiagnosticsSummaryDataType, id.ServerDiagnosticsSummaryType
	sum.read = func(s *Server, _ time.Time) any { return ua.NewExtensionObject(s.stats.summary()) }
	link(std.nodes[id.Server_ServerDiagnostics], id.HasComponent, sum)
	for _, d := range diagnostics {
		n := std.add(ua.NodeClassVariable, d.id, d.name)
		n.dataType, n.kind, n.read = id.UInt32, id.BaseDataVariableType, d.read
		link(sum, id.HasComponent, n)
	}
	std.addSessionDiagnostics()
}
