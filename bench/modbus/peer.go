package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed peer/server.c
var source []byte

// compile makes the libmodbus server.
func compile(dir string) (string, error) {
	c, exe := filepath.Join(dir, "server.c"), filepath.Join(dir, "server")
	if err := os.WriteFile(c, source, 0o644); err != nil {
		return "", err
	}
	if out, err := exec.Command("cc", "-O2", "-o", exe, c, "-lmodbus").CombinedOutput(); err != nil {
		return "", fmt.Errorf("the libmodbus server does not compile (make deps installs libmodbus-dev): %w\n%s", err, out)
	}
	return exe, nil
}

// server is one of those that are compared.
type server struct {
	name    string
	command func(clients int) *exec.Cmd
}

// warm is how long the clients run before anything is counted.
const warm = 200 * time.Millisecond

// measure starts the server, has the clients hammer it for a turn, and ends it.
// It gives requests per second, and the server's microseconds of CPU for each.
func (s *server) measure(clients int, turn time.Duration) (rate, cpu float64, err error) {
	cmd := s.command(clients)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	port, err := bufio.NewReader(pipe).ReadString('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("it says no port: %w", err)
	}
	load, err := newLoad("127.0.0.1:"+strings.TrimSpace(port), clients)
	if err != nil {
		return 0, 0, err
	}
	defer load.stop()
	time.Sleep(warm)
	count, used, start := load.count.Load(), cpuTime(cmd.Process.Pid), time.Now()
	time.Sleep(turn)
	requests, took := float64(load.count.Load()-count), time.Since(start)
	spent := cpuTime(cmd.Process.Pid) - used
	if err := load.failure(); err != nil {
		return 0, 0, err
	}
	return requests / took.Seconds(), spent.Seconds() * 1e6 / requests, nil
}

// cpuTime is what all threads of a process have run, as the scheduler counts
// it, in nanoseconds: finer than the clock ticks of times(2).
func cpuTime(pid int) time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var sum time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended
		}
		ns, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}
