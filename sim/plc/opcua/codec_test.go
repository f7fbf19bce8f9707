package opcua

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// random fills v with anything that the wire can carry and bring back.
func random(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Int32:
		v.SetInt(int64(int32(r.Uint32())))
	case reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.String:
		v.SetString([]string{"", "a", "pump/motor", "µ"}[r.IntN(4)])
	case reflect.Slice:
		n := 1 + r.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			random(r, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		switch x := v.Interface().(type) {
		case *ua.NodeID:
			*x = *[]*ua.NodeID{ua.NewTwoByteNodeID(7), ua.NewFourByteNodeID(2, 300), ua.NewNumericNodeID(3, 1<<20), ua.NewStringNodeID(2, "pump"), ua.NewByteStringNodeID(1, []byte("token")), ua.NewGUIDNodeID(1, "1111AAAA-22BB-33CC-44DD-55EE77FF9900")}[r.IntN(6)]
		case *ua.ExpandedNodeID:
			*x = *ua.NewStringExpandedNodeID(2, "x")
		case *ua.LocalizedText:
			*x = *ua.NewLocalizedTextWithLocale([]string{"", "text"}[r.IntN(2)], "en")
		case *ua.ExtensionObject:
			*x = *ua.NewExtensionObject([]any{nil, &ua.AnonymousIdentityToken{PolicyID: "p"}, &ua.DataChangeFilter{Trigger: 1, DeadbandValue: 2}, &ua.UserNameIdentityToken{UserName: "u", Password: []byte{1}}}[r.IntN(4)])
			if x.Value == nil {
				*x = ua.ExtensionObject{TypeID: ua.NewTwoByteExpandedNodeID(0)}
			}
		case *ua.DataValue:
			*x = ua.DataValue{EncodingMask: 63, Value: ua.MustVariant([]any{true, 1.5, float32(2), int16(-3), "s", uint32(9)}[r.IntN(6)]), Status: 5, SourceTimestamp: when(r), ServerTimestamp: when(r), SourcePicoseconds: 3, ServerPicoseconds: 4}
		case *ua.Variant:
			*x = *ua.MustVariant(r.Float64())
		case *ua.DiagnosticInfo:
			*x = ua.DiagnosticInfo{EncodingMask: 1, SymbolicID: 4}
		default:
			random(r, v.Elem())
		}
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			*t = when(r)
			return
		}
		for i := range v.NumField() {
			random(r, v.Field(i))
		}
	default:
		panic(v.Type().String())
	}
}

func when(r *rand.Rand) time.Time {
	return time.Unix(r.Int64N(1<<32), 100*r.Int64N(1e7)).UTC()
}

// Each request that is served is decoded as gopcua's own decoder does it.
func TestRequestsDecodeAsInTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for number, svc := range services {
		for range 50 {
			typ := requestType(t, svc)
			in := reflect.New(typ)
			random(r, in.Elem())
			b, err := ua.Encode(in.Interface())
			if err != nil {
				t.Fatal(err)
			}
			h, c, got := requestHead(append(appendTypeID(nil, number), b...))
			head := in.Interface().(ua.Request).Header()
			if c.bad || got != number || h.handle != head.RequestHandle || h.hint != time.Duration(head.TimeoutHint)*time.Millisecond {
				t.Fatalf("%v: header %+v, bad %v", typ, h, c.bad)
			}
			mine, err := svc.decode(&c)
			if err != nil || len(c.b) != 0 {
				t.Fatalf("%v: %v, %d bytes left", typ, err, len(c.b))
			}
			theirs := reflect.New(typ)
			if _, err := ua.Decode(b, theirs.Interface()); err != nil {
				t.Fatal(err)
			}
			theirs.Elem().Field(0).SetZero()
			if !reflect.DeepEqual(mine, theirs.Interface()) {
				t.Fatalf("%v:\n%+v\nwant\n%+v", typ, mine, theirs.Interface())
			}
			for cut := range b { // no part of it is taken for the whole
				_, c, _ := requestHead(append(appendTypeID(nil, number), b[:cut]...))
				if _, err := svc.decode(&c); err == nil {
					t.Fatalf("%v: decoded from %d of %d bytes", typ, cut, len(b))
				}
			}
		}
	}
}

// requestType is the type that a service takes.
func requestType(t *testing.T, svc service) reflect.Type {
	t.Helper()
	v, _ := svc.decode(&cursor{bad: true})
	return reflect.TypeOf(v).Elem()
}

// Responses are numbered as the standard numbers them, and encoded as gopcua
// encodes them.
func TestResponsesEncodeAsInTheLibrary(t *testing.T) {
	for number, svc := range services {
		name := requestType(t, svc).Name()
		if got := ua.ServiceTypeID(reflect.New(requestType(t, svc)).Interface()); got != number {
			t.Errorf("%s stands at %d, is %d", name, number, got)
		}
		want := name[:len(name)-len("Request")] + "Response"
		_, v, err := ua.DecodeService(append(appendTypeID(nil, responseID(number)), make([]byte, 200)...))
		if err != nil || reflect.TypeOf(v).Elem().Name() != want {
			t.Errorf("%s is answered with %T, %v", name, v, err)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, response := range []any{
		&ua.CreateSessionResponse{}, &ua.ActivateSessionResponse{}, &ua.GetEndpointsResponse{}, &ua.FindServersResponse{}, &ua.BrowseResponse{}, &ua.BrowseNextResponse{},
		&ua.TranslateBrowsePathsToNodeIDsResponse{}, &ua.RegisterNodesResponse{}, &ua.WriteResponse{}, &ua.CreateSubscriptionResponse{}, &ua.ModifySubscriptionResponse{},
		&ua.CreateMonitoredItemsResponse{}, &ua.ModifyMonitoredItemsResponse{}, &ua.SetTriggeringResponse{}, &ua.TransferSubscriptionsResponse{},
	} {
		for range 50 {
			v := reflect.New(reflect.TypeOf(response).Elem())
			random(r, v.Elem())
			v.Interface().(ua.Response).SetHeader(&ua.ResponseHeader{
				Timestamp: time.Unix(1e9, 0), RequestHandle: 5, ServiceResult: 6, ServiceDiagnostics: &ua.DiagnosticInfo{}, StringTable: []string{}, AdditionalHeader: ua.NewExtensionObject(nil),
			})
			want, err := ua.Encode(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got := appendFields(appendHeader(nil, time.Unix(1e9, 0), 5, 6), v.Elem(), 1)
			if !bytes.Equal(got, want) {
				t.Fatalf("%T:\n%x\nwant\n%x", response, got, want)
			}
		}
	}
}

// The values of tags are encoded as gopcua encodes the same data value.
func TestTagsEncodeAsInTheLibrary(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456_700, time.UTC)
	for _, tc := range []struct {
		typ   plc.Type
		value float64
		want  any
	}{
		{plc.Bool, 1, true}, {plc.Bool, 0, false}, {plc.Int16, -3.2, int16(-32)}, {plc.UInt16, 6553.5, uint16(65535)}, {plc.Int32, -1e6, int32(-1e7)}, {plc.UInt32, 4e8, uint32(4e9)},
		{plc.Float32, 1.5, float32(1.5)}, {plc.Float64, 0.1, 0.1}, {plc.Float64, math.Inf(-1), math.Inf(-1)},
	} {
		tg := tag("x", tc.typ, 1)
		if tc.typ.IsInteger() {
			tg.Scale = 0.1
		}
		for stamps, mask := range map[ua.TimestampsToReturn]byte{ua.TimestampsToReturnSource: 4, ua.TimestampsToReturnServer: 8, ua.TimestampsToReturnBoth: 12, ua.TimestampsToReturnNeither: 0} {
			for _, status := range []ua.StatusCode{0, ua.StatusBadSensorFailure} {
				d := ua.DataValue{EncodingMask: 1 | mask, Value: ua.MustVariant(tc.want), Status: status, SourceTimestamp: at, ServerTimestamp: at.Add(time.Second)}
				if status != 0 {
					d.EncodingMask |= 2
				}
				want, err := d.Encode()
				if err != nil {
					t.Fatal(err)
				}
				if got := appendTag(nil, &tg, tc.value, signal.Quality(status), ticks(at), ticks(at.Add(time.Second)), stamps); !bytes.Equal(got, want) {
					t.Errorf("%v %v: %x, want %x", tc.typ, tc.value, got, want)
				}
			}
		}
	}
}

// A publish response is what gopcua makes of the same message.
func TestNotificationEncodesAsInTheLibrary(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	sub := c.subscribe(soon, 100, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 3}, want{tag: "pump/motor/bearing/temp", queue: 3})
	p.scan(0)
	p.scan(1)
	id0 := c.send(&ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{{SubscriptionID: 1}}})
	kind, body := c.frame()
	if kind != "MSGF" {
		t.Fatal(kind)
	}
	_, v, err := ua.DecodeService(body[16:])
	if err != nil {
		t.Fatal(err)
	}
	again, err := ua.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	if want := append(appendTypeID(nil, id.PublishResponse_Encoding_DefaultBinary), again...); !bytes.Equal(body[16:], want) {
		t.Errorf("request %d:\n%x\nwant\n%x", id0, body[16:], want)
	}
}
