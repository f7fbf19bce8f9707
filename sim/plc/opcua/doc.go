// Package opcua serves the image of a PLC over OPC UA.
//
//	srv, err := opcua.Listen(opcua.Config{Listen: "127.0.0.1:4840"}, p, opcua.Options{Seed: 42})
//	defer srv.Close()
//	fmt.Println("opc.tcp://" + srv.Addr().String())
//
// It takes types and codecs from gopcua (ua, uacp, uasc, uapolicy), and has its
// own listener, sessions, address space and services, because a testbed must
// know what a library hides: which scan left in which message, and at which
// byte of the stream that message ends.
//
//	             scan                          timer, one a subscription
//	              │                                 │
//	PLC ── Block ─┴─► monitored items: queues ──────┴─► notification ─► outbox ─► one Write
//	                                                       │              │
//	                                               kept for Republish    Tap
//
// One mutex guards sessions, subscriptions and items; a server is one PLC, so
// that many PLCs do not meet at it. Nothing is written to a socket under it:
// a message is put into the connection's outbox, and written once the mutex is
// free. Each connection has one goroutine, which reads and serves; timers run
// the publishing cycles and the session time-outs.
//
// A monitored item follows its task: with a sampling interval up to the task's
// period it samples at every scan, with a longer one at every n-th. Its source
// timestamp is the scan's stamp, its status code the quality. Integer tags
// travel as raw counts, as on any PLC; the node's Definition tells the scale.
//
// A client that goes away leaves its session until that times out, and its
// subscriptions until their lifetime ends; meanwhile queues fill by their size
// and discard policy, and what was sent without an acknowledgement waits to be
// asked for again.
package opcua
