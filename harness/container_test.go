package harness

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"

	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/scenarios"
)

// container is a host for the gateway that is an image FROM scratch.
type container struct {
	lateHost // no faults reach into it
	t        *testing.T
	pool     *dockertest.Pool
	res      *dockertest.Resource
}

func (c *container) settled() bool { return true }

func (c *container) close() error {
	var logs strings.Builder
	c.pool.Client.Logs(docker.LogsOptions{Container: c.res.Container.ID, Stdout: true, Stderr: true, OutputStream: &logs, ErrorStream: &logs})
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Log(logs.String())
		}
	})
	if err := c.pool.Client.StopContainer(c.res.Container.ID, 10); err != nil {
		return err
	}
	return c.pool.Purge(c.res)
}

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

// The gateway from its own image, against devices and a broker on the host,
// loses nothing and is counted like any other.
func TestGatewayInAContainer(t *testing.T) {
	pool := engine(t)
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "plantbed"), "../cmd/plantbed")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dockerfile, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), dockerfile, 0o644); err != nil {
		t.Fatal(err)
	}
	sc, ps := scenarios.Load(filepath.Join("testdata", "quiet.toml"), []string{"gear=live", "duration=12s", "detector.calibration_duration=1h"})
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	place := func(r *run, cfg gateway.Config) (host, error) {
		cfg.Buffer.Dir = "/buffer"
		file := filepath.Join(dir, "gateway.toml")
		if err := writeGatewayConfig(file, cfg); err != nil {
			return nil, err
		}
		res, err := pool.BuildAndRunWithBuildOptions(
			&dockertest.BuildOptions{ContextDir: dir, Dockerfile: "Dockerfile"},
			&dockertest.RunOptions{Name: "plantbed-gateway-test", Cmd: []string{"-c", "/etc/plantbed/gateway.toml"}},
			func(h *docker.HostConfig) {
				h.NetworkMode = "host"
				h.Binds = []string{file + ":/etc/plantbed/gateway.toml:ro"}
				h.Tmpfs = map[string]string{"/buffer": "rw,size=64m"}
			})
		if err != nil {
			return nil, err
		}
		return &container{lateHost: lateHost{r}, t: t, pool: pool, res: res}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := Run(ctx, sc, Options{Dir: dir, Tweak: Tweak{host: place}}); err != nil {
		t.Fatal(err)
	}
	l, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	c := score.Score(l).Card
	for _, name := range []string{"loss.count", "corrupt.count", "orphan.count", "dup.unmarked"} {
		if v := c.Metrics[name].Value; v == nil || *v != 0 {
			t.Errorf("%s = %v: %v", name, c.Metrics[name], c.Why)
		}
	}
	if n := c.Metrics["samples.delivered"].Value; n == nil || *n < 100 {
		t.Errorf("delivered %v", c.Metrics["samples.delivered"])
	}
}
