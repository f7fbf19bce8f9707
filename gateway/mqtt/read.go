package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// reader turns messages into samples. It is a function of what it was given,
// and remembers the births of Sparkplug nodes.
type reader struct {
	own  payload.Decoder
	born map[string]*sparkplug.Host // by group/node
}

func newReader() *reader { return &reader{born: map[string]*sparkplug.Host{}} }

// errUnborn is for data of a node whose birth was not heard.
var errUnborn = errors.New("its birth was not heard; asked for it")

func (r *reader) read(t SourceTopic, topic string, text []byte, now time.Time) ([]signal.Sample, error) {
	switch t.Format {
	case FormatPlantbed:
		return r.batch(t.Prefix, text)
	case FormatSparkplug:
		return r.sparkplug(t.Prefix, topic, text, now)
	}
	return plainJSON(t, topic, text, now)
}

func (r *reader) sparkplug(prefix, topic string, text []byte, now time.Time) ([]signal.Sample, error) {
	p := strings.Split(topic, "/")
	if len(p) < 4 || p[0] != "spBv1.0" {
		return nil, nil // STATE, or not Sparkplug at all
	}
	node := p[1] + "/" + p[3]
	h := r.born[node]
	if h == nil {
		h = sparkplug.NewHost()
		r.born[node] = h
	}
	device := ""
	if len(p) > 4 {
		device = p[4]
	}
	samples, err := h.Take(p[2], device, text, now)
	if errors.Is(err, sparkplug.ErrUnborn) {
		err = errUnborn
	}
	at := prefix + node + "/"
	if device != "" {
		at += device + "/"
	}
	for i := range samples {
		samples[i].ID = signal.ID(at) + samples[i].ID
	}
	return samples, err
}

func rebirthCommand(group, node string) *paho.Publish {
	return &paho.Publish{QoS: 0, Topic: sparkplug.Topic(group, "NCMD", node), Payload: sparkplug.RebirthCommand()}
}

func readPassword(file string) ([]byte, error) {
	p, err := os.ReadFile(file)
	return bytes.TrimRight(p, "\r\n"), err
}

// plainJSON makes a sample of every number and boolean.
func plainJSON(t SourceTopic, topic string, text []byte, now time.Time) (out []signal.Sample, err error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	at := now
	if o, ok := v.(map[string]any); ok && t.Time != "" {
		if at, err = sourceTime(o[t.Time]); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Time, err)
		}
		delete(o, t.Time)
	}
	flatten(t.Prefix+topic, v, func(id string, x float64) {
		out = append(out, signal.Sample{ID: signal.ID(id), Value: x, SourceTime: at})
	})
	return out, nil
}

func sourceTime(v any) (time.Time, error) {
	switch x := v.(type) {
	case string:
		t, err := time.Parse(time.RFC3339Nano, x)
		return t.UTC(), err
	case json.Number:
		ms, err := strconv.ParseFloat(string(x), 64)
		return time.UnixMicro(int64(ms * 1000)).UTC(), err
	}
	return time.Time{}, errors.New("no time there")
}

func flatten(id string, v any, each func(string, float64)) {
	switch x := v.(type) {
	case json.Number:
		if f, err := x.Float64(); err == nil {
			each(id, f)
		}
	case bool:
		f := 0.0
		if x {
			f = 1
		}
		each(id, f)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			flatten(id+"/"+k, x[k], each)
		}
	case []any:
		for i := range x {
			flatten(id+"/"+strconv.Itoa(i), x[i], each)
		}
	}
}
