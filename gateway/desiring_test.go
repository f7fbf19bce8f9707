package gateway

import (
	"encoding/json"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"

	"github.com/plantbed/plantbed/internal/payload"
)

// desiring is who wants values of the gateway edge-1, and waits for what is
// reported of a version.
func desiring(t *testing.T, broker *mochi.Server) (want func(id string, version uint64, value float64), reported func(id string, version uint64) payload.Reported) {
	want = func(id string, version uint64, value float64) {
		t.Helper()
		text, _ := json.Marshal(payload.Desired{Version: version, Value: value})
		if err := broker.Publish(payload.DesiredTopic("plantbed", "edge-1", id), text, true, 1); err != nil {
			t.Error(err)
		}
	}
	reported = func(id string, version uint64) (r payload.Reported) {
		t.Helper()
		for range 1000 {
			for _, m := range broker.Topics.Messages(payload.ReportedTopic("plantbed", "edge-1", id)) {
				if json.Unmarshal(m.Payload, &r); r.Version == version {
					return r
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s: version %d is not reported, the last is %+v", id, version, r)
		return r
	}
	return want, reported
}
