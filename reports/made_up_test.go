package reports

import (
	"fmt"
	"math"

	"github.com/plantbed/plantbed/harness/score"
)

// results are made-up: one of everything, a clean pass, one that cannot be
// judged, one full of markup, and none.
func results() map[string]score.Result {
	return map[string]score.Result{"full": full(), "pass": clean(), "unknown": unjudged(), "hostile": hostile(), "empty": {}}
}

func f(v float64) *float64 { return &v }

func full() score.Result {
	card := score.Card{
		Schema: score.CardSchema, Scenario: "made-up", Seed: 42, Gear: "virtual", Identity: "id and sequence",
		Digest:  "3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed",
		Verdict: score.Fail, DurationS: 7200,
		Why: []string{
			"loss.count is 412, expected <= 0: 400 at stage edge, 12 at stage link, most of pump/motor/current (310)",
			"latency.p99_ms is 2210.5, expected <= 1500",
			"detect.lead_s is unknown: there was nothing to measure",
		},
		Metrics: map[string]score.Metric{}, Baselines: map[string]map[string]score.Metric{},
	}
	for _, m := range score.Metrics {
		card.Metrics[m.Name] = score.Metric{Value: f(0), Unit: m.Unit, N: 864120}
	}
	set := func(name string, v float64, n int) {
		m := card.Metrics[name]
		m.Value, m.N = f(v), n
		card.Metrics[name] = m
	}
	set("samples.owed", 864120, 864120)
	set("samples.delivered", 863708, 864120)
	set("samples.unobtainable", 2880, 867000)
	set("loss.count", 412, 864120)
	set("loss.ratio", 412.0/864120, 864120)
	set("loss.edge", 400, 864120)
	set("loss.link", 12, 864120)
	set("backfill.count", 43200, 863708)
	set("late.count", 17, 863708)
	set("latency.p50_ms", 512.345, 820491)
	set("latency.p99_ms", 2210.5, 820491)
	set("dup.unmarked", 3, 863711)
	set("twin.divergence", 0.00123456, 96)
	set("oee.truth", 0.7312, 1)
	set("oee.twin", 0.7309, 1)
	card.Metrics["detect.recall"] = score.Metric{Value: f(2.0 / 3), Unit: "1", N: 3, CI95: &[2]float64{0.2077, 0.9385}}
	card.Metrics["detect.lead_s"] = score.Metric{Unit: "s"}
	card.Metrics["detect.delay_s"] = score.Metric{Value: f(913.2), Unit: "s", N: 3}
	delete(card.Metrics, "rul.rmse_h")
	for name, recall := range map[string]float64{"always": 1, "never": 0, "random": 0.333, "shewhart": 0.667} {
		card.Baselines[name] = map[string]score.Metric{"detect.recall": {Value: f(recall), Unit: "1", N: 3}, "detect.false_per_day": {Value: f(recall * 40), Unit: "1/d", N: 12}}
	}
	card.Expectations = []score.Expectation{
		{Metric: "samples.owed", Op: ">=", Want: 860000, Got: f(864120), N: 864120, Verdict: score.Pass},
		{Metric: "samples.unobtainable", Op: "<=", Want: 3000, Got: f(2880), N: 867000, Verdict: score.Pass},
		{Metric: "loss.count", Op: "<=", Want: 0, Got: f(412), N: 864120, Verdict: score.Fail, Why: card.Why[0]},
		{Metric: "order.violations", Op: "<=", Want: 0, Got: f(0), N: 863711, Verdict: score.Pass},
		{Metric: "latency.p99_ms", Op: "<=", Want: 1500, Got: f(2210.5), N: 820491, Verdict: score.Fail, Why: card.Why[1]},
		{Metric: "twin.divergence", Op: "<=", Want: 0.01, Got: f(0.00123456), N: 96, Verdict: score.Pass},
		{Metric: "detect.recall", Op: ">=", Want: 0.6, Got: f(2.0 / 3), N: 3, Verdict: score.Pass},
		{Metric: "detect.lead_s", Op: ">=", Want: 600, N: 0, Verdict: score.Unknown, Why: card.Why[2]},
	}
	for i := range 30 {
		tag := score.TagCount{Tag: fmt.Sprintf("filler/valve-%02d/position", i), Owed: 7200, Delivered: 7200}
		switch i {
		case 3:
			tag.Lost, tag.Delivered = map[string]int{"edge": 90, "link": 12}, 7098
		case 7:
			tag.Corrupt, tag.Where = map[string]int{"source_time": 4, "value": 2}, map[string]string{"corrupt": "edge"}
			tag.Reordered, tag.DupUnmarked, tag.Late, tag.Backfilled = 5, 3, 17, 400
		case 9:
			tag.Unobtainable, tag.DupMarked, tag.Backfilled = 45, 8, 400
		}
		card.ByTag = append(card.ByTag, tag)
	}
	card.ByTag = append(card.ByTag, score.TagCount{Tag: "pump/motor/current", Owed: 72000, Delivered: 71690, Lost: map[string]int{"edge": 310}})
	card.ByFault = []score.FaultCount{
		{Kind: "link.down", Target: "plc-pump", Class: "communication", FromS: 1200, ToS: 1245, Owed: 5400, Lost: 12, Backfilled: 5000, RecoverS: f(1.25)},
		{Kind: "link.latency", Target: "plc-pack", Class: "communication", FromS: 1800, ToS: 2400, Owed: 12000, Late: 17},
		{Kind: "sensor.drift", Target: "oven/zone-1/temperature", Class: "sensor", FromS: 2000, ToS: 4000, Owed: 2000, DelayS: f(913.2)},
		{Kind: "asset.bearing_wear", Target: "pump/motor/bearing-de", Class: "process", FromS: 1800, ToS: 6000, Owed: 504000, Lost: 400},
		{Kind: "link.down", Target: "broker", Class: "communication", FromS: 3000, ToS: 3360, Owed: 43200, Lost: 400, Unobtainable: 2880, Backfilled: 38200},
		{Kind: "gateway.kill", Target: "gateway", Class: "gateway", FromS: 3150, ToS: 3160, Owed: 1200, Unobtainable: 1100, RecoverS: f(12.7)},
	}
	return score.Result{Card: card, Story: story(card)}
}

func story(card score.Card) score.Story {
	s := score.Story{
		Summary: "A line with everything that can go wrong, an outage north and a bearing that wears out.", BucketS: 30,
		Unobtainable: map[string]int{"startup": 120, "queue overflow": 1660, "scheduled downtime of the gateway": 1100},
		Faults:       card.ByFault, Replay: "plantbed run made-up --gear virtual --seed 42",
	}
	for i := range 240 {
		t := float64(i) * 30
		b := score.Bucket{Owed: 3600, Delivered: 3600, P50MS: 500 + 20*math.Sin(t/400), P99MS: 1100 + 90*math.Cos(t/170), Buffer: 3}
		switch {
		case i == 0:
			b.Owed, b.Delivered, b.Unobtainable = 3480, 3480, 120
		case t == 1200:
			b.Lost, b.Delivered, b.Backfilled, b.P99MS = 12, 3588, 2500, 2210
		case t >= 1800 && t < 2400:
			b.Late, b.P50MS, b.P99MS = 1, b.P50MS+800, b.P99MS+900
		case t >= 3000 && t < 3360:
			b.Backfilled, b.P50MS, b.P99MS, b.Buffer = 3600, -1, -1, 3600*(t-2970)/30
			if t == 3150 {
				b.Owed, b.Delivered, b.Unobtainable, b.Lost, b.Backfilled = 2500, 2100, 1100, 400, 2100
			}
		}
		s.Buckets = append(s.Buckets, b)
	}
	s.Alarms = []score.AlarmMark{
		{AtS: 2913.2, Machine: "oven", Detector: "pca", Class: "sensor", Tag: "oven/zone-1/temperature", Score: 21.4, Limit: 14.2, True: true},
		{AtS: 5000, Machine: "pump", Detector: "pca", Class: "process", Tag: "pump/motor/vibration", Score: 33, Limit: 14.2, True: true},
		{AtS: 700, Machine: "filler", Detector: "pca", Class: "process", Tag: "filler/valve-01/position", Score: 14.9, Limit: 14.2},
	}
	for i := range 60 {
		s.Alarms = append(s.Alarms, score.AlarmMark{AtS: float64(i) * 118, Machine: "pump", Detector: "shewhart", Score: 3.2, Limit: 3, True: i%5 == 0})
	}
	s.Events = []score.EventMark{{AtS: 1800, What: "pump/motor/bearing-de: onset"}, {AtS: 3155, What: "pump/motor/bearing-de: detectable"}, {AtS: 6000, What: "pump/motor/bearing-de: failure"}, {AtS: 6600, What: "pump/motor/bearing-de: repair"}}
	s.Notes = []score.EventMark{{AtS: 3150, What: "kill gateway"}, {AtS: 3160, What: "restart gateway"}}
	return s
}

// clean is full without its troubles.
func clean() score.Result {
	r := full()
	r.Card.Verdict, r.Card.Why = score.Pass, nil
	var met []score.Expectation
	for _, e := range r.Card.Expectations {
		if e.Verdict == score.Pass {
			met = append(met, e)
		}
	}
	r.Card.Expectations = met
	r.Card.Baselines, r.Card.ByFault = nil, r.Card.ByFault[:1]
	r.Card.ByFault[0].Lost = 0
	r.Card.ByTag = r.Card.ByTag[10:20]
	zero := r.Card.Metrics["loss.count"]
	zero.Value = f(0)
	for _, name := range []string{"loss.count", "loss.ratio", "loss.edge", "loss.link", "late.count", "dup.unmarked"} {
		zero.Unit = r.Card.Metrics[name].Unit
		r.Card.Metrics[name] = zero
	}
	r.Story.Alarms, r.Story.Events, r.Story.Notes = nil, nil, nil
	for i := range r.Story.Buckets {
		b := &r.Story.Buckets[i]
		*b = score.Bucket{Owed: 3600, Delivered: 3600, P50MS: 500, P99MS: 900, Buffer: -1}
	}
	return r
}

// unjudged met everything and counts for nothing, because the simulator was late.
func unjudged() score.Result {
	r := clean()
	r.Card.Verdict = score.Unknown
	r.Card.Gear = "live"
	r.Card.Why = []string{"the simulated world was up to 1.2s late (at most 50ms is tolerated): a late simulator is not a slow gateway"}
	r.Story.Buckets = nil
	return r
}

// hostile has markup, mentions and control characters wherever a name can be.
func hostile() score.Result {
	const evil = "</title><script>alert(1)</script>\"'`|*_[x](http://x)@all #1 \x1b[31m\n\x00<img src=x onerror=\"y\">"
	r := full()
	r.Card.Scenario, r.Card.Digest, r.Card.Identity, r.Card.Gear = evil, evil, evil, evil
	r.Card.Why = []string{evil}
	r.Card.Expectations = []score.Expectation{{Metric: evil, Op: evil, Got: f(math.MaxFloat64), Want: -1e300, N: -5, Verdict: "maybe", Why: evil}}
	r.Card.Verdict = "maybe"
	r.Card.Metrics = map[string]score.Metric{evil: {Value: f(1), Unit: evil}, "samples.owed": {}}
	r.Card.Baselines = map[string]map[string]score.Metric{evil: nil}
	r.Card.ByTag = []score.TagCount{{Tag: evil, Corrupt: map[string]int{evil: 1}, Lost: map[string]int{evil: 4}}}
	r.Card.ByFault = []score.FaultCount{{Kind: evil, Target: evil, Class: evil, FromS: 1e300, ToS: -1}}
	r.Card.DurationS = math.MaxFloat64
	r.Story = score.Story{Summary: evil, BucketS: 1e-300, Buckets: []score.Bucket{{P50MS: math.NaN(), P99MS: 1e300, Buffer: math.Inf(1), Owed: -1, Lost: 1}},
		Unobtainable: map[string]int{evil: -1}, Alarms: []score.AlarmMark{{AtS: -1, Machine: evil, Detector: evil, Class: evil, Tag: evil}},
		Events: []score.EventMark{{AtS: math.NaN(), What: evil}}, Notes: []score.EventMark{{AtS: 1, What: evil}}, Replay: evil}
	return r
}
