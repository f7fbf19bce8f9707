package faults

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// unit is a way of writing a quantity; factor takes it to the quantity's own.
type unit struct {
	name   string
	factor float64
}

// quantity is a sort of value that is written with its unit, with or without a
// space between.
type quantity struct {
	noun    string
	example string
	units   []unit
}

var (
	// percent becomes a plain ratio.
	percent = quantity{"a percentage", "-5 %", []unit{{"%", 0.01}}}
	// percentRate becomes a ratio per second.
	percentRate = quantity{"a rate of change", "2 %/h", []unit{
		{"%/s", 0.01}, {"%/min", 0.01 / 60}, {"%/h", 0.01 / 3600}, {"%/d", 0.01 / 86400}}}
	// bandwidth becomes bytes per second.
	bandwidth = quantity{"a bandwidth", "64 KiB/s", []unit{
		{"B/s", 1}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"KiB/s", 1 << 10}, {"MiB/s", 1 << 20},
		{"bit/s", 1. / 8}, {"kbit/s", 1e3 / 8}, {"Mbit/s", 1e6 / 8}, {"Gbit/s", 1e9 / 8}}}
	// ppm becomes a ratio, which for a clock is seconds per second.
	ppm = quantity{"a clock's drift", "50 ppm", []unit{{"ppm", 1e-6}, {"s/d", 1. / 86400}}}
)

// parse reads text in the quantity's own unit.
func (q quantity) parse(text string) (float64, error) {
	number := strings.TrimRight(text, "%/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	name := text[len(number):]
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	i := slices.IndexFunc(q.units, func(u unit) bool { return u.name == name })
	if i >= 0 {
		v *= q.units[i].factor
	}
	if err != nil || i < 0 || math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(number, "xX_") {
		return 0, fmt.Errorf("%q is not %s; write a number with its unit, such as %q (units: %s)", text, q.noun, q.example, q.unitList())
	}
	return v, nil
}

func (q quantity) unitList() string {
	names := make([]string, len(q.units))
	for i, u := range q.units {
		names[i] = u.name
	}
	return strings.Join(names, ", ")
}

// value is parse for text that check has seen; anything else is 0.
func (q quantity) value(text string) float64 {
	v, _ := q.parse(text)
	return v
}

// check adds a problem unless text is empty (then it is missing, or not
// needed) or a quantity that ok accepts; want says in words what ok wants.
func (q quantity) check(ps *strict.Problems, key, text string, ok func(float64) bool, want string) {
	if text == "" {
		return
	}
	v, err := q.parse(text)
	switch {
	case err != nil:
		ps.Add(key, err.Error())
	case !ok(v):
		ps.Addf(key, "%q is not %s", text, want)
	}
}

func nonZero(v float64) bool  { return v != 0 }
func positive(v float64) bool { return v > 0 }

// notNegative is for durations; that they are there is checked already.
func notNegative(ps *strict.Problems, key string, d strict.Duration) {
	if d < 0 {
		ps.Addf(key, "%v is negative", d)
	}
}
