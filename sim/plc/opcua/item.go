package opcua

import (
	"math"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// item is a monitored item. Server.mu guards it.
type item struct {
	id     uint32
	handle uint32 // by which the client knows it
	sub    *subscription
	node   *node
	query  ua.ReadValueID // of an item that is no tag
	mode   ua.MonitoringMode
	stamps ua.TimestampsToReturn

	// every is the number of scans from one sample to the next, wait how many
	// are left, block the scan that was sampled last.
	every, wait int
	block       *plc.Block

	filter filter
	event  *eventFilter // of an item for events, which has no values
	last   entry        // the last one that passed the filter
	passed bool         // whether there is one

	queue queue
	ready bool // stands in sub.ready

	links     []*item // sampled items that are reported when this one changes
	triggered bool    // report what is queued though the mode is Sampling
	lost      bool    // its node is not there for now
	dead      bool
}

// entry is one value in a queue.
type entry struct {
	value          float64
	seq            uint64 // of the scan, 0 for none
	source, server uint64 // timestamps, in ticks
	status         signal.Quality
	none           bool        // there is no value, only a status
	variant        *ua.Variant // the value of an item that is no tag; of an event, its fields as they are sent
}

// filter tells which samples are worth reporting.
type filter struct {
	trigger  ua.DataChangeTrigger
	deadband float64 // absolute, in engineering units; 0 for none
}

// passes compares a sample with the last one that passed.
func (f *filter) passes(last, e *entry) bool {
	switch {
	case e.status.Code() != last.status.Code() || e.none != last.none:
		return true
	case f.trigger == ua.DataChangeTriggerStatus:
		return false
	case f.trigger == ua.DataChangeTriggerStatusValueTimestamp && e.source != last.source:
		return true
	case e.variant != nil || last.variant != nil:
		if f.deadband > 0 {
			return farApart(e.variant, last.variant, f.deadband)
		}
		return !sameVariant(e.variant, last.variant)
	case e.value == last.value || e.value != e.value && last.value != last.value:
		return false
	case f.deadband > 0:
		return !(math.Abs(e.value-last.value) <= f.deadband) // NaN passes
	}
	return true
}

func sameVariant(a, b *ua.Variant) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, err1 := a.Encode()
	y, err2 := b.Encode()
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// farApart tells whether two numbers, or any two elements of two arrays of
// numbers, differ by more than a deadband.
func farApart(a, b *ua.Variant, deadband float64) bool {
	if a == nil || b == nil {
		return a != b
	}
	x, y := reflect.ValueOf(a.Value()), reflect.ValueOf(b.Value())
	switch {
	case x.Kind() != y.Kind():
		return true
	case x.Kind() != reflect.Slice:
		return !(math.Abs(asFloat(x)-asFloat(y)) <= deadband)
	case x.Len() != y.Len():
		return true
	}
	for i := range x.Len() {
		if !(math.Abs(asFloat(x.Index(i))-asFloat(y.Index(i))) <= deadband) {
			return true
		}
	}
	return false
}

// asFloat is a number as a float, and 0 for what is none.
func asFloat(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanFloat():
		return v.Float()
	}
	return 0
}

// scan takes a block from the PLC.
func (it *item) scan(s *Server, b *plc.Block, stamp, now uint64) {
	if it.block == b {
		return
	}
	it.block = b
	if it.wait--; it.wait > 0 {
		return
	}
	it.wait = it.every
	if it.mode == ua.MonitoringModeDisabled || it.lost {
		return
	}
	if it.node.tag == nil {
		it.poll(s, s.clock(time.Now()))
		return
	}
	v := it.node.tag.index
	it.sample(&entry{value: b.Values[v], status: b.Quality[v], seq: b.Seq, source: stamp, server: now})
}

// first samples at once, as when an item begins to be monitored: the latest
// scan, or that there was none yet.
func (it *item) first(s *Server, now time.Time) {
	it.passed = false
	it.wait = it.every
	if it.event != nil {
		return
	}
	if it.lost {
		it.sample(&entry{status: signal.Quality(ua.StatusBadNodeIDUnknown), none: true, server: ticks(now)})
		return
	}
	if it.node.tag == nil || it.query.AttributeID != ua.AttributeIDValue {
		it.poll(s, now)
		return
	}
	b := s.img.Latest(it.node.tag.task)
	if it.block = b; b == nil {
		it.wait = 1 // the first scan is the first sample
		it.sample(&entry{status: signal.BadWaitingForInitialData, none: true, server: ticks(now)})
		return
	}
	v := it.node.tag.index
	it.sample(&entry{value: b.Values[v], status: b.Quality[v], seq: b.Seq, source: ticks(b.Stamp), server: ticks(now)})
}

// poll samples an item that is no tag.
func (it *item) poll(s *Server, now time.Time) {
	e := entry{server: ticks(now)}
	v, err := s.readOther(it.node, &it.query, now)
	switch {
	case err != nil:
		e.status, e.none = signal.Quality(err.(ua.StatusCode)), true
	case v.variant == nil:
		e.status, e.none = v.status, true
	default:
		e.variant, e.status = v.variant, v.status
		if it.query.AttributeID == ua.AttributeIDValue {
			e.source = v.ticks(e.server)
		}
	}
	it.sample(&e)
}

// sample passes a value through the filter into the queue.
func (it *item) sample(e *entry) {
	if it.passed && !it.filter.passes(&it.last, e) {
		return
	}
	it.last, it.passed = *e, true
	it.push(e)
	if it.mode != ua.MonitoringModeReporting {
		return
	}
	for _, l := range it.links {
		if l.mode == ua.MonitoringModeSampling && l.queue.n > 0 {
			l.triggered = true
			l.announce()
		}
	}
}

// push queues a value.
func (it *item) push(e *entry) {
	it.queue.push(e)
	if it.mode == ua.MonitoringModeReporting {
		it.announce()
	}
}

// announce puts the item among those that have something to report.
func (it *item) announce() {
	if !it.ready && it.queue.n > 0 {
		it.ready = true
		if it.event != nil {
			it.sub.said = append(it.sub.said, it)
			return
		}
		it.sub.ready = append(it.sub.ready, it)
	}
}

// reports tells whether what is queued may be sent now.
func (it *item) reports() bool {
	return !it.dead && it.queue.n > 0 && (it.mode == ua.MonitoringModeReporting || it.mode == ua.MonitoringModeSampling && it.triggered)
}

// appendEntry appends the notification of one queued value.
func (it *item) appendEntry(b []byte, e *entry) []byte {
	b = appendU32(b, it.handle)
	switch {
	case e.none:
		return appendNothing(b, ua.StatusCode(e.status), e.server, it.stamps)
	case e.variant != nil:
		return appendVariant(b, e.variant, e.status, e.source, e.server, it.stamps)
	}
	return appendTag(b, it.node.tag.tag, e.value, e.status, e.source, e.server, it.stamps)
}
