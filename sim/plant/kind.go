package plant

import (
	"math"
	"slices"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/physics"
	"github.com/plantbed/plantbed/sim/signal"
)

// Kind is what can be known of a machine before it is built.
type Kind struct {
	Name       string
	Doc        string
	Params     []Param
	Regimes    []Regime
	Signals    []SignalSpec
	Components []Component
}

// Regime is a way in which a machine works; signals of one are not to be
// compared with those of another.
type Regime struct{ Name, Doc string }

// SignalSpec describes one quantity that a machine's PLC can scan.
type SignalSpec struct {
	Name   string // "motor/current"; the sample's ID is machine/Name
	Unit   signal.Unit
	Lo, Hi float64 // span
	// Type is how a PLC holds it: float, double, int16, uint16, int32, uint32 or bool.
	Type string
	// Resolution is engineering units per count where it is carried as an integer.
	Resolution float64
	// Noise is the standard deviation that a healthy sensor chain adds. Read
	// is without it.
	Noise float64
	// LagS is the time constant of the instrument, in seconds; 0 for one that
	// follows at once.
	LagS float64
	// Flicker is the standard deviation of the slow, 1/f part of a healthy
	// instrument's noise, which comes on top of Noise.
	Flicker float64
	// Fast tells that a 100 ms scan sees more than a 1 s scan.
	Fast bool
	Doc  string
}

// stretch widens or narrows span, noise and resolution together, by the next
// of ... 0.5, 1, 2, 5, 10 ... that is not below factor.
func (s *SignalSpec) stretch(factor float64) {
	nice := math.Pow(10, math.Floor(math.Log10(factor)))
	for _, step := range []float64{1, 2, 5, 10} {
		if nice*step >= factor*(1-1e-9) {
			nice *= step
			break
		}
	}
	s.Lo, s.Hi, s.Resolution, s.Noise = s.Lo*nice, s.Hi*nice, s.Resolution*nice, s.Noise*nice
	s.Flicker *= nice
}

// Component is a part that can wear out.
type Component struct {
	Name string // "motor/bearing-de"
	Mode string // the failure mode, "bearing_wear"
	Doc  string
	// Law is how damage comes about.
	Law physics.Law
	// Shows names the signal in which damage shows best.
	Shows string
	// LookAlike moves that signal the same way, and nothing is wrong.
	LookAlike LookAlike
	// Skill is what a repair takes; "" is mechanical.
	Skill string
}

// kind adds to the description how to build one.
type kind struct {
	Kind
	build func(p params, c chance) model
	// spans stretches the table's spans, which suit the default parameters.
	spans func(p params, s []SignalSpec)
	// check finds what is wrong with values that are each within their range.
	check func(p params) strict.Problems
	// spoils is the share of units that a component spoils just before it fails.
	spoils [maxComponents]float64
	// recipe names the parameters that may change while it runs.
	recipe []string
	// feeds: it supplies the next station continuously, portion by portion,
	// instead of working unit by unit. Such a machine stands first in a line.
	feeds bool
	// utility: it runs by itself and works no units: a motor, a compressor. It
	// stands in no line.
	utility bool
	// paced: its physics goes by where in its cycle it is.
	paced bool
}

// kinds is the table of all machine kinds: one row, one file.
var kinds = []kind{
	pumpSkidKind,
	fillerKind,
	conveyorKind,
	ovenKind,
	capperKind,
	motorKind,
	compressorKind,
	spindleKind,
	tankKind,
	exchangerKind,
	gearboxKind,
	pressKind,
	bearingKind,
}

// Kinds lists the machine kinds with all that a scenario can refer to.
func Kinds() []Kind {
	out := make([]Kind, len(kinds))
	for i, k := range kinds {
		out[i] = Kind{Name: k.Name, Doc: k.Doc, Params: k.params(), Regimes: slices.Clone(k.Regimes), Signals: k.signals(), Components: slices.Clone(k.Components)}
	}
	return out
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

func findKind(name string) (kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return kind{}, false
}

// Every station has these beside what its physics asks for.
var (
	commonParams = []Param{
		{"repair_time", "min", 8, 0.05, 1440, "work of a crew on a breakdown"},
		{"restart", "s", 20, 1, 3600, "from the end of a repair until it runs: clear, stop, reset, start"},
	}
	stationParams = []Param{
		{"scrap", "%", 0.4, 0, 100, "share of units that a healthy machine spoils"},
		{"minor_stops", "/h", 3, 0, 120, "jams that its operator clears, per hour of work"},
		{"minor_stop_time", "s", 20, 1, 600, "mean length of such a stop"},
	}
)

func (k kind) params() []Param {
	out := slices.Clone(k.Params)
	if !k.feeds && !k.utility {
		out = append(out, stationParams...)
	}
	return append(out, commonParams...)
}

// Positions of the signals that come from the flow, before those of the model.
const (
	stateAt = iota
	goodAt
	totalAt
	flowSignals
)

var flowSpecs = [flowSignals]SignalSpec{
	stateAt: {Name: "state", Unit: "1", Lo: 0, Hi: 17, Type: "int16", Resolution: 1, Doc: "PackML state number"},
	goodAt:  {Name: "count/good", Unit: "1", Lo: 0, Hi: 1e6, Type: "uint32", Resolution: 1, Doc: "units passed on since the start"},
	totalAt: {Name: "count/total", Unit: "1", Lo: 0, Hi: 1e6, Type: "uint32", Resolution: 1, Doc: "units begun and ended since the start, scrap included"},
}

func (k kind) signals() []SignalSpec {
	return append(slices.Clone(flowSpecs[:k.flow()]), k.Signals...)
}

func (k kind) signalNames() []string {
	var names []string
	for _, s := range k.signals() {
		names = append(names, s.Name)
	}
	return names
}

// flow is how many signals come from the flow: a utility has its state alone.
func (k kind) flow() int {
	if k.utility {
		return stateAt + 1
	}
	return flowSignals
}

// inputs is what a model is told of the world around it at one instant.
type inputs struct {
	tS       float64 // since the start of the run
	state    int
	damage   [maxComponents]float64
	ambientC float64
	mains    float64 // supply voltage over nominal
	airBar   float64 // compressed air of the plant

	drawing bool    // the station downstream of a feeder is working
	bowl    float64 // share of the feed buffer that is full; measure only
	queue   float64 // units in the buffers next to it; measure only
	total   float64 // units so far; measure only

	extra float64 // load beyond the usual, a share of it

	working bool    // a unit is in work; of paced machines alone
	begunS  float64 // when it was begun
	cycleS  float64 // how long it takes

	steady bool // levels hold still while temperatures settle
}

const maxComponents = 4

// driving: the drive is switched on.
func (in *inputs) driving() bool { return in.state == Execute || in.state == Starting }

// progress is how far the unit in work is, 0 to 1, of paced machines; between
// two units it is 1.
func (in *inputs) progress() float64 {
	if in.steady {
		return 0.5
	}
	if !in.working || in.cycleS <= 0 {
		return 1
	}
	return min(max((in.tS-in.begunS)/in.cycleS, 0), 1)
}

// powered: heaters and fans are switched on.
func (in *inputs) powered() bool {
	return in.state != Aborted && in.state != Stopped && in.state != Clearing
}

// model is the physics of one machine.
type model interface {
	// advance moves the state on by dtS seconds in which the inputs are constant.
	advance(in *inputs, dtS float64)
	// measure writes the kind's signals, in the order of its table, as they
	// are dtS after the last advance. It leaves the state as it is.
	measure(in *inputs, dtS float64, y []float64)
	// powerKW is what it takes from the mains.
	powerKW(in *inputs) float64
	// inherit takes over the state, but no parameter, of a model of its kind.
	inherit(old model)
	// fork is an independent copy.
	fork() model
}

// when is the value of something that is 0 unless on.
func when(on bool, value float64) float64 {
	if on {
		return value
	}
	return 0
}

// driveKW is what a motor takes from the mains when it is switched on.
func driveKW(in *inputs, motor physics.Motor, load float64) float64 {
	if !in.driving() {
		return 0
	}
	return load*motor.RatedKW + motor.LossesW(load)/1000
}

// spin follows a drive's speed, a share of rated speed; what has nearly
// stopped stands still.
func spin(speed, target, dtS, tauS float64) float64 {
	speed = physics.Settle(speed, target, dtS, tauS)
	if target == 0 && speed < 0.002 {
		return 0
	}
	return speed
}

// settle brings a model to its steady state under constant inputs.
func settle(m model, in inputs) {
	in.steady = true
	for range 8 {
		m.advance(&in, 1e6)
	}
}

// chance hands out a machine's own random numbers by name, so that a new
// signal or part never shifts those of another.
type chance struct {
	kernel  *sim.Kernel
	machine string
	serial  uint64
}

func (c chance) key(name string) uint64 { return c.kernel.Rand(c.machine + "/" + name).Uint64() }

// spread is the unit-to-unit factor of a physical constant: 1 with a
// coefficient of variation of cv, within two of them. It hangs on the machine
// and its serial number alone, not on the kernel's seed: under another seed
// the same plant lives through another day.
func (c chance) spread(name string, cv float64) float64 {
	z := physics.KeyedNormal(sim.Rand(c.serial, c.machine+"/spread/"+name).Uint64(), 0)
	return 1 + cv*min(max(z, -2), 2)
}

// wobble is a quantity's process noise: relative to 1, with a standard
// deviation of share and a correlation time of tauS.
func (c chance) wobble(name string, share, tauS float64) wobble {
	return wobble{physics.Drift{Key: c.key("wobble/" + name), TauS: tauS}, share}
}

type wobble struct {
	drift physics.Drift
	share float64
}

func (w wobble) factor(tS float64) float64 { return 1 + w.share*w.drift.At(tS) }
func (w wobble) offset(tS float64) float64 { return w.share * w.drift.At(tS) }
