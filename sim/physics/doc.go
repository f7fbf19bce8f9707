// Package physics holds the laws by which Plantbed's machines move, warm up
// and wear out: closed forms and exact steps over plain floats, with the unit
// in the name of every quantity. It knows no clock, no kernel and no sensor;
// whoever needs chance passes a random source in.
//
//	m := physics.NewMotor(7.5, 1500)              // kW, synchronous rpm
//	amps := m.CurrentA(0.6)                       // at 60 % load
//	t = physics.Settle(t, 25+80, dtS, 25*60)      // Newton cooling, exact for any step
//
//	path := physics.NewPath(1800, 6000, physics.IncipientDamage, rng)
//	d := path.At(4000)                            // latent damage, 0 new, 1 failed
//	rms := b.RMSg(d, 1)                           // what an accelerometer would see of it
//
// Latent damage D runs from 0 (new) to 1 (failed) everywhere. Steps are exact
// for inputs that stay constant over the step, so two half steps are one whole.
package physics
