package sut

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// program is the compiled expressions of an Output; nil where there is none.
type program struct {
	each, when, id, value, time, seq, quality *vm.Program
}

// defaultsOf are the expressions of a format that a table leaves out.
func defaultsOf(format string) Output {
	switch format {
	case "influx":
		return Output{ID: "item.field", Value: "item.value", Time: "item.time"}
	case "sparkplug":
		return Output{ID: "item.id", Value: "item.value", Time: "item.time", Quality: "item.quality"}
	}
	return Output{}
}

// compile checks the table and compiles its expressions for a run.
func (o Output) compile(e Endpoints) (program, strict.Problems) {
	var ps strict.Problems
	var p program
	for i, t := range o.Topics {
		if err := checkFilter(t); err != nil {
			ps.Add(fmt.Sprintf("topics[%d]", i), err.Error())
		}
	}
	if len(o.Topics) == 0 {
		ps.Add("topics", "the output needs topics, such as [\"plant/#\"]")
	}
	known := false
	for _, f := range formats {
		known = known || f == o.Format
	}
	if !known {
		ps.AddName("format", fmt.Sprintf("there is no format %q", o.Format), o.Format, formats)
		return p, ps
	}
	d := defaultsOf(o.Format)
	fns := append(functionsOf(e), expr.Env(environment{}))
	for _, x := range []struct {
		path, text, otherwise string
		into                  **vm.Program
		opts                  []expr.Option
	}{
		{"each", o.Each, "", &p.each, nil},
		{"when", o.When, "", &p.when, []expr.Option{expr.AsBool()}},
		{"id", o.ID, d.ID, &p.id, nil},
		{"value", o.Value, d.Value, &p.value, nil},
		{"time", o.Time, d.Time, &p.time, nil},
		{"seq", o.Seq, "", &p.seq, nil},
		{"quality", o.Quality, d.Quality, &p.quality, nil},
	} {
		text := x.text
		if o.Format == "native" {
			if text != "" {
				ps.Addf(x.path, "the native format says this itself; leave the key out")
			}
			continue
		}
		if text == "" {
			text = x.otherwise
		}
		if text == "" {
			if x.path == "id" || x.path == "value" {
				ps.Addf(x.path, "the %s format needs an expression for the %s", o.Format, x.path)
			}
			continue
		}
		prog, err := expr.Compile(text, append(fns, x.opts...)...)
		if err != nil {
			ps.Add(x.path, strings.TrimSpace(err.Error()))
			continue
		}
		*x.into = prog
	}
	return p, ps
}

// environment is what expressions see.
type environment struct {
	// Topic is the message's, Parts its levels.
	Topic string   `expr:"topic"`
	Parts []string `expr:"parts"`
	// Body is the whole message, Item one element of it and I its index; both
	// as the format has it.
	Body any `expr:"body"`
	Item any `expr:"item"`
	I    int `expr:"i"`
	// At is when it came.
	At time.Time `expr:"at"`
}

// functionsOf are the functions of expressions.
//
//	unix(n) unixms(n) unixus(n) unixns(n)   a time, of a number or its digits
//	rfc3339(s)                              a time
//	tag(s)                                  the id of a tag by its id, its slug or its node id; nil where there is none
//	scale(id)                               engineering units per raw count
func functionsOf(e Endpoints) []expr.Option {
	ids, scales := map[string]string{}, map[string]float64{}
	for _, p := range e.PLCs {
		for _, t := range p.Tags {
			id := string(t.ID)
			scales[id] = t.Scale
			ids[id], ids[slug(id)] = id, id
			if t.Node != "" {
				ids[t.Node] = id
			}
		}
	}
	out := []expr.Option{
		expr.Function("tag", func(args ...any) (any, error) {
			s, _ := args[0].(string)
			if id, ok := ids[s]; ok {
				return id, nil
			}
			return nil, nil
		}, new(func(string) any), new(func(any) any)),
		expr.Function("scale", func(args ...any) (any, error) {
			s, _ := args[0].(string)
			if k, ok := scales[s]; ok {
				return k, nil
			}
			return 1.0, nil
		}, new(func(string) float64), new(func(any) float64)),
		expr.Function("rfc3339", func(args ...any) (any, error) {
			if args[0] == nil {
				return nil, nil
			}
			s, _ := args[0].(string)
			return time.Parse(time.RFC3339Nano, s)
		}, new(func(any) any)),
	}
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"unix", time.Second}, {"unixms", time.Millisecond}, {"unixus", time.Microsecond}, {"unixns", time.Nanosecond}} {
		out = append(out, expr.Function(u.name, func(args ...any) (any, error) { return epoch(args[0], u.unit) }, new(func(any) any)))
	}
	return out
}

// checkFilter says what is wrong with an MQTT topic filter.
func checkFilter(f string) error {
	levels := strings.Split(f, "/")
	for i, l := range levels {
		switch {
		case f == "":
			return fmt.Errorf("a topic filter must not be empty")
		case l == "#" && i == len(levels)-1, l == "+":
		case strings.ContainsAny(l, "#+\x00"):
			return fmt.Errorf("%q is no topic filter: + stands for a whole level, # for all that follow, at the end", f)
		}
	}
	return nil
}

// matches tells whether a topic is one of those that a filter means.
func matches(filter, topic string) bool {
	for {
		f, frest, fmore := strings.Cut(filter, "/")
		t, trest, tmore := strings.Cut(topic, "/")
		switch {
		case f == "#":
			return true
		case f != "+" && f != t:
			return false
		case !fmore && !tmore:
			return true
		case fmore && !tmore:
			return frest == "#"
		case !fmore:
			return false
		}
		filter, topic = frest, trest
	}
}

// noTime marks the source time of a sample that carried none: it is the instant
// at which it came, in this location.
var noTime = time.FixedZone("not told", 0)

// HasTime tells whether a sample of a Mapper carried its source time.
func HasTime(s signal.Sample) bool { return s.SourceTime.Location() != noTime }
