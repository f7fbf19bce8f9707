package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"
)

// What is measured of size, without a peer.
const (
	many        = 100_000 // tags on one server
	plants      = 100     // servers in one process
	tagsOfPlant = 100
	crowd       = 100 // clients of one server
)

var sizeRows = []struct{ key, name, unit, better string }{
	{"many/up", "one server of 100,000 tags: up after", "s", "lower"},
	{"many/resident", "one server of 100,000 tags: memory", "MB", "lower"},
	{"many/monitor", "one server of 100,000 tags: all monitored after", "s", "lower"},
	{"plants/up", "100 servers of 100 tags in one process: up after", "s", "lower"},
	{"plants/resident", "100 servers of 100 tags in one process: memory", "MB", "lower"},
	{fmt.Sprint("ours, clients: ", crowd, "/cpu"), "CPU per notification, 100 clients of 10 tags each", "us", "lower"},
	{fmt.Sprint("ours, clients: ", crowd, "/share"), "notifications that arrived, 100 clients", "%", "higher"},
}

// sizes measures them once.
func sizes(got figures, turn time.Duration) error {
	self := ours(many)
	if err := self.monitorAll(got); err != nil {
		return fmt.Errorf("%d tags: %w", many, err)
	}
	park := ours(tagsOfPlant)
	one := park.command
	park.command = func() *exec.Cmd {
		cmd := one()
		cmd.Args = append(cmd.Args, "-servers", fmt.Sprint(plants))
		return cmd
	}
	cmd, words, err := park.start()
	if err != nil {
		return fmt.Errorf("%d servers: %w", plants, err)
	}
	stop(cmd)
	got.add("plants/up", number(words, 1))
	got.add("plants/resident", number(words, 2))
	return ours(subscribed).notify(got, crowd, subscribed, turn)
}

// monitorAll has one client monitor every tag of a server.
func (s *server) monitorAll(got figures) error {
	cmd, words, err := s.start()
	if err != nil {
		return err
	}
	defer stop(cmd)
	got.add("many/up", number(words, 1))
	got.add("many/resident", number(words, 2))
	from := time.Now()
	var count atomic.Int64
	c, err := s.subscribe("opc.tcp://"+words[0], 0, many, &count)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	for count.Load() < many {
		if time.Since(from) > time.Minute {
			return fmt.Errorf("%d values after a minute", count.Load())
		}
		time.Sleep(10 * time.Millisecond)
	}
	got.add("many/monitor", time.Since(from).Seconds())
	return nil
}

func number(words []string, i int) float64 {
	if i >= len(words) {
		return 0
	}
	v, _ := strconv.ParseFloat(words[i], 64)
	return v
}
