package admin

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts samples at the stages of a gateway. It costs an atomic
// addition per batch; Prometheus reads it when asked.
type Metrics struct {
	// Samples, in the order of their way.
	Received, Filtered, Appended, Committed, Published, Acked atomic.Int64
	Commits, CommitBytes                                      atomic.Int64
	// Depth and Bytes ask the buffer; both may be nil.
	Depth func() int
	Bytes func() int64

	mu      sync.Mutex
	dropped map[string]int64
	sources map[string]string // why it is down; empty is up
	broker  string            // why there is none; empty is up
	trouble string            // what is wrong with the buffer
	alarms  map[string]string // why, by name
	gaps    map[string]int64  // by source
	over    map[string]int64  // overflows by source
}

// NewMetrics has seen nothing; sources are down until they say otherwise.
func NewMetrics(sources []string) *Metrics {
	m := &Metrics{dropped: map[string]int64{}, sources: map[string]string{}, broker: "not connected yet"}
	for _, s := range sources {
		m.sources[s] = "not connected yet"
	}
	return m
}

// Dropped counts samples that are lost, by reason.
func (m *Metrics) Dropped(reason string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped[reason] += int64(n)
}

// Source notes whether a source is up.
func (m *Metrics) Source(name string, up bool, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources[name] = reason(up, why)
}

// Each tells of every source, in order, why it is down; empty is up.
func (m *Metrics) Each(f func(source, why string)) {
	m.mu.Lock()
	names := slices.Sorted(maps.Keys(m.sources))
	why := maps.Clone(m.sources)
	m.mu.Unlock()
	for _, name := range names {
		f(name, why[name])
	}
}

// Forget leaves out a source that is no more.
func (m *Metrics) Forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sources, name)
}

// Broker notes whether the broker is connected.
func (m *Metrics) Broker(up bool, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broker = reason(up, why)
}

// Gaps counts messages of a source that nobody has any more.
func (m *Metrics) Gaps(source string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gaps == nil {
		m.gaps = map[string]int64{}
	}
	m.gaps[source] += int64(n)
}

// Overflows counts samples before which a source's own queue dropped others.
func (m *Metrics) Overflows(source string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over == nil {
		m.over = map[string]int64{}
	}
	m.over[source] += int64(n)
}

// Alarm notes one; with an empty why it is over.
func (m *Metrics) Alarm(name, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alarms == nil {
		m.alarms = map[string]string{}
	}
	m.alarms[name] = why
}

// Trouble notes what is wrong with the buffer; empty is nothing.
func (m *Metrics) Trouble(why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = why
}

func reason(up bool, why string) string {
	switch {
	case up:
		return ""
	case why == "":
		return "down"
	}
	return why
}

// Problems is what keeps the gateway from doing all of its work, in order.
func (m *Metrics) Problems() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	if m.trouble != "" {
		out = append(out, "buffer: "+m.trouble)
	}
	if m.broker != "" {
		out = append(out, "broker: "+m.broker)
	}
	for _, name := range slices.Sorted(maps.Keys(m.sources)) {
		if why := m.sources[name]; why != "" {
			out = append(out, "source "+name+": "+why)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.alarms)) {
		if why := m.alarms[name]; why != "" {
			out = append(out, "alarm "+name+": "+why)
		}
	}
	return out
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("plantbed_gateway_"+name, help, labels, nil)
}

var (
	samplesDesc     = desc("samples_total", "Samples that reached a stage.", "stage")
	droppedDesc     = desc("dropped_samples_total", "Samples that are lost.", "reason")
	commitsDesc     = desc("buffer_commits_total", "Groups synced to disk.")
	commitBytesDesc = desc("buffer_written_bytes_total", "Bytes of those groups.")
	depthDesc       = desc("buffer_depth_samples", "Samples that are not acknowledged by the broker.")
	bytesDesc       = desc("buffer_bytes", "Size of the buffer.")
	sourceDesc      = desc("source_up", "1 while the source is reachable.", "source")
	brokerDesc      = desc("broker_up", "1 while the broker is connected.")
	gapsDesc        = desc("source_gaps_total", "Messages that a source sent, that never arrived and that it keeps no more.", "source")
	overDesc        = desc("source_overflows_total", "Samples before which the source's own queue dropped others.", "source")
	alarmDesc       = desc("alarm", "1 while somebody has to see to something.", "alarm")
	troubleDesc     = desc("buffer_trouble", "1 while the disk refuses.")
)

// Describe is prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{samplesDesc, droppedDesc, commitsDesc, commitBytesDesc, depthDesc, bytesDesc, sourceDesc, brokerDesc, troubleDesc, alarmDesc, gapsDesc, overDesc} {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range []struct {
		stage string
		n     *atomic.Int64
	}{{"received", &m.Received}, {"filtered", &m.Filtered}, {"appended", &m.Appended}, {"committed", &m.Committed}, {"published", &m.Published}, {"acked", &m.Acked}} {
		counter(samplesDesc, s.n.Load(), s.stage)
	}
	counter(commitsDesc, m.Commits.Load())
	counter(commitBytesDesc, m.CommitBytes.Load())
	if m.Depth != nil {
		gauge(depthDesc, float64(m.Depth()))
	}
	if m.Bytes != nil {
		gauge(bytesDesc, float64(m.Bytes()))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for reason, n := range m.dropped {
		counter(droppedDesc, n, reason)
	}
	for name, why := range m.sources {
		gauge(sourceDesc, one(why == ""), name)
	}
	for name, n := range m.gaps {
		counter(gapsDesc, n, name)
	}
	for name, n := range m.over {
		counter(overDesc, n, name)
	}
	for name, why := range m.alarms {
		gauge(alarmDesc, one(why != ""), name)
	}
	gauge(brokerDesc, one(m.broker == ""))
	gauge(troubleDesc, one(m.trouble != ""))
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
