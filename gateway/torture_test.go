package gateway

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/strict"
)

// The torture tests stand here and are run in earnest from package harness,
// under the fake clock: there a kill falls between any two steps of the world,
// and a thousand of them take seconds (make torture-gateway). PLANTBED_TORTURE_KILLS says how many.

// heartbeat keeps the fake clock from long jumps; see package harness/virtual.
func heartbeat(t *testing.T) {
	if time.Now().Year() != 2009 {
		t.Parallel()
		return
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				time.Sleep(9_700_313)
			}
		}
	}()
}

func kills(otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv("PLANTBED_TORTURE_KILLS")); err == nil {
		return n
	}
	return otherwise
}

// rack is a gateway between a PLC that outlives it and a broker, on a disk
// that tears what was not synced.
type rack struct {
	t     *testing.T
	r     *rand.Rand
	l     *ledger
	fs    *disk.ModelFS
	p     *plc
	cfg   Config
	stop  func() // the broker
	cut   func()
	addr  string
	g     *life
	drops map[string]int
	kills int
	allow string // a reason for which samples may be dropped
}

func newRack(t *testing.T, seed uint64) *rack {
	k := &rack{t: t, r: rand.New(rand.NewPCG(seed, 61)), l: &ledger{}, drops: map[string]int{},
		fs: disk.NewModel(disk.Model{Torn: true, Seed: seed}), p: &plc{period: 9_713_171, durable: map[uint64]bool{}}}
	k.brokerUp()
	k.cfg = Config{Name: "edge-1", Seed: seed}
	k.cfg.MQTT.URL = "mqtt://" + k.addr
	k.cfg.MQTT.MaxBackoff = strict.Duration(200 * time.Millisecond)
	k.cfg.MQTT.Batch = 40
	k.cfg.Buffer.Segment = 8 << 10
	return k
}

func (k *rack) brokerUp() {
	b, addr := k.l.open(k.t, k.addr)
	k.addr, k.stop, k.cut = addr, func() { shut(b) }, func() { cut(b) }
}

func (k *rack) start() {
	k.g = start(k.cfg, Options{FS: k.fs, sources: []source{{name: "plc", run: k.p.run}}, Observe: Observe{OnDrop: func(why string, n int) {
		k.l.mu.Lock()
		defer k.l.mu.Unlock()
		if k.drops[why] += n; why != k.allow {
			k.t.Errorf("%d dropped: %s", n, why)
		}
	}}})
}

// kill is SIGKILL and a power cut in one: what was not synced is gone, or torn.
func (k *rack) kill() {
	k.kills++
	k.fs.Kill()
	k.g.stop(ErrKilled)
	if err := <-k.g.end; err == nil {
		k.t.Error("a killed gateway ends without an error")
	}
	k.fs = k.fs.Reopen()
}

func (k *rack) pause(most time.Duration) { time.Sleep(1 + time.Duration(k.r.Int64N(int64(most)))) }

// finish lets everything arrive and holds it against what was told durable.
func (k *rack) finish() {
	k.p.mu.Lock()
	k.p.stopped = true
	k.p.mu.Unlock()
	settle(k.t, k.l, k.p)
	k.g.stop(nil)
	if err := <-k.g.end; err != nil {
		k.t.Error(err)
	}
	k.stop()
	k.l.check(k.t, k.p)
}

// report is a line that package harness puts into its table.
func (k *rack) report(what string) {
	n, keys := 0, map[string]bool{}
	for _, b := range k.l.data {
		for i := range b.Samples {
			n++
			keys[fmt.Sprint(b.Stream, b.First+uint64(i))] = true
		}
	}
	fmt.Printf("torture\t%s\t%d\t%d\t%d\t%d\t%d\n", what, k.kills, len(k.p.durable)*tags, len(keys), n-len(keys), k.drops[k.allow])
}

// TestTortureKills kills the gateway at random points, while the broker drops
// connections and falls over itself, and the disk is full or slow at times.
// Whatever was told durable arrives, in order, under one key each; every
// repetition carries the key again.
func TestTortureKills(t *testing.T) {
	heartbeat(t)
	k := newRack(t, 6)
	k.start()
	for n := kills(8); k.kills < n; {
		k.pause(300 * time.Millisecond)
		switch k.r.IntN(10) {
		case 0, 1:
			k.cut()
		case 2:
			k.stop()
			k.pause(500 * time.Millisecond)
			k.brokerUp()
		case 3:
			k.fs.SetCapacity(k.fs.Used() + int64(k.r.IntN(4000)))
			k.pause(400 * time.Millisecond)
			if k.r.IntN(2) == 0 {
				k.kill()
				k.start()
				k.pause(100 * time.Millisecond)
			}
			k.fs.SetCapacity(0)
		case 4:
			k.fs.SetSync(time.Duration(k.r.IntN(60)) * time.Millisecond)
		default:
			k.kill()
			if k.r.IntN(4) == 0 { // and again before it has found its feet
				k.start()
				k.pause(5 * time.Millisecond)
				k.kill()
			}
			k.start()
		}
	}
	k.fs.SetSync(0)
	k.finish()
	k.report("kills at random points, broker drops, disk full or slow")
}

// TestTortureOutage has the broker away for ten minutes with a kill inside.
func TestTortureOutage(t *testing.T) {
	heartbeat(t)
	k := newRack(t, 7)
	long := 10 * time.Minute
	if kills(0) == 0 {
		long = 600 * time.Millisecond
	}
	k.p.period = 103_713_171
	k.start()
	k.pause(2 * time.Second)
	k.stop()
	time.Sleep(long / 3)
	k.kill()
	time.Sleep(long / 60)
	k.start()
	time.Sleep(long * 2 / 3)
	k.brokerUp()
	k.finish()
	k.report("broker away for ten minutes, a kill inside")
}

// TestTortureDamage turns bits over in what waits for the broker. What is
// damaged is told, set apart and counted; all else arrives.
func TestTortureDamage(t *testing.T) {
	heartbeat(t)
	rounds := min(max(1, kills(0)/25), 40)
	k := newRack(t, 8)
	k.allow = buffer.DropDamaged
	k.l.lossy = true
	k.start()
	for range rounds {
		k.pause(100 * time.Millisecond)
		k.stop()
		time.Sleep(1500 * time.Millisecond)
		k.kill()
		names, err := k.fs.List()
		if err != nil {
			t.Fatal(err)
		}
		var segs []string
		for _, n := range names {
			if strings.HasSuffix(n, ".seg") {
				segs = append(segs, n)
			}
		}
		name := segs[k.r.IntN(len(segs))]
		p, err := k.fs.ReadFile(name)
		if err = errors.Join(err, k.fs.FlipBit(name, int64(k.r.IntN(len(p))))); err != nil {
			t.Fatal(err)
		}
		k.start()
		k.brokerUp()
		time.Sleep(700 * time.Millisecond)
	}
	k.p.mu.Lock()
	k.p.stopped = true
	k.p.mu.Unlock()
	time.Sleep(2 * time.Second)
	k.g.stop(nil)
	if err := <-k.g.end; err != nil {
		t.Error(err)
	}
	k.stop()
	missing := k.l.check(t, k.p)
	if told := k.drops[buffer.DropDamaged]; missing > told {
		t.Errorf("%d durable samples are missing, %d are told damaged", missing, told)
	}
	names, _ := k.fs.List()
	if !strings.Contains(strings.Join(names, " "), ".bad") {
		t.Errorf("nothing set apart: %v", names)
	}
	k.report(fmt.Sprintf("%d flipped bits", rounds))
}
