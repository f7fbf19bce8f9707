package faults

import (
	"reflect"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func TestEffect(t *testing.T) {
	second := strict.Duration(time.Second)
	for _, c := range []struct {
		cfg           Config
		opcua, modbus Effect
	}{
		{Config{Kind: "link.down"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "link.down", Mode: "refuse"}, Effect{Locks: true}, Effect{Locks: true}},
		{Config{Kind: "link.stall"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "link.half_open"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "link.cut"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "link.corrupt"}, Effect{Cut: true, Garbles: true}, Effect{Cut: true, Garbles: true}},
		{Config{Kind: "link.frame", Action: "drop"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "link.frame", Action: "reorder", Frame: "response"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "link.frame", Action: "reorder", Frame: "publish"}, Effect{Cut: true, Swaps: true}, Effect{Cut: true, Swaps: true}},
		{Config{Kind: "link.frame", Action: "repeat"}, Effect{}, Effect{}},
		{Config{Kind: "link.frame", Action: "hold", Delay: second}, Effect{Late: time.Second, Once: true}, Effect{Late: time.Second, Once: true}},
		{Config{Kind: "link.loss"}, Effect{}, Effect{Jerky: true}},
		{Config{Kind: "link.profile", Profile: "lte"}, Effect{}, Effect{Jerky: true}},
		{Config{Kind: "link.profile", Profile: "plant-ethernet"}, Effect{}, Effect{}},
		{Config{Kind: "link.slice", Size: 1}, Effect{}, Effect{}},
		{Config{Kind: "gateway.pause"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "gateway.restart"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "gateway.disk_read_only"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "plc.sessions_full"}, Effect{Locks: true}, Effect{Locks: true}},
		{Config{Kind: "plc.cert_expired"}, Effect{Locks: true}, Effect{Locks: true}},
		{Config{Kind: "plc.namespace_moved"}, Effect{Moved: true}, Effect{Moved: true}},
		{Config{Kind: "plc.no_republish"}, Effect{Brittle: true}, Effect{Brittle: true}},
		{Config{Kind: "broker.stop", State: "lost"}, Effect{Deaf: true}, Effect{Deaf: true}},
		{Config{Kind: "broker.stop"}, Effect{}, Effect{}},
		{Config{Kind: "no.such"}, Effect{}, Effect{}},
		{Config{Kind: "link.latency", Delay: second}, Effect{Late: 2 * time.Second}, Effect{Late: 2 * time.Second}},
		{Config{Kind: "gateway.disk_full"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "gateway.disk_slow", Sync: second}, Effect{Late: 2 * time.Second}, Effect{Late: 2 * time.Second}},
		{Config{Kind: "plc.restart"}, Effect{Cut: true, Forgets: true}, Effect{Cut: true, Forgets: true}},
		{Config{Kind: "plc.slow", Delay: second, Once: true}, Effect{Late: time.Second, Once: true}, Effect{Late: time.Second, Once: true}},
		{Config{Kind: "plc.exception"}, Effect{Cut: true}, Effect{Cut: true}},
		{Config{Kind: "plc.exception", Chance: "5 %"}, Effect{Refuses: true}, Effect{Refuses: true}},
		{Config{Kind: "plc.exception", On: "read"}, Effect{Locks: true}, Effect{Cut: true}},
		{Config{Kind: "plc.exception", On: "publish"}, Effect{Cut: true}, Effect{}},
		{Config{Kind: "plc.exception", On: "write"}, Effect{}, Effect{}},
		{Config{Kind: "plc.exception", Scope: "item"}, Effect{Locks: true}, Effect{Cut: true}},
		{Config{Kind: "plc.node_gone", Tags: []string{"a/b"}}, Effect{Gone: []string{"a/b"}}, Effect{Gone: []string{"a/b"}}},
		{Config{Kind: "sensor.bias", Bias: "1 %"}, Effect{}, Effect{}},
	} {
		if got := c.cfg.Effect("opcua"); !reflect.DeepEqual(got, c.opcua) {
			t.Errorf("%+v on OPC UA: %+v, want %+v", c.cfg, got, c.opcua)
		}
		if got := c.cfg.Effect("modbus"); !reflect.DeepEqual(got, c.modbus) {
			t.Errorf("%+v on Modbus: %+v, want %+v", c.cfg, got, c.modbus)
		}
	}
}
