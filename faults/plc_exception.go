package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// PLCErrors are the errors that a controller can answer with, each in the words
// of its protocol; the first is the default.
var PLCErrors = []string{"busy", "acknowledge", "bad_function", "bad_address", "bad_value", "device_failure",
	"memory", "no_path", "timeout", "internal", "denied", "shutdown", "sensor_failure", "not_connected", "out_of_service", "not_readable"}

// PLCRequests are the kinds of request that an error can be limited to. Modbus
// has the first two.
var PLCRequests = []string{"read", "write", "browse", "subscribe", "publish", "call", "history"}

// refusalScopes are what an error can be about; the first is the default.
var refusalScopes = []string{"request", "item"}

func checkPLCException(c Config, ps *strict.Problems) {
	for _, k := range []struct {
		key, value string
		valid      []string
	}{{"code", c.Code, PLCErrors}, {"on", c.On, PLCRequests}, {"scope", c.Scope, refusalScopes}} {
		if k.value != "" && !slices.Contains(k.valid, k.value) {
			ps.AddName(k.key, fmt.Sprintf("there is no %q; there are %s", k.value, strings.Join(k.valid, ", ")), k.value, k.valid)
		}
	}
	percent.check(ps, "chance", c.Chance, func(v float64) bool { return v > 0 && v <= 1 }, "more than 0 % and at most 100 %")
}

// The window that opened last decides.
func bindPLCException(p Plant, target string) (apply, bool) {
	type refusal struct {
		code, on string
		share    float64
		items    bool
	}
	sw, ok := p.Switch(target)
	return settle(refusal{},
		func(open []active) refusal {
			c := last(open).cfg
			return refusal{c.Code, c.On, percent.value(c.Chance), c.Scope == "item"}
		},
		func(_, r refusal) error { return sw.Refuse(r.code, r.on, r.share, r.items) }), ok
}

// exceptionEffect depends on what is refused: samples come as answers to
// publish requests or to reads, and a subscription must be made before that.
func exceptionEffect(c Config, protocol string) Effect {
	carrier, subscribed := "read", protocol == "opcua"
	if subscribed {
		carrier = "publish"
	}
	switch {
	case c.On == "" || c.On == carrier:
		if c.Scope == "item" && subscribed {
			return Effect{Locks: true} // it has items already; who makes them anew is refused
		}
		if percent.value(c.Chance) >= 1 {
			return Effect{Cut: true}
		}
		// A client may take any error of its session for the session's end.
		return Effect{Refuses: true}
	case subscribed && (c.On == "subscribe" || c.On == "read" || c.On == "browse"):
		return Effect{Locks: true}
	}
	return Effect{}
}
