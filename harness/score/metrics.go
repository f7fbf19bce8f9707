package score

// MetricInfo documents one metric of the card.
type MetricInfo struct {
	Name, Unit, Doc string
}

// Metrics is every metric name that an expectation may use, in the order of
// the card's story: what was owed, what was lost, how late, how true.
var Metrics = []MetricInfo{
	{"samples.owed", "1", "samples that a correct client could have had under the contract"},
	{"samples.delivered", "1", "owed samples that the twin applied"},
	{"samples.unobtainable", "1", "samples that no client could have had: queue overflow, nothing kept, scheduled downtime"},
	{"loss.count", "1", "owed samples that were never applied"},
	{"loss.ratio", "1", "loss.count / samples.owed"},
	{"loss.plc", "1", "lost before the server sent them"},
	{"loss.link", "1", "sent by the server, not delivered by the wire"},
	{"loss.edge", "1", "delivered to the stack, never at the broker"},
	{"loss.north", "1", "at the broker, never applied by the twin"},
	{"recover.max_s", "s", "longest time from the end of an outage to the first fresh sample of a PLC behind it"},
	{"dup.marked", "1", "copies at the broker that carry the dedup key of the first"},
	{"dup.unmarked", "1", "copies at the broker without that key"},
	{"dup.applied", "1", "copies that the twin applied"},
	{"order.violations", "1", "samples that came after a later one of their tag"},
	{"corrupt.count", "1", "samples whose value, quality, unit, tag or source time differs from the truth"},
	{"orphan.count", "1", "samples that match no truth"},
	{"late.count", "1", "samples over the deadline that no scheduled outage excuses"},
	{"latency.p50_ms", "ms", "scan to twin, live samples, median"},
	{"latency.p95_ms", "ms", "scan to twin, live samples, 95th percentile"},
	{"latency.p99_ms", "ms", "scan to twin, live samples, 99th percentile"},
	{"latency.p999_ms", "ms", "scan to twin, live samples, 99.9th percentile"},
	{"latency.max_ms", "ms", "scan to twin, live samples, maximum"},
	{"backfill.count", "1", "samples over the deadline whose live window met a scheduled outage"},
	{"twin.divergence", "1", "time-weighted |twin - truth| as a share of the tag's span, mean over tags"},
	{"twin.state_wrong_s", "s", "seconds in which the twin showed a wrong machine state, summed over machines"},
	{"twin.stale_s", "s", "seconds in which the twin marked a reachable or unreachable source as not fresh, summed over PLCs"},
	{"twin.false_fresh_s", "s", "seconds in which the twin showed Good while the source could not be reached, summed over PLCs"},
	{"twin.converge_s", "s", "time from the end of the last outage until every tag is current again"},
	{"detect.recall", "1", "process and sensor faults with an alarm on their machine between onset and end"},
	{"detect.precision", "1", "alarm episodes that fall into a fault of their machine"},
	{"detect.delay_s", "s", "median delay from onset to alarm, misses censored at the fault's end"},
	{"detect.lead_s", "s", "median time from first alarm to failure"},
	{"detect.false_per_day", "1/d", "false alarm episodes per healthy machine-day"},
	{"diagnose.macro_f1", "1", "F1 of the diagnosis, mean over the classes process and sensor"},
	{"rul.rmse_h", "h", "root mean square error of predicted remaining life"},
	{"rul.coverage90", "1", "share of true lives inside the nominal 90 % interval"},
	{"oee.truth", "1", "OEE of the bottleneck machine as it truly was (ISO 22400)"},
	{"oee.twin", "1", "the same as the twin shows it"},
	{"clock.lag_max_ms", "ms", "worst lateness of the simulated world against its clock"},
}

// MetricNames lists the names alone.
func MetricNames() []string {
	names := make([]string, len(Metrics))
	for i, m := range Metrics {
		names[i] = m.Name
	}
	return names
}

func unitOf(name string) string {
	for _, m := range Metrics {
		if m.Name == name {
			return m.Unit
		}
	}
	panic("score: " + name + " is no metric")
}
