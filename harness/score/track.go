package score

import (
	"slices"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/sim/signal"
)

// track is the life of one tag: a row of truth per latched value, and what
// became of it.
type track struct {
	index int
	tag   record.Tag
	plc   int
	scan  int64 // the period of its scans, ns
	row   []row
	// again holds the rows of each tick of a device whose clock was set back, in
	// their order; nil where stamps only grow.
	again map[int64][]int
	// recounts says that the device's counter is not the scan's number all along.
	recounts bool
	// resolution is that of source times, phase where the run's start lies in it.
	resolution, phase int64
	// stamped says that the protocol carries the device's own time.
	stamped bool
	// subscribed says that the device decides which rows are reported.
	subscribed bool
	// strangers match no truth by Seq or source time; see adopt.
	strangers []stranger
	cursor    [2]int                 // where the digest looks first, per tap
	orphans   [record.AtTwin + 1]int // by tap
}

// row is one latched value and its walk; times are nanoseconds, never is
// the mark of a tap that it did not reach.
type row struct {
	seq       uint64
	counter   uint32 // what the device showed as seq
	at, stamp int64
	value     float64
	quality   signal.Quality

	deadline                  int64 // the age over which it is late
	sent, wired, broker, twin int64
	shown                     float64 // what the twin applied
	history                   bool    // and did not show
	due                       due
	cause                     cause
	sends                     uint8 // by the server, of a polled row
	copies                    uint8 // at the broker
	applied                   uint8 // at the twin
	wrong                     wrong
	wrongAt                   record.Tap
	stream                    int32 // of the dedup key of the first copy; -1 none
	key                       uint64
}

const never = int64(-1)

// due says what the contract says of a row.
type due uint8

const (
	notDue       due = iota // no client would be told: the value did not change
	owed                    // a correct client has it
	unobtainable            // no client could have had it
)

// cause says why a row is unobtainable.
type cause uint8

const (
	noCause        cause = iota
	atStartup            // before a client can be there
	queueOverflow        // a full server queue while the link was down
	notKept              // the device keeps nothing while the link is down
	inDowntime           // the gateway was down on schedule
	deviceRestart        // the device lost its sessions on schedule
	notKnown             // the device did not know the tag
	nobodyListened       // the broker had lost its sessions on schedule
	spoilt               // the wire changed bytes on schedule
	causes
)

func (c cause) String() string {
	return [...]string{"", "startup", "queue overflow", "not kept by the device", "scheduled downtime of the gateway",
		"restart of the device", "not known to the device",
		"lost with the broker's sessions", "spoilt on the wire"}[c]
}

// index lays the truth out by tag and joins every tap with it.
func index(l *record.Log) []*track {
	tracks := make([]*track, len(l.Meta.Tags))
	for i, t := range l.Meta.Tags {
		tracks[i] = &track{index: i, tag: t, plc: l.Meta.Tasks[t.Task].PLC}
		tracks[i].scan = int64(l.Meta.Tasks[t.Task].Period)
		tracks[i].stamped = l.Meta.PLCs[tracks[i].plc].Protocol == "opcua"
		tracks[i].resolution = max(100, int64(l.Meta.Contract.Tick))
		tracks[i].phase = l.Meta.Start.UnixNano() % tracks[i].resolution
		tracks[i].subscribed = !polled(l.Meta, tracks[i])
	}
	for _, s := range l.Scans {
		for i, t := range l.Meta.Tasks[s.Task].Tags {
			tracks[t].row = append(tracks[t].row, row{seq: s.Seq, counter: s.Counter, at: s.At, stamp: s.Stamp, value: s.Values[i], quality: s.Quality[i],
				sent: never, wired: never, broker: never, twin: never, stream: -1})
		}
	}
	for _, t := range tracks {
		slices.SortStableFunc(t.row, func(a, b row) int { return int(int64(a.seq) - int64(b.seq)) })
		t.recounts = !t.stamped && slices.ContainsFunc(t.row, func(r row) bool { return uint64(r.counter) != r.seq })
		if !slices.IsSortedFunc(t.row, func(a, b row) int { return int(t.tick(a.stamp) - t.tick(b.stamp)) }) {
			t.again = t.byTick()
		}
	}
	return tracks
}

// bySeq finds a row by its scan counter; -1 if there is none.
func (t *track) bySeq(seq uint64) int {
	if len(t.row) == 0 {
		return -1
	}
	// Counters are contiguous unless a device was restarted.
	if i := int64(seq) - int64(t.row[0].seq); i >= 0 && i < int64(len(t.row)) && t.row[i].seq == seq {
		return int(i)
	}
	i, ok := slices.BinarySearchFunc(t.row, seq, func(r row, s uint64) int { return int(int64(r.seq) - int64(s)) })
	if !ok {
		return -1
	}
	return i
}

// byCounter finds the row that a device's own counter means. A restart or a
// wrap makes a device show a counter twice: the latest row counts that was
// scanned before the sample was read, and before it came.
func (t *track) byCounter(counter uint64, source, came int64) int {
	if !t.recounts {
		return t.bySeq(counter)
	}
	before := min(source, came)
	if len(t.row) > 0 && before < t.row[0].at {
		before = came // a reader's clock that is behind says nothing
	}
	for i := t.lastAt(before); i >= 0; i-- {
		if uint64(t.row[i].counter) == counter {
			return i
		}
	}
	return -1
}

// tick numbers the instants that source times can tell apart: those of 100 ns
// in OPC UA, or what the carrier blunts them to.
func (t *track) tick(at int64) int64 { return floorDiv(at+t.phase, t.resolution) }

// lastAt is the index of the last row scanned at or before an instant, -1 if none.
func (t *track) lastAt(at int64) int {
	i, ok := slices.BinarySearchFunc(t.row, at, func(r row, a int64) int {
		switch {
		case r.at < a:
			return -1
		case r.at > a:
			return 1
		}
		return 0
	})
	if ok {
		return i
	}
	return i - 1
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
