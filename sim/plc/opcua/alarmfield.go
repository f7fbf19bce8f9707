package opcua

import (
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// alarmField is a field of the events of a condition, and a variable of it.
type alarmField struct {
	path     string // browse names, as in a select clause
	dataType uint32
	read     func(a *alarm, st *alarmState) any
}

func twoState(on bool, yes, no string) *ua.LocalizedText {
	if on {
		return ua.NewLocalizedText(yes)
	}
	return ua.NewLocalizedText(no)
}

// alarmFields are the fields of an alarm's events; those of Part 5 that every
// event has come first. A field with a slash is below the one before it.
var alarmFields = []alarmField{
	{"EventId", id.ByteString, func(_ *alarm, st *alarmState) any { return st.event }},
	{"EventType", id.NodeID, func(a *alarm, _ *alarmState) any { return ua.NewFourByteNodeID(0, uint16(a.node.kind)) }},
	{"SourceNode", id.NodeID, func(a *alarm, _ *alarmState) any { return a.tag.id }},
	{"SourceName", id.String, func(a *alarm, _ *alarmState) any { return string(a.def.Tag) }},
	{"Time", id.UtcTime, func(_ *alarm, st *alarmState) any { return st.at }},
	{"ReceiveTime", id.UtcTime, func(_ *alarm, st *alarmState) any { return st.at }},
	{"Message", id.LocalizedText, func(_ *alarm, st *alarmState) any { return ua.NewLocalizedText(st.message) }},
	{"Severity", id.UInt16, func(a *alarm, _ *alarmState) any { return a.severity() }},
	{"ConditionClassId", id.NodeID, func(*alarm, *alarmState) any { return ua.NewFourByteNodeID(0, id.ProcessConditionClassType) }},
	{"ConditionClassName", id.LocalizedText, func(*alarm, *alarmState) any { return ua.NewLocalizedText("ProcessConditionClassType") }},
	{"ConditionName", id.String, func(a *alarm, _ *alarmState) any { return a.node.name }},
	{"BranchId", id.NodeID, func(*alarm, *alarmState) any { return ua.NewTwoByteNodeID(0) }},
	{"Retain", id.Boolean, func(_ *alarm, st *alarmState) any { return st.retained() }},
	{"EnabledState", id.LocalizedText, func(_ *alarm, st *alarmState) any { return twoState(!st.disabled, "Enabled", "Disabled") }},
	{"EnabledState/Id", id.Boolean, func(_ *alarm, st *alarmState) any { return !st.disabled }},
	{"Quality", id.StatusCode, func(_ *alarm, st *alarmState) any { return st.quality }},
	{"LastSeverity", id.UInt16, func(a *alarm, _ *alarmState) any { return a.severity() }},
	{"Comment", id.LocalizedText, func(_ *alarm, st *alarmState) any { return st.comment }},
	{"ClientUserId", id.String, func(_ *alarm, st *alarmState) any { return st.user }},
	{"AckedState", id.LocalizedText, func(_ *alarm, st *alarmState) any {
		return twoState(!st.unacked, "Acknowledged", "Unacknowledged")
	}},
	{"AckedState/Id", id.Boolean, func(_ *alarm, st *alarmState) any { return !st.unacked }},
	{"ConfirmedState", id.LocalizedText, func(_ *alarm, st *alarmState) any { return twoState(!st.unconfirmed, "Confirmed", "Unconfirmed") }},
	{"ConfirmedState/Id", id.Boolean, func(_ *alarm, st *alarmState) any { return !st.unconfirmed }},
	{"ActiveState", id.LocalizedText, func(_ *alarm, st *alarmState) any { return twoState(st.side != 0, "Active", "Inactive") }},
	{"ActiveState/Id", id.Boolean, func(_ *alarm, st *alarmState) any { return st.side != 0 }},
	{"InputNode", id.NodeID, func(a *alarm, _ *alarmState) any { return a.tag.id }},
	{"SuppressedOrShelved", id.Boolean, func(_ *alarm, st *alarmState) any { return st.shelf != unshelved }},
	{"ShelvingState", 0, nil},
	{"ShelvingState/CurrentState", id.LocalizedText, func(_ *alarm, st *alarmState) any { return ua.NewLocalizedText(shelves[st.shelf].name) }},
	{"ShelvingState/CurrentState/Id", id.NodeID, func(_ *alarm, st *alarmState) any { return ua.NewFourByteNodeID(0, shelves[st.shelf].id) }},
	{"ShelvingState/UnshelveTime", id.Duration, func(_ *alarm, st *alarmState) any { return st.left(time.Now()) }},
	{"LimitState", 0, nil},
	{"LimitState/CurrentState", id.LocalizedText, func(_ *alarm, st *alarmState) any { return ua.NewLocalizedText(limitStates[st.side].name) }},
	{"LimitState/CurrentState/Id", id.NodeID, func(_ *alarm, st *alarmState) any { return ua.NewFourByteNodeID(0, limitStates[st.side].id) }},
	{"HighLimit", id.Double, func(a *alarm, _ *alarmState) any { return *a.def.High }},
	{"LowLimit", id.Double, func(a *alarm, _ *alarmState) any { return *a.def.Low }},
}

func (a *alarm) severity() uint16 {
	if a.def.Severity == 0 {
		return plc.DefaultSeverity
	}
	return a.def.Severity
}

// limitStates are the states of a level alarm, by the side of its limits.
var limitStates = map[int]struct {
	name string
	id   uint16
}{1: {"High", id.ExclusiveLimitStateMachineType_High}, -1: {"Low", id.ExclusiveLimitStateMachineType_Low}, 0: {}}

// fieldKinds are the types of the fields that are no properties.
var fieldKinds = map[string]uint32{
	"EnabledState": id.TwoStateVariableType, "AckedState": id.TwoStateVariableType, "ConfirmedState": id.TwoStateVariableType,
	"ActiveState": id.TwoStateVariableType, "Quality": id.ConditionVariableType, "LastSeverity": id.ConditionVariableType,
	"Comment": id.ConditionVariableType, "ShelvingState/CurrentState": id.FiniteStateVariableType, "LimitState/CurrentState": id.FiniteStateVariableType,
	"ShelvingState": id.ShelvedStateMachineType, "LimitState": id.ExclusiveLimitStateMachineType,
}

// has tells whether an alarm has a field: only one that is to be confirmed
// shows whether it is, and a limit that there is not shows nowhere.
func (a *alarm) has(path string) bool {
	switch path {
	case "HighLimit":
		return a.def.High != nil
	case "LowLimit":
		return a.def.Low != nil
	}
	return a.def.Confirm || !strings.HasPrefix(path, "ConfirmedState")
}

// addField makes the node of a field.
func (sp *space) addField(a *alarm, f alarmField) {
	top := a.node.id.StringID()
	path := top + "." + strings.ReplaceAll(f.path, "/", ".")
	parent := a.node
	if cut := strings.LastIndexByte(f.path, '/'); cut >= 0 {
		parent = sp.tags[top+"."+strings.ReplaceAll(f.path[:cut], "/", ".")]
	}
	n := &node{id: ua.NewStringNodeID(sp.index, path), name: last(f.path), class: ua.NodeClassVariable, kind: id.PropertyType, dataType: f.dataType, alarm: a}
	by := uint32(id.HasProperty)
	if kind, ok := fieldKinds[f.path]; ok {
		n.kind, by = kind, id.HasComponent
	}
	if f.read == nil {
		n.class = ua.NodeClassObject
	} else {
		n.read = func(*Server, time.Time) any { return f.read(a, a.state.Load()) }
	}
	sp.tags[path] = n
	link(parent, by, n)
}
