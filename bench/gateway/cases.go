package main

import (
	"fmt"
	"time"
)

// benchCase is one thing that is measured of several stacks.
type benchCase struct {
	name, title string
	plant       plantSpec
	batch       bool
	look        bool
	stacks      []string
	rounds      int // at most; 0 is all
	run         func(b *bed, c benchCase, s stack) (map[string]float64, error)
	measures    []measure
}

// measure is a figure that a case gives, and what is to be reached.
type measure struct{ name, title, unit, better, target string }

var (
	ten     = plantSpec{10, 100, 100 * time.Millisecond}  // 10,000 values/s
	flood   = plantSpec{10, 600, 100 * time.Millisecond}  // 60,000 values/s
	flooded = plantSpec{10, 1000, 100 * time.Millisecond} // 100,000 values/s
	many    = plantSpec{10, 1000, time.Second}            // 10,000 tags
	small   = plantSpec{1, 100, 100 * time.Millisecond}

	fast = []string{"ours, durable", "ours, in memory", "telegraf, flush 100ms", "telegraf, flush 10ms"}
)

var cases = []benchCase{
	{name: "single", title: "one message per value at 10,000/s", plant: ten, look: true, stacks: fast, run: steady, measures: []measure{
		{"cpu", "CPU per value", "us", "lower", "at most 0.6 of the peer's"},
		{"p50", "latency p50", "ms", "lower", ""},
		{"p99", "latency p99", "ms", "lower", ""}}},
	{name: "flood", title: "one message per value, 60,000/s offered", plant: flood, stacks: fast, run: steady, measures: []measure{
		{"rate", "values/s", "1/s", "higher", "at least the peer's"},
		{"cpu", "CPU per delivered value", "us", "lower", ""}}},
	{name: "batched", title: "batched at 10,000/s", plant: ten, batch: true, look: true, stacks: append([]string{"ours, durable, 70 ms"}, fast...), run: steady, measures: []measure{
		{"cpu", "CPU per value", "us", "lower", "at most 0.8 of the peer's"},
		{"p50", "latency p50", "ms", "lower", "under 5 ms"},
		{"p99", "latency p99", "ms", "lower", "under 20 ms"}}},
	{name: "batched-flood", title: "batched, 100,000/s offered", plant: flooded, batch: true, stacks: fast, run: steady, measures: []measure{
		{"rate", "values/s", "1/s", "higher", ""},
		{"cpu", "CPU per delivered value", "us", "lower", ""}}},
	{name: "memory", title: "10,000 tags", plant: many, batch: true, stacks: fast[:3], run: memory, measures: []measure{
		{"rss", "resident memory", "MB", "lower", "under 60 MB"}}},
	{name: "back", title: "broker killed and back after 10 s", plant: small, batch: true, look: true, stacks: []string{"ours, durable", "telegraf, flush 100ms"}, run: brokerBack, measures: []measure{
		{"live", "live again after", "s", "lower", "under 2 s"}}},
	{name: "outage", title: "20 s without the PLC's link", plant: small, batch: true, look: true, stacks: []string{"ours, durable", "telegraf, flush 100ms"}, run: outage, measures: []measure{
		{"lost", "values lost", "%", "lower", ""},
		{"late", "data again after (20: not at all)", "s", "lower", ""}}},
	{name: "outage-defaults", title: "20 s without the PLC's link, as shipped", plant: plantSpec{1, 100, time.Second}, batch: true, look: true, stacks: []string{"ours, durable, defaults", "telegraf, defaults"}, run: outage, measures: []measure{
		{"lost", "values lost", "%", "lower", ""},
		{"late", "data again after (20: not at all)", "s", "lower", ""}}},
}

func caseNames() (out []string) {
	for _, c := range cases {
		out = append(out, c.name)
	}
	return out
}

// line is the whole line at work: PLCs, broker, gateway, subscriber.
type line struct {
	plant   *plant
	gateway *process
	ear     *ear
}

// lineUp starts it and waits until values flow.
func (b *bed) lineUp(c benchCase, s stack) (*line, func(), error) {
	s.batch = s.batch || c.batch
	if err := b.startBroker(); err != nil {
		return nil, nil, err
	}
	l := &line{ear: listen(b.broker, c.look, c.plant.period)}
	stop := func() {
		if l.gateway != nil {
			l.gateway.stop()
		}
		l.ear.close()
		if l.plant != nil {
			l.plant.stop()
		}
		b.stopBroker()
	}
	var err error
	if l.plant, err = b.startPlant(c.plant); err == nil {
		l.gateway, err = b.start(s, l.plant)
	}
	if err == nil {
		err = until("values arrive", 60*time.Second, func() bool { _, n, _ := l.ear.count(); return n > c.plant.servers*c.plant.tags })
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return l, stop, nil
}

// warm is how long a line runs before anything is counted.
const warm = 2 * time.Second

// steady measures a line that runs.
func steady(b *bed, c benchCase, s stack) (map[string]float64, error) {
	l, stop, err := b.lineUp(c, s)
	if err != nil {
		return nil, err
	}
	defer stop()
	time.Sleep(warm)
	l.ear.reset()
	used, began := l.gateway.cpu(), time.Now()
	time.Sleep(b.turn)
	_, n, err := l.ear.count()
	took, spent := time.Since(began), l.gateway.cpu()-used
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("nothing came through")
	}
	return map[string]float64{"rate": float64(n) / took.Seconds(), "cpu": spent.Seconds() * 1e6 / float64(n),
		"p50": l.ear.quantile(0.5), "p99": l.ear.quantile(0.99)}, nil
}

// memory is the resident size at the end of a turn.
func memory(b *bed, c benchCase, s stack) (map[string]float64, error) {
	l, stop, err := b.lineUp(c, s)
	if err != nil {
		return nil, err
	}
	defer stop()
	time.Sleep(3*warm + b.turn)
	return map[string]float64{"rss": l.gateway.memory("VmRSS")}, nil
}

// brokerBack kills the broker for 10 s and tells how long after its return the
// first value arrives that was scanned since.
func brokerBack(b *bed, c benchCase, s stack) (map[string]float64, error) {
	l, stop, err := b.lineUp(c, s)
	if err != nil {
		return nil, err
	}
	defer stop()
	time.Sleep(warm)
	b.stopBroker()
	time.Sleep(10 * time.Second)
	if err := b.startBroker(); err != nil {
		return nil, err
	}
	back := time.Now()
	err = until("values that are scanned after the broker's return arrive", time.Minute, func() bool {
		l.ear.mu.Lock()
		defer l.ear.mu.Unlock()
		return l.ear.newest.After(back)
	})
	return map[string]float64{"live": time.Since(back).Seconds()}, err
}

// afterwards is how long a stack has to come back and to send what it kept.
const afterwards = 20 * time.Second

// outage takes the PLC's link away for 20 s, and tells what share of the values
// scanned from 5 s before to 10 s after it never arrived.
func outage(b *bed, c benchCase, s stack) (map[string]float64, error) {
	l, stop, err := b.lineUp(c, s)
	if err != nil {
		return nil, err
	}
	defer stop()
	time.Sleep(warm)
	l.ear.reset()
	time.Sleep(5 * time.Second)
	down := time.Now()
	l.plant.links("down")
	time.Sleep(20 * time.Second)
	l.plant.links("up")
	back := time.Now()
	late := afterwards
	if until("values after the outage arrive", late, func() bool {
		l.ear.mu.Lock()
		defer l.ear.mu.Unlock()
		return l.ear.newest.After(back)
	}) == nil {
		late = time.Since(back)
	}
	time.Sleep(afterwards - min(afterwards, time.Since(back)))
	return map[string]float64{"lost": l.ear.missing(down.Add(-4*time.Second), back.Add(afterwards/2), c.plant), "late": late.Seconds()}, nil
}

// missing is the share, in percent, of the scans between two instants that were
// not heard of.
func (e *ear) missing(from, end time.Time, p plantSpec) float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	had := 0
	for k := range e.seen {
		if at := e.zero.Add(time.Duration(k.value) * p.period); !at.Before(from) && at.Before(end) {
			had++
		}
	}
	owed := float64(p.servers*p.tags) * float64(end.Sub(from)/p.period)
	return 100 * max(0, 1-float64(had)/owed)
}
