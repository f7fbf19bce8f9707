package dataset

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/plantbed/plantbed/sim/physics"
)

// sidecar is what must be known of a shard once it is whole.
type sidecar struct {
	Shard  int        `json:"shard"`
	Files  []File     `json:"files"`
	Values int64      `json:"values"`
	Runs   []runEntry `json:"runs"`
	Events [][]Event  `json:"events"`
}

// runEntry is a run in the manifest.
type runEntry struct {
	Run
	File string `json:"file"`
	// RowGroup is its place in the file, of Rows rows.
	RowGroup int    `json:"row_group"`
	Rows     int    `json:"rows"`
	Lives    []life `json:"lives,omitempty"`
	Lies     []lie  `json:"lies,omitempty"`
	Changes  int    `json:"changes"`
	Alike    int    `json:"look_alikes"`
	// AlikeOf are the components that those look like.
	AlikeOf []string `json:"look_alikes_of,omitempty"`
	Healthy float64  `json:"healthy_machine_s"`
}

// life is a component that wears out.
type life struct {
	Machine   string  `json:"machine"`
	Component string  `json:"component"`
	Mode      string  `json:"mode"`
	Race      string  `json:"race,omitempty"`
	OnsetS    float64 `json:"onset_s"`
	// DetectableS is when its effect first exceeds the noise, 0 for never.
	DetectableS float64 `json:"detectable_s,omitempty"`
	// FailureS is when it fails or would have failed: Censored tells that the
	// run was over by then, or that it was seen to before. It is 0 for what
	// lives by itself and had not failed.
	FailureS    float64 `json:"failure_s"`
	Censored    bool    `json:"censored,omitempty"`
	RepairedS   float64 `json:"repaired_s,omitempty"`
	MaintainedS float64 `json:"maintained_s,omitempty"`
}

// lie is an instrument that lies for a while.
type lie struct {
	Tag   string  `json:"tag"`
	Kind  string  `json:"kind"`
	FromS float64 `json:"from_s"`
	ToS   float64 `json:"to_s"`
}

func (s *sidecar) add(r *Result, lay *layout, file string, group int) {
	e := runEntry{Run: r.Run, File: file, RowGroup: group, Rows: r.Table.Rows}
	for _, w := range r.Wearing {
		l := life{Machine: w.machine, Component: w.component, Mode: w.mode, OnsetS: w.onset.Seconds(), FailureS: w.failure.Seconds(), Censored: !w.failed}
		if r.Bursts != nil {
			l.Race = r.Run.Race.String()
		}
		l.DetectableS, l.RepairedS, l.MaintainedS = w.detectable.Seconds(), w.repaired.Seconds(), w.maintained.Seconds()
		e.Lives = append(e.Lives, l)
	}
	for _, w := range r.Lying {
		e.Lies = append(e.Lies, lie{w.Target, w.Kind, w.From.Seconds(), w.To.Seconds()})
	}
	for _, ev := range r.Events {
		if ev.Kind == "change" {
			e.Changes++
			if rest, ok := strings.CutPrefix(ev.Detail, "like "); ok {
				component, _, _ := strings.Cut(rest, ":")
				e.Alike++
				e.AlikeOf = append(e.AlikeOf, ev.Machine+"/"+component)
			}
		}
	}
	e.Healthy = healthySeconds(r, lay)
	s.Runs = append(s.Runs, e)
	s.Events = append(s.Events, r.Events)
	s.Values += r.sensorValues(lay)
}

// toSpeakOf is the damage from which on a machine is no longer called healthy:
// a part that ages from its first hour is worn by a millionth all the time.
const toSpeakOf = physics.IncipientDamage

// healthySeconds is the time that machines spent without damage to speak of.
func healthySeconds(r *Result, lay *layout) float64 {
	rows := 0
	for _, base := range lay.labels {
		for _, d := range r.Table.Values[base+labDamage][:r.Table.Rows] {
			if !(d >= toSpeakOf) {
				rows++
			}
		}
	}
	return float64(rows) * r.Table.Values[1][0]
}

func (p *plan) sidePath(shard int) string {
	return filepath.Join(p.opts.Dir, workDir, fmt.Sprintf("shard-%05d.json", shard))
}

// readSide reads a shard's sidecar, and looks that its files are there.
func (p *plan) readSide(shard int) (sidecar, error) {
	var s sidecar
	text, err := os.ReadFile(p.sidePath(shard))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, err
	}
	for _, f := range s.Files {
		dir := p.opts.Dir
		if p.opts.Format == "cmapss" {
			dir = filepath.Join(dir, workDir)
		}
		st, err := os.Stat(filepath.Join(dir, f.Name))
		if err != nil {
			return s, err
		}
		if st.Size() != f.Bytes {
			return s, fmt.Errorf("dataset: %s has %d bytes instead of %d", f.Name, st.Size(), f.Bytes)
		}
	}
	return s, nil
}

// manifest is manifest.json, without the runs, which follow one by one.
type manifest struct {
	Schema   string   `json:"schema"`
	Version  string   `json:"version"`
	Scenario string   `json:"scenario"`
	Summary  string   `json:"summary"`
	Format   string   `json:"format"`
	Seed     uint64   `json:"seed"`
	Runs     int      `json:"runs_total"`
	Units    int      `json:"units_total"`
	EveryS   float64  `json:"every_s"`
	DurS     float64  `json:"duration_s"`
	Values   int64    `json:"sensor_values"`
	Rows     int64    `json:"rows"`
	Columns  []Column `json:"columns"`
	// Splits are lists of units: never of windows, so that no unit is on both
	// sides.
	Splits splits  `json:"splits"`
	Files  []File  `json:"files"`
	Totals totals  `json:"totals"`
	Checks []Check `json:"checks"`
}

type splits struct {
	By         string `json:"by"`
	Train      []int  `json:"train"`
	Validation []int  `json:"validation"`
	Test       []int  `json:"test"`
}

func (p *plan) splitLists() splits {
	s := splits{By: "unit", Train: []int{}, Validation: []int{}, Test: []int{}}
	lists := []*[]int{&s.Train, &s.Validation, &s.Test}
	for unit, split := range p.splitsOfUnits() {
		*lists[split] = append(*lists[split], unit)
	}
	return s
}

// totals over all runs.
type totals struct {
	MachineHours        float64        `json:"machine_hours"`
	HealthyMachineHours float64        `json:"healthy_machine_hours"`
	Lives               int            `json:"lives"`
	Failures            int            `json:"failures"`
	Censored            int            `json:"censored"`
	Undetectable        int            `json:"undetectable"`
	Lies                int            `json:"lies"`
	Changes             int            `json:"changes"`
	LookAlikes          int            `json:"look_alikes"`
	ByMode              map[string]int `json:"lives_by_mode"`
	AlikeBy             map[string]int `json:"look_alikes_by_component"`
	hidden              int            // lives that neither showed nor ended within their run
	misordered          int            // lives whose instants are out of order
	leads               []float32      // shares of growth that lie between detectable and failure, of the first runs
}

func (t *totals) add(e runEntry, machines int, durationS float64) {
	t.MachineHours += float64(machines) * durationS / 3600
	t.HealthyMachineHours += e.Healthy / 3600
	t.Lies += len(e.Lies)
	t.Changes += e.Changes
	t.LookAlikes += e.Alike
	for _, c := range e.AlikeOf {
		t.AlikeBy[c]++
	}
	for _, l := range e.Lives {
		t.Lives++
		t.ByMode[l.Machine+"/"+l.Component+": "+l.Mode]++
		if l.Censored {
			t.Censored++
		} else {
			t.Failures++
		}
		if l.DetectableS > 0 && l.FailureS > l.OnsetS && e.Index < checkedRuns {
			t.leads = append(t.leads, float32((l.FailureS-l.DetectableS)/(l.FailureS-l.OnsetS)))
		}
		if l.Censored && l.DetectableS == 0 {
			t.hidden++
		}
		switch {
		case l.DetectableS == 0:
			t.Undetectable++
		case l.DetectableS < l.OnsetS || l.FailureS > 0 && l.DetectableS > l.FailureS:
			t.misordered++
		}
	}
}

// finish writes what belongs to the whole: events, manifest and card. It reads
// one sidecar at a time, so that its memory does not grow with the runs.
func (p *plan) finish() (Summary, error) {
	sim, err := newSimulator(p)
	if err != nil {
		return Summary{}, err
	}
	m := manifest{Schema: Schema, Version: p.opts.Version, Scenario: p.sc.Name, Summary: p.sc.Summary, Format: p.opts.Format,
		Seed: p.opts.Seed, Runs: p.opts.Runs, Units: p.units, EveryS: p.ds.Every.D().Seconds(), DurS: p.sc.Duration.D().Seconds(),
		Columns: sim.lay.columns, Splits: p.splitLists(), Totals: totals{ByMode: map[string]int{}, AlikeBy: map[string]int{}}}
	shared, err := p.gather(&m, len(sim.lay.labels))
	if err != nil {
		return Summary{}, err
	}
	m.Files = append(m.Files, shared...)
	if text, err := p.sc.Encode(); err == nil {
		f, err := p.small("scenario.toml", text)
		if err != nil {
			return Summary{}, err
		}
		m.Files = append(m.Files, f)
	}
	sums, err := p.readSums()
	if err != nil {
		return Summary{}, err
	}
	m.Checks = checks(sums, sim.lay, m.Totals, p)
	f, err := p.small(cardFile, card(&m, p, sums))
	if err != nil {
		return Summary{}, err
	}
	m.Files = append(m.Files, f)
	if err := p.writeManifest(&m); err != nil {
		return Summary{}, err
	}
	out := Summary{Dir: p.opts.Dir, Runs: p.opts.Runs, Files: len(m.Files) + 1, Values: m.Values, Checks: m.Checks}
	for _, f := range m.Files {
		out.Bytes += f.Bytes
	}
	return out, os.RemoveAll(filepath.Join(p.opts.Dir, workDir))
}

// small writes a file that is at hand as a whole.
func (p *plan) small(name string, text []byte) (File, error) {
	h, err := createHashed(filepath.Join(p.opts.Dir, name))
	if err != nil {
		return File{}, err
	}
	if _, err := h.Write(text); err != nil {
		return File{}, errors.Join(err, h.abandon())
	}
	return h.close()
}

// gather goes through the shards in order: their files, totals and events.
func (p *plan) gather(m *manifest, machines int) ([]File, error) {
	events, err := newEventSink(p)
	if err != nil {
		return nil, err
	}
	for i := range p.shards() {
		side, err := p.readSide(i)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("dataset: shard %d: %w", i, err), events.file.abandon())
		}
		if p.opts.Format != "cmapss" {
			m.Files = append(m.Files, side.Files...)
		}
		m.Values += side.Values
		for k, r := range side.Runs {
			m.Rows += int64(r.Rows)
			m.Totals.add(r, machines, m.DurS)
			if err := events.write(r.Index, side.Events[k]); err != nil {
				return nil, errors.Join(err, events.file.abandon())
			}
		}
		if err := events.rows.Flush(); err != nil { // a row group per shard
			return nil, errors.Join(err, events.file.abandon())
		}
	}
	f, err := events.close()
	if err != nil {
		return nil, err
	}
	out := []File{f}
	if p.opts.Format == "cmapss" {
		joined, err := p.joinPieces()
		if err != nil {
			return nil, err
		}
		out = append(out, joined...)
	}
	return out, nil
}

// joinPieces puts the pieces of each C-MAPSS file behind one another.
func (p *plan) joinPieces() ([]File, error) {
	var out []File
	for _, mc := range p.sc.Machines {
		for _, name := range cmapssNames(mc.Name) {
			if _, err := os.Stat(p.piece(0, name)); err != nil {
				continue // no PLC serves that machine
			}
			h, err := createHashed(filepath.Join(p.opts.Dir, name))
			if err != nil {
				return nil, err
			}
			for i := range p.shards() {
				if err := appendFile(h, p.piece(i, name)); err != nil {
					return nil, errors.Join(err, h.abandon())
				}
			}
			f, err := h.close()
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
	}
	return out, nil
}

func appendFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// writeManifest streams the runs, a line each, behind the rest.
func (p *plan) writeManifest(m *manifest) error {
	head, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	h, err := createHashed(filepath.Join(p.opts.Dir, manifestFile))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(h)
	w.Write(head[:len(head)-2]) // without "\n}"
	w.WriteString(",\n  \"runs\": [")
	for i := range p.shards() {
		side, err := p.readSide(i)
		if err != nil {
			return errors.Join(err, h.abandon())
		}
		for _, r := range side.Runs {
			line, err := json.Marshal(r)
			if err != nil {
				return errors.Join(err, h.abandon())
			}
			if r.Index > 0 {
				w.WriteByte(',')
			}
			w.WriteString("\n    ")
			w.Write(line)
		}
	}
	w.WriteString("\n  ]\n}\n")
	if err := w.Flush(); err != nil {
		return errors.Join(err, h.abandon())
	}
	_, err = h.close()
	return err
}

// eventSink writes events.parquet or events.csv.
type eventSink struct {
	file *hashedFile
	rows interface {
		Write([]eventRow) (int, error)
		Flush() error
		Close() error
	}
}

func newEventSink(p *plan) (*eventSink, error) {
	name := "events.parquet"
	if p.opts.Format != "parquet" {
		name = "events.csv"
	}
	f, err := createHashed(filepath.Join(p.opts.Dir, name))
	if err != nil {
		return nil, err
	}
	s := &eventSink{file: f}
	if p.opts.Format == "parquet" {
		s.rows = newEvents(f, p.opts.Version)
	} else {
		s.rows = newEventLines(f)
	}
	return s, nil
}

func (s *eventSink) write(run int, events []Event) error {
	_, err := s.rows.Write(eventRows(run, events))
	return err
}

func (s *eventSink) close() (File, error) {
	if err := s.rows.Close(); err != nil {
		return File{}, errors.Join(err, s.file.abandon())
	}
	return s.file.close()
}

// eventLines is events.csv.
type eventLines struct{ w *bufio.Writer }

func newEventLines(out io.Writer) eventLines {
	e := eventLines{bufio.NewWriter(out)}
	e.w.WriteString("run,time_s,machine,kind,component,mode,state,detail\n")
	return e
}

func (e eventLines) Write(rows []eventRow) (int, error) {
	for _, r := range rows {
		_, err := fmt.Fprintf(e.w, "%d,%s,%s,%s,%s,%s,%d,%q\n", r.Run, strconv.FormatFloat(r.TimeS, 'g', -1, 64), r.Machine, r.Kind, r.Component, r.Mode, r.State, r.Detail)
		if err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

func (e eventLines) Flush() error { return e.w.Flush() }
func (e eventLines) Close() error { return e.w.Flush() }
