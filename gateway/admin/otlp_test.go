package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// request is what a collector reads of an ExportMetricsServiceRequest.
type request struct {
	ResourceMetrics []struct {
		Resource struct {
			Attributes []attribute `json:"attributes"`
		} `json:"resource"`
		ScopeMetrics []struct {
			Metrics []struct {
				Name string `json:"name"`
				Sum  *struct {
					DataPoints             []point `json:"dataPoints"`
					AggregationTemporality int     `json:"aggregationTemporality"`
					IsMonotonic            bool    `json:"isMonotonic"`
				} `json:"sum"`
				Gauge *struct {
					DataPoints []point `json:"dataPoints"`
				} `json:"gauge"`
			} `json:"metrics"`
		} `json:"scopeMetrics"`
	} `json:"resourceMetrics"`
}

type attribute struct {
	Key   string `json:"key"`
	Value struct {
		StringValue string `json:"stringValue"`
	} `json:"value"`
}

type point struct {
	Attributes        []attribute `json:"attributes"`
	StartTimeUnixNano string      `json:"startTimeUnixNano"`
	TimeUnixNano      string      `json:"timeUnixNano"`
	AsDouble          float64     `json:"asDouble"`
}

// TestPush: a collector gets counters as sums and the rest as gauges, again and
// again, also after it has refused some.
func TestPush(t *testing.T) {
	got, n := make(chan request, 10), 0
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 2 {
			http.Error(w, "full", http.StatusServiceUnavailable)
			return
		}
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/metrics" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v %v %v", err, r.URL, r.Header)
		}
		select {
		case got <- q:
		default:
		}
	}))
	defer collector.Close()
	m := NewMetrics([]string{"plc-1"})
	m.Received.Add(20)
	m.Alarm("certificate of plc-1", "runs out")
	cfg := Config{OTLP: collector.URL + "/v1/metrics", OTLPEvery: strict.Duration(3 * time.Millisecond)}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- Push(ctx, cfg, "edge-1", m, nil) }()
	<-got
	q := <-got
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
	if len(q.ResourceMetrics) != 1 || q.ResourceMetrics[0].Resource.Attributes[1].Value.StringValue != "edge-1" {
		t.Fatalf("%+v", q)
	}
	seen := map[string]float64{}
	for _, f := range q.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		points := []point(nil)
		if f.Sum != nil {
			points = f.Sum.DataPoints
			if f.Sum.AggregationTemporality != 2 || !f.Sum.IsMonotonic || points[0].StartTimeUnixNano == "" {
				t.Errorf("%+v", f)
			}
		} else {
			points = f.Gauge.DataPoints
		}
		for _, p := range points {
			key := f.Name
			for _, a := range p.Attributes {
				key += " " + a.Value.StringValue
			}
			seen[key] = p.AsDouble
			if ns, err := strconv.ParseInt(p.TimeUnixNano, 10, 64); err != nil || time.Since(time.Unix(0, ns)) > time.Minute {
				t.Errorf("%s at %s", key, p.TimeUnixNano)
			}
		}
	}
	for key, want := range map[string]float64{"plantbed_gateway_samples_total received": 20, "plantbed_gateway_source_up plc-1": 0, "plantbed_gateway_alarm certificate of plc-1": 1} {
		if v, ok := seen[key]; !ok || v != want {
			t.Errorf("%s is %v, want %v; there are %v", key, v, want, seen)
		}
	}
}

func TestOTLPConfig(t *testing.T) {
	for url, ok := range map[string]bool{"": true, "http://127.0.0.1:4318/v1/metrics": true, "https://c/v1/metrics": true, "127.0.0.1:4318": false, "grpc://c:4317": false} {
		if ps := (Config{OTLP: url}).Validate(); (len(ps) == 0) != ok {
			t.Errorf("%q: %v", url, ps)
		}
	}
}
