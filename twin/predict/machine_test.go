package predict

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// machine is a pump as a data-sheet would have it: a load that wanders, and six
// channels that follow it, with the lags and the noise of their sensors.
type machine struct {
	rng              *rand.Rand
	t                int // seconds
	load, want       float64
	motorT, bearingT float64
	total            float64
	// faults
	wear     float64 // 0 to 1: bearing damage
	drift    float64 // K added by the bearing temperature sensor
	held     bool    // the current sensor is stuck
	current  float64
	stopped  bool
	overload float64
}

const (
	chCurrent = iota
	chFlow
	chPressure
	chMotorT
	chBearingT
	chVibDE
	chVibNDE
	chTotal
	chSetpoint
	channels
)

var names = []signal.ID{"pump/motor/current", "pump/flow", "pump/pressure", "pump/motor/temp", "pump/bearing-de/temp",
	"pump/bearing-de/vib", "pump/bearing-nde/vib", "pump/total", "pump/setpoint"}

var newMachineStart = time.Date(2009, 11, 10, 23, 0, 0, 137, time.UTC)

func newMachine(seed uint64) *machine {
	return &machine{rng: rand.New(rand.NewPCG(seed, 77)), load: 0.8, want: 0.8, motorT: 70, bearingT: 47} // warm
}

func (m *machine) spec() Spec { return Spec{Machine: "pump", State: "pump/state", Channels: names} }

// second moves on by one second and returns instant, state and values.
func (m *machine) second() (time.Time, float64, []float64) {
	m.t++
	n := m.rng.NormFloat64
	at := newMachineStart.Add(time.Duration(m.t) * time.Second)
	if m.stopped {
		x := make([]float64, channels)
		x[chMotorT], x[chBearingT] = m.motorT, m.bearingT
		return at, 2, x
	}
	if m.t%600 == 0 { // a new recipe every ten minutes
		m.want = 0.6 + 0.35*m.rng.Float64()
	}
	m.load += (m.want - m.load) / 20
	l := m.load + m.overload
	ambient := 22 + 3*math.Sin(2*math.Pi*float64(m.t)/86400)
	m.motorT += (ambient + 10 + 60*l*l - m.motorT) / 900
	m.bearingT += (ambient + 5 + 25*l + 14*m.wear - m.bearingT) / 600
	m.total += 10 * l / 3600
	if !m.held {
		m.current = math.Sqrt(4+100*l*l)*(1+0.04*m.wear) + 0.05*n()
	}
	vib := 1 + 0.8*l
	return at, 6, []float64{m.current,
		10*l*(1-0.01*m.wear) + 0.05*n(), 2.4 - 0.6*l*l + 0.01*n(),
		m.motorT + 0.15*n(), m.bearingT + 0.15*n() + m.drift,
		vib * (1 + 2*m.wear) * math.Exp(0.04*n()), vib * (1 + 0.5*m.wear) * math.Exp(0.04*n()),
		m.total, 50}
}

// train fits a model to hours of a healthy machine.
func train(seed uint64, hours float64) *Calibrated {
	m := newMachine(seed)
	tr := NewTrainer(m.spec())
	for range int(hours * 3600) {
		tr.Add(m.second())
	}
	cal, err := tr.Done()
	if err != nil {
		panic(err)
	}
	return cal
}

// run watches a machine for hours; turn is called each second with the hour.
func run(cal *Calibrated, m *machine, hours float64, turn func(m *machine, hour float64)) []Alarm {
	w := NewWatch(cal)
	var out []Alarm
	var past [][]float64
	lag := [channels]int{0, 1, 2, 0, 1, 2, 1, 0, 2} // s
	for k := range int(hours * 3600) {
		if turn != nil {
			turn(m, float64(k)/3600)
		}
		out = append(out, w.Step(m.shown(&past, lag))...)
	}
	return out
}

// shown is the machine as a twin has it: each channel some seconds late.
func (m *machine) shown(past *[][]float64, lag [channels]int) (time.Time, float64, []float64) {
	at, state, x := m.second()
	*past = append(*past, x)
	if n := len(*past); n > 4 {
		y := make([]float64, channels)
		for k := range y {
			y[k] = (*past)[n-1-lag[k]][k]
		}
		x = y
	}
	return at, state, x
}

// by keeps the alarms of one detector.
func by(alarms []Alarm, detector string) (out []Alarm) {
	for _, a := range alarms {
		if a.Detector == detector {
			out = append(out, a)
		}
	}
	return out
}
