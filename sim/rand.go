package sim

import (
	"hash/fnv"
	"math/rand/v2"
)

// Rand is the random stream of that name under that seed. Streams of
// different names are independent, so that a new machine does not shift
// another one's noise.
func Rand(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	// The two words of PCG's state; the odd constant keeps seed 0 apart from the bare name.
	return rand.New(rand.NewPCG(seed*0x9E3779B97F4A7C15+0xD1B54A32D192ED03, h.Sum64()))
}

// Rand is the stream of that name under the kernel's seed.
func (k *Kernel) Rand(name string) *rand.Rand { return Rand(k.seed, name) }
