package dataset

import (
	"slices"
	"strings"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
)

// Schema names the layout of a data set.
const Schema = "plantbed.dataset/1"

// Kind is how a column is stored.
type Kind string

// The kinds.
const (
	Float  Kind = "float"  // 32 bits
	Double Kind = "double" // 64 bits
	Int    Kind = "int"    // 32 bits
	Bool   Kind = "bool"
	Text   Kind = "text" // one of Words
)

// Column describes one column.
type Column struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	Kind Kind   `json:"kind"`
	// Role is "index", "sensor" or "label".
	Role string `json:"role"`
	Doc  string `json:"doc"`
	// Words are what a text can be; the table holds their numbers.
	Words []string `json:"-"`
}

// Table is the rows of one run, column by column. A value that is not there is
// NaN; a text is the number of its word.
type Table struct {
	Rows   int
	Values [][]float64
	// Blank marks columns that hold nothing but nulls.
	Blank []bool
}

func newTable(columns, rows int) *Table {
	t := &Table{Values: make([][]float64, columns), Blank: make([]bool, columns)}
	all := make([]float64, columns*rows)
	for i := range t.Values {
		t.Values[i] = all[i*rows : (i+1)*rows : (i+1)*rows]
	}
	return t
}

// layout is the schema with the places of its parts.
type layout struct {
	columns []Column
	sensors int // where sensors begin; they stand in the order of the world's tags
	labels  map[string]int
}

// The label columns of each machine, in their order, from layout.labels on.
const (
	labMode = iota
	labComponent
	labDamage
	labRUL
	labQ05
	labQ50
	labQ95
	labSensorTag
	labSensorFault
	labCount
)

func newLayout(sc *scenarios.Scenario, tags []record.Tag, machines []record.Machine) *layout {
	l := &layout{labels: map[string]int{}}
	l.columns = append(l.columns,
		Column{Name: "run", Unit: "1", Kind: Int, Role: "index", Doc: "number of the run"},
		Column{Name: "time_s", Unit: "s", Kind: Double, Role: "index", Doc: "since the start of the run"})
	l.sensors = len(l.columns)
	specs := specsOf(sc)
	for _, t := range tags {
		spec := specs[string(t.ID)]
		l.columns = append(l.columns, Column{Name: string(t.ID), Unit: string(t.Unit), Kind: kindOf(spec), Role: "sensor", Doc: spec.Doc})
	}
	for _, m := range machines {
		l.labels[m.Name] = len(l.columns)
		l.columns = append(l.columns, labelColumns(m, tags)...)
	}
	return l
}

// specsOf finds the description of each tag.
func specsOf(sc *scenarios.Scenario) map[string]plant.SignalSpec {
	out := map[string]plant.SignalSpec{}
	for _, k := range plant.Kinds() {
		for _, m := range sc.Machines {
			if m.Kind != k.Name {
				continue
			}
			for _, s := range k.Signals {
				out[m.Name+"/"+s.Name] = s
			}
		}
	}
	return out
}

// kindOf stores counts of whole units as integers and everything else as
// engineering units.
func kindOf(s plant.SignalSpec) Kind {
	switch {
	case s.Type == "bool":
		return Bool
	case s.Type == "double":
		return Double
	case strings.Contains(s.Type, "int") && s.Resolution == 1:
		return Int
	}
	return Float
}

func labelColumns(m record.Machine, tags []record.Tag) []Column {
	var modes, components, own, kinds []string
	for _, k := range plant.Kinds() {
		if k.Name == m.Kind {
			for _, c := range k.Components {
				components = append(components, c.Name)
				if !slices.Contains(modes, c.Mode) {
					modes = append(modes, c.Mode)
				}
			}
		}
	}
	for _, t := range tags {
		if t.Machine == m.Name {
			own = append(own, string(t.ID))
		}
	}
	for _, k := range faults.Kinds() {
		if k.Class == faults.ClassSensor {
			kinds = append(kinds, k.Name)
		}
	}
	at := "label/" + m.Name + "/"
	col := func(name, unit string, kind Kind, doc string, words []string) Column {
		return Column{Name: at + name, Unit: unit, Kind: kind, Role: "label", Doc: doc, Words: words}
	}
	return []Column{
		labMode:        col("mode", "1", Text, "failure mode from the onset to the repair; null while healthy", modes),
		labComponent:   col("component", "1", Text, "what wears out", components),
		labDamage:      col("damage", "1", Float, "latent damage, 0 new and 1 failed; null while healthy", nil),
		labRUL:         col("rul_s", "s", Float, "true time to the failure, also before the onset; null where none is to come", nil),
		labQ05:         col("rul_q05_s", "s", Float, "5 % quantile of the remaining life, given the damage and the time since the onset", nil),
		labQ50:         col("rul_q50_s", "s", Float, "its median", nil),
		labQ95:         col("rul_q95_s", "s", Float, "its 95 % quantile", nil),
		labSensorTag:   col("sensor_tag", "1", Text, "the sensor that lies; null where none does", own),
		labSensorFault: col("sensor_fault", "1", Text, "how it lies", kinds),
	}
}

// word is the number of a word, null for none.
func (c Column) word(w string) float64 {
	if i := slices.Index(c.Words, w); i >= 0 {
		return float64(i)
	}
	return null
}
