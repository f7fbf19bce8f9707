package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("plantbed_"+name, help, labels, nil)
}

var (
	infoDesc        = desc("info", "Always 1.", "scenario", "version")
	simulatedDesc   = desc("simulated_seconds", "Time of the simulated world.")
	lagDesc         = desc("lag_max_seconds", "The most that the simulated world was late by the wall.")
	injectedDesc    = desc("faults_injected_total", "Faults that were injected.")
	activeDesc      = desc("faults_active", "Faults that are active.", "kind", "target")
	scansDesc       = desc("plc_scans_total", "Scans of a task.", "plc", "task")
	bytesDesc       = desc("plc_sent_bytes_total", "Bytes that reached clients.", "plc")
	connectionsDesc = desc("plc_connections_total", "Connections that were answered.", "plc")
	stateDesc       = desc("machine_state", "True PackML state.", "machine")
	unitsDesc       = desc("machine_units_total", "Units that were really made.", "machine", "quality")
	damageDesc      = desc("component_damage", "True damage, 0 new and 1 failed.", "machine", "component")
)

var descs = []*prometheus.Desc{infoDesc, simulatedDesc, lagDesc, injectedDesc, activeDesc, scansDesc, bytesDesc, connectionsDesc, stateDesc, unitsDesc, damageDesc}

// metrics gathers anew for every request: nothing is counted here.
func (s *Server) metrics(r *http.Request) (int, any, error) {
	c, err := collect(r.Context(), s.plant)
	if err != nil {
		return 0, nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		return 0, nil, err
	}
	var out bytes.Buffer
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	enc := expfmt.NewEncoder(&out, format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, text{string(format), out.Bytes()}, nil
}

// collection is what one scrape shows.
type collection struct {
	status   Status
	machines []Machine
	plcs     []PLC
	faults   []Fault
}

func collect(ctx context.Context, p Plant) (c *collection, err error) {
	c = &collection{}
	if c.status, err = p.Status(ctx); err != nil {
		return nil, err
	}
	if c.machines, err = p.Machines(ctx); err != nil {
		return nil, err
	}
	if c.plcs, err = p.PLCs(ctx); err != nil {
		return nil, err
	}
	c.faults, err = p.Faults(ctx)
	return c, err
}

// Describe is prometheus.Collector.
func (c *collection) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descs {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (c *collection) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(infoDesc, 1, c.status.Scenario, c.status.Version)
	gauge(simulatedDesc, c.status.AtS)
	gauge(lagDesc, c.status.LagMaxS)
	counter(injectedDesc, float64(c.status.Injected))
	active := map[[2]string]float64{} // several of a kind may be on one target
	for _, f := range c.faults {
		active[[2]string{f.Kind, f.Target}]++
	}
	for at, n := range active {
		gauge(activeDesc, n, at[0], at[1])
	}
	for _, p := range c.plcs {
		for _, t := range p.Tasks {
			counter(scansDesc, float64(t.Scans), p.Name, t.Name)
		}
		counter(bytesDesc, float64(p.Bytes), p.Name)
		counter(connectionsDesc, float64(p.Connections), p.Name)
	}
	for _, m := range c.machines {
		gauge(stateDesc, float64(m.State), m.Name)
		counter(unitsDesc, float64(m.Good), m.Name, "good")
		counter(unitsDesc, float64(m.Total), m.Name, "all")
		for _, part := range m.Components {
			gauge(damageDesc, part.Damage, m.Name, part.Name)
		}
	}
}
