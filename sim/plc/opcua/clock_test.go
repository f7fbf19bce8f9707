package opcua

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// A device whose clock is dead says 1970 of everything: of its answers as of
// its values.
func TestADeadClock(t *testing.T) {
	p, _, c := troubledServer(t, Config{Variables: testVariables()})
	behind := -56 * 365 * 24 * time.Hour
	p.tell(plc.Trouble{Clock: plc.Clock{Set: time.Now(), Offset: behind}})
	res := ask[*ua.ReadResponse](c, readOf("pump/flow"))
	want := time.Now().Add(behind)
	if got := res.ResponseHeader.Timestamp; got.Sub(want).Abs() > time.Hour {
		t.Errorf("the answer says %v, want about %v", got, want)
	}
	off := func(t time.Time) bool { return t.Sub(want).Abs() > time.Hour }
	values := ask[*ua.ReadResponse](c, &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnBoth, NodesToRead: []*ua.ReadValueID{
		{NodeID: ua.NewStringNodeID(2, "pump/flow"), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
		{NodeID: ua.NewNumericNodeID(0, id.Server_ServerStatus_CurrentTime), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
	}}).Results
	for i, v := range values {
		if off(v.ServerTimestamp) {
			t.Errorf("value %d has the server's time stamp %v, want about %v", i, v.ServerTimestamp, want)
		}
	}
	if got := values[1].Value.Value().(time.Time); off(got) {
		t.Errorf("CurrentTime is %v", got)
	}
	if got := ask[*ua.WriteResponse](c, writeOf("oven/batch", "B-1")).Results[0]; got != ua.StatusOK {
		t.Fatal(got)
	}
	if got := part(c, "oven/batch", ""); off(got.SourceTimestamp) {
		t.Errorf("what was written now is of %v", got.SourceTimestamp)
	}
	p.tell(plc.Trouble{})
	res = ask[*ua.ReadResponse](c, readOf("pump/flow"))
	if got := res.ResponseHeader.Timestamp; time.Since(got).Abs() > time.Hour {
		t.Errorf("set right again, the answer says %v", got)
	}
}

func TestAClockThatGains(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := plc.Clock{Set: at, Offset: time.Minute, Drift: 1e-3}
	if got, want := c.Says(at.Add(1000*time.Second)), at.Add(1000*time.Second+time.Minute+time.Second); !got.Equal(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := (plc.Clock{}).Says(at); !got.Equal(at) {
		t.Errorf("a right clock says %v", got)
	}
}
