package physics

import "math"

// Drift is a stationary random function of time with mean 0 and standard
// deviation 1: normal numbers on knots that are TauS seconds apart, joined
// smoothly. It has no state: the value at an instant depends on Key and that
// instant alone, so looking more often changes nothing. Bounded by about
// +-4.9, correlated over about TauS, independent beyond two knots.
type Drift struct {
	Key  uint64
	TauS float64
}

// At is the value at tS seconds.
func (d Drift) At(tS float64) float64 {
	x := tS / d.TauS
	n := math.Floor(x)
	u := x - n
	u = u * u * (3 - 2*u)
	a, b := KeyedNormal(d.Key, int64(n)), KeyedNormal(d.Key, int64(n)+1)
	// Between two knots the blend alone would have less spread than on them.
	return (a*(1-u) + b*u) / math.Sqrt(1-2*u+2*u*u)
}

// KeyedNormal is draw n of the stream key: nearly standard normal (the sum of
// four 16-bit uniforms, hence within +-3.47), and a function of both alone.
func KeyedNormal(key uint64, n int64) float64 {
	z := mix(key + uint64(n)*0x9E3779B97F4A7C15)
	sum := z&0xFFFF + z>>16&0xFFFF + z>>32&0xFFFF + z>>48
	// The mean of the sum is 2*65535, its variance 4*(65536^2-1)/12.
	return (float64(sum) - 131070) * 2.6428924e-5
}

// KeyedUniform is draw n of the stream key, in [0, 1).
func KeyedUniform(key uint64, n int64) float64 {
	return float64(mix(key+uint64(n)*0x9E3779B97F4A7C15)>>11) / (1 << 53)
}

// mix is the finaliser of splitmix64 (Steele, Lea & Flood, OOPSLA 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
