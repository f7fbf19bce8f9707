package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Push sends the metrics to an OpenTelemetry collector until ctx ends: OTLP over
// HTTP in its JSON form (OpenTelemetry protocol 1.x, "POST /v1/metrics"), the same
// names and labels as on /metrics. A collector that is away is told of in the
// log once, and costs nothing else. Without an address it only waits.
func Push(ctx context.Context, cfg Config, service string, m *Metrics, log *slog.Logger) error {
	if cfg.OTLP == "" {
		<-ctx.Done()
		return nil
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	begun, failing := time.Now(), false
	every := time.NewTicker(cfg.OTLPEvery.D())
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		err := push(ctx, client, cfg.OTLP, registry, service, begun)
		if failed := err != nil; failed != failing && ctx.Err() == nil {
			failing = failed
			log.Warn("metrics to the collector", "url", cfg.OTLP, "err", err)
		}
	}
}

func push(ctx context.Context, client *http.Client, url string, from prometheus.Gatherer, service string, begun time.Time) error {
	families, err := from.Gather()
	if err != nil {
		return err
	}
	text, err := json.Marshal(otlp(families, service, begun, time.Now()))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answers %s", res.Status)
	}
	return nil
}

type object = map[string]any

// otlp is an ExportMetricsServiceRequest in the JSON mapping of Protocol Buffers,
// in which 64-bit integers are texts.
func otlp(families []*dto.MetricFamily, service string, begun, now time.Time) object {
	attribute := func(key, value string) object { return object{"key": key, "value": object{"stringValue": value}} }
	var metrics []object
	for _, f := range families {
		counter := f.GetType() == dto.MetricType_COUNTER
		var points []object
		for _, m := range f.GetMetric() {
			p := object{"timeUnixNano": strconv.FormatInt(now.UnixNano(), 10), "asDouble": m.GetGauge().GetValue()}
			if counter {
				p["startTimeUnixNano"], p["asDouble"] = strconv.FormatInt(begun.UnixNano(), 10), m.GetCounter().GetValue()
			}
			attributes := []object{}
			for _, l := range m.GetLabel() {
				attributes = append(attributes, attribute(l.GetName(), l.GetValue()))
			}
			p["attributes"] = attributes
			points = append(points, p)
		}
		metric := object{"name": f.GetName(), "description": f.GetHelp()}
		if counter {
			const cumulative = 2
			metric["sum"] = object{"dataPoints": points, "aggregationTemporality": cumulative, "isMonotonic": true}
		} else {
			metric["gauge"] = object{"dataPoints": points}
		}
		metrics = append(metrics, metric)
	}
	return object{"resourceMetrics": []object{{
		"resource":     object{"attributes": []object{attribute("service.name", "plantbed-gateway"), attribute("service.instance.id", service)}},
		"scopeMetrics": []object{{"scope": object{"name": "github.com/plantbed/plantbed/gateway"}, "metrics": metrics}},
	}}}
}
