package api

import (
	"math"
	"net/http"
	"time"
)

// Times ending in _s are seconds since the start of the plant; values are in
// the unit of their tag. What is no finite number is null.

// Endpoint is where a PLC is reached.
type Endpoint struct {
	PLC      string `json:"plc"`
	Protocol string `json:"protocol"`
	URL      string `json:"url"`
}

// Status is the plant as a whole.
type Status struct {
	Scenario  string     `json:"scenario"`
	Summary   string     `json:"summary"`
	Version   string     `json:"version"`
	Seed      uint64     `json:"seed"`
	Start     time.Time  `json:"start"`
	AtS       float64    `json:"at_s"`
	LagMaxS   float64    `json:"lag_max_s"`
	Endpoints []Endpoint `json:"endpoints"`
	Broker    string     `json:"broker"`
	// Injected counts faults since the start.
	Injected int `json:"injected"`
}

// Machine is a machine and its true condition.
type Machine struct {
	Name       string      `json:"name"`
	Kind       string      `json:"kind"`
	State      int         `json:"state"`
	StateName  string      `json:"state_name"`
	Good       int         `json:"good"`
	Total      int         `json:"total"`
	IdealCycle float64     `json:"ideal_cycle_s"`
	Components []Component `json:"components"`
}

// Component is a part of a machine that can wear out.
type Component struct {
	Name string `json:"name"`
	// Damage goes from 0, new, to 1, failed.
	Damage float64 `json:"damage"`
}

// PLC is a controller.
type PLC struct {
	Name     string   `json:"name"`
	Protocol string   `json:"protocol"`
	URL      string   `json:"url"`
	Unit     *int     `json:"unit,omitempty"` // Modbus
	Machines []string `json:"machines"`
	Tasks    []Task   `json:"tasks"`
	// Connections that were answered, and bytes that reached clients.
	Connections int64 `json:"connections"`
	Bytes       int64 `json:"bytes"`
}

// Task is a scan cycle.
type Task struct {
	Name    string  `json:"name"`
	PeriodS float64 `json:"period_s"`
	Tags    int     `json:"tags"`
	Scans   uint64  `json:"scans"`
}

// Tag is a row of a PLC's tag table, and how it is read.
type Tag struct {
	ID       string   `json:"id"`
	PLC      string   `json:"plc"`
	Task     string   `json:"task"`
	Machine  string   `json:"machine"`
	Unit     string   `json:"unit"`
	Type     string   `json:"type"`
	Scale    float64  `json:"scale"`
	Lo       *float64 `json:"lo"`
	Hi       *float64 `json:"hi"`
	Writable bool     `json:"writable"`
	Node     string   `json:"node,omitempty"` // OPC UA
	Modbus   *Modbus  `json:"modbus,omitempty"`
}

// Modbus is where a tag stands in a register map.
type Modbus struct {
	Register int    `json:"register"`
	Words    int    `json:"words"`
	Order    string `json:"order"`
	// Bit is its address among coils and discrete inputs.
	Bit *int `json:"bit,omitempty"`
}

// FaultKind is a sort of fault, and what it can hit here.
type FaultKind struct {
	Kind    string   `json:"kind"`
	Class   string   `json:"class"`
	Doc     string   `json:"doc"`
	Keys    []Key    `json:"keys"`
	Targets []string `json:"targets"`
}

// Key is a key of a kind, beside kind and target.
type Key struct {
	Name     string `json:"name"`
	Doc      string `json:"doc"`
	Required bool   `json:"required"`
	Example  string `json:"example"`
}

// Fault is an injected fault.
type Fault struct {
	ID     int     `json:"id"`
	Kind   string  `json:"kind"`
	Target string  `json:"target"`
	Class  string  `json:"class"`
	FromS  float64 `json:"from_s"`
	// ToS is when it ends by itself; null is never.
	ToS  *float64 `json:"to_s"`
	Note string   `json:"note"`
}

// Filter picks tags; an empty field picks all.
type Filter struct{ PLC, Machine, Tag string }

// Truth is what is, at one instant.
type Truth struct {
	AtS    float64 `json:"at_s"`
	Values []Value `json:"values"`
}

// Value is one quantity: what the machine has, and what its PLC scanned last.
type Value struct {
	Tag     string   `json:"tag"`
	PLC     string   `json:"plc"`
	Unit    string   `json:"unit"`
	True    *float64 `json:"true"`
	Scanned *Scanned `json:"scanned"`
}

// Scanned is a sample as a faultless client would have it.
type Scanned struct {
	Value   *float64  `json:"value"`
	Quality string    `json:"quality"`
	Seq     uint64    `json:"seq"`
	AtS     float64   `json:"at_s"`
	Stamp   time.Time `json:"stamp"`
}

// Event is something that happened in the plant. Of a machine it is "state",
// "onset", "detectable", "failure" or "repair"; of a fault "fault begins" or
// "fault ends".
type Event struct {
	Seq       uint64  `json:"seq"`
	AtS       float64 `json:"at_s"`
	Kind      string  `json:"kind"`
	Machine   string  `json:"machine,omitempty"`
	Component string  `json:"component,omitempty"`
	Mode      string  `json:"mode,omitempty"`
	StateName string  `json:"state_name,omitempty"`
	Fault     *Fault  `json:"fault,omitempty"`
}

// Events are a part of what happened; Next is what to ask behind the next time.
type Events struct {
	Next uint64 `json:"next"`
	// Missed are those asked for that are kept no more.
	Missed uint64  `json:"missed"`
	Events []Event `json:"events"`
}

// Refusal is an error that is the caller's.
type Refusal struct {
	Status   int       `json:"-"`
	Message  string    `json:"error"`
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is one thing wrong with a request's body.
type Problem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
	// Near is the valid name that was probably meant.
	Near string `json:"near,omitempty"`
}

func (r *Refusal) Error() string { return r.Message }

// NotFound refuses what is not there.
func NotFound(message string) *Refusal {
	return &Refusal{Status: http.StatusNotFound, Message: message}
}

// Number is null in JSON where v is no finite number.
func Number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
