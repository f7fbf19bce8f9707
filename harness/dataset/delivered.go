package dataset

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/sim/signal"
)

// scanned is one value that a PLC latched.
type scanned struct {
	tag     int
	seq     uint64
	at      int64
	value   float64
	quality signal.Quality
	arrived int64 // first at the twin; never
	copies  int
}

const never = int64(-1)

// arrival is one sample that reached the twin.
type arrival struct {
	at       int64
	backfill bool
	s        record.SeenSample
	truth    int // index into scans, -1 for none
	copy     int // 1 for the first of its truth
}

// match joins what arrived with what was latched: by scan counter where the
// carrier passed it on, else by the device's stamp.
func (d *delivery) match() {
	type key struct {
		tag int
		n   int64
	}
	bySeq, byStamp := map[key]int{}, map[key]int{}
	for _, s := range d.log.Scans {
		for i, tag := range d.log.Meta.Tasks[s.Task].Tags {
			bySeq[key{tag, int64(s.Seq)}] = len(d.scans)
			byStamp[key{tag, s.Stamp}] = len(d.scans)
			d.scans = append(d.scans, scanned{tag: tag, seq: s.Seq, at: s.At, value: s.Values[i], quality: s.Quality[i], arrived: never})
		}
	}
	for _, batch := range d.log.Seen {
		if batch.Tap != record.AtTwin {
			continue
		}
		for _, s := range batch.Samples {
			a := arrival{at: batch.At, backfill: batch.Backfill, s: s, truth: -1}
			at, ok := bySeq[key{s.Tag, int64(s.Seq)}]
			if !ok || s.Seq == 0 {
				at, ok = byStamp[key{s.Tag, s.Source}]
			}
			if ok && s.Tag >= 0 {
				a.truth = at
				t := &d.scans[at]
				if t.copies++; t.arrived == never {
					t.arrived = batch.At
				}
				a.copy = t.copies
			}
			d.seen = append(d.seen, a)
		}
	}
	slices.SortStableFunc(d.seen, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
}

// grid writes into the wide table what was known at each row: of each tag the
// newest value, by its source time, that had arrived; null before the first
// and while it is bad. What a buffer delivers late does not go back in time.
func (d *delivery) grid() {
	t := d.sim.table
	now := make([]float64, len(d.log.Meta.Tags))
	for i := range now {
		now[i] = null
	}
	newest := make([]int64, len(now))
	next := 0
	for row := range t.Rows {
		until := int64(time.Duration(row+1) * d.p.ds.Every.D())
		for ; next < len(d.seen) && d.seen[next].at <= until; next++ {
			if s := d.seen[next].s; s.Tag >= 0 && s.Source >= newest[s.Tag] {
				newest[s.Tag], now[s.Tag] = s.Source, s.Value
				if s.Quality.IsBad() {
					now[s.Tag] = null
				}
			}
		}
		for tag, v := range now {
			t.Values[d.sim.lay.sensors+tag][row] = v
		}
	}
}

// deliveredRow is a row of delivered.*.
type deliveredRow struct {
	ArrivedS float64 `parquet:"arrived_s"`
	SourceS  float64 `parquet:"source_s"` // by the device's clock
	Tag      string  `parquet:"tag,dict"`
	Seq      int64   `parquet:"seq"`
	Value    float64 `parquet:"value"`
	Quality  string  `parquet:"quality,dict"`
	Backfill bool    `parquet:"backfill"`
	// What follows is truth.
	ScanS     *float64 `parquet:"truth_scan_s"`
	TrueValue *float64 `parquet:"truth_value"`
	Late      bool     `parquet:"truth_late"`
	Wrong     bool     `parquet:"truth_wrong"`
	Copy      int32    `parquet:"truth_copy"`
	Link      string   `parquet:"truth_link_fault,dict"`
	labels
}

// truthRow is a row of truth.*.
type truthRow struct {
	ScanS    float64  `parquet:"scan_s"`
	Tag      string   `parquet:"tag,dict"`
	Seq      int64    `parquet:"seq"`
	Value    float64  `parquet:"value"`
	Quality  string   `parquet:"quality,dict"`
	ArrivedS *float64 `parquet:"arrived_s"`
	Copies   int32    `parquet:"copies"`
	Link     string   `parquet:"link_fault,dict"`
	labels
}

// labels are what was true of the tag's machine when it was scanned.
type labels struct {
	Mode        string   `parquet:"label_mode,dict"`
	Component   string   `parquet:"label_component,dict"`
	Damage      *float64 `parquet:"label_damage"`
	RUL         *float64 `parquet:"label_rul_s"`
	SensorFault string   `parquet:"label_sensor_fault,dict"`
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// labelsAt reads the labels of the grid's row at or after an instant.
func (d *delivery) labelsAt(tag int, ns int64) (l labels) {
	if !d.same || d.sim.table.Rows == 0 {
		l.SensorFault = d.windowAt(faults.ClassSensor, string(d.log.Meta.Tags[tag].ID), ns)
		return l
	}
	row := min(int(ns/int64(d.p.ds.Every.D())), d.sim.table.Rows-1)
	t := d.log.Meta.Tags[tag]
	base, ok := d.sim.lay.labels[t.Machine]
	if !ok {
		return l
	}
	at := func(label int) float64 { return d.sim.table.Values[base+label][row] }
	word := func(label int) string {
		if v := at(label); !isNull(v) {
			return d.sim.lay.columns[base+label].Words[int(v)]
		}
		return ""
	}
	l.Mode, l.Component = word(labMode), word(labComponent)
	l.Damage, l.RUL = pointer(at(labDamage)), pointer(at(labRUL))
	l.SensorFault = d.windowAt(faults.ClassSensor, string(t.ID), ns)
	return l
}

func pointer(v float64) *float64 {
	if isNull(v) {
		return nil
	}
	return &v
}

// windowAt names the fault of a class that is on at an instant; target "" is
// any.
func (d *delivery) windowAt(class, target string, ns int64) string {
	for _, w := range d.log.Meta.Plan {
		if w.Class == class && (target == "" || w.Target == target) && int64(w.From) <= ns && ns < int64(w.To) {
			return w.Kind
		}
	}
	return ""
}

// linkAt names what is wrong on the way of a tag at an instant: on its PLC, its
// link, the gateway or the link to the broker.
func (d *delivery) linkAt(tag int, ns int64) string {
	plc := d.log.Meta.PLCs[d.log.Meta.Tasks[d.log.Meta.Tags[tag].Task].PLC].Name
	if k := d.windowAt(faults.ClassCommunication, plc, ns); k != "" {
		return k
	}
	if k := d.windowAt(faults.ClassGateway, "", ns); k != "" {
		return k
	}
	return d.windowAt(faults.ClassCommunication, "broker", ns)
}

func (d *delivery) deliveredRow(a arrival) deliveredRow {
	r := deliveredRow{ArrivedS: seconds(a.at), SourceS: seconds(a.s.Source), Seq: int64(a.s.Seq), Value: a.s.Value,
		Quality: a.s.Quality.String(), Backfill: a.backfill, Copy: int32(a.copy)}
	if a.s.Tag < 0 {
		return r
	}
	r.Tag = string(d.log.Meta.Tags[a.s.Tag].ID)
	if a.truth < 0 {
		r.Wrong = true // it matches nothing that was latched
		return r
	}
	t := d.scans[a.truth]
	at := seconds(t.at)
	r.ScanS, r.TrueValue = &at, pointer(t.value)
	r.Late = a.at-t.at > int64(d.log.Meta.Contract.Deadline)
	r.Wrong = a.s.Value != t.value || a.s.Quality.Code() != t.quality.Code()
	r.Link, r.labels = d.linkAt(a.s.Tag, t.at), d.labelsAt(a.s.Tag, t.at)
	return r
}

func (d *delivery) truthRow(t scanned) truthRow {
	r := truthRow{ScanS: seconds(t.at), Tag: string(d.log.Meta.Tags[t.tag].ID), Seq: int64(t.seq), Value: t.value, Quality: t.quality.String(),
		Copies: int32(t.copies), Link: d.linkAt(t.tag, t.at), labels: d.labelsAt(t.tag, t.at)}
	if t.arrived != never {
		r.ArrivedS = pointer(seconds(t.arrived))
	}
	return r
}

func (d *delivery) writeDelivered() (File, error) {
	return writeLong(d.p, "delivered", len(d.seen), func(i int) deliveredRow { return d.deliveredRow(d.seen[i]) }, deliveredRow.fields)
}

func (d *delivery) writeTruth() (File, error) {
	return writeLong(d.p, "truth", len(d.scans), func(i int) truthRow { return d.truthRow(d.scans[i]) }, truthRow.fields)
}

// groupRows is how many rows of a long table make a row group.
const groupRows = 1 << 17

// writeLong writes a long table, Parquet or CSV, row by row.
func writeLong[T any](p *plan, name string, n int, row func(int) T, fields func(T, bool) []string) (File, error) {
	ext := ".parquet"
	if p.opts.Format == "csv" {
		ext = ".csv"
	}
	f, err := createHashed(filepath.Join(p.opts.Dir, name+ext))
	if err != nil {
		return File{}, err
	}
	var write func([]T) error
	var end func() error
	if p.opts.Format == "csv" {
		w := csv.NewWriter(f)
		var zero T
		w.Write(fields(zero, true)) // an error sticks
		write = func(rows []T) error {
			for _, r := range rows {
				if err := w.Write(fields(r, false)); err != nil {
					return err
				}
			}
			return nil
		}
		end = func() error { w.Flush(); return w.Error() }
	} else {
		w := parquet.NewGenericWriter[T](f, parquet.CreatedBy("plantbed", p.opts.Version, ""), parquet.Compression(fast),
			parquet.DataPageStatistics(false), parquet.MaxRowsPerRowGroup(groupRows))
		write = func(rows []T) error { _, err := w.Write(rows); return err }
		end = w.Close
	}
	rows := make([]T, 0, chunk)
	for i := range n {
		if rows = append(rows, row(i)); len(rows) == chunk || i == n-1 {
			if err := write(rows); err != nil {
				return File{}, errors.Join(err, f.abandon())
			}
			rows = rows[:0]
		}
	}
	if err := end(); err != nil {
		return File{}, errors.Join(err, f.abandon())
	}
	return f.close()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func optional(v *float64) string {
	if v == nil {
		return ""
	}
	return number(*v)
}

func (r deliveredRow) fields(names bool) []string {
	if names {
		return strings.Split("arrived_s,source_s,tag,seq,value,quality,backfill,truth_scan_s,truth_value,truth_late,truth_wrong,truth_copy,truth_link_fault,"+labelNames, ",")
	}
	return append([]string{number(r.ArrivedS), number(r.SourceS), r.Tag, strconv.FormatInt(r.Seq, 10), number(r.Value), r.Quality, strconv.FormatBool(r.Backfill),
		optional(r.ScanS), optional(r.TrueValue), strconv.FormatBool(r.Late), strconv.FormatBool(r.Wrong), strconv.Itoa(int(r.Copy)), r.Link}, r.labels.fields()...)
}

func (r truthRow) fields(names bool) []string {
	if names {
		return strings.Split("scan_s,tag,seq,value,quality,arrived_s,copies,link_fault,"+labelNames, ",")
	}
	return append([]string{number(r.ScanS), r.Tag, strconv.FormatInt(r.Seq, 10), number(r.Value), r.Quality, optional(r.ArrivedS), strconv.Itoa(int(r.Copies)), r.Link}, r.labels.fields()...)
}

const labelNames = "label_mode,label_component,label_damage,label_rul_s,label_sensor_fault"

func (l labels) fields() []string {
	return []string{l.Mode, l.Component, optional(l.Damage), optional(l.RUL), l.SensorFault}
}

// card of what a stack delivered.
func (d *delivery) card(m *manifest) []byte {
	var b bytes.Buffer
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	late, wrong, copies, orphans := 0, 0, 0, 0
	for _, a := range d.seen {
		r := d.deliveredRow(a)
		switch {
		case a.truth < 0:
			orphans++
		case r.Wrong:
			wrong++
		}
		if r.Late {
			late++
		}
		if a.copy > 1 {
			copies++
		}
	}
	lost := 0
	for _, s := range d.scans {
		if s.arrived == never {
			lost++
		}
	}
	say("# %s, seed %d, as the stack delivered it\n", m.Scenario, m.Seed)
	say("%s\n", m.Summary)
	say("Of the run `%s`: %d values were latched by PLCs. %d samples reached the twin; %d latched values never did (among them those that did not change, of which a subscription does not tell). %d arrived late, %d were wrong, %d were there already, %d match nothing.\n",
		filepath.Base(filepath.Clean(d.dir)), len(d.scans), len(d.seen), lost, late, wrong, copies, orphans)
	ext := m.Format
	say("## Files\n")
	say("- `delivered.%s`: a row for every sample that reached the twin, in the order of arrival; columns `truth_*` and `label_*` are truth and no input.", ext)
	say("- `truth.%s`: a row for every latched value, and when it arrived; an empty `arrived_s` is a gap.", ext)
	say("- `data-00000.%s`: the wide table of simulated data sets, with what was known at each second: the newest value that had arrived, null before the first and while its quality is bad.", ext)
	say("- `events.%s`: what truly happened. `manifest.json`: checksums, columns, faults.\n", ext)
	if d.same {
		say("Damage and remaining life come from running the plant again under the same seed; its events were those of the record.\n")
	} else {
		say("Damage and remaining life are left out: the plant, run again under the same seed, did not live through the same. The data was made by another version.\n")
	}
	say("## What it is not good for\n")
	say("- Training and testing: it is one unit in one run, and belongs whole to one split (`test`).")
	say("- Saying what another stack would have delivered.")
	say("- Rates of failure or of outages: a scenario breaks in hours what breaks in years.\n")
	return b.Bytes()
}
