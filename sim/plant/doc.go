// Package plant is the simulated factory floor: machines whose physics runs
// between discrete events, lines through which bottles flow, crews that
// repair, and knobs by which a machine can be worn out.
//
//	cfg := plant.Config{
//		Machines: []plant.MachineConfig{
//			{Name: "pump", Kind: "pump-skid", Params: map[string]string{"flow": "12 l/s"}},
//			{Name: "filler", Kind: "filler"},
//		},
//		Lines: []plant.LineConfig{{Name: "line", Stations: []string{"pump", "filler"}, Buffers: []int{20}}},
//	}
//	k := sim.New(42)
//	p, err := plant.Build(k, cfg) // cfg.Validate() tells all that is wrong at once
//	p.OnEvent(func(e plant.Event) { ... })
//	knob, _ := p.Machine("pump").Knob("motor/bearing-de")
//	err = knob.Wear(30*time.Minute, 100*time.Minute)
//	p.Start()
//	k.Run(2 * time.Hour)
//	for _, s := range p.Machine("pump").Signals() {
//		fmt.Println(s.Name, s.Read(k.Now()), s.Unit)
//	}
//
// A configuration may say much more, all of it in the TOML of a scenario:
//
//	[[machine]]                 cycle = { law = "lognormal", cv = 0.1 }, takes, gives,
//	                            rework = { share = 0.5, to = "..." }
//	[[machine.breakdown]]       without warning: by usage, calendar or units
//	[[machine.life]]            wear by itself, by a law of sim/physics
//	[[machine.maintenance]]     every, after, when a signal is above or below, or on an alarm
//	[[line]]                    travel, into and from other lines, utilities, hours
//	[[line.product]]            lots with change-overs and recipes
//	[[line.team]]               people with skills and hours
//
// Plant.Alarm orders the work that waits for an alarm, and Plant.Measure has
// maintenance look at what instruments say instead of the truth.
//
// What it tells that no signal shows: Machine.Damage, Remaining, Losses, Energy,
// OEE, and the same of a Line. SVG draws it all.
//
// How it hangs together:
//
//	station ── buffer ── station ── ...      discrete events, every random draw
//	   │ PackML state
//	   ▼
//	machine ── model (physics) ◄── wear      exact steps between events, on a 1 s grid
//	   │
//	   ▼
//	Signal.Read                              looks, and changes nothing
//
// Time is time since the start of the run. All of it runs on the kernel's
// goroutine. The physics of a machine runs from its first look on; what drove it
// before is written down and caught up with, so that a machine nobody looks at
// costs its events alone. Reading a signal is a look: how often, or whether at all, it is
// read changes no life, no state, no count and no later value.
//
// A plant starts warm and running, as if it had worked all morning.
package plant
