// Package modbus is the gateway's source for Modbus TCP devices. It polls
// blocks of registers, each with one request at its own period, and hands what
// it reads to a sink.
//
//	counter := uint16(100)
//	cfg := modbus.Config{Name: "plc-pack", URL: "tcp://10.0.0.7:502", Unit: 1, Blocks: []modbus.Block{{
//		Counter: &counter, Start: 100, Count: 6, Poll: strict.Duration(time.Second),
//		Tags: []modbus.Tag{{ID: "oven/zone-1/temperature", Address: 102, Type: "int16", Scale: 0.1}}}}}
//	cfg.Defaults()
//	err := modbus.Run(ctx, cfg, seed, log, sink, status) // until ctx ends
//
// A block that has a scan counter in its registers gives each scan once: the
// counter is the samples' Seq, and a poll that finds it unmoved gives nothing.
// Modbus carries no time, so SourceTime is the instant of the response.
//
// Polls stand on a grid: a block's instants are start + phase + k·period, with
// seeded phases such that no two blocks of a device ever meet. A poll that is
// late does not shift the next one, and one that failed is made up for as soon
// as the device answers again, within the same period.
//
// The polls of a device are serial on one connection. A response that does not
// carry the transaction id of its request, or does not come in time, costs the
// connection, so a late answer cannot be taken for the next one.
package modbus
