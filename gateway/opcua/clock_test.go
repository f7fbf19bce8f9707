package opcua

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

func TestClockIsTold(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	var c clock
	for _, x := range []struct {
		behind time.Duration
		says   string
	}{
		{time.Second, ""},
		{90 * time.Second, ""}, // a backlog
		{40 * 365 * 24 * time.Hour, "is off"},
		{40 * 365 * 24 * time.Hour, ""}, // once is enough
		{0, "right again"},
		{-2 * time.Minute, "is off"},
	} {
		b.Reset()
		c.look([]signal.Sample{{SourceTime: now.Add(-x.behind - time.Hour)}, {SourceTime: now.Add(-x.behind)}}, now, time.Minute, log, "plc")
		if got := b.String(); !strings.Contains(got, x.says) || x.says == "" && got != "" {
			t.Errorf("%v behind: %q, want %q", x.behind, got, x.says)
		}
	}
}
