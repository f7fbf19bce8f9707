package sut

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// inside is where a container finds its directory.
const inside = "/sut"

// container is a SUT that is an image. What is in its directory outlives a
// kill; whatever else it writes lives as long as the container, so from the
// start to the end of the run.
type container struct {
	base
	pool *dockertest.Pool
	id   string

	mu   sync.Mutex
	life *box // nil while it is down
}

// box is one run of the container.
type box struct {
	ended chan error
	gone  chan struct{}
	asked bool
}

// Prepare connects to the engine, makes the image where there is a folder to
// make it of, and finds the bridge's own address.
func (c *container) Prepare(ctx context.Context) (listen string, err error) {
	if c.pool, err = dockertest.NewPool(""); err == nil {
		err = c.pool.Client.PingWithContext(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("sut: no container engine answers (is dockerd running?): %w", err)
	}
	if c.cfg.Build != "" {
		err = c.pool.Client.BuildImage(docker.BuildImageOptions{Name: c.cfg.Image, ContextDir: c.cfg.Build, Dockerfile: "Dockerfile", Context: ctx, OutputStream: &buildLog{}})
		if err != nil {
			return "", fmt.Errorf("sut: the image %s cannot be made of %s: %w", c.cfg.Image, c.cfg.Build, err)
		}
	}
	if _, err := c.pool.Client.InspectImage(c.cfg.Image); err != nil {
		return "", fmt.Errorf("sut: the image %s: %w", c.cfg.Image, err)
	}
	if c.cfg.Network != "bridge" {
		return "", nil
	}
	n, err := c.pool.Client.NetworkInfo("bridge")
	if err != nil || len(n.IPAM.Config) == 0 || n.IPAM.Config[0].Gateway == "" {
		return "", errors.Join(errors.New("sut: the engine's bridge has no address"), err)
	}
	return n.IPAM.Config[0].Gateway, nil
}

// buildLog forgets what a build says; its error has the end of it.
type buildLog struct{}

func (*buildLog) Write(p []byte) (int, error) { return len(p), nil }

func (c *container) Start(ctx context.Context, e Endpoints) error {
	if err := c.prepare(e, inside); err != nil {
		return err
	}
	words, err := c.words()
	if err != nil {
		return err
	}
	env, err := c.environ()
	if err != nil {
		return err
	}
	made, err := c.pool.Client.CreateContainer(docker.CreateContainerOptions{Context: ctx,
		Config: &docker.Config{Image: c.cfg.Image, Cmd: words, Env: env, WorkingDir: inside, StopSignal: c.cfg.Stop.Signal,
			User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())},
		HostConfig: &docker.HostConfig{NetworkMode: c.cfg.Network, Binds: []string{filepath.Clean(c.home()) + ":" + inside}}})
	if err != nil {
		return fmt.Errorf("sut: cannot make a container of %s: %w", c.cfg.Image, err)
	}
	c.id = made.ID
	return c.boot()
}

func (c *container) Restart(context.Context) error { return c.boot() }

func (c *container) boot() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life != nil {
		return nil
	}
	c.log.look(c.cfg.Ready.Log)
	if err := c.pool.Client.StartContainer(c.id, nil); err != nil {
		return fmt.Errorf("sut: cannot start the container of %s: %w", c.cfg.Image, err)
	}
	b := &box{ended: make(chan error, 1), gone: make(chan struct{})}
	c.life = b
	go c.reap(b)
	return nil
}

// reap copies what one life of the container prints, and waits for its end.
func (c *container) reap(b *box) {
	defer close(b.gone)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = c.pool.Client.Logs(docker.LogsOptions{Container: c.id, Stdout: true, Stderr: true, Follow: true, Tail: "all", OutputStream: c.log, ErrorStream: c.log})
	})
	code, err := c.pool.Client.WaitContainer(c.id)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit status %d", code)
	}
	wg.Wait()
	b.ended <- err
	c.mu.Lock()
	own := !b.asked
	if c.life == b {
		c.life = nil
	}
	c.mu.Unlock()
	if own && c.opts.Died != nil {
		c.opts.Died(fmt.Errorf("%s ended of its own accord: %s", c.cfg.Name, endOf(err)))
	}
}

func (c *container) Ready(ctx context.Context) error {
	c.mu.Lock()
	b := c.life
	c.mu.Unlock()
	if b == nil {
		return fmt.Errorf("sut: %s is not running%s", c.cfg.Name, c.log.tail())
	}
	return c.wait(ctx, b.ended)
}

// take marks the life as ended by us, and gives it.
func (c *container) take() *box {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.life
	if b != nil {
		b.asked = true
		c.life = nil
	}
	return b
}

func (c *container) Kill() error {
	b := c.take()
	if b == nil {
		return nil
	}
	if err := c.pool.Client.KillContainer(docker.KillContainerOptions{ID: c.id, Signal: docker.SIGKILL}); err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	<-b.gone
	return nil
}

func (c *container) Pause(on bool) error {
	if on {
		return c.pool.Client.PauseContainer(c.id)
	}
	return c.pool.Client.UnpauseContainer(c.id)
}

func (c *container) Stop() error {
	if c.log != nil {
		defer c.log.close()
	}
	if c.id == "" {
		return nil
	}
	b := c.take()
	var err error
	if b != nil {
		_ = c.pool.Client.UnpauseContainer(c.id) // most are not paused
		err = c.pool.Client.StopContainer(c.id, uint(c.cfg.Stop.Grace.D().Seconds()))
	}
	err = errors.Join(err, c.pool.Client.RemoveContainer(docker.RemoveContainerOptions{ID: c.id, RemoveVolumes: true, Force: true}))
	c.id = ""
	if b != nil {
		<-b.gone
	}
	if err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	return nil
}
