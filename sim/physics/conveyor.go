package physics

// Belt is a conveyor's friction: Coulomb from the weight on it, and viscous.
type Belt struct {
	BeltKg    float64
	Friction  float64 // coefficient of a new belt
	ViscousNs float64 // N per m/s
	DrumM     float64 // radius of the drive drum
}

// TorqueNm at the drum. A worn belt rubs up to 60 % more.
func (b Belt) TorqueNm(loadKg, speedMS, damage float64) float64 {
	if speedMS <= 0 {
		return 0
	}
	force := b.Friction*(1+0.6*damage)*(b.BeltKg+loadKg)*GravityMS2 + b.ViscousNs*speedMS
	return force * b.DrumM
}

// PowerKW for a torque at the drum.
func (b Belt) PowerKW(torqueNm, speedMS float64) float64 {
	return torqueNm * speedMS / b.DrumM / 1000
}
