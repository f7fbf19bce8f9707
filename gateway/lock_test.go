package gateway

import (
	"context"
	"strings"
	"testing"
)

// TestOneGatewayPerBuffer: two would write over each other's samples. Who comes
// second is told so, and can begin when the first has ended.
func TestOneGatewayPerBuffer(t *testing.T) {
	cfg := Config{Name: "edge-1"}
	cfg.Buffer.Dir, cfg.MQTT.URL, cfg.Admin.Listen = t.TempDir(), "mqtt://127.0.0.1:1", "127.0.0.1:0"
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for range 2 {
		first, err := open(cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(over, cfg, Options{}); err == nil || !strings.Contains(err.Error(), "another process is using the folder") {
			t.Errorf("a second one: %v", err)
		}
		if err := first.run(over); err != nil {
			t.Error(err)
		}
	}
}
