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
		Faults:       card.ByFault, Replay: "plantbed run scenario.toml",
	}
	for i := range 240 {
		t := float64(i) * 30
		b := score.Bucket{Owed: 3600, Delivered: 3600, P50MS: 500 + 20*math.Sin(t/400), P99MS: 1100 + 90*math.Cos(t/170), Buffer: 3, StageMS: [4]float64{400, 3, 90 + t/100, 7}, Divergence: 0.001, Apart: 3, ApartBy: 0.02}
		switch {
		case i == 0:
			b.Owed, b.Delivered, b.Unobtainable = 3480, 3480, 120
		case t == 1200:
			b.Lost, b.Delivered, b.Backfilled, b.P99MS = 12, 3588, 2500, 2210
		case t >= 1800 && t < 2400:
			b.Late, b.P50MS, b.P99MS = 1, b.P50MS+800, b.P99MS+900
		case t >= 3000 && t < 3360:
			b.Backfilled, b.P50MS, b.P99MS, b.Buffer = 3600, -1, -1, 3600*(t-2970)/30
			b.StageMS, b.Divergence, b.StaleS = [4]float64{-1, -1, -1, -1}, 0.012, 90
			if t == 3000 {
				b.FalseFreshS = 12
			}
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
	s.Notes = []score.EventMark{{AtS: 3150, What: "gateway killed", Kind: "gateway killed"}, {AtS: 3160, What: "gateway restarted", Kind: "gateway restarted"},
		{AtS: 1200, What: "fault begins link.down plc-pump", Kind: "fault begins"}}
	s.Version, s.DeadlineS, s.Detectors = "v0.1.0", 5, []string{"pca", "shewhart"}
	s.Walk = score.Walk{Latched: 900000, Unchanged: 33000, Unobtainable: s.Unobtainable, Owed: 864120, Lost: [4]int{0, 12, 400, 0}, InTime: 820491, Late: 17, Backfilled: 43200}
	for _, f := range card.ByFault {
		s.FaultWalks = append(s.FaultWalks, score.Walk{Latched: f.Owed + f.Unobtainable, Owed: f.Owed, Lost: [4]int{2: f.Lost},
			Unobtainable: map[string]int{"queue overflow": f.Unobtainable}, Late: f.Late, Backfilled: f.Backfilled})
	}
	for _, t := range card.ByTag {
		s.TagWalks = append(s.TagWalks, score.Walk{Latched: t.Owed + t.Unobtainable, Owed: t.Owed, Lost: [4]int{1: t.Lost["link"], 2: t.Lost["edge"]}, Late: t.Late, Backfilled: t.Backfilled})
	}
	for k, stage := range score.StageNames {
		ms := float64(k+1) * 10
		s.Stages = append(s.Stages, score.StageTime{Stage: stage, N: 820491, P50MS: ms, P95MS: 2 * ms, P99MS: 3 * ms, MaxMS: 9 * ms})
	}
	s.Flows = []score.Flow{{Line: "line", From: "pump", To: "filler", Buffer: 1000}, {Line: "line", From: "filler", To: "oven", Buffer: 24}}
	for k, machine := range []string{"pump", "filler", "oven"} {
		tr := score.ScoreTrace{Machine: machine, Detector: "pca"}
		for i := range s.Buckets {
			v := 0.3 + 0.1*math.Sin(float64(i)/9+float64(k))
			switch {
			case i < 6:
				v = -1
			case k == 0 && i > 150 && i < 200:
				v = math.Exp(float64(i-150) / 12)
			}
			tr.Max = append(tr.Max, v)
		}
		s.Scores = append(s.Scores, tr)
	}
	s.Parts, s.OEE = parts(), []score.OEE{
		{Of: "truth", Machine: "filler", PlannedS: 7197, RanS: 6477, Units: 6300, Good: 6237, IdealCycleS: 1, Availability: 0.9, Performance: 0.9727, Quality: 0.99, Value: 0.8667},
		{Of: "twin", Machine: "filler", PlannedS: 7197, RanS: 6500, Units: 6290, Good: 6230, IdealCycleS: 1, Availability: 0.9031, Performance: 0.9677, Quality: 0.9905, Value: 0.8656}}
	s.TagStepS = 60
	s.Tags = []score.TagStory{trend("filler/valve-03/position", "filler", "plc-pack", 3), trend("pump/motor/current", "pump", "plc-pump", 0), trend("oven/zone-1/temperature", "oven", "plc-oven", 1)}
	return s
}

// parts are a small plant with one of every moment.
func parts() []score.Part {
	m := func(level score.Level, what string, at, n float64, of string) score.Moment {
		return score.Moment{Level: level, What: what, AtS: at, ForS: 45, N: n, Of: of, Target: "plc-pump"}
	}
	return []score.Part{
		{Kind: "machine", Name: "pump", What: "pump-skid", On: "plc-pump", Tags: 19, Level: score.Struck, Moments: []score.Moment{
			{Level: score.Struck, What: score.MomentFailure, AtS: 6000, ForS: 600, Of: "motor/bearing-de"},
			{Level: score.Struck, What: score.MomentFault, AtS: 1800, ForS: 4200, Of: "asset.bearing_wear", Target: "pump/motor/bearing-de"}}},
		{Kind: "machine", Name: "filler", What: "filler", On: "plc-pack", Tags: 12, Moments: []score.Moment{m(score.Calm, score.MomentStopped, 700, 45, "")}},
		{Kind: "machine", Name: "oven", What: "oven", On: "plc-oven", Tags: 12, Level: score.Struck, Moments: []score.Moment{
			{Level: score.Struck, What: score.MomentFault, AtS: 2000, ForS: 2000, Of: "sensor.drift", Target: "oven/zone-1/temperature", DelayS: f(913.2)}}},
		{Kind: "plc", Name: "plc-pump", What: "opcua", Tags: 19, Moments: []score.Moment{m(score.Calm, score.MomentUnobtainable, 3150, 1100, "")}},
		{Kind: "link", Name: "link to plc-pump", On: "plc-pump", Level: score.Bad, Moments: []score.Moment{m(score.Bad, score.MomentLost, 1200, 12, ""), m(score.Struck, score.MomentFault, 1200, 12, "link.down")}},
		{Kind: "plc", Name: "plc-pack", What: "opcua", Tags: 12, Moments: []score.Moment{m(score.Calm, score.MomentSlow, 1800, 512.5, "")}},
		{Kind: "link", Name: "link to plc-pack", On: "plc-pack", Level: score.Struck, Moments: []score.Moment{m(score.Struck, score.MomentFault, 1800, 0, "link.latency")}},
		{Kind: "plc", Name: "plc-oven", What: "modbus", Tags: 12},
		{Kind: "link", Name: "link to plc-oven", On: "plc-oven"},
		{Kind: "gateway", Name: "gateway", Level: score.Bad, Moments: []score.Moment{m(score.Bad, score.MomentLost, 3150, 400, ""), m(score.Bad, score.MomentLate, 1830, 17, ""),
			m(score.Bad, score.MomentWrong, -1, 14, "filler/valve-07/position"), m(score.Calm, score.MomentDepth, 3330, 46800, "")}},
		{Kind: "link", Name: "link to the broker", On: "broker", Level: score.Struck, Moments: []score.Moment{{Level: score.Struck, What: score.MomentFault, AtS: 3000, ForS: 360, N: 3280, Of: "link.down", Target: "broker"}}},
		{Kind: "broker", Name: "broker", What: "mqtt", Moments: []score.Moment{m(score.Calm, score.MomentBusy, 3360, 4950, "")}},
		{Kind: "twin", Name: "twin", What: "pca", Tags: 31, Level: score.Bad, Moments: []score.Moment{m(score.Bad, score.MomentMissed, -1, 2210.5, "latency.p99_ms"),
			m(score.Calm, score.MomentFalseFresh, 3010, 4, ""), m(score.Calm, score.MomentApart, 3300, 0.012, "pump/motor/current")}},
	}
}

// trend is a tag that the twin follows, but for an outage in which it stands.
func trend(tag, machine, plc string, phase float64) score.TagStory {
	s := score.TagStory{Tag: tag, Machine: machine, PLC: plc, Unit: "A", Hi: 10, Divergence: 0.01 * phase, WorstBy: 0.1, WorstS: 3300,
		Stale: []score.TimeSpan{{FromS: 3004, ToS: 3360}}, StaleS: 356, FalseFresh: []score.TimeSpan{{FromS: 3000, ToS: 3004}}, FalseS: 4,
		Troubles: []score.Trouble{{Step: 50, Backfilled: 60}, {Step: 51, Unobtainable: 3}}}
	if phase == 3 {
		s.Troubles = append(s.Troubles, score.Trouble{Step: 52, Lost: 102}, score.Trouble{Step: 53, Late: 1})
	}
	for i := range 120 {
		v := 5 + 3*math.Sin(float64(i)/20+phase)
		x := score.Range{Min: math.Floor(v*10) / 10, Max: math.Ceil(v*10)/10 + 0.2}
		s.Truth = append(s.Truth, x)
		if i > 50 && i < 56 {
			x = s.Twin[50]
		}
		if i == 0 {
			x = score.Range{Min: math.Inf(1), Max: math.Inf(-1)}
		}
		s.Twin = append(s.Twin, x)
		s.LatencyMS = append(s.LatencyMS, 500)
	}
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
	r.Story.Tags, r.Story.TagWalks, r.Story.FaultWalks = r.Story.Tags[:1], r.Story.TagWalks[10:20], r.Story.FaultWalks[:1]
	r.Story.Tags[0].Troubles, r.Story.FaultWalks[0].Lost = nil, [4]int{}
	r.Story.Walk.Lost, r.Story.Walk.Late = [4]int{}, 0
	for i := range r.Story.Parts {
		p := &r.Story.Parts[i]
		p.Level = min(p.Level, score.Struck)
		for k := range p.Moments {
			p.Moments[k].Level = min(p.Moments[k].Level, score.Struck)
		}
	}
	zero := r.Card.Metrics["loss.count"]
	zero.Value = f(0)
	for _, name := range []string{"loss.count", "loss.ratio", "loss.edge", "loss.link", "late.count", "dup.unmarked"} {
		zero.Unit = r.Card.Metrics[name].Unit
		r.Card.Metrics[name] = zero
	}
	r.Story.Alarms, r.Story.Events, r.Story.Notes = nil, nil, nil
	for i := range r.Story.Buckets {
		b := &r.Story.Buckets[i]
		*b = score.Bucket{Owed: 3600, Delivered: 3600, P50MS: 500, P99MS: 900, Buffer: -1, Divergence: -1, Apart: -1}
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
		Events: []score.EventMark{{AtS: math.NaN(), What: evil}}, Notes: []score.EventMark{{AtS: 1, What: evil}}, Replay: evil, Version: evil,
		Parts: []score.Part{{Kind: "machine", Name: evil, What: evil, On: evil, Level: 9, Moments: []score.Moment{{What: evil, AtS: math.NaN(), N: math.Inf(1), Of: evil, Target: evil}}},
			{Kind: "plc", Name: evil, What: evil}, {Kind: evil, Name: evil}},
		Tags: []score.TagStory{{Tag: evil, Machine: evil, PLC: evil, Unit: evil, Truth: []score.Range{{Min: math.NaN(), Max: 1}, {Min: -1e308, Max: 1e308}}, Twin: []score.Range{{Min: 1, Max: -1}},
			WorstBy: 1, Stale: []score.TimeSpan{{FromS: -1, ToS: math.Inf(1)}}, Troubles: []score.Trouble{{Step: -7, Lost: 1}}}},
		OEE:    []score.OEE{{Of: evil, Machine: evil, Availability: -1, Performance: 1e300, Value: math.NaN()}},
		Stages: []score.StageTime{{Stage: evil}}, Walk: score.Walk{Latched: 1, Owed: 5, Unobtainable: map[string]int{evil: 1}, Lost: [4]int{9, 9, 9, 9}},
		TagWalks: []score.Walk{{Unobtainable: map[string]int{evil: 1}}}, FaultWalks: []score.Walk{{}}, Detectors: []string{evil},
		Flows:  []score.Flow{{Line: evil, From: evil, To: evil, Buffer: -1}, {Line: evil, From: "x", To: evil, Buffer: 1}},
		Scores: []score.ScoreTrace{{Machine: evil, Detector: evil, Max: []float64{math.NaN(), math.Inf(1), 1e300, -1}}, {Machine: evil, Detector: evil}}}
	return r
}
