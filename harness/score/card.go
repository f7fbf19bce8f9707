package score

// Card is card.json: the verdict on a run and every figure behind it.
type Card struct {
	Schema    string            `json:"schema"`
	Scenario  string            `json:"scenario"`
	Seed      uint64            `json:"seed"`
	Gear      string            `json:"gear"`
	Digest    string            `json:"digest"`
	Identity  string            `json:"identity"`
	Verdict   Verdict           `json:"verdict"`
	Why       []string          `json:"why,omitempty"`
	DurationS float64           `json:"duration_s"`
	Metrics   map[string]Metric `json:"metrics"`
	// Baselines hold the same detection metrics for detectors that anyone
	// could write: always, never, random, shewhart.
	Baselines    map[string]map[string]Metric `json:"baselines"`
	Expectations []Expectation                `json:"expectations"`
	ByTag        []TagCount                   `json:"by_tag"`
	ByFault      []FaultCount                 `json:"by_fault"`
}

// CardSchema names the layout of card.json.
const CardSchema = "plantbed.card/1"

// Verdict is Pass, Fail or Unknown.
type Verdict string

// The three verdicts; Fail beats Unknown beats Pass.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown"
)

// Metric is one figure. Value is null where N is 0.
type Metric struct {
	Value *float64 `json:"value"`
	Unit  string   `json:"unit"`
	// N is how many things the figure rests on.
	N int `json:"n"`
	// CI95 is a 95 % interval where one can be given.
	CI95 *[2]float64 `json:"ci95,omitempty"`
}

// Expectation is one bound of the scenario and how it came out. One expect
// entry with both min and max becomes two.
type Expectation struct {
	Metric  string   `json:"metric"`
	Op      string   `json:"op"` // ">=" or "<="
	Want    float64  `json:"want"`
	Got     *float64 `json:"got"`
	N       int      `json:"n"`
	Verdict Verdict  `json:"verdict"`
	// Why is one line in words for an expectation that did not pass.
	Why string `json:"why,omitempty"`
}

// TagCount is the fate of one tag's samples.
type TagCount struct {
	Tag          string         `json:"tag"`
	Owed         int            `json:"owed"`
	Delivered    int            `json:"delivered"`
	Unobtainable int            `json:"unobtainable"`
	Lost         map[string]int `json:"lost,omitempty"` // by stage: plc, link, edge, north
	DupMarked    int            `json:"dup_marked,omitempty"`
	DupUnmarked  int            `json:"dup_unmarked,omitempty"`
	DupApplied   int            `json:"dup_applied,omitempty"`
	Reordered    int            `json:"reordered,omitempty"`
	Corrupt      map[string]int `json:"corrupt,omitempty"` // by kind: value, quality, unit, tag, source_time
	Orphan       int            `json:"orphan,omitempty"`
	Late         int            `json:"late,omitempty"`
	Backfilled   int            `json:"backfilled,omitempty"`
	// Where names the stage that is to blame for a kind of defect other than
	// loss: "corrupt", "order", "dup", "late" → edge or north.
	Where map[string]string `json:"where,omitempty"`
}

// FaultCount is what happened to samples inside one fault window.
type FaultCount struct {
	Kind         string  `json:"kind"`
	Target       string  `json:"target"`
	Class        string  `json:"class"`
	FromS        float64 `json:"from_s"`
	ToS          float64 `json:"to_s"`
	Owed         int     `json:"owed"`
	Lost         int     `json:"lost"`
	Unobtainable int     `json:"unobtainable"`
	Late         int     `json:"late"`
	Backfilled   int     `json:"backfilled"`
	// RecoverS is the time from the window's end to the first sample of the
	// target applied afterwards, for communication and gateway faults.
	RecoverS *float64 `json:"recover_s,omitempty"`
	// DelayS is the time from onset to the first alarm on the machine, for
	// process and sensor faults; nil means not detected.
	DelayS *float64 `json:"delay_s,omitempty"`
}

// Result is the card and what a page draws around it; both are functions of
// the record alone.
type Result struct {
	Card  Card
	Story Story
	// Control is there where the same seed was run through a perfect pipe beside
	// it; it is no part of the card.
	Control *Control
}
