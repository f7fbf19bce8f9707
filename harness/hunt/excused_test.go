package hunt_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/hunt"
	"github.com/plantbed/plantbed/harness/internal/planted"
	"github.com/plantbed/plantbed/internal/strict"
)

// What earlier hunts found and was no fault of the stack: nobody can be back
// sooner where every answer is late, take what it cannot store, or keep a
// session that ended while it stood still. None of it is held against a stack,
// and a stack that drops samples is found beside it.
var excused = []struct {
	name   string
	faults []faults.Config
}{
	{"a restart on a slow link", []faults.Config{
		{Kind: "link.latency", Target: "plc-pump", At: sec(30), For: sec(10), Delay: strict.Duration(600 * time.Millisecond)},
		{Kind: "plc.restart", Target: "plc-pump", At: sec(30), For: sec(1)}}},
	{"polls on a link that is slower than they come", []faults.Config{
		{Kind: "link.latency", Target: "plc-oven", At: sec(30), For: sec(20), Delay: strict.Duration(700 * time.Millisecond)}}},
	{"a full disk", []faults.Config{{Kind: "gateway.disk_full", Target: "gateway", At: sec(30), For: sec(8)}}},
	{"a crash while the disk takes nothing", []faults.Config{
		{Kind: "gateway.disk_read_only", Target: "gateway", At: sec(30), For: sec(20)},
		{Kind: "gateway.kill", Target: "gateway", At: sec(45), For: sec(1)}}},
	{"a device that does not know a tag while the broker is away", []faults.Config{
		{Kind: "broker.stop", Target: "broker", At: sec(30), For: sec(4)},
		{Kind: "plc.node_gone", Target: "plc-pump", At: sec(30), For: strict.Duration(150 * time.Millisecond), Tags: []string{"pump/motor/current"}}}},
	{"a restart of the device while the gateway stands", []faults.Config{
		{Kind: "gateway.pause", Target: "gateway", At: sec(30), For: sec(30)},
		{Kind: "plc.restart", Target: "plc-pump", At: sec(50), For: sec(1)}}},
	{"a crash of a gateway that stands after it too", []faults.Config{
		{Kind: "gateway.pause", Target: "gateway", At: sec(20), For: sec(50)},
		{Kind: "gateway.kill", Target: "gateway", At: sec(30), For: strict.Duration(120 * time.Millisecond)}}},
	{"a restart into a device without a session left", []faults.Config{
		{Kind: "plc.sessions_full", Target: "plc-pump", At: sec(15), For: sec(60)},
		{Kind: "gateway.restart", Target: "gateway", At: sec(30), For: strict.Duration(120 * time.Millisecond)}}},
	{"nothing is kept of what is under way to a gateway that stands", []faults.Config{
		{Kind: "gateway.pause", Target: "gateway", At: sec(30), For: sec(20)},
		{Kind: "plc.no_republish", Target: "plc-pump", At: sec(30), For: strict.Duration(130 * time.Millisecond)}}},
	{"a link that refuses who comes anew, and nobody does", []faults.Config{
		{Kind: "link.down", Target: "plc-pump", At: sec(30), For: sec(20), Mode: "refuse"}}},
	{"links that refuse who comes anew, after a cut", []faults.Config{
		{Kind: "link.down", Target: "plc-pump", At: sec(30), For: sec(20), Mode: "refuse"},
		{Kind: "link.down", Target: "plc-pump", At: sec(35), For: sec(1)},
		{Kind: "link.down", Target: "broker", At: sec(32), For: sec(25), Mode: "refuse"},
		{Kind: "link.down", Target: "broker", At: sec(34), For: sec(1)}}},
	{"polls on a link that loses packets", []faults.Config{
		{Kind: "link.loss", Target: "plc-oven", At: sec(30), For: sec(20), Good: sec(1), Bad: strict.Duration(300 * time.Millisecond), RTO: strict.Duration(500 * time.Millisecond)}}},
	{"a tag that is not known when an outage ends", []faults.Config{
		{Kind: "plc.node_gone", Target: "plc-oven", At: sec(30), For: sec(20), Tags: []string{"capper/air/pressure"}},
		{Kind: "broker.quota", Target: "broker", At: sec(31), For: sec(1)}}},
	{"a disk that takes its time", []faults.Config{
		{Kind: "gateway.disk_slow", Target: "gateway", At: sec(30), For: sec(20), Sync: strict.Duration(2300 * time.Millisecond)}}},
	{"a crash while the disk takes its time", []faults.Config{
		{Kind: "gateway.disk_slow", Target: "gateway", At: sec(30), For: sec(20), Sync: sec(3)},
		{Kind: "gateway.kill", Target: "gateway", At: sec(40), For: sec(1)}}},
	{"a disk that refuses while a device that restarted is being taken up", []faults.Config{
		{Kind: "plc.restart", Target: "plc-pump", At: sec(30), For: strict.Duration(130 * time.Millisecond)},
		{Kind: "gateway.disk_read_only", Target: "gateway", At: sec(31), For: sec(10)}}},
	{"nothing is kept of what was under way before", []faults.Config{
		{Kind: "gateway.pause", Target: "gateway", At: sec(30), For: sec(20)},
		{Kind: "plc.no_republish", Target: "plc-pump", At: sec(33), For: strict.Duration(130 * time.Millisecond)}}},
}

func sec(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Second) }

func TestWhatNobodyCanIsNotHeldAgainstAStack(t *testing.T) {
	exe := planted.Virtual(t)
	for _, c := range excused {
		t.Run(c.name, func(t *testing.T) {
			for defect, want := range map[string]bool{"none": false, "drop": true} {
				sc := walking(t)
				sc.Duration, sc.Faults = sec(100), c.faults
				sc.Expect = hunt.Expectations(sc)
				lab := hunt.Lab{Exe: exe, Dir: t.TempDir(), Args: func(dir string) []string { return []string{dir, defect, "20"} }}
				o, err := lab.Run(context.Background(), sc)
				if err != nil || o.Unknown != "" {
					t.Fatal(err, o.Unknown)
				}
				if got := len(o.Broken) > 0; got != want {
					t.Errorf("defect %s: broken %v", defect, o.Broken)
				}
			}
		})
	}
}

// What a slow disk makes late is excused, and not what is later than that: a
// stack that holds samples back for 30 s is found beside syncs of 1.2 s.
func TestLatenessBeyondASlowDiskIsFound(t *testing.T) {
	exe := planted.Virtual(t)
	for defect, want := range map[string]bool{"none": false, "hold": true} {
		sc := walking(t)
		sc.Duration = sec(100)
		sc.Faults = []faults.Config{{Kind: "gateway.disk_slow", Target: "gateway", At: sec(15), For: sec(70), Sync: strict.Duration(1200 * time.Millisecond)}}
		sc.Expect = hunt.Expectations(sc)
		lab := hunt.Lab{Exe: exe, Dir: t.TempDir(), Args: func(dir string) []string { return []string{dir, defect, "20"} }}
		o, err := lab.Run(context.Background(), sc)
		if err != nil || o.Unknown != "" {
			t.Fatal(err, o.Unknown)
		}
		if got := slices.ContainsFunc(o.Broken, func(b hunt.Breach) bool { return b.Invariant == "late.count" }); got != want {
			t.Errorf("defect %s: broken %v", defect, o.Broken)
		}
	}
}
