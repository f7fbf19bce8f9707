package harness

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin"
	"github.com/plantbed/plantbed/twin/predict"
)

// taps turn what happens at each stage into rows of the record.
type taps struct {
	r *run
	// tagOf maps a PLC's task and column to a tag.
	tagOf [][][]int
	// twinOrder maps the twin's tags to the record's.
	twinOrder []int
	// decoder keeps the IDs it has seen; the broker's tap calls it one at a time.
	decoder payload.Decoder

	// mapped counts the samples of a foreign gateway at the broker's tap.
	mapped atomic.Int64

	mu     sync.Mutex
	around []string
}

func newTaps(r *run, m record.Meta) *taps {
	t := &taps{r: r, twinOrder: twinOrder(r.world)}
	for i, p := range r.world.plcs {
		var byTask [][]int
		for k := range p.Tasks() {
			byTask = append(byTask, m.Tasks[r.world.firstTask[i]+k].Tags)
		}
		t.tagOf = append(t.tagOf, byTask)
		first := r.world.firstTask[i]
		p.OnTruth(func(b *plc.Block) {
			r.rec.Add(record.Scan{Task: first + b.Task, Seq: b.Seq, Counter: b.Counter(), At: int64(b.At), Stamp: b.Stamp.Sub(r.start).Nanoseconds(), Values: b.Values, Quality: b.Quality})
		})
	}
	r.world.onWrite = func(id signal.ID, v float64) { t.note(noteWritten, v, string(id)) }
	r.world.plant.OnEvent(func(e plant.Event) {
		r.rec.Add(record.Event{At: e.At, Machine: e.Machine, Kind: e.Kind, State: e.State, Mode: e.Mode, Component: e.Component})
	})
	return t
}

// ns is an instant as the record holds it.
func (t *taps) ns(at time.Time) int64 { return at.Sub(t.r.start).Nanoseconds() }

func (t *taps) opcua(plc int) func(conn int, offset int64, at time.Time, items []opcua.Ref) {
	if t.r.rec == nil {
		return nil
	}
	return func(conn int, offset int64, at time.Time, items []opcua.Ref) {
		refs := make([]record.Ref, len(items))
		for i, it := range items {
			refs[i] = record.Ref{Tag: t.tagOf[plc][it.Task][it.Index], Seq: it.Seq}
		}
		t.r.rec.Add(record.Send{PLC: plc, Conn: conn, Offset: offset, At: t.ns(at), Items: refs})
	}
}

func (t *taps) modbus(plc int) func(conn int, offset int64, at time.Time, items []modbus.Ref) {
	if t.r.rec == nil {
		return nil
	}
	return func(conn int, offset int64, at time.Time, items []modbus.Ref) {
		refs := make([]record.Ref, len(items))
		for i, it := range items {
			refs[i] = record.Ref{Tag: t.tagOf[plc][it.Task][it.Index], Seq: it.Seq}
		}
		t.r.rec.Add(record.Send{PLC: plc, Conn: conn, Offset: offset, At: t.ns(at), Items: refs})
	}
}

// published is the broker tap.
func (t *taps) published(topic string, body []byte, at time.Time) {
	if t.r.voice != nil {
		t.sparkplug(topic, body)
	}
	b, ok, err := t.decode(topic, body, at)
	if !ok {
		t.reported(topic, body)
		return
	}
	if err != nil {
		t.r.log.Error("the broker tap cannot read a batch", "topic", topic, "err", err)
		return
	}
	s := record.Seen{Tap: record.AtBroker, At: t.ns(at), Stream: b.Stream, First: b.First, Backfill: b.Backfill, Samples: make([]record.SeenSample, len(b.Samples))}
	for i := range b.Samples {
		s.Samples[i] = t.seen(&b.Samples[i])
	}
	t.r.rec.Add(s)
}

func (t *taps) seen(s *signal.Sample) record.SeenSample {
	tag, ok := t.r.world.tagIndex[s.ID]
	if !ok {
		tag = -1
	}
	return record.SeenSample{Tag: tag, Seq: s.Seq, Source: t.source(s), Value: s.Value, Quality: s.Quality}
}

// applied is the twin tap: what the twin took over, live or as backfill; what
// it recognised as a duplicate it did not apply. A row is of samples that the
// twin's tags show, or of samples that they do not.
func (t *taps) applied(at time.Time, b payload.Batch, changes []twin.Change) {
	now, n := t.ns(at), 0
	s := record.Seen{Tap: record.AtTwin, At: now, Stream: b.Stream, First: b.First, Backfill: b.Backfill}
	for i := range changes {
		c := &changes[i]
		if c.Kind == twin.Duplicate {
			continue
		}
		if history := !c.Current; len(s.Samples) == 0 || s.History != history {
			t.add(s)
			s.History, s.Samples = history, make([]record.SeenSample, 0, len(changes)-i)
		}
		s.Samples = append(s.Samples, t.seen(&c.Sample))
		n++
	}
	t.add(s)
	if n > 0 {
		t.r.applied.Add(int64(n))
		t.r.lastIn.Store(now)
	}
}

func (t *taps) add(s record.Seen) {
	if len(s.Samples) > 0 {
		t.r.rec.Add(s)
	}
}

func (t *taps) marked(marks []twin.Mark) {
	for _, m := range marks {
		t.r.rec.Add(record.Mark{Tag: t.twinOrder[m.Index], At: t.ns(m.At), Quality: m.Quality})
	}
}

// twinOrder is the record's index of each of the twin's tags: the twin's
// config lists tags by machine, the record by PLC and task.
func twinOrder(w *world) []int {
	var order []int
	for _, m := range w.machines {
		for i, tag := range w.tags {
			if tag.Machine == m.Name {
				order = append(order, i)
			}
		}
	}
	return order
}

func (t *taps) alarmed(a predict.Alarm) {
	t.r.rec.Add(record.Alarm{At: a.At.Sub(t.r.start), Machine: a.Machine, Detector: a.Detector, Score: a.Score, Limit: a.Limit, Class: a.Class, Tag: string(a.Tag)})
	t.r.world.heed(t.r.going, a)
}

// scored is what the shipped detector makes of a machine, at each row that it
// judges: one in ten seconds of steady running.
func (t *taps) scored(machine string, at time.Time, value, limit float64) {
	i := slices.IndexFunc(t.r.world.machines, func(m record.Machine) bool { return m.Name == machine })
	t.r.rec.Add(record.Score{Machine: i, At: t.ns(at), Value: value, Limit: limit})
}

func (t *taps) note(kind string, n float64, text string) {
	t.r.rec.Add(record.Note{At: time.Since(t.r.start), Kind: kind, N: n, Text: text})
}

// fault notes that a planned fault begins or ends. One that its seam refused
// did not happen, and a run without it is not the scenario's.
func (t *taps) fault(w faults.Window, started bool) {
	if w.Err != "" {
		t.r.fail(fmt.Errorf("fault[%d] %s on %s: %s", w.Index, w.Kind, w.Target, w.Err))
		return
	}
	kind := "fault ends"
	if started {
		kind = "fault begins"
	}
	t.note(kind, 0, w.Kind+" "+w.Target)
	t.r.log.Info(kind, "fault", w.Kind, "target", w.Target)
}

// bypass notes a connection that did not come through its link.
func (t *taps) bypass(where string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.around = append(t.around, where)
}

func (t *taps) bypasses() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.around
}
