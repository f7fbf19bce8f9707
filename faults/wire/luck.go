package wire

import "hash/fnv"

// mix scatters the bits of x over the whole word (the finalizer of SplitMix64:
// Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// luck is a number from -1 to 1 for the byte at a position of the stream, the
// same for the same seed, wire, connection and direction. It goes by position
// and not by the number of draws: how bytes fall into chunks is TCP's business
// and may differ from run to run, and what comes later must not be shifted.
func (l *lane) luck(pos int64) float64 {
	return float64(mix(l.key+mix(uint64(pos)))>>11)/(1<<52) - 1
}

// luckOf is the luck of the nth thing that varies at a position.
func (l *lane) luckOf(pos int64, nth int) float64 {
	if nth == 0 {
		return l.luck(pos)
	}
	return float64(mix(l.key+uint64(nth)*0x9E3779B97F4A7C15+mix(uint64(pos)))>>11)/(1<<52) - 1
}
