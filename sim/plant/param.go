package plant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// Param is a quantity that a scenario may set. Default, Min and Max are in
// Unit; a value is written with its unit, which may be another of the same
// dimension: "10 l/s", "600 l/min", "36 m3/h".
type Param struct {
	Name              string
	Unit              string
	Default, Min, Max float64
	Doc               string
}

// units by dimension; factor takes a value to the dimension's first unit.
var units = []struct {
	symbol, dimension string
	factor            float64
}{
	{"s", "time", 1}, {"ms", "time", 1e-3}, {"min", "time", 60}, {"h", "time", 3600},
	{"l/s", "flow", 1}, {"l/min", "flow", 1. / 60}, {"m3/h", "flow", 1 / 3.6},
	{"l", "volume", 1}, {"ml", "volume", 1e-3}, {"m3", "volume", 1000},
	{"m", "length", 1}, {"mm", "length", 1e-3},
	{"kW", "power", 1}, {"W", "power", 1e-3},
	{"%", "share", 1},
	{"/h", "rate", 1}, {"/min", "rate", 60}, {"/s", "rate", 3600},
	{"m/s", "speed", 1}, {"m/min", "speed", 1. / 60},
	{"rpm", "rotation", 1},
	{"degC", "temperature", 1},
	{"bar", "pressure", 1}, {"kPa", "pressure", 0.01},
	{"Nm", "torque", 1},
	{"m2", "area", 1},
	{"", "number", 1},
	{"kN", "force", 1},
	{"um", "length", 1e-6},
	{"kg", "mass", 1}, {"g", "mass", 1e-3},
}

func unit(symbol string) (dimension string, factor float64) {
	for _, u := range units {
		if u.symbol == symbol {
			return u.dimension, u.factor
		}
	}
	return "", 0
}

// spellings of a dimension, the parameter's own unit first.
func spellings(symbol string) []string {
	dimension, _ := unit(symbol)
	out := []string{symbol}
	for _, u := range units {
		if u.dimension == dimension && u.symbol != symbol {
			out = append(out, u.symbol)
		}
	}
	return out
}

// parse reads text as a value in p's unit.
func (p Param) parse(text string) (float64, error) {
	cut := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("+-.0123456789", r) })
	if cut < 0 {
		cut = len(text)
	}
	number, symbol := text[:cut], strings.TrimSpace(text[cut:])
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number with a unit; write it like %q", text, p.show(p.Default))
	}
	dimension, factor := unit(symbol)
	wantDimension, wantFactor := unit(p.Unit)
	if dimension != wantDimension {
		known := strings.Join(spellings(p.Unit), ", ")
		if symbol == "" {
			return 0, fmt.Errorf("%q has no unit; write it in %s, like %q", text, known, p.show(p.Default))
		}
		return 0, fmt.Errorf("%q is in the wrong unit %q; write it in %s, like %q", text, symbol, known, p.show(p.Default))
	}
	if symbol != p.Unit {
		value *= factor / wantFactor
	}
	// The comparison is written so that NaN fails it.
	if !(value >= p.Min && value <= p.Max) {
		return 0, fmt.Errorf("%q is out of range; it goes from %s to %s", text, p.show(p.Min), p.show(p.Max))
	}
	return value, nil
}

// show writes a value with p's unit.
func (p Param) show(value float64) string {
	return strings.TrimSpace(strconv.FormatFloat(value, 'g', -1, 64) + " " + p.Unit)
}

// params are the values of one machine, by name, each in its Param's unit.
type params map[string]float64

// resolve takes the defaults and what text says on top.
func resolve(table []Param, text map[string]string) (params, strict.Problems) {
	var problems strict.Problems
	values := params{}
	names := make([]string, len(table))
	for i, p := range table {
		values[p.Name], names[i] = p.Default, p.Name
	}
	given := make([]string, 0, len(text))
	for name := range text {
		given = append(given, name)
	}
	slices.Sort(given)
	for _, name := range given {
		i := slices.Index(names, name)
		if i < 0 {
			problems.AddName(name, fmt.Sprintf("unknown parameter %q; known are %s", name, strings.Join(names, ", ")), name, names)
			continue
		}
		value, err := table[i].parse(text[name])
		if err != nil {
			problems.Add(name, err.Error())
			continue
		}
		values[name] = value
	}
	return values, problems
}
