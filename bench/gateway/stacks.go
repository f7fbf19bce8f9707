package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// stack is a gateway as it is set up.
type stack struct {
	name    string
	program string // "plantbed" or "telegraf"
	config  func(b *bed, s stack, p *plant, dir string) string
	env     []string

	buffer string        // ours
	commit time.Duration // ours, commit unless set
	flush  time.Duration // Telegraf's
	batch  bool          // many values in a message
	// defaults leaves queues and intervals as the program has them.
	defaults bool
}

// stacks is the table of them. The names are what the table of results says.
var stacks = map[string]stack{
	"ours, durable":           {program: "plantbed", config: ours, buffer: "disk"},
	"ours, durable, 70 ms":    {program: "plantbed", config: ours, buffer: "disk", commit: 70 * time.Millisecond},
	"ours, in memory":         {program: "plantbed", config: ours, buffer: "memory"},
	"telegraf, flush 100ms":   {program: "telegraf", config: telegraf, flush: 100 * time.Millisecond},
	"telegraf, flush 10ms":    {program: "telegraf", config: telegraf, flush: 10 * time.Millisecond},
	"ours, durable, defaults": {program: "plantbed", config: ours, buffer: "disk", batch: true, defaults: true},
	"telegraf, defaults":      {program: "telegraf", config: telegraf, flush: 10 * time.Second, defaults: true},
}

// commit is how long a group waits for others before it is synced: with the
// time of one sync it is all the delay that durability costs.
const commit = time.Millisecond

const publishing = time.Millisecond

// queue is what a server keeps of each tag, in values, where it is not left to
// the defaults: enough for a 20 s outage at a scan each 100 ms.
const queue = 500

func ours(b *bed, s stack, p *plant, dir string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "name = \"edge\"\nseed = 1\n[buffer]\nkind = %q\ndir = %q\n", s.buffer, filepath.Join(dir, "buffer"))
	batch := 500
	if !s.batch {
		batch = 1
	}
	if !s.defaults {
		fmt.Fprintf(&t, "commit = %q\n", cmp.Or(s.commit, commit))
	}
	fmt.Fprintf(&t, "[mqtt]\nurl = \"mqtt://%s\"\nbatch = %d\n", b.broker, batch)
	if !s.defaults {
		fmt.Fprintf(&t, "inflight = 20\n")
	}
	for n, addr := range p.addrs {
		fmt.Fprintf(&t, "[[opcua]]\nname = \"p%d\"\nurl = \"opc.tcp://%s\"\n", n, addr)
		if !s.defaults {
			fmt.Fprintf(&t, "sampling = %q\npublishing = %q\nqueue = %d\n", p.spec.period, publishing, queue)
		}
		for i := range p.spec.tags {
			id := tagID(n, i)
			fmt.Fprintf(&t, "[[opcua.tag]]\nid = %q\nnode = \"s=%s\"\nnamespace = \"urn:plantbed:p%d\"\n", id, id, n)
		}
	}
	return t.String()
}

// telegraf sends InfluxDB line protocol, its own and cheapest format, with QoS 1.
// Its buffer is made large enough for what waits between two flushes.
func telegraf(b *bed, s stack, p *plant, _ string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "[agent]\nomit_hostname = true\nflush_interval = %q\n", s.flush)
	if !s.defaults {
		fmt.Fprintf(&t, "flush_jitter = \"0s\"\nmetric_batch_size = 1000\nmetric_buffer_limit = 100000\n")
	}
	layout := "non-batch"
	if s.batch {
		layout = "batch"
	}
	fmt.Fprintf(&t, "[[outputs.mqtt]]\nservers = [\"mqtt://%s\"]\nprotocol = \"5\"\ntopic = \"telegraf/data\"\nqos = 1\nkeep_alive = 20\nlayout = %q\ndata_format = \"influx\"\n", b.broker, layout)
	for n, addr := range p.addrs {
		fmt.Fprintf(&t, "[[inputs.opcua_listener]]\nendpoint = \"opc.tcp://%s\"\ntimestamp = \"source\"\nsecurity_policy = \"None\"\nsecurity_mode = \"None\"\nconnect_fail_behavior = \"retry\"\n", addr)
		if !s.defaults {
			fmt.Fprintf(&t, "subscription_interval = %q\n", publishing)
		}
		for i := range p.spec.tags {
			fmt.Fprintf(&t, "[[inputs.opcua_listener.nodes]]\nname = \"v\"\nnamespace_uri = \"urn:plantbed:p%d\"\nidentifier_type = \"s\"\nidentifier = %q\n", n, tagID(n, i))
			if !s.defaults {
				fmt.Fprintf(&t, "[inputs.opcua_listener.nodes.monitoring_params]\nsampling_interval = %q\nqueue_size = %d\n", p.spec.period, queue)
			}
		}
	}
	return t.String()
}
