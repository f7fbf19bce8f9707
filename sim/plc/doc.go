// Package plc is a programmable logic controller without its network: a tag
// table, scan cycles that latch it into immutable blocks, a sensor channel in
// front of every tag, switches on the device, and a clock that may be wrong.
//
//	p, err := plc.New(k, plc.Config{Name: "plc-fill", Protocol: "opcua", Scan: strict.Duration(time.Second)}, start, tags)
//	p.OnScan(func(b *plc.Block) { ... })           // a server takes over what was latched
//	p.Start()                                      // from now on the kernel scans
//	p.Channel("pump/motor/current").SetBias(0.4)   // a sensor fault
//	p.Switch().Freeze(true)                        // a device fault
//	err = p.Write("oven/setpoint", 180)            // reaches the machine at the next scan
//
// One scan:
//
//	pending writes → machine → channel (bias, noise, span, wire type) → Block → recorder → servers
//
// New, Start, the channels and the switches belong to the kernel's goroutine;
// Latest and Write may be called from any.
package plc
