package opcua_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestPick browses the server for tags instead of naming them, and one that is
// named beside it, which is not there, takes none of them down.
func TestPick(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	cfg := p.config()
	cfg.Tags = []opcua.Tag{{ID: "named", Node: "ns=2;s=m/c/q0"}, {ID: "gone", Node: "ns=2;s=m/c/nobody"}}
	cfg.Picks = []opcua.Pick{{Match: "**/q[1-3]", Prefix: "x/"}, {Match: "**/q3", Prefix: "again/"}, {Match: "nothing/*"}}
	cfg.Defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	s := &store{got: map[signal.ID][]signal.Sample{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- opcua.Run(ctx, cfg, 7, nil, s.sink, s.status) }()
	for range 40 { // as long as a busy machine takes
		p.run(250 * time.Millisecond)
		if s.least(5) {
			break
		}
	}
	cancel()
	<-done
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[string]int{}
	for id, got := range s.got {
		ids[string(id)[max(0, len(id)-2):]]++
		if len(got) < 5 {
			t.Errorf("%s: %d samples", id, len(got))
		}
	}
	if len(s.got) != 5 || ids["q1"] != 1 || ids["q2"] != 1 || ids["q3"] != 2 || ids["ed"] != 1 {
		t.Errorf("picked %v", fmt.Sprint(ids))
	}
}

// TestPickOfNothing is told: nothing will ever come of it.
func TestPickOfNothing(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	cfg := p.config()
	cfg.Tags, cfg.Picks = nil, []opcua.Pick{{Match: "nothing/*"}}
	cfg.Defaults()
	s := &store{got: map[signal.ID][]signal.Sample{}}
	told := make(chan string, 100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- opcua.Run(ctx, cfg, 7, nil, s.sink, func(_ string, up bool, why string) { told <- fmt.Sprint(up, " ", why) })
	}()
	for what := ""; !strings.Contains(what, "no variable of the server fits"); {
		select {
		case what = <-told:
		case <-time.After(20 * time.Second):
			t.Fatal("nobody is told")
		}
	}
	cancel()
	<-done
}

// least is true when there are five tags with that many samples each.
func (s *store) least(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, got := range s.got {
		if len(got) < n {
			return false
		}
	}
	return len(s.got) >= 5
}
