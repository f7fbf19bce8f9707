package physics_test

import (
	"math"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// Published or independently computed values; relative tolerance 1e-3 unless given.
func TestGolden(t *testing.T) {
	drive := physics.SKF6205.DefectHz(1797.0 / 60)
	bearing := func(g physics.BearingGeometry) physics.DefectHz { return g.DefectHz(1) }
	paris := physics.Paris{C: 6.9e-12, M: 3, Geometry: 1.12}
	health := physics.NewSystemHealth(200, 1.5, 0)
	wiener := physics.Wiener{Mu: 1e-3, Sigma: 0.05 / math.Sqrt(1000)}
	hitMean, hitSD := wiener.FirstHit()
	bridge := physics.Wiener{Sigma: 0.05}
	gamma := physics.NewGammaProcess(100, 2, 0.2)
	gammaMean, gammaSD := gamma.Moments(100)
	pump := physics.Pump{ShutoffM: 30, CurveM: 0.06, StaticM: 5, SystemM: 0.19, BestLPS: 10, BestShare: 0.72}
	full, slow := pump.Duty(1, 0, 1), pump.Duty(0.9, 0, 1)
	barLow, barHigh := physics.BrokenBarHz(50, 1.0/30)
	motor := physics.NewMotor(7.5, 1500)
	for _, c := range []struct {
		name      string
		got, want float64
		abs       float64
	}{
		{name: "6205 outer race", got: drive.Outer, want: 107.36},
		{name: "6205 inner race", got: drive.Inner, want: 162.19},
		{name: "6205 ball", got: drive.Ball, want: 141.17},
		{name: "6205 cage", got: drive.Cage, want: 11.93},
		{name: "6203 outer race", got: bearing(physics.SKF6203).Outer, want: 3.0530},
		{name: "6203 inner race", got: bearing(physics.SKF6203).Inner, want: 4.9469},
		{name: "6203 cage", got: bearing(physics.SKF6203).Cage, want: 0.3817},
		{name: "6205 outer race per turn", got: bearing(physics.SKF6205).Outer, want: 3.5848},
		{name: "6205 inner race per turn", got: bearing(physics.SKF6205).Inner, want: 5.4152},
		{name: "6205 ball per turn", got: bearing(physics.SKF6205).Ball, want: 4.7135},
		{name: "6205 cage per turn", got: bearing(physics.SKF6205).Cage, want: 0.3983},
		{name: "ZA-2115 inner race", got: bearing(physics.ZA2115).Inner, want: 8.908},
		{name: "ZA-2115 ball", got: bearing(physics.ZA2115).Ball, want: 8.40},
		{name: "FEMTO outer race", got: bearing(physics.FEMTO).Outer, want: 5.611},
		{name: "FEMTO cage", got: bearing(physics.FEMTO).Cage, want: 0.4316},
		{name: "6203 ball", got: bearing(physics.SKF6203).Ball, want: 3.9874},
		{name: "ZA-2115 outer race", got: bearing(physics.ZA2115).Outer, want: 7.092},
		{name: "ZA-2115 cage", got: bearing(physics.ZA2115).Cage, want: 0.4433},
		{name: "FEMTO inner race", got: bearing(physics.FEMTO).Inner, want: 7.389},
		{name: "FEMTO ball", got: bearing(physics.FEMTO).Ball, want: 7.177},
		{name: "spall entry to exit", got: physics.SKF6205.SpallS(2, 30), want: 5.67e-4},
		{name: "L10h at C/P 10", got: physics.L10Hours(10, physics.BallBearingExponent, 1800), want: 9259},
		{name: "L10h at C/P 5", got: physics.L10Hours(5, physics.BallBearingExponent, 1800), want: 1157},
		{name: "bearing life at its 90 % quantile", got: physics.BearingLifeHours(1000, 0.9), want: 1000},
		{name: "Paris cycles", got: paris.Cycles(0.001, 0.010, 100), want: 8.01e5},
		{name: "Paris range", got: paris.RangeMPaRootM(0.001, 100), want: 6.28},
		{name: "Taylor coated carbide", got: physics.TaylorLifeMin(0.25, 700, 200), want: 150.06},
		{name: "Taylor carbide", got: physics.TaylorLifeMin(0.25, 500, 200), want: 39.06},
		{name: "flank wear .05", got: physics.FlankWearMM(0.05), want: 0.046, abs: 1e-3},
		{name: "flank wear .2", got: physics.FlankWearMM(0.2), want: 0.092, abs: 1e-3},
		{name: "flank wear .5", got: physics.FlankWearMM(0.5), want: 0.144, abs: 1e-3},
		{name: "flank wear .9", got: physics.FlankWearMM(0.9), want: 0.248, abs: 1e-3},
		{name: "flank wear 1", got: physics.FlankWearMM(1), want: 0.300, abs: 1e-3},
		{name: "system health a", got: health.A, want: 2.4506e-4},
		{name: "system health 100", got: health.At(100), want: 0.7223},
		// 0.1927 by the closed form; tables that were rounded on the way say 0.1925.
		{name: "system health 180", got: health.At(180), want: 1 - math.Expm1(math.Ln2*math.Pow(0.9, 1.5))},
		{name: "system health at the end", got: health.At(200), want: 0, abs: 1e-12},
		{name: "Wiener first hit mean", got: hitMean, want: 1000},
		{name: "Wiener first hit sd", got: hitSD, want: 50},
		{name: "Wiener bridge", got: bridge.Bridge(0.9, 0.95, 1), want: 0.0183, abs: 5e-5},
		{name: "gamma process shape", got: gamma.Shape(100), want: 25},
		{name: "gamma process mean", got: gammaMean, want: 1},
		{name: "gamma process sd", got: gammaSD, want: 0.2},
		{name: "Weibull residual", got: physics.WeibullLife(2, 1000, 500, 0.5), want: 471.2},
		{name: "thermal step", got: physics.Settle(25, 25+80, 25*60, 25*60), want: 75.57},
		{name: "10 K rule", got: physics.TenKelvinFactor(165, 155), want: 2},
		{name: "Arrhenius 0.9 eV", got: physics.ArrheniusFactor(0.9, 165, 155), want: 1.745},
		{name: "Arrhenius 1.12 eV", got: physics.ArrheniusFactor(1.12, 165, 155), want: 2.00, abs: 5e-3},
		{name: "pump flow", got: full.FlowLPS, want: 10},
		{name: "pump head", got: full.HeadM, want: 24},
		{name: "pump power", got: full.ShaftKW, want: 998.2 * 9.80665 * 0.010 * 24 / 0.72 / 1000},
		{name: "pump flow at 0.9", got: slow.FlowLPS, want: 8.786},
		{name: "pump head at 0.9", got: slow.HeadM, want: 19.67},
		{name: "water 20 degC", got: physics.VapourMMHg(20), want: 17.47},
		{name: "water 40 degC", got: physics.VapourMMHg(40), want: 55.2},
		{name: "water 60 degC", got: physics.VapourMMHg(60), want: 149.0},
		{name: "water 80 degC", got: physics.VapourMMHg(80), want: 354.5},
		{name: "head drop where NPSH is just enough", got: physics.CavitationHead(2, 2), want: 0.97},
		{name: "broken bar low", got: barLow, want: 46.67},
		{name: "broken bar high", got: barHigh, want: 53.33},
		{name: "unbalance G6.3", got: physics.ResidualUnbalanceUM(6.3, 1500), want: 40.1},
		{name: "motor loss", got: motor.LossesW(1), want: 800},
		{name: "motor speed at rated load", got: motor.SpeedRPM(1, 1), want: 1450},
		{name: "motor current at rated load", got: motor.CurrentA(1), want: motor.RatedA},
		{name: "motor current at no load", got: motor.CurrentA(0), want: 0.42 * motor.RatedA},
		{name: "velocity of 1 g at 159.155 Hz", got: physics.VelocityMMPerS(1, 159.155), want: 9.80665},
	} {
		tol := c.abs
		if tol == 0 {
			tol = 1e-3 * math.Abs(c.want)
		}
		if !(math.Abs(c.got-c.want) <= tol) {
			t.Errorf("%s: %g, want %g within %.2g", c.name, c.got, c.want, tol)
		}
	}
}
