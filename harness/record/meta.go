package record

import (
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Schema names the layout of a run log; a reader refuses another one.
const Schema = "plantbed.record/3"

// Meta is everything the score must know besides the rows: the contract under
// which samples are owed, who serves which tag over which link, and the
// resolved fault plan. It is written before the first row.
type Meta struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Scenario string `json:"scenario"`
	Summary  string `json:"summary,omitempty"`
	Seed     uint64 `json:"seed"`
	Gear     string `json:"gear"`
	// Start is the wall instant of t = 0; every row holds nanoseconds since.
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration_ns"`
	Contract Contract      `json:"contract"`
	PLCs     []PLC         `json:"plcs"`
	Tasks    []Task        `json:"tasks"`
	Tags     []Tag         `json:"tags"`
	Machines []Machine     `json:"machines"`
	Lines    []Line        `json:"lines,omitempty"`
	Plan     []Window      `json:"plan"`
	// Waiting are faults that wait for a state of the plant: notes of the record
	// say when they struck.
	Waiting []Window `json:"waiting,omitempty"`
	Expect  []Expect `json:"expect"`
	// Detectors are the models whose alarms the record may hold; the first is
	// the shipped one, the others are baselines.
	Detectors []string `json:"detectors"`
	// Bottleneck names the machine whose OEE is the line's.
	Bottleneck string `json:"bottleneck,omitempty"`
}

// Contract says what a correct stack owes; see docs/CONTRACT.md.
type Contract struct {
	// Deadline after which a sample is late.
	Deadline time.Duration `json:"deadline_ns"`
	// Recover is the time a correct client is given to be back after a link
	// returns, or after the run or the gateway starts.
	Recover time.Duration `json:"recover_ns"`
	// Boot is what the gateway is given on top of that to start in; 0 for the
	// built-in one.
	Boot time.Duration `json:"boot_ns,omitempty"`
	// DurableWithin is the time after which what the wire delivered must
	// survive a kill of the gateway.
	DurableWithin time.Duration `json:"durable_within_ns"`
	// Tick is the resolution in which source times are carried; 0 is 100 ns,
	// that of OPC UA.
	Tick time.Duration `json:"tick_ns,omitempty"`
	// Deliver is what the stack promises: raw, or a declared transform.
	Deliver Promise `json:"deliver"`
}

// Startup is the time after which a correct stack has a client at every device.
func (c Contract) Startup() time.Duration { return c.Boot + c.Recover }

// Promise names the declared transform: "raw" or "deadband".
type Promise struct {
	Kind string `json:"kind"`
	// Deadband is in engineering units per tag; 0 means every change.
	Deadband float64 `json:"deadband,omitempty"`
}

// PLC is one device with the terms under which it is read.
type PLC struct {
	Name string `json:"name"`
	// Protocol is "opcua" or "modbus".
	Protocol string `json:"protocol"`
	// Sampling, Publishing, Queue, Lifetime and Trigger are the terms of an
	// OPC UA subscription. Trigger is "status-value" or "status-value-timestamp".
	Sampling   time.Duration `json:"sampling_ns,omitempty"`
	Publishing time.Duration `json:"publishing_ns,omitempty"`
	Queue      int           `json:"queue,omitempty"`
	Lifetime   time.Duration `json:"lifetime_ns,omitempty"`
	Trigger    string        `json:"trigger,omitempty"`
	// Poll is the period of a Modbus poll; FastPoll that of its fast block.
	Poll     time.Duration `json:"poll_ns,omitempty"`
	FastPoll time.Duration `json:"fast_poll_ns,omitempty"`
}

// Task is a scan cycle of a PLC; its counter is the Seq of its tags.
type Task struct {
	Name   string        `json:"name"`
	PLC    int           `json:"plc"`
	Period time.Duration `json:"period_ns"`
	// Tags are indices into Meta.Tags, in the order of a Scan row's values.
	Tags []int `json:"tags"`
}

// Tag is one signal as it is served.
type Tag struct {
	ID      signal.ID   `json:"id"`
	Machine string      `json:"machine"`
	Task    int         `json:"task"`
	Unit    signal.Unit `json:"unit"`
	Lo      float64     `json:"lo"`
	Hi      float64     `json:"hi"`
	// Scale is engineering units per raw count; 1 where the wire carries
	// engineering units already.
	Scale float64 `json:"scale"`
}

// Machine is one asset of the plant.
type Machine struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// StateTag, GoodTag and TotalTag are indices into Meta.Tags, or -1.
	StateTag int `json:"state_tag"`
	GoodTag  int `json:"good_tag"`
	TotalTag int `json:"total_tag"`
	// IdealCycle is the design cycle time in seconds per unit, for OEE.
	IdealCycle float64 `json:"ideal_cycle_s,omitempty"`
}

// Line is machines one behind the other with finite buffers between them.
type Line struct {
	Name     string   `json:"name"`
	Stations []string `json:"stations"`
	// Buffers are capacities in units, one between each two stations.
	Buffers []int `json:"buffers,omitempty"`
	// Parallel are machines that do the same work as a station, by station.
	Parallel map[string][]string `json:"parallel,omitempty"`
	// Into is a station of another line that takes this line's units from a
	// buffer of IntoBuffer; From one that gives off units for it into a buffer
	// of FromBuffer.
	Into       string `json:"into,omitempty"`
	IntoBuffer int    `json:"into_buffer,omitempty"`
	From       string `json:"from,omitempty"`
	FromBuffer int    `json:"from_buffer,omitempty"`
}

// Window is one resolved fault: what, where, from when to when.
type Window struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	// Class is process, sensor, communication or gateway.
	Class string        `json:"class"`
	From  time.Duration `json:"from_ns"`
	// To is the planned end; for an asset fault the planned failure, which the
	// plant's own events may correct.
	To   time.Duration `json:"to_ns"`
	Note string        `json:"note,omitempty"`
	// Effect is what the fault leaves to the best of clients.
	Effect Effect `json:"effect,omitzero"`
}

// Effect is what nobody could have had through a fault; faults.Effect says
// what the fields mean.
type Effect struct {
	Cut     bool          `json:"cut,omitempty"`
	Forgets bool          `json:"forgets,omitempty"`
	Moved   bool          `json:"moved,omitempty"`
	Locks   bool          `json:"locks,omitempty"`
	Brittle bool          `json:"brittle,omitempty"`
	Refuses bool          `json:"refuses,omitempty"`
	Late    time.Duration `json:"late_ns,omitempty"`
	Gone    []string      `json:"gone,omitempty"`
	Deaf    bool          `json:"deaf,omitempty"`
	Garbles bool          `json:"garbles,omitempty"`
	Swaps   bool          `json:"swaps,omitempty"`
	Jerky   bool          `json:"jerky,omitempty"`
	Once    bool          `json:"once,omitempty"`
}

// Expect is one expectation of the scenario, resolved.
type Expect struct {
	Metric string   `json:"metric"`
	Min    *float64 `json:"min,omitempty"`
	Max    *float64 `json:"max,omitempty"`
	MinN   int      `json:"min_n,omitempty"`
}

// End says how the run ended; it is the last thing written.
type End struct {
	// Reached is how far the simulated world came.
	Reached time.Duration `json:"reached_ns"`
	// LagMax is the worst lateness of the kernel's visible events; LagTolerance
	// the most that leaves latency figures meaningful.
	LagMax       time.Duration `json:"lag_max_ns"`
	LagTolerance time.Duration `json:"lag_tolerance_ns"`
	Interrupted  bool          `json:"interrupted,omitempty"`
	// Bypass lists connections that did not come through their link.
	Bypass []string `json:"bypass,omitempty"`
	// Failed is why the run could not go on, if it could not.
	Failed string `json:"failed,omitempty"`
}
