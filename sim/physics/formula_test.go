package physics_test

import (
	"math"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// Worked by hand, or from the table that a formula is known by.
func TestFormulas(t *testing.T) {
	lo, hi := physics.EccentricityHz(50, 1./30, 2, 1)
	near, far := physics.BearingCurrentHz(50, 107.36, 1)
	gear := physics.GearLines(23, 25, 0, false)
	ball := physics.ComponentLives["ball bearing"]
	fast := physics.Weibull{Beta: 2, Eta: 1000}.Accelerated([]float64{0.5}, []float64{2})
	cox := physics.Weibull{Beta: 2, Eta: 1000}.Proportional([]float64{0.5}, []float64{2})
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"bearing line below the mains", near, 57.36},
		{"bearing line above the mains", far, 157.36},
		{"eccentricity low", lo, 50 * (1 - (1-1./30)/2)},
		{"eccentricity high", hi, 50 * (1 + (1-1./30)/2)},
		{"one broken bar", physics.BrokenBarDB(1), -45},
		{"many broken bars", physics.BrokenBarDB(1e9), -35},
		{"current unbalance at full load", physics.CurrentUnbalance(2, 1), 12},
		{"current unbalance without load", physics.CurrentUnbalance(2, 0), 20},
		{"derating at 1 %", physics.Derating(1), 1},
		{"derating at 5 %", physics.Derating(5), 0.75},
		{"unbalance force", physics.UnbalanceForceN(10, 40e-6, 25), 10 * 40e-6 * 157.0796 * 157.0796},
		{"belt", physics.BeltHz(0.2, 25, 2), math.Pi * 0.2 * 25 / 2},
		{"mesh", gear[0].Hz, 575},
		{"mesh sideband", gear[2].Hz, 600},
		{"blades", physics.BladePassHz(6, 25), 150},
		{"insulation at its class", physics.InsulationHours(155), 20_000},
		{"tool life at Taylor's own feed", physics.CoatedCarbide.LifeMin(200, 1, 1, 0.6, 0.2), 150.06},
		{"tool life at twice the feed", physics.CoatedCarbide.LifeMin(200, 2, 1, 0.5, 0.2), 150.06 / math.Sqrt2},
		{"Archard", physics.ArchardMM3(1e-5, 100, 1e6, 2000), 0.5},
		{"Usui", physics.UsuiMMPerMin(1e-8, 2000, 1000, 200, 1000), 1e-8 * 1000 * 200 * math.Exp(-2)},
		{"Kienzle for C45", physics.CuttingForceN(2220, 0.14, 2, 0.2, 0), 2220 * 2 * math.Pow(0.2, 0.86)},
		{"Kienzle with a worn tool", physics.CuttingForceN(2220, 0.14, 1, 1, 0.3), 2220 * 1.45},
		{"cutting power", physics.CuttingPowerKW(1000, 180, 0.75), 4},
		{"roughness", physics.RoughnessUM(0.2, 0.8, 0), 1.5625},
		{"a1 at 90 %", physics.ReliabilityFactor(0.90), 1},
		{"a1 at 95 %", physics.ReliabilityFactor(0.95), 0.64},
		{"a1 at 99 %", physics.ReliabilityFactor(0.99), 0.25},
		{"modified life", physics.ModifiedHours(1000, 0.95, 0.5), 320},
		{"grease at 100 degC", physics.GreaseFactor(100), 0.25},
		{"grease below 70 degC", physics.GreaseFactor(60), 1},
		{"load zone in its middle", physics.LoadZone(0, 0.5, 1.5), 1},
		{"load zone at 60 degrees", physics.LoadZone(math.Pi/3, 0.5, 1.5), math.Pow(0.5, 1.5)},
		{"load zone behind", physics.LoadZone(2, 0.5, 1.5), 0},
		{"choked leak", physics.ChokedKgPerS(1e-6, 8e5, 293), 0.8 * 0.0404 * 8e-1 / math.Sqrt(293)},
		{"duty", physics.CompressorDuty(30, 10, 50), 0.8},
		{"duty beyond", physics.CompressorDuty(60, 10, 50), 1},
		{"ring leak", physics.RingLeakLPS(100, 0.3, 20), 1000 * 0.6 * math.Pi * 0.1 * 0.0003 * math.Sqrt(2*9.80665*20)},
		{"half open valve", physics.ValveResistance(0.5), 4},
		{"no air", physics.AirIngestion(0, 1), 1},
		{"much air at its worst", physics.AirIngestion(1, math.Pi/2), 0.7},
		{"filter half clogged", physics.FilterDrop(0.5), 1 + 0.5/0.55},
		{"Kern and Seaton", physics.KernSeaton(4e-4, 1000, 1000), 4e-4 * (1 - math.Exp(-1))},
		{"fouled exchanger", physics.Exchanger{CleanU: 1000, MostRf: 1e-3}.U(1), 500},
		{"mean of a ball bearing", ball.Mean(), 40_000 * math.Gamma(1+1/1.3)},
		{"survival to eta", ball.Survival(40_000), math.Exp(-1)},
		{"hazard of chance", physics.Weibull{Beta: 1, Eta: 50}.Hazard(7), 0.02},
		{"residual life", physics.Weibull{Beta: 2, Eta: 1000}.Residual(500, 0.5), 471.2},
		{"minimal repairs", physics.Weibull{Beta: 2, Eta: 1000}.Repairs(3000), 9},
		{"accelerated life", fast.Eta, 1000 / math.E},
		{"proportional hazards", cox.Hazard(500) / (physics.Weibull{Beta: 2, Eta: 1000}).Hazard(500), math.E},
		{"virtual age", physics.VirtualAge(100, 50, 0.3), 115},
		{"exposure", physics.ExposureS(10, 2, 3, 10, 0.5), 10 * 8 * 2 * 0.5},
		{"PT100 at 100 degC", physics.PT100ClassB(100), 0.8},
		{"thermocouple at 1000 degC", physics.TypeKClass1(1000), 4},
		{"thermocouple at 100 degC", physics.TypeKClass1(100), 1.5},
		{"middle of a loop", physics.LoopValue(12), 0.5},
		{"capped label", physics.CappedRUL(300), 125},
	} {
		if !(math.Abs(c.got-c.want) <= 1e-3*math.Abs(c.want)+1e-12) {
			t.Errorf("%s: %g, want %g", c.name, c.got, c.want)
		}
	}
	for mA, want := range map[float64]bool{3.5: true, 3.7: false, 20.5: false, 21.5: true} {
		if physics.LoopFault(mA) != want {
			t.Errorf("%g mA: a fault is %v", mA, !want)
		}
	}
}

// Misalignment is told from unbalance by its second line, and looseness by
// half turns and many harmonics.
func TestShaftLines(t *testing.T) {
	if l := physics.UnbalanceLines(25); len(l) != 1 || l[0].Hz != 25 {
		t.Errorf("unbalance: %v", l)
	}
	if l := physics.MisalignmentLines(25, 1); l[1].Hz != 50 || l[1].Amplitude < 1.5*l[0].Amplitude {
		t.Errorf("misalignment: %v", l)
	}
	if l := physics.LoosenessLines(25); len(l) != 11 || l[0].Hz != 12.5 || l[10].Hz != 250 {
		t.Errorf("looseness: %v", l)
	}
	if worn, whole := physics.GearLines(20, 10, 1, false), physics.GearLines(20, 10, 0, false); worn[1].Amplitude < 4*whole[1].Amplitude {
		t.Errorf("wear raises a sideband from %v to %v", whole[1], worn[1])
	}
	if broken := physics.GearLines(20, 10, 0, true); len(broken) != 17 || broken[16].Hz != 280 {
		t.Errorf("a broken tooth: %v", broken)
	}
}

// The table of ISO 20816-3.
func TestVibrationZones(t *testing.T) {
	for _, c := range []struct {
		kW       float64
		flexible bool
		v        float64
		want     physics.VibrationZone
	}{
		{500, false, 2.3, 'A'}, {500, false, 2.31, 'B'}, {500, false, 4.6, 'C'}, {500, false, 7.2, 'D'},
		{500, true, 3.4, 'A'}, {500, true, 7, 'B'}, {500, true, 10.9, 'C'}, {500, true, 11.1, 'D'},
		{75, false, 1.3, 'A'}, {75, false, 2.7, 'B'}, {75, false, 4.4, 'C'}, {75, false, 4.6, 'D'},
		{75, true, 2.2, 'A'}, {75, true, 4.4, 'B'}, {75, true, 7, 'C'}, {75, true, 7.2, 'D'},
	} {
		if got := physics.LimitsFor(c.kW, c.flexible).Zone(c.v); got != c.want {
			t.Errorf("%g kW, flexible %v, %g mm/s: zone %c, want %c", c.kW, c.flexible, c.v, got, c.want)
		}
	}
	l := physics.Group2Rigid
	if a := l.AlarmMMPerS(1.1); math.Abs(a-1.8) > 1e-12 {
		t.Errorf("alarm at %g mm/s, want 1.8", a)
	}
	if a := l.AlarmMMPerS(9); math.Abs(a-3.5) > 1e-12 {
		t.Errorf("alarm at %g mm/s, at most 3.5", a)
	}
	if trip := l.TripMMPerS(); math.Abs(trip-5.625) > 1e-12 {
		t.Errorf("trip at %g mm/s", trip)
	}
}

// A stick band makes a valve move in jumps, and a loop around it hunt.
func TestStiction(t *testing.T) {
	v := physics.Valve{StickPct: 5, JumpPct: 2}
	moves := 0
	for u := 0.0; u <= 50; u += 0.5 {
		before := v.Pct
		if v.Step(u); v.Pct != before {
			moves++
			if v.Pct > u || u-v.Pct > v.StickPct {
				t.Fatalf("at a signal of %g it stands at %g", u, v.Pct)
			}
		}
	}
	if moves < 8 || moves > 10 {
		t.Errorf("%d moves over half of its travel, want one each 5 to 6 %%", moves)
	}
}
