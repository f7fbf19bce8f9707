package score

// Story is the run as a page tells it: over time in buckets of equal width,
// part by part, tag by tag. It says nothing that the card contradicts, and it
// is no part of the card.
type Story struct {
	Summary string
	// Version is the program that made the record.
	Version string
	// DeadlineS is the contract's: a sample older than that is late.
	DeadlineS float64
	BucketS   float64
	Buckets   []Bucket
	// Unobtainable counts samples by cause.
	Unobtainable map[string]int
	// Walk is the way of all samples; TagWalks and FaultWalks go with ByTag and
	// ByFault of the card.
	Walk                 Walk
	TagWalks, FaultWalks []Walk
	// Stages says how long live samples took from stage to stage.
	Stages []StageTime
	Faults []FaultCount
	Alarms []AlarmMark
	Events []EventMark
	Notes  []EventMark
	// Detectors are the models that may raise alarms, the shipped one first.
	Detectors []string
	// Scores are what the detectors made of each machine, alarm or not.
	Scores []ScoreTrace
	// Flows are the ways of the material from machine to machine.
	Flows []Flow
	// Parts is the plant and its stack, in the order in which a sample meets
	// them: machines, PLCs with their links, gateway, broker, twin.
	Parts []Part
	// Tags are traces in the order of ByTag, in steps of TagStepS.
	Tags     []TagStory
	TagStepS float64
	// OEE is of the line's bottleneck: in truth and as the twin shows it. Empty
	// where no machine counts its units.
	OEE []OEE
	// Replay is the command that repeats the run. It is given in the run's
	// directory, because only the resolved scenario that stands there holds
	// every override.
	Replay string
}

// StageNames are the stages of a walk in its order. A sample lost at a stage
// was last seen before it: "plc" was never sent, "link" never delivered by the
// wire, "edge" never at the broker, "north" never at the twin.
var StageNames = [4]string{stagePLC, stageLink, stageEdge, stageNorth}

// Walk counts how many samples got how far.
type Walk struct {
	// Latched is what the PLCs scanned; Unchanged the part of it of which no
	// client is told, because nothing had changed or nobody polled.
	Latched, Unchanged int
	// Unobtainable is by cause.
	Unobtainable map[string]int
	// Owed is the rest: what a correct client has.
	Owed int
	// Lost is the owed that were never applied, by StageNames.
	Lost [4]int
	// InTime, Backfilled and Late are what was applied; Gifts is the part of it
	// that was not owed.
	InTime, Backfilled, Late, Gifts int
}

// Reached is how many of the owed samples got past stage k of StageNames.
func (w Walk) Reached(k int) int {
	n := w.Owed
	for _, lost := range w.Lost[:k+1] {
		n -= lost
	}
	return n
}

// Bucket covers [i*BucketS, (i+1)*BucketS) by scan instant; what concerns the
// buffer and the twin is by the instant at which it was so.
type Bucket struct {
	Owed, Delivered, Lost, Unobtainable, Late, Backfilled int
	// LostAt is Lost by StageNames.
	LostAt [4]int
	// P50MS and P99MS are latencies of live samples; negative where none.
	P50MS, P99MS float64
	// StageMS is the mean time of live samples from stage to stage, so that the
	// four add up to the mean latency; negative where unknown.
	StageMS [4]float64
	// Buffer is the deepest store-and-forward depth seen; negative if unknown.
	Buffer float64
	// Divergence is the mean |twin - truth| as a share of the tag's span;
	// negative where the twin shows nothing. Apart is the tag that was furthest
	// off, an index into ByTag, and ApartBy its share; -1 where none.
	Divergence, ApartBy float64
	Apart               int
	// StaleS and FalseFreshS are seconds, summed over PLCs.
	StaleS, FalseFreshS float64
}

// StageTime is how long live samples took for one leg of the walk.
type StageTime struct {
	Stage                      string // the stage that ends the leg, of StageNames
	N                          int
	P50MS, P95MS, P99MS, MaxMS float64
}

// Range is the least and greatest value in a step; Min > Max where there is none.
type Range struct{ Min, Max float64 }

// None tells that there was no value.
func (r Range) None() bool { return r.Min > r.Max }

// TagStory is one tag over time.
type TagStory struct {
	Tag, Machine, PLC, Unit string
	// Lo and Hi are the tag's span.
	Lo, Hi float64
	// Truth is what was scanned, Twin what the twin showed at that time.
	Truth, Twin []Range
	// Stale are the times in which the twin said that it could not know;
	// FalseFresh those in which it showed Good while the source could not be
	// reached. At most maxSpans of each.
	Stale, FalseFresh []TimeSpan
	StaleS, FalseS    float64
	// Divergence is the mean |twin - truth| as a share of the span, and WorstBy
	// its greatest, seen at WorstS.
	Divergence, WorstBy, WorstS float64
	// Troubles are the steps in which samples were lost, late or out of reach.
	Troubles []Trouble
	// LatencyMS is the worst of the live samples per step; negative where none.
	LatencyMS []float64
}

// TimeSpan is [FromS, ToS) in seconds.
type TimeSpan struct{ FromS, ToS float64 }

// Trouble is what went wrong for one tag in one step.
type Trouble struct{ Step, Lost, Late, Unobtainable, Backfilled int }

// Part is one machine, PLC, link or piece of the stack.
type Part struct {
	// Kind is machine, plc, link, gateway, broker or twin.
	Kind, Name string
	// What is the kind of machine or the protocol.
	What string
	// On is the PLC that scans a machine, or the PLC or broker that a link leads to.
	On string
	// Tags is how many signals it has.
	Tags  int
	Level Level
	// Moments are the worst first.
	Moments []Moment
}

// Level says how it went for a part.
type Level int

// Calm: nothing was scheduled and nothing went wrong. Struck: something was
// broken on purpose. Bad: something went wrong here that should not have.
const (
	Calm Level = iota
	Struck
	Bad
)

// Flow is a way from one machine to the next, with room for so many units.
type Flow struct {
	Line, From, To string
	Buffer         int
}

// ScoreTrace is a detector's score of one machine in units of its limit: the
// greatest per bucket, negative where the machine was not judged.
type ScoreTrace struct {
	Machine, Detector string
	Max               []float64
}

// Moment is something noteworthy that befell a part.
type Moment struct {
	Level Level
	// What is one of the words below; N is its figure.
	What      string
	AtS, ForS float64
	N         float64
	// Of is the fault, the tag or the component that it is about.
	Of, Target string
	// DelayS is how long a fault went unnoticed; nil if for ever.
	DelayS *float64
}

// What moments are about, and what N counts there.
const (
	MomentLost         = "lost"         // samples, in the worst bucket
	MomentLate         = "late"         // samples, in the worst bucket
	MomentWrong        = "wrong"        // corrupt, repeated, reordered or unknown samples in all
	MomentFault        = "fault"        // samples lost or out of reach in its window
	MomentFailure      = "failure"      // a machine broke down; Of is the component
	MomentUnobtainable = "unobtainable" // samples, in the worst bucket
	MomentSlow         = "slow"         // ms, mean of the slowest bucket
	MomentDepth        = "depth"        // samples in the buffer
	MomentBusy         = "busy"         // samples in the busiest bucket
	MomentStopped      = "stopped"      // s, the longest stop
	MomentApart        = "apart"        // share of the span, the mean of the worst bucket; Of is the worst tag
	MomentFalseFresh   = "false-fresh"  // s, of the worst bucket
	MomentMissed       = "missed"       // an expectation about this part was not met; Of is the metric
)

// OEE is overall equipment effectiveness after ISO 22400-2, with what it is
// made of.
type OEE struct {
	Of                                        string // "truth" or "twin"
	Machine                                   string
	PlannedS, RanS                            float64
	Units, Good                               float64
	IdealCycleS                               float64
	Availability, Performance, Quality, Value float64
}

// AlarmMark is one alarm episode of one detector.
type AlarmMark struct {
	AtS               float64
	Machine, Detector string
	Class, Tag        string
	Score, Limit      float64
	True              bool
}

// EventMark is one instant on the timeline.
type EventMark struct {
	AtS  float64
	What string
	// Kind is the event's or note's own word, such as "onset" or "fault begins".
	Kind string
}
