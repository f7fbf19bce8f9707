package dataset

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// parquetWriter writes tables as row groups, one each.
//
//	column of a table ──► 1,024 parquet.Values at a time ──► page ──► row group
type parquetWriter struct {
	w       *parquet.GenericWriter[any]
	group   *parquet.ConcurrentRowGroupWriter
	columns []Column
	buf     []parquet.Value
	nulls   [][]parquet.Value // by column
}

// chunk is how many values are handed over at a time.
const chunk = 1024

// ordered is a group whose columns stay in their order; the library's own
// sorts them by name.
type ordered struct {
	parquet.Group
	names []string
}

func (g ordered) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	out := make([]parquet.Field, len(g.names))
	for i, n := range g.names {
		out[i] = byName[n]
	}
	return out
}

// fast is light compression: sensor values are mostly noise, which no effort
// makes smaller.
var fast = &zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}

func nodeOf(c Column) parquet.Node {
	n := parquet.Node(nil)
	switch c.Kind {
	case Float:
		n = parquet.Encoded(parquet.Leaf(parquet.FloatType), &parquet.ByteStreamSplit)
	case Double:
		n = parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.ByteStreamSplit)
	case Int:
		n = parquet.Encoded(parquet.Leaf(parquet.Int32Type), &parquet.DeltaBinaryPacked)
	case Bool:
		n = parquet.Leaf(parquet.BooleanType)
	case Text:
		n = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	n = parquet.Compressed(n, fast)
	if c.Role != "index" {
		n = parquet.Optional(n)
	}
	return n
}

// newParquet begins a file. Units, roles and descriptions of the columns
// stand in its metadata under "plantbed.columns", as JSON.
func newParquet(out io.Writer, name string, columns []Column, version string) (*parquetWriter, error) {
	g := ordered{Group: parquet.Group{}}
	for _, c := range columns {
		g.Group[c.Name] = nodeOf(c)
		g.names = append(g.names, c.Name)
	}
	about, err := json.Marshal(columns)
	if err != nil {
		return nil, err
	}
	p := &parquetWriter{columns: columns, buf: make([]parquet.Value, chunk)}
	p.w = parquet.NewGenericWriter[any](out, parquet.NewSchema(name, g), parquet.CreatedBy("plantbed", version, ""),
		parquet.PageBufferSize(1<<20), parquet.DataPageStatistics(false),
		parquet.KeyValueMetadata("plantbed.schema", Schema), parquet.KeyValueMetadata("plantbed.columns", string(about)))
	p.group = p.w.BeginRowGroup()
	for i, c := range columns {
		nulls := make([]parquet.Value, 0)
		if c.Role != "index" {
			nulls = make([]parquet.Value, chunk)
			for k := range nulls {
				nulls[k] = parquet.NullValue().Level(0, 0, i)
			}
		}
		p.nulls = append(p.nulls, nulls)
	}
	return p, nil
}

// write adds a table as one row group.
func (p *parquetWriter) write(t *Table) error {
	for i, cw := range p.group.ColumnWriters() {
		var err error
		if t.Blank[i] {
			err = p.blank(cw, i, t.Rows)
		} else {
			err = p.column(cw, i, t.Values[i][:t.Rows])
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", p.columns[i].Name, err)
		}
	}
	_, err := p.group.Commit()
	return err
}

func (p *parquetWriter) blank(cw *parquet.ColumnWriter, i, rows int) error {
	for rows > 0 {
		n := min(rows, chunk)
		if _, err := cw.WriteRowValues(p.nulls[i][:n]); err != nil {
			return err
		}
		rows -= n
	}
	return nil
}

func (p *parquetWriter) column(cw *parquet.ColumnWriter, i int, values []float64) error {
	for len(values) > 0 {
		n := min(len(values), chunk)
		p.fill(i, values[:n])
		if _, err := cw.WriteRowValues(p.buf[:n]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// fill turns numbers into values of the column's type.
func (p *parquetWriter) fill(i int, values []float64) {
	c, buf := p.columns[i], p.buf
	there := 1
	if c.Role == "index" {
		there = 0
	}
	for k, v := range values {
		x := parquet.NullValue()
		if isNull(v) {
			buf[k] = x.Level(0, 0, i)
			continue
		}
		switch c.Kind {
		case Float:
			x = parquet.FloatValue(float32(v))
		case Double:
			x = parquet.DoubleValue(v)
		case Int:
			x = parquet.Int32Value(int32(v))
		case Bool:
			x = parquet.BooleanValue(v != 0)
		case Text:
			x = parquet.ByteArrayValue([]byte(c.Words[int(v)]))
		}
		buf[k] = x.Level(0, there, i)
	}
}

func (p *parquetWriter) close() error { return p.w.Close() }

// burstRow is a row of bursts-*.parquet.
type burstRow struct {
	Run       int32     `parquet:"run"`
	TimeS     float64   `parquet:"time_s"`
	Machine   string    `parquet:"machine,dict"`
	Component string    `parquet:"component,dict"`
	RateHz    float32   `parquet:"rate_hz"`
	ShaftHz   float32   `parquet:"shaft_hz"`
	Race      string    `parquet:"label_race,dict"`
	Damage    float32   `parquet:"label_damage"`
	Samples   []float32 `parquet:"samples_g,list"`
}

// burstWriter writes waveforms, a row group per run.
type burstWriter struct {
	w *parquet.GenericWriter[burstRow]
}

func newBursts(out io.Writer, version string) burstWriter {
	return burstWriter{parquet.NewGenericWriter[burstRow](out, parquet.CreatedBy("plantbed", version, ""), parquet.Compression(fast),
		parquet.DataPageStatistics(false), parquet.KeyValueMetadata("plantbed.schema", Schema),
		parquet.KeyValueMetadata("plantbed.columns", `[{"name":"samples_g","unit":"g"},{"name":"rate_hz","unit":"Hz"},{"name":"shaft_hz","unit":"Hz"},{"name":"time_s","unit":"s"}]`))}
}

func (b burstWriter) write(run int, bursts []Burst) error {
	rows := make([]burstRow, len(bursts))
	for i, r := range bursts {
		rows[i] = burstRow{int32(run), r.AtS, r.Machine, r.Component, float32(r.RateHz), float32(r.ShaftHz), r.Race, float32(r.Damage), r.Samples}
	}
	if _, err := b.w.Write(rows); err != nil {
		return err
	}
	return b.w.Flush()
}

func (b burstWriter) close() error { return b.w.Close() }

// eventRow is a row of events.parquet.
type eventRow struct {
	Run       int32   `parquet:"run"`
	TimeS     float64 `parquet:"time_s"`
	Machine   string  `parquet:"machine,dict"`
	Kind      string  `parquet:"kind,dict"`
	Component string  `parquet:"component,dict"`
	Mode      string  `parquet:"mode,dict"`
	State     int32   `parquet:"state"`
	Detail    string  `parquet:"detail"`
}

func newEvents(out io.Writer, version string) *parquet.GenericWriter[eventRow] {
	return parquet.NewGenericWriter[eventRow](out, parquet.CreatedBy("plantbed", version, ""), parquet.Compression(fast), parquet.DataPageStatistics(false))
}

func eventRows(run int, events []Event) []eventRow {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		rows[i] = eventRow{int32(run), e.AtS, e.Machine, e.Kind, e.Component, e.Mode, int32(e.State), strings.TrimSpace(e.Detail)}
	}
	return rows
}
