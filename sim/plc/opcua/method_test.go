package opcua

import (
	"errors"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

func callOf(object, method string, in ...any) *ua.CallRequest {
	r := &ua.CallMethodRequest{ObjectID: ua.NewStringNodeID(2, object), MethodID: ua.NewStringNodeID(2, method)}
	for _, v := range in {
		r.InputArguments = append(r.InputArguments, ua.MustVariant(v))
	}
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{r}}
}

// A writable tag has a method that sets it, and other methods can be added;
// whatever is wrong with a call is said as the standard has it.
func TestMethods(t *testing.T) {
	p := newPLC()
	jam := errors.New("the hatch is jammed")
	s := serve(t, p, Config{Methods: []Method{
		{Object: "oven", Name: "Add", In: []Argument{{"A", "", id.Double}, {"B", "", id.Double}}, Out: []Argument{{"Sum", "", id.Double}},
			Do: func(in []any) ([]any, error) { return []any{in[0].(float64) + in[1].(float64)}, nil }},
		{Object: "oven", Name: "Open", Do: func([]any) ([]any, error) { return nil, jam }},
	}}, Options{})
	c := rawSession(t, s, 0)
	one := func(r *ua.CallRequest) *ua.CallMethodResult { return ask[*ua.CallResponse](c, r).Results[0] }
	if r := one(callOf("oven", "oven.SetSetpoint", 150.0)); r.StatusCode != ua.StatusOK || p.written["oven/setpoint"] != 150 {
		t.Errorf("%v, wrote %v", r.StatusCode, p.written)
	}
	if r := one(callOf("pump/motor/bearing", "pump/motor/bearing.SetTemp", int16(615))); r.StatusCode != ua.StatusOK || p.written["pump/motor/bearing/temp"] != 61.5 {
		t.Errorf("raw counts: %v, wrote %v", r.StatusCode, p.written)
	}
	if r := one(callOf("oven", "oven.Add", 1.5, 2.0)); r.StatusCode != ua.StatusOK || len(r.OutputArguments) != 1 || r.OutputArguments[0].Float() != 3.5 {
		t.Errorf("%+v", r)
	}
	for what, bad := range map[string]struct {
		call *ua.CallRequest
		want ua.StatusCode
	}{
		"no object":           {callOf("open", "oven.Add"), ua.StatusBadNodeIDUnknown},
		"no method":           {callOf("oven", "oven.Subtract"), ua.StatusBadMethodInvalid},
		"a tag":               {callOf("oven", "oven/setpoint"), ua.StatusBadMethodInvalid},
		"of another object":   {callOf("pump", "oven.Add", 1.0, 2.0), ua.StatusBadMethodInvalid},
		"too few arguments":   {callOf("oven", "oven.Add", 1.0), ua.StatusBadArgumentsMissing},
		"too many arguments":  {callOf("oven", "oven.Add", 1.0, 2.0, 3.0), ua.StatusBadTooManyArguments},
		"another type":        {callOf("oven", "oven.Add", 1.0, "2"), ua.StatusBadInvalidArgument},
		"an array":            {callOf("oven", "oven.Add", 1.0, []float64{2}), ua.StatusBadInvalidArgument},
		"outside the range":   {callOf("oven", "oven.SetSetpoint", 1e6), ua.StatusBadOutOfRange},
		"the device does not": {callOf("oven", "oven.Open"), ua.StatusBadDeviceFailure},
	} {
		if got := one(bad.call).StatusCode; got != bad.want {
			t.Errorf("%s: %v, want %v", what, got, bad.want)
		}
	}
	if r := one(callOf("oven", "oven.Add", 1.0, "2")); len(r.InputArgumentResults) != 2 || r.InputArgumentResults[0] != ua.StatusOK || r.InputArgumentResults[1] != ua.StatusBadTypeMismatch {
		t.Errorf("argument results %v", r.InputArgumentResults)
	}
	args := ask[*ua.ReadResponse](c, readOf("oven.Add.InputArguments")).Results[0].Value.Value().([]*ua.ExtensionObject)
	if a := args[1].Value.(*ua.Argument); len(args) != 2 || a.Name != "B" || a.DataType.IntID() != id.Double || a.ValueRank != -1 {
		t.Errorf("%+v", a)
	}
}

// A method that nobody could call keeps a server from starting.
func TestMethodsThatCannotBe(t *testing.T) {
	for what, m := range map[string][]Method{
		"no such folder": {{Object: "ovn", Name: "X"}},
		"on a tag":       {{Object: "oven/zone", Name: "X"}},
		"twice":          {{Object: "oven", Name: "X"}, {Object: "oven", Name: "X"}},
	} {
		if s, err := Listen(Config{Methods: m}, newPLC(), Options{}); err == nil {
			s.Close()
			t.Errorf("%s: no error", what)
		}
	}
}

func TestMethodNames(t *testing.T) {
	for name, want := range map[string]string{"setpoint": "Setpoint", "bottom_speed": "BottomSpeed", "zone 2": "Zone2", "": ""} {
		if got := title(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if m := setter(newPLC(), &plc.Tag{ID: "root", Type: plc.Bool}); m.Object != "" || m.Name != "SetRoot" {
		t.Errorf("%+v", m)
	}
}
