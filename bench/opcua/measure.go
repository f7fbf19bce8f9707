package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"
)

// subscribed is how many tags the comparison monitors.
const subscribed = 1000

// server is one of those that are compared.
type server struct {
	name    string
	command func() *exec.Cmd
	// namespace is where its tags are, node the id of the nth.
	namespace uint16
	node      func(i int) string
}

func ours(tags int) *server {
	self, err := os.Executable()
	return &server{name: "ours", namespace: 2, node: func(i int) string { return fmt.Sprintf("m%d/t%d", i/100, i) },
		command: func() *exec.Cmd {
			cmd := exec.Command(self, "-serve", fmt.Sprint(tags))
			cmd.Err = err
			return cmd
		}}
}

// start runs the server; words are what it prints when it is up, of which the
// first is host:port.
func (s *server) start() (cmd *exec.Cmd, words []string, err error) {
	cmd = s.command()
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	for lines := bufio.NewReader(pipe); ; { // a peer may chatter before
		line, err := lines.ReadString('\n')
		if err != nil {
			stop(cmd)
			return nil, nil, fmt.Errorf("it says no port: %w", err)
		}
		if words := strings.Fields(line); strings.HasPrefix(line, "127.0.0.1:") {
			return cmd, words, nil
		}
	}
}

func stop(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// warm is how long the clients run before anything is counted.
const warm = time.Second

// notify starts the server, has clients share the tags out among themselves,
// and counts for a turn: microseconds of the server's CPU for each
// notification, and how many of the changes arrived, in percent.
func (s *server) notify(got figures, clients, tags int, turn time.Duration) error {
	cmd, words, err := s.start()
	if err != nil {
		return err
	}
	defer stop(cmd)
	var count atomic.Int64
	each := tags / clients
	for n := range clients {
		c, err := s.subscribe("opc.tcp://"+words[0], n*each, each, &count)
		if err != nil {
			return err
		}
		defer c.Close(context.Background())
	}
	time.Sleep(warm)
	arrived, used, from := count.Load(), cpuTime(cmd.Process.Pid), time.Now()
	time.Sleep(turn)
	n, took := float64(count.Load()-arrived), time.Since(from)
	spent := cpuTime(cmd.Process.Pid) - used
	if n == 0 {
		return fmt.Errorf("no notification in %v", turn)
	}
	key := s.name
	if clients > 1 {
		key = fmt.Sprint("ours, clients: ", clients)
	}
	got.add(key+"/cpu", spent.Seconds()*1e6/n)
	got.add(key+"/share", 100*n/(took.Seconds()*10*float64(each*clients)))
	return nil
}

// subscribe connects a client that counts the values of its tags.
func (s *server) subscribe(url string, first, tags int, count *atomic.Int64) (*opcua.Client, error) {
	ctx := context.Background()
	c, err := opcua.NewClient(url, opcua.AutoReconnect(false), opcua.SecurityMode(ua.MessageSecurityModeNone))
	if err != nil {
		return nil, err
	}
	if err := c.Connect(ctx); err != nil {
		return nil, err
	}
	time.Sleep(250 * time.Millisecond / time.Duration(1+subscribed/tags/10)) // its publish loop begins with a pause
	notes := make(chan *opcua.PublishNotificationData, 100)
	sub, err := c.Subscribe(ctx, &opcua.SubscriptionParameters{Interval: 100 * time.Millisecond, LifetimeCount: 10000, MaxKeepAliveCount: 100}, notes)
	if err != nil {
		return nil, err
	}
	go func() {
		for n := range notes {
			if d, ok := n.Value.(*ua.DataChangeNotification); ok {
				count.Add(int64(len(d.MonitoredItems)))
			}
		}
	}()
	for at := 0; at < tags; at += 1000 {
		var items []*ua.MonitoredItemCreateRequest
		for i := at; i < min(at+1000, tags); i++ {
			items = append(items, &ua.MonitoredItemCreateRequest{
				ItemToMonitor:  &ua.ReadValueID{NodeID: ua.NewStringNodeID(s.namespace, s.node(first+i)), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
				MonitoringMode: ua.MonitoringModeReporting,
				RequestedParameters: &ua.MonitoringParameters{ClientHandle: uint32(first + i), SamplingInterval: 100, QueueSize: 10, DiscardOldest: true,
					Filter: ua.NewExtensionObject(nil)},
			})
		}
		r, err := sub.Monitor(ctx, ua.TimestampsToReturnBoth, items...)
		if err != nil {
			return nil, err
		}
		for i, res := range r.Results {
			if res.StatusCode != ua.StatusOK {
				return nil, fmt.Errorf("item %d: %w", at+i, res.StatusCode)
			}
		}
	}
	return c, nil
}

// cpuTime is what all threads of a process have run, as the scheduler counts
// it, in nanoseconds: finer than the clock ticks of times(2).
func cpuTime(pid int) time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var sum time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		ran, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(ran, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}
