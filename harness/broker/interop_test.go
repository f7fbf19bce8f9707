package broker

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// tool finds a program of another maker, or skips out loud.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
		if p, err := exec.LookPath(dir + name); err == nil {
			return p
		}
	}
	if os.Getenv("PLANTBED_REQUIRE") == "1" {
		t.Fatalf("%s is not installed, and PLANTBED_REQUIRE=1 (make deps installs it)", name)
	}
	t.Skipf("SKIPPED: %s is not installed (make deps installs it)", name)
	return ""
}

func TestMosquittoClientsMeetAtOurBroker(t *testing.T) {
	sub, pub := tool(t, "mosquitto_sub"), tool(t, "mosquitto_pub")
	for _, version := range []string{"5", "311"} {
		t.Run("v"+version, func(t *testing.T) {
			var tap seen
			b := start(t, Options{OnPublish: tap.add})
			host, port, _ := net.SplitHostPort(b.Addr())
			common := []string{"-h", host, "-p", port, "-V", version, "-q", "1"}
			s := exec.Command(sub, append(common, "-t", "plantbed/#", "-C", "3", "-W", "8", "-F", "%t %p")...)
			out, err := s.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "mosquitto_sub subscribed", func() bool { return b.server.Info.Clone().Subscriptions == 1 })
			for i := range 3 {
				args := append(common, "-t", "plantbed/gw/data", "-m", fmt.Sprintf("n%d", i))
				if msg, err := exec.Command(pub, args...).CombinedOutput(); err != nil {
					t.Fatalf("mosquitto_pub: %v: %s", err, msg)
				}
			}
			var got []string
			for lines := bufio.NewScanner(out); lines.Scan(); {
				got = append(got, lines.Text())
			}
			if err := s.Wait(); err != nil {
				t.Errorf("mosquitto_sub: %v", err)
			}
			want := "plantbed/gw/data n0|plantbed/gw/data n1|plantbed/gw/data n2"
			if strings.Join(got, "|") != want {
				t.Errorf("mosquitto_sub got %v", got)
			}
			if len(tap.get()) != 3 {
				t.Errorf("tap saw %v", tap.get())
			}
		})
	}
}

// mosquitto starts a stranger's broker and returns its host:port.
func mosquitto(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(tool(t, "mosquitto"), "-p", port) // without a file it listens on loopback and lets everybody in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	eventually(t, "mosquitto listens", func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return addr
}

func TestWatchTapsAStrangersBroker(t *testing.T) {
	addr := mosquitto(t)
	cm, _ := client(t, addr, "gw", 0, nil)
	if _, err := cm.Publish(t.Context(), &paho.Publish{QoS: 1, Retain: true, Topic: "plantbed/gw/status", Payload: []byte("old")}); err != nil {
		t.Fatal(err)
	}
	var tap seen
	u := url.URL{Scheme: "mqtt", Host: addr}
	if err := Watch(t.Context(), u.String(), "plantbed", "tap-1", nil, tap.add); err != nil {
		t.Fatal(err)
	}
	publish(t, cm, "plantbed/gw/data", "1")
	publish(t, cm, "elsewhere/gw/data", "2")
	publish(t, cm, "plantbed/gw/data", "3")
	eventually(t, "both messages", func() bool { return len(tap.get()) == 2 })
	if got := strings.Join(tap.get(), " "); got != "plantbed/gw/data=1 plantbed/gw/data=3" {
		t.Errorf("tap saw %s; retained and foreign messages are not to be seen", got)
	}
}

func TestWatchSaysWhyItCannot(t *testing.T) {
	if err := Watch(t.Context(), "no-url", "plantbed", "tap", nil, nil); err == nil || !strings.Contains(err.Error(), "no-url") {
		t.Errorf("error %v does not name the URL", err)
	}
}
