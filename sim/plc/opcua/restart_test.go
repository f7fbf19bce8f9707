package opcua

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// Ten clients come again and again to a device that restarts, loses tags, moves
// its namespace and answers late, and in the end nothing of the server is left.
func TestTenClientsAndRestarts(t *testing.T) {
	p := &troubledPLC{testPLC: newPLC()}
	high := 50.0
	s, err := Listen(Config{Alarms: []plc.Alarm{{Tag: "pump/flow", High: &high}}}, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var served atomic.Int64
	for range 10 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if visit(ctx, s) {
					served.Add(1)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	var boots uint32
	for i := range 25 {
		for range 10 {
			p.scan(1)
			time.Sleep(2 * time.Millisecond)
		}
		switch i % 5 {
		case 0:
			p.tell(plc.Trouble{Boots: boots, Down: true})
			boots++
		case 1:
			p.tell(plc.Trouble{Boots: boots, Gone: []signal.ID{"pump/flow"}})
		case 2:
			p.tell(plc.Trouble{Boots: boots, Moved: 1, NoRepublish: true})
		case 3:
			p.tell(plc.Trouble{Boots: boots, Late: 5 * time.Millisecond, Refuse: plc.Refusal{Code: "busy", Share: 0.2}})
		default:
			p.tell(plc.Trouble{Boots: boots})
		}
	}
	stop()
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if served.Load() < 10 {
		t.Errorf("%d visits", served.Load())
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if n := strings.Count(string(stacks), "sim/plc/opcua.(*conn)") + strings.Count(string(stacks), "sim/plc/opcua.(*Server)"); n > 0 {
		t.Errorf("%d frames of the server are left:\n%s", n, stacks)
	}
}

// visit connects, subscribes and reads; what fails, fails.
func visit(ctx context.Context, s *Server) bool {
	c, err := opcua.NewClient(endpoint(s), opcua.AutoReconnect(false), opcua.RequestTimeout(time.Second))
	if err != nil {
		return false
	}
	if c.Connect(ctx) != nil {
		return false
	}
	defer c.Close(context.Background())
	notes := make(chan *opcua.PublishNotificationData, 100)
	sub, err := c.Subscribe(ctx, &opcua.SubscriptionParameters{Interval: 10 * time.Millisecond}, notes)
	if err != nil {
		return false
	}
	sub.Monitor(ctx, ua.TimestampsToReturnBoth, want{tag: "pump/flow", queue: 5}.request(0))
	_, err = c.Read(ctx, readOf("pump/flow"))
	return err == nil
}
