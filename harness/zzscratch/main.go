package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/predict"
)

type watcher struct {
	spy
	w *predict.Watch
}

func runOne(sc *scenarios.Scenario, cals []*predict.Calibrated, seed uint64, dur time.Duration, prep func(w *world), turn func(w *world, t time.Duration)) []predict.Alarm {
	start := time.Unix(0, 0).UTC()
	w, err := newWorld(sc, seed, start)
	if err != nil { panic(err) }
	w.start()
	if prep != nil { prep(w) }
	var ws []*watcher
	for i, spec := range detectorSpecs(w) {
		ws = append(ws, &watcher{*newSpy(w, spec), predict.NewWatch(cals[i])})
	}
	var out []predict.Alarm
	for t := time.Second; t <= dur; t += time.Second {
		w.kernel.Run(t)
		if turn != nil { turn(w, t) }
		for _, s := range ws {
			for i, p := range s.channels { s.x[i] = w.valueAt(p) }
			out = append(out, s.w.Step(start.Add(t), w.valueAt(s.state), s.x)...)
		}
	}
	return out
}

func main() {
	sc, ps := scenarios.Load("scenarios/first-light.toml", nil)
	if len(ps) > 0 { fmt.Println(ps) }
	sc.Detector.CalibrationDuration.UnmarshalText([]byte(os.Args[1]+"h"))
	nh, _ := strconv.Atoi(os.Args[2])
	for _, cs := range os.Args[3:] {
	s, _ := strconv.Atoi(cs); sc.Detector.CalibrationSeed = uint64(s)
	cals, err := calibrate(sc)
	fmt.Println("calibrated seed", s, err)
	total := map[string]int{}
	show := func(what string, al []predict.Alarm) {
		for _, a := range al { total[what+"/"+a.Detector]++
			if a.Detector == "pca" { fmt.Printf("  %s %v %s %s %s %.2f\n", what, a.At.Sub(time.Unix(0, 0)), a.Machine, a.Class, a.Tag, a.Score) } }
	}
	for seed := range uint64(4) { show("healthy", runOne(sc, cals, 42+seed, time.Duration(nh)*time.Hour, nil, nil)) }
	for seed := range uint64(4) { show("wear", runOne(sc, cals, 42+seed, 2*time.Hour, func(w *world) {
		k, _ := w.plant.Machine("pump").Knob("motor/bearing-de")
		if err := k.Wear(30*time.Minute, 105*time.Minute); err != nil { panic(err) }
	}, nil)) }
	chan_ := func(w *world, id string) interface{ Stuck(bool); Drift(time.Duration, float64); Clear() } {
		for _, p := range w.plcs { if c := p.Channel(signal.ID(id)); c != nil { return c } }
		panic(id)
	}
	for seed := range uint64(4) { show("drift", runOne(sc, cals, 42+seed, 2*time.Hour, nil, func(w *world, t time.Duration) {
		if t == 24*time.Minute { i := w.tagIndex["oven/zone-2/temp"]; chan_(w, "oven/zone-2/temp").Drift(t, 0.3*(w.tags[i].Hi-w.tags[i].Lo)/3600) }
		if t == 44*time.Minute { chan_(w, "oven/zone-2/temp").Clear() }
	})) }
	for seed := range uint64(4) { show("stuck", runOne(sc, cals, 42+seed, 2*time.Hour, nil, func(w *world, t time.Duration) {
		if t == 75*time.Minute { chan_(w, "capper/head/torque").Stuck(true) }
		if t == 95*time.Minute { chan_(w, "capper/head/torque").Clear() }
	})) }
	fmt.Println(total)
	}
}
