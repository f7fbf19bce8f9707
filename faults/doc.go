// Package faults breaks a plant on a schedule. A scenario lists faults; Resolve
// makes a plan of windows out of them, and Schedule turns the plant's seams at
// the edges of those windows, as visible events of the kernel:
//
//	for i, c := range cfgs {
//		problems = append(problems, c.Validate(names).Under(fmt.Sprintf("fault[%d]", i))...)
//	}
//	plan, problems := faults.Resolve(cfgs, 2*time.Hour, seed)
//	err := faults.Schedule(kernel, plan, cfgs, plant, func(w faults.Window, started bool) { ... })
//
// In a scenario a fault looks like this; quantities carry their units:
//
//	[[fault]]
//	kind = "sensor.drift"
//	target = "filler/motor/temperature"
//	at = "20m"
//	for = "30m"
//	rate = "2 %/h"                # of the sensor's span
//
// The plant is reached through five seams, small interfaces in seams.go: a link,
// a knob of a machine, the channel of a sensor, the switch of a PLC, and the
// host under a process. What the plant is made of is no matter here.
//
// # A new kind
//
// A kind is a file with its test and a row in kinds.go. Say what its keys mean
// together for windows that overlap (merge), and how the seam is brought to that
// (set); link_latency.go shows it in one screen. A key of its own is a field of
// Config.
package faults
