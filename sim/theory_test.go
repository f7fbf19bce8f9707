package sim_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/stats"
)

// The kernel, its processes and resources, held against closed forms: each
// figure's 95 % interval of 20 replications with fixed seeds contains it. The
// forms are in any book on queues, such as Gross, Shortle, Thompson and
// Harris, Fundamentals of Queueing Theory, 4th ed., chapters 2 to 5.
const replications = 20

// seconds is a duration of so many.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// exponential draws times of that mean, in seconds.
func exponential(r *rand.Rand, mean float64) func() time.Duration {
	return func() time.Duration { return seconds(mean * r.ExpFloat64()) }
}

// customers counts who is in a model and for how long, from the end of the
// warm-up on, and by both ways that Little's law compares.
type customers struct {
	k      *sim.Kernel
	inside *sim.Monitor
	total  time.Duration // sum of all times in the system, from the start
	stays  stats.Tally   // of those who came after the warm-up, s
	warm   time.Duration
}

func newCustomers(k *sim.Kernel, warm time.Duration) *customers {
	return &customers{k: k, inside: sim.NewMonitor(k, 0), warm: warm}
}

func (c *customers) come() (leave func()) {
	came := c.k.Now()
	c.inside.Add(1)
	return func() {
		c.inside.Add(-1)
		c.total += c.k.Now() - came
		if came >= c.warm {
			c.stays.Add((c.k.Now() - came).Seconds())
		}
	}
}

// little is the law as an identity, over a run that begins and ends empty:
// the integral of the number inside is the sum of the times inside.
func (c *customers) little(t *testing.T) {
	if a, b := c.inside.Integral(), c.total.Seconds(); c.inside.Value() != 0 || math.Abs(a-b) > 1e-9*b {
		t.Errorf("%v inside; the number inside integrates to %v s, the times inside add up to %v s", c.inside.Value(), a, b)
	}
}

// source sends n customers in.
func source(k *sim.Kernel, n int, between func() time.Duration, customer func(*sim.Process)) {
	k.Go(func(p *sim.Process) {
		for range n {
			p.Sleep(between())
			k.Go(customer)
		}
	})
}

// holds replicates a model and holds its figure against theory.
func holds(t *testing.T, what string, want float64, model func(k *sim.Kernel) float64) {
	t.Helper()
	n := replications
	if raceDetector {
		n = 2 // for its findings; 20 would take minutes
	}
	got := stats.Mean(stats.Replicate(n, func(rep int) float64 {
		k := sim.New(uint64(1000 + rep))
		defer k.Close()
		return model(k)
	}), 0.95)
	t.Logf("%s: %v, theory %.4g", what, got, want)
	if n < replications {
		return
	}
	if !got.Contains(want) {
		t.Errorf("%s: %v, theory says %.6g", what, got, want)
	}
	if got.Half > 0.05*want {
		t.Errorf("%s: %v is too wide to say anything", what, got)
	}
}

// station is the mean time in the system at c servers, of n customers.
func station(t *testing.T, c, n int, between float64, service func(k *sim.Kernel) func() time.Duration) func(k *sim.Kernel) float64 {
	return func(k *sim.Kernel) float64 {
		servers, serve := sim.NewResource(k, c), service(k)
		all := newCustomers(k, seconds(between*float64(n)/10))
		source(k, n, exponential(k.Rand("arrivals"), between), func(p *sim.Process) {
			leave := all.come()
			servers.Acquire(p)
			p.Sleep(serve())
			servers.Release(p)
			leave()
		})
		k.Run(seconds(between * float64(n) * 2))
		all.little(t)
		return all.stays.Mean()
	}
}

func exponentialService(mean float64) func(k *sim.Kernel) func() time.Duration {
	return func(k *sim.Kernel) func() time.Duration { return exponential(k.Rand("services"), mean) }
}

func TestTheoryMM1(t *testing.T) {
	const lambda, mu = 0.7, 1.0
	holds(t, "time in M/M/1", 1/(mu-lambda), station(t, 1, 20_000, 1/lambda, exponentialService(1/mu)))
}

func TestTheoryMMc(t *testing.T) {
	const lambda, mu, c = 2.2, 1.0, 3
	// Erlang's C: the probability to wait.
	a, sum, term := lambda/mu, 0.0, 1.0
	for i := range c {
		sum += term
		term *= a / float64(i+1)
	}
	last := term * c / (c - a)
	wait := last / (sum + last)
	holds(t, "time in M/M/3", wait/(c*mu-lambda)+1/mu, station(t, c, 20_000, 1/lambda, exponentialService(1/mu)))
}

// Pollaczek and Khinchine: the wait is λE[S²]/(2(1-ρ)).
func TestTheoryMG1(t *testing.T) {
	const lambda = 0.7
	for _, g := range []struct {
		name         string
		draw         func(r *rand.Rand) float64
		mean, square float64
	}{
		{"D", func(*rand.Rand) float64 { return 1 }, 1, 1},
		{"uniform", func(r *rand.Rand) float64 { return 2 * r.Float64() }, 1, 4. / 3},
		{"Erlang-3", func(r *rand.Rand) float64 { return (r.ExpFloat64() + r.ExpFloat64() + r.ExpFloat64()) / 3 }, 1, 4. / 3},
		{"lognormal", func(r *rand.Rand) float64 { return math.Exp(0.5*r.NormFloat64() - 0.125) }, 1, math.Exp(0.25)},
	} {
		want := g.mean + lambda*g.square/(2*(1-lambda*g.mean))
		holds(t, "time in M/"+g.name+"/1", want, station(t, 1, 15_000, 1/lambda, func(k *sim.Kernel) func() time.Duration {
			r := k.Rand("services")
			return func() time.Duration { return seconds(g.draw(r)) }
		}))
	}
}

// Three stations in a row; each is by itself as if it were alone (Jackson).
func TestTheoryTandemJackson(t *testing.T) {
	const lambda, n = 0.6, 15_000
	stations := []struct {
		servers int
		mu      float64
	}{{1, 1}, {1, 0.9}, {2, 0.5}}
	in := func(rho float64) float64 { return rho / (1 - rho) }
	rho3 := lambda / 2 / 0.5 // two servers
	want := (in(lambda/1) + in(lambda/0.9) + 2*rho3/(1-rho3*rho3)) / lambda
	holds(t, "time in a tandem of three", want, func(k *sim.Kernel) float64 {
		var servers []*sim.Resource
		var services []func() time.Duration
		for i, s := range stations {
			servers = append(servers, sim.NewResource(k, s.servers))
			services = append(services, exponential(k.Rand("services-"+string(rune('1'+i))), 1/s.mu))
		}
		all := newCustomers(k, seconds(n/lambda/10))
		source(k, n, exponential(k.Rand("arrivals"), 1/lambda), func(p *sim.Process) {
			leave := all.come()
			for i, s := range servers {
				s.Acquire(p)
				p.Sleep(services[i]())
				s.Release(p)
			}
			leave()
		})
		k.Run(seconds(2 * n / lambda))
		all.little(t)
		return all.stays.Mean()
	})
}

// Machines that break and fitters who repair them: M/M/c with a finite source.
func TestTheoryMachineRepair(t *testing.T) {
	const machines, fitters, lambda, mu = 10, 2, 0.1, 0.6
	var norm, want float64
	p := 1.0 // of n machines down, up to a factor
	for n := range machines + 1 {
		norm += p
		want += float64(n) * p
		p *= float64(machines-n) * lambda / (float64(min(n+1, fitters)) * mu)
	}
	holds(t, "machines down", want/norm, func(k *sim.Kernel) float64 {
		const end = 20_000
		crew := sim.NewResource(k, fitters)
		down := newCustomers(k, 0)
		up, repair := exponential(k.Rand("up"), 1/lambda), exponential(k.Rand("repair"), 1/mu)
		for range machines {
			k.Go(func(p *sim.Process) {
				for p.Now() < end*time.Second {
					p.Sleep(up())
					fixed := down.come()
					crew.Acquire(p)
					p.Sleep(repair())
					crew.Release(p)
					fixed()
				}
			})
		}
		k.Run(100 * time.Second)
		crew.Waiting().Reset()
		crew.InUse().Reset()
		k.Run(end * time.Second)
		mean := crew.Waiting().Mean() + crew.InUse().Mean()
		k.Run(2 * end * time.Second) // until all are up for good
		down.little(t)
		return mean
	})
}

// Two machines with exponential cycles and room for B parts in between; the
// first always has work, and keeps its part when there is no room for it. The
// parts past its start are a birth-death chain on 0..B+2.
func TestTheoryTwoMachineLine(t *testing.T) {
	for _, c := range []struct {
		room     int
		mu1, mu2 float64
	}{{1, 1, 1}, {4, 1, 1}, {3, 1.2, 1}, {3, 0.8, 1}} {
		norm, p := 0.0, 1.0
		for range c.room + 3 {
			norm += p
			p *= c.mu1 / c.mu2
		}
		holds(t, "parts per second", c.mu2*(1-1/norm), func(k *sim.Kernel) float64 {
			const warm, end = 100, 4100
			buffer := sim.NewStore[func()](k, c.room)
			between := newCustomers(k, 0) // the first machine's and the second's end
			first, second := exponential(k.Rand("first"), 1/c.mu1), exponential(k.Rand("second"), 1/c.mu2)
			k.Go(func(p *sim.Process) {
				for p.Now() < end*time.Second {
					p.Sleep(first())
					buffer.Put(p, between.come())
				}
			})
			parts := 0
			k.Go(func(p *sim.Process) {
				for {
					leave, _ := buffer.Get(p)
					p.Sleep(second())
					leave()
					parts++
				}
			})
			k.Run(warm * time.Second)
			parts = 0
			k.Run(end * time.Second)
			rate := float64(parts) / (end - warm)
			k.Run(2 * end * time.Second)
			between.little(t)
			return rate
		})
	}
}

// Little's law in the steady state: the number inside is the rate of coming
// times the time inside, each measured by itself.
func TestTheoryLittle(t *testing.T) {
	const lambda, n = 0.8, 20_000
	holds(t, "number in M/M/1 over its time in the system", lambda, func(k *sim.Kernel) float64 {
		clerk, serve := sim.NewResource(k, 1), exponential(k.Rand("services"), 1)
		all := newCustomers(k, 0)
		source(k, n, exponential(k.Rand("arrivals"), 1/lambda), func(p *sim.Process) {
			leave := all.come()
			clerk.Acquire(p)
			p.Sleep(serve())
			clerk.Release(p)
			leave()
		})
		k.Run(seconds(n / lambda * 0.95))
		if w, u := clerk.Waiting().Mean(), clerk.InUse().Mean(); math.Abs(w+u-all.inside.Mean()) > 1e-9 {
			t.Errorf("%v waiting and %v served are not the %v inside", w, u, all.inside.Mean())
		}
		return all.inside.Mean() / all.stays.Mean()
	})
}

// A long run by itself, with its warm-up found and its interval from batches,
// says the same as theory.
func TestTheoryOneLongRun(t *testing.T) {
	const lambda, n = 0.7, 100_000
	k := sim.New(7)
	defer k.Close()
	clerk, serve := sim.NewResource(k, 1), exponential(k.Rand("services"), 1)
	var stays []float64
	source(k, n, exponential(k.Rand("arrivals"), 1/lambda), func(p *sim.Process) {
		came := p.Now()
		clerk.Acquire(p)
		p.Sleep(serve())
		clerk.Release(p)
		stays = append(stays, (p.Now() - came).Seconds())
	})
	k.Run(seconds(2 * n / lambda))
	cut, ok := stats.MSER5(stays)
	got := stats.OverlappingBatchMeans(stays[cut:], 0, 0.95)
	t.Logf("warm-up %d, %v, theory %.4g", cut, got, 1/(1-lambda))
	if !ok || !got.Contains(1/(1-lambda)) || got.Half > 0.4 {
		t.Errorf("warm-up %d, %v: %v, theory says %v", cut, ok, got, 1/(1-lambda))
	}
}

// Two designs on common random numbers differ by more certain an amount than
// on numbers of their own.
func TestCommonRandomNumbersNarrowTheDifference(t *testing.T) {
	design := func(mean float64, seed int) []float64 {
		return stats.Replicate(replications, func(rep int) float64 {
			k := sim.New(uint64(seed + rep))
			defer k.Close()
			return station(t, 1, 2000, 1/0.7, exponentialService(mean))(k)
		})
	}
	slow, quick := design(1, 0), design(0.95, 0)
	common, own := stats.Paired(slow, quick, 0.95), stats.Paired(slow, design(0.95, 5000), 0.95)
	t.Logf("difference %v on common numbers, %v on their own", common, own)
	if common.Half > own.Half/3 || common.Low() <= 0 {
		t.Errorf("difference %v on common numbers, %v on their own: want it narrower by 3", common, own)
	}
}

// A stream gives what it gives, however much others have given in between.
func TestStreamsDoNotShiftEachOther(t *testing.T) {
	k := sim.New(7)
	a, b := k.Rand("press-1"), k.Rand("press-2")
	alone := k.Rand("press-1")
	for i := range 1000 {
		for range i % 7 {
			b.Uint64()
		}
		if a.Uint64() != alone.Uint64() {
			t.Fatalf("draw %d of one stream depends on the other", i)
		}
	}
}
