package harness

import (
	"context"
	"math"
	"strings"

	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/predict"
)

// upkeep is what a plant's maintenance knows of its machines: what instruments
// said last, and alarms, of controllers and of the twin. Like an operator it
// never sees the truth.
type upkeep struct {
	alarms []plcAlarm
	// minds tells the machines for which somebody waits for an alarm.
	minds map[string]bool
	// rows are the values of each PLC where it is sampled instead of scanning.
	rows [][]float64
}

// plcAlarm is a controller's alarm as maintenance hears it, by the name of its
// signal.
type plcAlarm struct {
	plcIndex      int
	at            place
	machine, name string
	limits        plc.Alarm
	side          int
}

// tend gives the plant its eyes and ears. A plant that nobody maintains by
// them is left alone.
func (w *world) tend(sc *scenarios.Scenario) {
	looks := false
	minds := map[string]bool{}
	for _, m := range sc.Machines {
		for _, o := range m.Maintenance {
			minds[m.Name] = minds[m.Name] || o.Alarm != ""
			looks = looks || o.Signal != "" || o.Alarm != ""
		}
	}
	if !looks {
		return
	}
	w.upkeep = &upkeep{minds: minds, rows: make([][]float64, len(w.plcs))}
	w.plant.Measure(w.measured)
	for i, p := range w.plcs {
		for _, a := range p.Config().Alarms {
			machine, name, _ := strings.Cut(string(a.Tag), "/")
			if minds[machine] {
				w.upkeep.alarms = append(w.upkeep.alarms, plcAlarm{plcIndex: i, at: w.placeOf(a.Tag), machine: machine, name: name, limits: a})
			}
		}
		p.OnScan(func(b *plc.Block) { w.upkeep.hear(w.plant, i, b.Task, b.Values, b.Quality) })
	}
}

// measured is the last value of a signal's instrument: not a number where it
// is bad or has none yet, not ok where there is no instrument.
func (w *world) measured(machine, name string) (v float64, ok bool) {
	id := signal.ID(machine + "/" + name)
	if _, ok := w.tagIndex[id]; !ok {
		return 0, false
	}
	at := w.placeOf(id)
	if row := w.upkeep.rows[at.plc]; row != nil {
		return row[at.column], true
	}
	return w.valueAt(at), true // predict.Missing is no number
}

// hear raises the alarms of a PLC whose values have left their limits.
func (u *upkeep) hear(p *plant.Plant, plcIndex, task int, values []float64, quality []signal.Quality) {
	for i := range u.alarms {
		a := &u.alarms[i]
		if a.plcIndex != plcIndex || a.at.task != task || quality[a.at.column].IsBad() {
			continue
		}
		side := a.limits.Side(values[a.at.column], a.side)
		if side != 0 && side != a.side {
			p.Alarm(a.machine, a.name, "")
		}
		a.side = side
	}
}

// Sampled tells maintenance what a row says, where PLCs are sampled instead
// of scanning: the values of the first task, bad ones included.
func (w *World) Sampled(plcIndex int, values []float64, quality []signal.Quality) {
	u := w.w.upkeep
	if u == nil {
		return
	}
	row := append(u.rows[plcIndex][:0], values...)
	for i, q := range quality {
		if q.IsBad() {
			row[i] = math.NaN()
		}
	}
	u.rows[plcIndex] = row
	u.hear(w.w.plant, plcIndex, 0, values, quality)
}

// Attended tells that somebody maintains the plant by what is measured: then
// its course depends on its scans and on the twin's alarms.
func (w *World) Attended() bool { return w.w.upkeep != nil }

// heed hands an alarm of the twin to the maintenance of its machine. It is
// called on the twin's goroutine; a plant that does not wait for alarms does
// not notice.
func (w *world) heed(ctx context.Context, a predict.Alarm) {
	if w.upkeep == nil || !w.upkeep.minds[a.Machine] {
		return
	}
	_ = w.kernel.Do(ctx, func() { w.plant.Alarm(a.Machine, a.Detector, a.Class) }) // an error is the end of the run
}
