package mqtt

import (
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/twin/mqtt/mqtttest"
)

// tool finds a program of another maker, or skips out loud.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/"} {
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

// A broker and publishers of another maker: retained statuses, a batch with a
// trace, a broker that goes away and comes back.
func TestMosquitto(t *testing.T) {
	server, pub := tool(t, "mosquitto"), tool(t, "mosquitto_pub")
	spans := tracetest.NewSpanRecorder()
	was := otel.GetTracerProvider()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans)))
	defer otel.SetTracerProvider(was)

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	ln.Close()
	serve := func() (stop func()) {
		cmd := exec.Command(server, "-p", port)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		mqtttest.Eventually(t, "mosquitto listens", func() bool {
			c, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), time.Second)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		return func() { cmd.Process.Kill(); cmd.Wait() }
	}
	publish := func(topic string, body []byte, more ...string) {
		t.Helper()
		args := append([]string{"-h", host, "-p", port, "-V", "5", "-q", "1", "-t", topic, "-m", string(body)}, more...)
		if msg, err := exec.Command(pub, args...).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_pub: %v: %s", err, msg)
		}
	}
	stop := serve()
	publish(payload.StatusTopic("plantbed", "edge-1", ""), payload.AppendStatus(nil, payload.Status{Gateway: "edge-1", Up: true}), "-r")
	c := open(t, "mqtt://"+net.JoinHostPort(host, port), nil)
	defer c.Close()
	r := read(c)
	defer r.stop()
	mqtttest.Eventually(t, "the retained status", func() bool {
		return r.has(func(m Message) bool { return m.Kind == Status && m.Status.Up })
	})
	publish(dataTopic, batch(1, 3), "-D", "publish", "user-property", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	mqtttest.Eventually(t, "the batch", func() bool { return r.firsts() == "1" })
	mqtttest.Eventually(t, "its span", func() bool {
		return len(spans.Ended()) == 1 && spans.Ended()[0].Parent().SpanID().String() == "b7ad6b7169203331"
	})
	stop()
	mqtttest.Eventually(t, "down", func() bool { return r.has(func(m Message) bool { return m.Kind == Link && !m.Up }) })
	defer serve()()
	mqtttest.Eventually(t, "connected again", func() bool { return c.Stats().Connects == 2 })
	mqtttest.Eventually(t, "a batch over the new session", func() bool {
		publish(dataTopic, batch(2, 1)) // mosquitto forgot us: until we subscribe it has nobody to send to
		return len(r.firsts()) > 1
	})
}
