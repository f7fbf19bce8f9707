// Package opcua is the gateway's source for OPC UA servers. It keeps one
// subscription per server and hands every data change to a sink.
//
//	cfg := opcua.Config{Name: "plc-fill", URL: "opc.tcp://10.0.0.5:4840",
//		Tags: []opcua.Tag{{ID: "filler/motor/current", Node: "ns=2;s=filler/motor/current"}}}
//	cfg.Defaults()
//	err := opcua.Run(ctx, cfg, seed, log, sink, status) // until ctx ends
//
// What it promises: a notification is acknowledged to the server only once the
// sink has called Done(nil) for it, so whatever is lost on the way to the disk
// is still at the server and is asked for again. After a drop it dials at once
// and then with a bounded back-off, has its subscription transferred to the new
// session, fetches the notifications that were sent and never arrived, and goes
// on with the live ones:
//
//	dial ─ session ─┬─ transfer ─ republish ─┬─ publish, publish, publish ...
//	                └─ create ─ items ───────┘      │
//	    ▲                                           │ drop, fault or silence
//	    └───────────────── back-off ◄───────────────┘
//
// It stands on gopcua's transport, secure channel and encoding (packages uacp,
// uasc and ua), not on its Client: that one drops the whole connection on any
// service fault, may hang in Close when the peer is gone, and acknowledges what
// it has not yet delivered.
package opcua
