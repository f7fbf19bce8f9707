package sut

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

var came = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// shown is a sample on a line; a time that was not told is a dash.
func shown(s signal.Sample) string {
	at := "-"
	if HasTime(s) {
		at = s.SourceTime.Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%s=%v seq %d at %s %s", s.ID, s.Value, s.Seq, at, s.Quality)
}

// Payloads as gateways of several makers write them, and what they mean.
func TestPayloads(t *testing.T) {
	json := func(o Output) Output { o.Topics, o.Format = []string{"#"}, "json"; return o }
	for _, c := range []struct {
		name  string
		out   Output
		topic string
		body  string
		want  []string
	}{
		{"one value, its tag in the topic", json(Output{ID: `join(parts[1:], "/")`, Value: "body"}), "site/pump/motor/current", "12.5",
			[]string{"pump/motor/current=12.5 seq 0 at - Good"}},
		{"an object, with everything", json(Output{ID: "body.tag", Value: "body.v", Time: "unixns(body.t)", Seq: "body.n", Quality: "body.q"}), "x",
			`{"tag":"a/b","v":3,"t":1700000000123456700,"n":17,"q":"BadSensorFailure"}`,
			[]string{"a/b=3 seq 17 at 2023-11-14T22:13:20.1234567Z BadSensorFailure"}},
		{"a list inside", json(Output{Each: "body.metrics", ID: "item.name", Value: "item.value", Time: "unixms(item.timestamp)"}), "x",
			`{"timestamp":1,"metrics":[{"name":"a","timestamp":1700000000500,"value":true},{"name":"b","timestamp":1700000001500,"value":"2.5"}]}`,
			[]string{"a=1 seq 0 at 2023-11-14T22:13:20.5Z Good", "b=2.5 seq 0 at 2023-11-14T22:13:21.5Z Good"}},
		{"an object whose keys are tags", json(Output{Each: "toPairs(body.values)", ID: "tag(item[0])", Value: "item[1] * scale(tag(item[0]))", Time: "body.time"}), "x",
			`{"time":"2026-01-02T03:04:04.25Z","values":{"oven_zone_1_temp":815,"unknown":1}}`,
			[]string{"oven/zone-1/temp=81.5 seq 0 at 2026-01-02T03:04:04.25Z Good"}},
		{"a node id for a name", json(Output{ID: "tag(body.NodeId)", Value: "body.Value.Value", Time: "body.Value.SourceTimestamp", Quality: "body.Value.StatusCode ?? 0"}), "x",
			`{"NodeId":"ns=2;s=pump/motor/current","Value":{"Value":7,"SourceTimestamp":"2026-01-02T03:04:04.1234567Z","StatusCode":2156724224}}`,
			[]string{"pump/motor/current=7 seq 0 at 2026-01-02T03:04:04.1234567Z BadOutOfService"}},
		{"some are not samples", json(Output{When: `body.kind == "value"`, ID: "body.id", Value: "body.v"}), "x", `{"kind":"hello"}`, nil},
		{"no value is a bad one", json(Output{ID: "body.id", Value: "body.v"}), "x", `{"id":"a","v":null}`, []string{"a=NaN seq 0 at - 0x80000000"}},
		{"influx, several fields and a counter", Output{Topics: []string{"#"}, Format: "influx", When: `item.field != "scan"`, ID: "tag(item.field)", Seq: "item.fields.scan", Time: "nil"}, "x",
			"modbus,name=plc\\ b,host=h oven_zone_1_temp=20.5,scan=42i 1700000000123456789\n",
			[]string{"oven/zone-1/temp=20.5 seq 42 at - Good"}},
		{"influx, tags, strings and times", Output{Topics: []string{"#"}, Format: "influx", When: `item.field == "value"`, ID: `item.tags["id"]`, Quality: "item.fields.status"}, "x",
			"opcua,id=a/b value=1,status=\"OK, 0x0 \\\" \" 1700000000000000000\nopcua,id=c\\,d value=true,status=\"0x80000000\" 1700000001000000000",
			[]string{"a/b=1 seq 0 at 2023-11-14T22:13:20Z Good", "c,d=1 seq 0 at 2023-11-14T22:13:21Z 0x80000000"}},
		{"text", Output{Topics: []string{"#"}, Format: "text", ID: "parts[0]", Value: `split(body, ";")[0]`, Time: `unixms(split(body, ";")[1])`}, "a", "1.5;1700000000500",
			[]string{"a=1.5 seq 0 at 2023-11-14T22:13:20.5Z Good"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, ps := Config{Kind: Process, Output: c.out}.Mapper(example)
			if len(ps) > 0 {
				t.Fatal(ps)
			}
			b, err := m.Decode(c.topic, []byte(c.body), came)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range b.Samples {
				got = append(got, shown(s))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// Sparkplug B names its metrics at birth and calls them by number after that.
func TestSparkplug(t *testing.T) {
	n := sparkplug.NewNode("g", "n", []signal.ID{"a/b"})
	m, ps := Config{Output: Output{Topics: []string{"spBv1.0/#"}, Format: "sparkplug"}}.Mapper(example)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if _, err := m.Decode(n.Topic("NBIRTH"), n.Birth(came), came); err != nil {
		t.Fatal(err)
	}
	s := signal.Sample{ID: "a/b", Value: 2.5, SourceTime: came.Add(time.Second)}
	b, err := m.Decode(n.Topic("NDATA"), n.Data(nil, []signal.Sample{s}, false, "", came), came)
	if err != nil || len(b.Samples) != 1 || shown(b.Samples[0]) != "a/b=2.5 seq 0 at 2026-01-02T03:04:06Z Good" {
		t.Errorf("%v, %v", b.Samples, err)
	}
}

// The native format is the gateway's own, dedup keys and all.
func TestNative(t *testing.T) {
	want := payload.Batch{Gateway: "g", Stream: "s", First: 7, Samples: []signal.Sample{{ID: "a", Seq: 1, Value: 2, SourceTime: came}}}
	m, ps := Config{}.Mapper(example)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	got, err := m.Decode("plantbed/g/data", payload.Append(nil, want), came)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if !m.Takes("plantbed/g/data") || m.Takes("plantbed/g/status") {
		t.Error("takes the wrong topics")
	}
}

// What cannot be read says why, and gives nothing.
func TestUnreadable(t *testing.T) {
	for _, c := range []struct {
		out        Output
		body, want string
	}{
		{Output{Format: "json", ID: "body.id", Value: "body.v"}, "{", "no JSON"},
		{Output{Format: "json", ID: "body.id", Value: "body.v"}, "1 2", "something follows"},
		{Output{Format: "json", ID: "body.id", Value: "body.v"}, "3", "cannot fetch id"},
		{Output{Format: "json", ID: "body.id", Value: "body.v"}, `{"id":7,"v":1}`, "id is 7, not a name"},
		{Output{Format: "json", ID: "body.id", Value: "body.v"}, `{"id":"a","v":"x"}`, `a: the value "x" is not a number`},
		{Output{Format: "json", ID: "body.id", Value: "body.v", Time: "body.t"}, `{"id":"a","v":1,"t":1700000000}`, "say its unit"},
		{Output{Format: "json", ID: "body.id", Value: "body.v", Time: "body.t"}, `{"id":"a","v":1,"t":"noon"}`, "not RFC 3339"},
		{Output{Format: "json", ID: "body.id", Value: "body.v", Seq: "body.n"}, `{"id":"a","v":1,"n":-1}`, "not a counter"},
		{Output{Format: "json", ID: "body.id", Value: "body.v", Quality: "body.q"}, `{"id":"a","v":1,"q":"fine"}`, "not a status"},
		{Output{Format: "json", Each: "body.id", ID: "item", Value: "1"}, `{"id":"a"}`, "not a list"},
		{Output{Format: "influx"}, "a b", "is not a field"},
		{Output{Format: "influx"}, "a b=1 noon", "is not a timestamp"},
	} {
		c.out.Topics = []string{"#"}
		m, ps := Config{Kind: Process, Output: c.out}.Mapper(example)
		if len(ps) > 0 {
			t.Fatal(ps)
		}
		b, err := m.Decode("x/y", []byte(c.body), came)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x/y: ") || b.Samples != nil {
			t.Errorf("%s: %v, %v; want %q", c.body, b, err, c.want)
		}
	}
}

func TestTopicFilters(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"#", "a/b", true}, {"a/#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "ab", false}, {"a/+", "a/b", true}, {"a/+", "a/b/c", false},
		{"+/b", "a/b", true}, {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false}, {"a", "a", true}, {"a", "a/b", false}, {"a/b", "a", false}, {"a/+", "a/", true},
	} {
		if got := matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s on %s: %v", c.filter, c.topic, got)
		}
	}
}

func TestEpochKeepsNanoseconds(t *testing.T) {
	for _, c := range []struct {
		v    any
		unit time.Duration
		want int64
	}{
		{1700000000123456789, time.Nanosecond, 1700000000123456789},
		{"1700000000123456789", time.Nanosecond, 1700000000123456789},
		{1700000000123, time.Millisecond, 1700000000123000000},
		{1700000000.5, time.Second, 1700000000500000000},
		{"1.5", time.Second, 1500000000},
		{-1, time.Second, -1000000000},
	} {
		v, err := epoch(c.v, c.unit)
		if got, ok := v.(time.Time); err != nil || !ok || got.UnixNano() != c.want {
			t.Errorf("%v %s: %v, %v", c.v, c.unit, v, err)
		}
	}
	if _, err := epoch(math.NaN(), time.Second); err == nil {
		t.Error("NaN is a time")
	}
}

// No payload whatever ends the tap.
func FuzzDecode(f *testing.F) {
	f.Add("a/b", []byte(`{"id":"a","v":1}`))
	f.Add("spBv1.0/g/NDATA/n", []byte{0x10, 1})
	f.Add("x", []byte("m,t=a f=1i,g=\"x\\\"\" 17"))
	var ms []*Mapper
	for _, o := range []Output{
		{Format: "json", Each: "body.metrics ?? [body]", ID: "item.id", Value: "item.v", Time: "unixms(item.t)", Seq: "item.n", Quality: "item.q"},
		{Format: "influx"}, {Format: "sparkplug"}, {Format: "native"},
		{Format: "text", ID: "topic", Value: "body"},
	} {
		o.Topics = []string{"#"}
		m, ps := Config{Kind: Process, Output: o}.Mapper(example)
		if len(ps) > 0 {
			f.Fatal(ps)
		}
		ms = append(ms, m)
	}
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		for _, m := range ms {
			b, err := m.Decode(topic, body, came)
			if err != nil && len(b.Samples) > 0 {
				t.Error("an error, and samples")
			}
			for _, s := range b.Samples {
				if s.ID == "" && m.out.Format != "native" {
					t.Error("a sample of nothing")
				}
			}
		}
	})
}
