package sut

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Mapper turns messages of a SUT into samples; it is for one goroutine.
//
// A message is read by its format; body, and the items that become samples
// unless each says otherwise, are
//
//	native     a batch as this project's gateway writes it; no expressions
//	json       whatever the JSON is; one item, the body itself
//	influx     a list of lines; an item for each field of each line:
//	           {measurement, tags, fields, field, value, time}
//	sparkplug  the metrics of a Sparkplug B payload, names resolved from births:
//	           {id, value, time, quality}
//	text       the payload as a string; one item, the body itself
//
// Then, for each item: where when says false, or id is nil, there is no sample.
// value is a number, a boolean, the digits of a number, or nil, which is not a
// number and bad. time is a time or RFC 3339 text, seq a whole number, quality
// an OPC UA status code, its name, a text that holds it as 0x..., or a boolean
// that says good.
type Mapper struct {
	out     Output
	prog    program
	native  payload.Decoder
	hosts   map[string]*sparkplug.Host
	machine vm.VM
}

// Mapper compiles the table's expressions for a run.
func (c Config) Mapper(e Endpoints) (*Mapper, strict.Problems) {
	c.Defaults()
	p, ps := c.Output.compile(e)
	if len(ps) > 0 {
		return nil, ps.Under("output")
	}
	return &Mapper{out: c.Output, prog: p, hosts: map[string]*sparkplug.Host{}}, nil
}

// Topics are the filters of the messages that Decode is for.
func (m *Mapper) Topics() []string { return m.out.Topics }

// Takes tells whether a topic is one of them.
func (m *Mapper) Takes(topic string) bool {
	for _, f := range m.out.Topics {
		if matches(f, topic) {
			return true
		}
	}
	return false
}

// Decode reads one message that came at an instant. A message with an item that
// cannot be read is an error, and gives nothing.
func (m *Mapper) Decode(topic string, body []byte, at time.Time) (payload.Batch, error) {
	if m.out.Format == "native" {
		return m.native.Decode(body)
	}
	env := environment{Topic: topic, Parts: strings.Split(topic, "/"), At: at}
	items, err := m.read(&env, body)
	if err == nil && m.prog.each != nil {
		items, err = m.list(env)
	}
	if err != nil {
		return payload.Batch{}, fmt.Errorf("%s: %w", topic, err)
	}
	var b payload.Batch
	if m.out.Format == "sparkplug" {
		b.Stream, b.First = dedupKey(sparkplug.UUID(body))
	}
	for i, item := range items {
		env.Item, env.I = item, i
		s, ok, err := m.sample(env, len(b.Samples))
		if err != nil {
			return payload.Batch{}, fmt.Errorf("%s: item %d: %w", topic, i, err)
		}
		if ok {
			b.Samples = append(b.Samples, s)
		}
	}
	return b, nil
}

// read turns the bytes into a body and its items.
func (m *Mapper) read(env *environment, body []byte) (items []any, err error) {
	switch m.out.Format {
	case "json":
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber() // a float64 would blunt nanoseconds
		if err := d.Decode(&env.Body); err != nil {
			return nil, fmt.Errorf("no JSON: %w", err)
		}
		if d.More() {
			return nil, fmt.Errorf("something follows the JSON")
		}
		env.Body = numbers(env.Body)
		return []any{env.Body}, nil
	case "influx":
		if items, err = influx(body); err != nil {
			return nil, err
		}
		env.Body = items
		return items, nil
	case "sparkplug":
		items, err = m.sparkplug(env.Parts, body, env.At)
		env.Body = items
		return items, err
	}
	env.Body = string(body)
	return []any{env.Body}, nil
}

// numbers makes whole numbers ints and all others floats.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v { // order does not show: each goes to its own key
			v[key] = numbers(child)
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	}
	return v
}

// sparkplug reads spBv1.0/group/kind/node[/device].
func (m *Mapper) sparkplug(parts []string, body []byte, at time.Time) ([]any, error) {
	if len(parts) < 4 || parts[0] != "spBv1.0" {
		return nil, nil // a state, or a command
	}
	device := ""
	if len(parts) > 4 {
		device = parts[4]
	}
	key := parts[1] + "/" + parts[3]
	h := m.hosts[key]
	if h == nil {
		h = sparkplug.NewHost()
		m.hosts[key] = h
	}
	if strings.HasSuffix(parts[2], "DEATH") || strings.HasSuffix(parts[2], "CMD") {
		return nil, nil // what a death repeats was not sampled
	}
	samples, err := h.Take(parts[2], device, body, at)
	if err != nil && len(samples) == 0 {
		return nil, err
	}
	items := make([]any, len(samples))
	for i, s := range samples {
		items[i] = map[string]any{"id": string(s.ID), "value": s.Value, "time": s.SourceTime, "quality": int(s.Quality), "device": device}
	}
	return items, nil
}

// dedupKey reads the UUID of a node that keeps its dedup key there, as
// "stream/first"; any other is none.
func dedupKey(uuid string) (stream string, first uint64) {
	stream, number, ok := strings.Cut(uuid, "/")
	first, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return "", 0
	}
	return stream, first
}

// list is what each gives; nil is an empty one.
func (m *Mapper) list(env environment) ([]any, error) {
	v, err := m.machine.Run(m.prog.each, env)
	if v == nil || err != nil {
		return nil, err
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("each gives a %T, not a list", v)
	}
	items := make([]any, list.Len())
	for i := range items {
		items[i] = list.Index(i).Interface()
	}
	return items, nil
}

// sample maps one item; n samples of the message stand before it.
func (m *Mapper) sample(env environment, n int) (s signal.Sample, ok bool, err error) {
	get := func(p *vm.Program, what string) any {
		if p == nil || err != nil {
			return nil
		}
		v, e := m.machine.Run(p, env)
		if e != nil {
			err = fmt.Errorf("%s: %w", what, e)
		}
		return v
	}
	if m.prog.when != nil {
		if yes, _ := get(m.prog.when, "when").(bool); !yes {
			return s, false, err
		}
	}
	id := get(m.prog.id, "id")
	if id == nil || err != nil {
		return s, false, err
	}
	text, isText := id.(string)
	if !isText || text == "" {
		return s, false, fmt.Errorf("id is %v, not a name", id)
	}
	s.ID = signal.ID(text)
	value, at, seq, quality := get(m.prog.value, "value"), get(m.prog.time, "time"), get(m.prog.seq, "seq"), get(m.prog.quality, "quality")
	if err != nil {
		return s, false, err
	}
	if s.Value, err = number(value); err == nil {
		s.Quality, err = qualityOf(quality)
	}
	if err == nil {
		s.SourceTime, err = timeOf(at)
	}
	if err == nil {
		s.Seq, err = counter(seq)
	}
	if err != nil {
		return s, false, fmt.Errorf("%s: %w", s.ID, err)
	}
	if math.IsNaN(s.Value) && !s.Quality.IsBad() {
		s.Quality = signal.Bad
	}
	if s.SourceTime.IsZero() {
		// A nanosecond apart, or the twin would take two of a tag for one.
		s.SourceTime = env.At.Add(time.Duration(n)).In(noTime)
	}
	return s, true, nil
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case nil:
		return math.NaN(), nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(v)); err == nil && len(v) > 1 {
			return number(b)
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return 0, fmt.Errorf("the value %q is not a number", v)
		}
		return f, nil
	}
	return 0, fmt.Errorf("the value is a %T, not a number", v)
}

// counter is a scan counter, 0 where there is none.
func counter(v any) (uint64, error) {
	if v == nil {
		return 0, nil
	}
	if u, ok := v.(uint64); ok {
		return u, nil
	}
	f, err := number(v)
	if err != nil || math.IsNaN(f) || f < 0 || f != math.Trunc(f) || f > 1<<53 {
		return 0, fmt.Errorf("seq is %v, not a counter", v)
	}
	return uint64(f), nil
}

func timeOf(v any) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return v.UTC(), nil
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return t, fmt.Errorf("time is %q, not RFC 3339; unixms(...) and its like read numbers", v)
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("time is %v, a %T; say its unit, as in unixms(item.t)", v, v)
}

// epoch is a count of units since 1970, whole or not, or its digits.
func epoch(v any, unit time.Duration) (any, error) {
	var whole int64
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int:
		whole = int64(v)
	case int64:
		whole = v
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return nil, fmt.Errorf("%q is not a number of %s since 1970", v, unit)
			}
			return epoch(f, unit)
		}
		whole = n
	case float64:
		sec, part := math.Modf(v * unit.Seconds())
		if math.IsNaN(sec) || math.Abs(sec) > 1<<40 {
			return nil, fmt.Errorf("%v is not a number of %s since 1970", v, unit)
		}
		return time.Unix(int64(sec), int64(part*1e9)), nil
	default:
		return nil, fmt.Errorf("%v is a %T, not a number of %s since 1970", v, v, unit)
	}
	per := int64(time.Second / unit)
	return time.Unix(whole/per, whole%per*int64(unit)), nil
}

var hexCode = regexp.MustCompile(`0[xX][0-9a-fA-F]{1,8}`)

// qualityOf is Good for what says nothing.
func qualityOf(v any) (signal.Quality, error) {
	switch v := v.(type) {
	case nil:
		return signal.Good, nil
	case bool:
		if v {
			return signal.Good, nil
		}
		return signal.Bad, nil
	case int:
		if v < 0 || v > math.MaxUint32 {
			return 0, fmt.Errorf("quality is %d, not a status code", v)
		}
		return signal.Quality(v), nil
	case float64:
		return qualityOf(int(v))
	case string:
		if code := hexCode.FindString(v); code != "" {
			n, err := strconv.ParseUint(code[2:], 16, 32)
			return signal.Quality(n), err
		}
		if n, err := strconv.ParseUint(v, 10, 32); err == nil {
			return signal.Quality(n), nil
		}
		for _, q := range qualities {
			if strings.EqualFold(v, q.String()) || strings.EqualFold(v, strings.TrimSuffix(q.String(), "Value")) {
				return q, nil
			}
		}
		return named(v)
	}
	return 0, fmt.Errorf("quality is a %T, not a status", v)
}

var qualities = []signal.Quality{signal.Good, signal.UncertainLastUsable, signal.UncertainNoCommunicationLastUsable, signal.UncertainSensorNotAccurate,
	signal.BadCommunicationError, signal.BadWaitingForInitialData, signal.BadNoCommunication, signal.BadNotConnected, signal.BadDeviceFailure,
	signal.BadSensorFailure, signal.BadOutOfService, signal.BadOutOfRange}

// named reads the severity that a status's name begins with.
func named(v string) (signal.Quality, error) {
	switch s := strings.ToLower(v); {
	case s == "ok" || strings.HasPrefix(s, "good"):
		return signal.Good, nil
	case strings.HasPrefix(s, "uncertain"):
		return signal.Uncertain, nil
	case strings.HasPrefix(s, "bad"):
		return signal.Bad, nil
	}
	return 0, fmt.Errorf("quality is %q, not a status", v)
}
