package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"

	"github.com/plantbed/plantbed/harness/broker"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/signal"
)

// engine connects to a container engine, or skips out loud.
func engine(t *testing.T) *dockertest.Pool {
	t.Helper()
	pool, err := dockertest.NewPool("")
	if err == nil {
		err = pool.Client.Ping()
	}
	if err != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "" {
			t.Fatalf("no container engine answers: %v", err)
		}
		t.Skipf("SKIPPED: no container engine answers (start dockerd): %v", err)
	}
	return pool
}

// image makes one of a folder.
func image(t *testing.T, pool *dockertest.Pool, name, dir string) {
	t.Helper()
	var said strings.Builder
	if err := pool.Client.BuildImage(docker.BuildImageOptions{Name: name, ContextDir: dir, Dockerfile: "Dockerfile", OutputStream: &said}); err != nil {
		t.Fatalf("image %s: %v\n%s", name, err, said.String())
	}
}

// plantbedImage is the gateway's image of the repository, whose program can be
// everything else too.
func plantbedImage(t *testing.T, pool *dockertest.Pool) (exe string) {
	t.Helper()
	exe = program(t)
	text, err := os.ReadFile("../Dockerfile")
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(exe), "Dockerfile"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	image(t, pool, "plantbed-gateway", filepath.Dir(exe))
	return exe
}

// mosquittoImage is Debian's mosquitto with the libraries that it loads, and
// nothing else.
func mosquittoImage(t *testing.T, pool *dockertest.Pool) {
	t.Helper()
	exe, err := exec.LookPath("mosquitto")
	if err != nil {
		exe, err = exec.LookPath("/usr/sbin/mosquitto")
	}
	if err != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "" {
			t.Fatal("mosquitto is missing; make deps installs it")
		}
		t.Skip("SKIPPED: mosquitto is missing; make deps installs it")
	}
	needs, err := exec.Command("ldd", exe).Output()
	if err != nil {
		t.Fatalf("ldd %s: %v", exe, err)
	}
	dir := t.TempDir()
	files := append([]string{exe}, regexp.MustCompile(`/\S+`).FindAllString(string(needs), -1)...)
	dockerfile := "FROM scratch\n"
	for i, f := range files {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		dockerfile += fmt.Sprintf("COPY f%d %s\n", i, f)
	}
	conf := "listener 1883 0.0.0.0\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nuser root\n"
	for name, text := range map[string]string{"Dockerfile": dockerfile + "COPY conf /conf\nENTRYPOINT [\"" + exe + "\", \"-c\", \"/conf\"]\n", "conf": conf} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	image(t, pool, "plantbed-mosquitto", dir)
}

// The images are made once for both tests of them.
func TestContainers(t *testing.T) {
	pool := engine(t)
	exe := plantbedImage(t, pool)
	mosquittoImage(t, pool)
	t.Run("the gateway as the system under test", func(t *testing.T) {
		t.Parallel()
		gatewayInAContainer(t, exe)
	})
	t.Run("private networks", func(t *testing.T) {
		t.Parallel()
		privateNetworks(t, pool)
	})
}

// The gateway from its own image as the system under test, on a bridge of its
// own, killed and started again: it loses nothing and is counted like any other.
func gatewayInAContainer(t *testing.T, exe string) {
	card, l := foreignRun(t, exe, filepath.Join("testdata", "foreign.toml"), "sut.use=plantbed-container", "sut.ready.within=3s")
	for _, name := range []string{"loss.count", "corrupt.count", "orphan.count", "dup.unmarked"} {
		if n := figure(t, card, name); n != 0 {
			t.Errorf("%s = %d: %v", name, n, card.Why)
		}
	}
	if n := figure(t, card, "samples.delivered"); n < 50 {
		t.Errorf("delivered %d", n)
	}
	var notes []string
	for _, n := range l.Notes {
		notes = append(notes, n.Kind)
	}
	if got := strings.Join(notes, ","); !strings.Contains(got, "gateway killed") || strings.Count(got, "gateway ready") != 2 {
		t.Errorf("the gateway's life: %s", got)
	}
}

// yard is containers on private networks, which its cleanup takes away.
type yard struct {
	t    *testing.T
	pool *dockertest.Pool
	tag  string
}

func (b *yard) network(name string) *docker.Network {
	n, err := b.pool.Client.CreateNetwork(docker.CreateNetworkOptions{Name: name + b.tag, Driver: "bridge"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := b.pool.Client.RemoveNetwork(n.ID); err != nil {
			b.t.Error(err)
		}
	})
	return n
}

// run starts an image on its networks, known there by its name.
func (b *yard) run(name, image string, entry, cmd, binds []string, nets ...*docker.Network) (id string) {
	b.t.Helper()
	c, err := b.pool.Client.CreateContainer(docker.CreateContainerOptions{Name: name + b.tag,
		Config:     &docker.Config{Image: image, Entrypoint: entry, Cmd: cmd, Hostname: name},
		HostConfig: &docker.HostConfig{Binds: binds, NetworkMode: nets[0].Name, Tmpfs: map[string]string{"/tmp": "rw,size=64m"}},
		NetworkingConfig: &docker.NetworkingConfig{EndpointsConfig: map[string]*docker.EndpointConfig{
			nets[0].Name: {Aliases: []string{name}}}}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if b.t.Failed() {
			var said strings.Builder
			b.pool.Client.Logs(docker.LogsOptions{Container: c.ID, Stdout: true, Stderr: true, Tail: "15", OutputStream: &said, ErrorStream: &said})
			b.t.Logf("%s:\n%s", name, said.String())
		}
		if err := b.pool.Client.RemoveContainer(docker.RemoveContainerOptions{ID: c.ID, Force: true, RemoveVolumes: true}); err != nil {
			b.t.Error(err)
		}
	})
	for _, n := range nets[1:] {
		b.join(n, c.ID)
	}
	if err := b.pool.Client.StartContainer(c.ID, nil); err != nil {
		b.t.Fatal(err)
	}
	return c.ID
}

func (b *yard) join(n *docker.Network, id string) {
	b.t.Helper()
	if err := b.pool.Client.ConnectNetwork(n.ID, docker.NetworkConnectionOptions{Container: id}); err != nil {
		b.t.Fatal(err)
	}
}

// cut takes a container off a network for a while.
func (b *yard) cut(n *docker.Network, id string, d time.Duration) {
	b.t.Helper()
	if err := b.pool.Client.DisconnectNetwork(n.ID, docker.NetworkConnectionOptions{Container: id, Force: true}); err != nil {
		b.t.Fatal(err)
	}
	b.t.Logf("%s off %s for %s", id[:8], n.Name, d)
	time.Sleep(d)
	b.join(n, id)
}

func (b *yard) address(id string, n *docker.Network) string {
	c, err := b.pool.Client.InspectContainer(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return c.NetworkSettings.Networks[n.Name].IPAddress
}

// arrivals are what has come to the broker of each tag, by the scan counter or
// the source time in milliseconds.
type arrivals struct {
	mu sync.Mutex
	of map[signal.ID]map[int64]int
}

func (a *arrivals) take(topic string, body []byte, _ time.Time) {
	b, err := payload.Decode(body)
	if !isData(topic) || err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range b.Samples {
		key := int64(s.Seq)
		if s.Seq == 0 {
			key = s.SourceTime.UnixMilli()
		}
		if a.of[s.ID] == nil {
			a.of[s.ID] = map[int64]int{}
		}
		a.of[s.ID][key]++
	}
}

// gaps are the scans that are missing between the first and the last of a
// machine's tags, the most that one tag misses in a row, how many there are of
// all tags, and how many tags there are.
func (a *arrivals) gaps(machine string, step int64) (missing, longest, all, tags int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, seen := range a.of {
		if !strings.HasPrefix(string(id), machine+"/") {
			continue
		}
		keys := slices.Sorted(maps.Keys(seen))
		all += len(keys)
		tags++
		for i := 1; i < len(keys); i++ {
			n := int((keys[i]-keys[i-1]+step/2)/step) - 1
			missing, longest = missing+max(0, n), max(longest, n)
		}
	}
	return missing, longest, all, tags
}

// Two PLCs, the gateway and mosquitto, each in a container: the south and the
// north are private networks, and a link is cut by taking the gateway off its
// network. What the OPC UA server keeps comes late, what the Modbus device does
// not keep is missing while it cannot be reached, and a broker that is away for
// a while costs nothing.
func privateNetworks(t *testing.T, pool *dockertest.Pool) {
	b := &yard{t: t, pool: pool, tag: fmt.Sprintf("-plantbed-%d", os.Getpid())}
	pumps, ovens, north := b.network("pumps"), b.network("ovens"), b.network("north")

	dir := t.TempDir()
	gateway := privateGateway(t, dir)
	serve := []string{"/plantbed", "serve"}
	b.run("plc-pump", "plantbed-gateway", serve, []string{"/cfg/plc-pump.toml", "--listen", "0.0.0.0"}, []string{dir + ":/cfg:ro"}, pumps)
	b.run("plc-oven", "plantbed-gateway", serve, []string{"/cfg/plc-oven.toml", "--listen", "0.0.0.0"}, []string{dir + ":/cfg:ro"}, ovens)
	mosquitto := b.run("mosquitto", "plantbed-mosquitto", nil, nil, nil, north)
	url := "mqtt://" + net.JoinHostPort(b.address(mosquitto, north), "1883")
	got := &arrivals{of: map[signal.ID]map[int64]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := broker.Watch(ctx, url, topicPrefix, "watcher", nil, got.take); err != nil {
		t.Fatal(err)
	}
	edge := b.run("edge", "plantbed-gateway", nil, []string{"-c", gateway}, []string{dir + ":/cfg"}, pumps, ovens, north)
	if err := pool.Retry(func() error {
		if _, _, n, _ := got.gaps("pump", 500); n < 20 {
			return errors.New("nothing comes")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	const scan = 500 * time.Millisecond
	b.cut(pumps, edge, 3*time.Second)
	time.Sleep(6 * time.Second)
	b.cut(ovens, edge, 2*time.Second)
	time.Sleep(4 * time.Second)
	b.cut(north, edge, 3*time.Second)
	time.Sleep(8 * time.Second)

	missing, _, all, tags := got.gaps("pump", scan.Milliseconds())
	t.Logf("OPC UA: %d samples of %d tags, %d missing", all, tags, missing)
	if missing != 0 || all < 40*tags || tags == 0 {
		t.Errorf("of the PLC that keeps what it cannot send, %d are missing and %d have come", missing, all)
	}
	missing, longest, all, tags := got.gaps("oven", 1)
	t.Logf("Modbus: %d samples of %d tags, the longest gap %d scans", all, tags, longest)
	// 2 s without a network, a time-out of 1 s and a pause before the next try.
	if longest < 3 || longest > 12 || missing > (longest+1)*tags || all < 30*tags || tags == 0 {
		t.Errorf("of the PLC that keeps nothing, %d are missing, %d at once, and %d have come", missing, longest, all)
	}
}

// privateGateway writes the configurations of two PLCs and of the gateway that
// finds them by name; it returns the gateway's, as its container sees it.
func privateGateway(t *testing.T, dir string) string {
	t.Helper()
	e := sut.Endpoints{Seed: 1, Broker: sut.Broker{URL: "mqtt://mosquitto:1883"}}
	for _, c := range []struct{ plc, machine, kind, protocol, port string }{{"plc-pump", "pump", "pump-skid", "opcua", "4840"}, {"plc-oven", "oven", "oven", "modbus", "5020"}} {
		text := fmt.Sprintf("name = %q\nduration = \"1h\"\ngear = \"live\"\n[[machine]]\nname = %q\nkind = %q\n[[plc]]\nname = %q\nprotocol = %q\nscan = \"500ms\"\nmachines = [%q]\nlisten = \"0.0.0.0:%s\"\n"+
			"[gateway.contract]\nopcua = { sampling = \"500ms\", publishing = \"500ms\", queue = 100, trigger = \"status-value-timestamp\" }\nmodbus = { poll = \"500ms\" }\n",
			c.plc, c.machine, c.kind, c.plc, c.protocol, c.machine, c.port)
		file := filepath.Join(dir, c.plc+".toml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		sc, ps := scenarios.Load(file, nil)
		if len(ps) > 0 {
			t.Fatal(ps.Err())
		}
		w, err := newWorld(sc, sc.Seed, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r := &run{sc: sc, world: w}
		p := r.endpoint(w.plcs[0], nil)
		p.URL = map[string]string{"opcua": "opc.tcp://", "modbus": "tcp://"}[c.protocol] + net.JoinHostPort(c.plc, c.port)
		if c.protocol == "modbus" {
			m, err := modbus.NewMap(w.plcs[0].Tasks())
			if err != nil {
				t.Fatal(err)
			}
			r.placeRegisters(&p, w.plcs[0], &deviceLink{registers: m})
		}
		e.PLCs = append(e.PLCs, p)
	}
	cfg, ps := sut.Load("plantbed-container")
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	files, err := cfg.Rendered(e)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(files[0].Text, `dir = "buffer"`, `dir = "/tmp/buffer"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "gateway.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "/cfg/gateway.toml"
}
