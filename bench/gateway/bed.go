package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bed is what the stacks are measured on: a folder, a broker, the programs.
type bed struct {
	dir  string
	keep bool
	turn time.Duration
	// plantbed, mosquitto and telegraf are paths, empty where one is missing.
	plantbed, mosquitto, telegraf string
	broker                        string
	brokerCmd                     *exec.Cmd
	profile                       string // of the gateway, where it goes
}

func newBed(keep string, turn time.Duration) (*bed, error) {
	b := &bed{dir: keep, keep: keep != "", turn: turn, plantbed: "bin/plantbed", mosquitto: lookPath("mosquitto"), telegraf: lookPath("telegraf")}
	if _, err := os.Stat(b.plantbed); err != nil {
		return nil, fmt.Errorf("the gateway is not built: %w", err)
	}
	if b.mosquitto == "" {
		return nil, fmt.Errorf("mosquitto is not there; make deps installs it")
	}
	if b.telegraf == "" {
		fmt.Fprintln(os.Stderr, "bench/gateway: no telegraf on PATH, its column stays empty")
	}
	var err error
	if b.dir == "" {
		b.dir, err = os.MkdirTemp("", "bench-gateway")
	} else {
		err = os.MkdirAll(b.dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	b.broker, err = freeAddr()
	return b, err
}

func (b *bed) close() {
	b.stopBroker()
	if !b.keep {
		os.RemoveAll(b.dir)
	}
}

func (b *bed) has(program string) bool { return program != "telegraf" || b.telegraf != "" }

// present leaves out the stacks whose program is missing.
func (b *bed) present(names []string) (out []stack) {
	for _, n := range names {
		if s := stacks[n]; s.program == "plantbed" || b.has(s.program) {
			s.name = n
			out = append(out, s)
		}
	}
	return out
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (b *bed) startBroker() error {
	_, port, _ := net.SplitHostPort(b.broker)
	conf := filepath.Join(b.dir, "mosquitto.conf")
	text := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\nmax_queued_messages 0\nlog_type error\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return err
	}
	b.brokerCmd = exec.Command(b.mosquitto, "-c", conf)
	b.brokerCmd.Stderr = os.Stderr
	if err := b.brokerCmd.Start(); err != nil {
		return err
	}
	return until("the broker listens", 10*time.Second, func() bool {
		c, err := net.Dial("tcp", b.broker)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (b *bed) stopBroker() {
	if b.brokerCmd != nil {
		b.brokerCmd.Process.Kill()
		b.brokerCmd.Wait()
		b.brokerCmd = nil
	}
}

func until(what string, d time.Duration, cond func() bool) error {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if cond() {
			return nil
		}
	}
	return fmt.Errorf("never happened within %v: %s", d, what)
}

// process is a gateway at work.
type process struct {
	cmd *exec.Cmd
	log *os.File
}

func (b *bed) start(s stack, p *plant) (*process, error) {
	dir, err := os.MkdirTemp(b.dir, "run")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(s.config(b, s, p, dir)), 0o644); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(b.plantbed, "gateway", "-c", file)
	if b.profile != "" {
		cmd.Args = append(cmd.Args, "--cpuprofile", b.profile)
	}
	if s.program == "telegraf" {
		cmd = exec.Command(b.telegraf, "--config", file)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), s.env...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, log}, nil
}

func (p *process) stop() {
	if slices.Contains(p.cmd.Args, "--cpuprofile") { // is written at an orderly end
		p.cmd.Process.Signal(os.Interrupt)
		p.cmd.Wait()
	}
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p.log.Close()
}

// cpu is what all threads have run, as the scheduler counts it: finer than the
// clock ticks of times(2).
func (p *process) cpu() time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	var sum time.Duration
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil {
			ns, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// memory is a line of /proc/PID/status in MB, such as VmRSS or VmHWM.
func (p *process) memory(what string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, what+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
