package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
)

// certificate writes one that is good for so long.
func certificate(t *testing.T, file string, life time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(file) == ".pem" {
		der = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateRunsOut: an alarm stands in the retained status before the end
// of a certificate, whatever its form, and goes when it is renewed.
func TestCertificateRunsOut(t *testing.T) {
	for _, name := range []string{"a.pem", "a.der"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), name)
			certificate(t, file, 30*time.Second)
			l := &ledger{}
			broker, addr := l.open(t, "")
			defer shut(broker)
			cfg := Config{Name: "edge-1", CertificateWarning: strict.Duration(time.Minute), OPCUA: []opcua.Config{{
				Name: "plc", URL: "opc.tcp://127.0.0.1:1", Tags: []opcua.Tag{{ID: "a", Node: "ns=2;s=a"}}}}}
			cfg.OPCUA[0].Security.Certificate = file
			cfg.MQTT.URL = "mqtt://" + addr
			cfg.Defaults()
			g := start(cfg, Options{FS: disk.NewModel(disk.Model{Sync: -1})})
			status := func(what string, ok func(payload.Status) bool) {
				t.Helper()
				var s payload.Status
				for range 1000 {
					for _, m := range broker.Topics.Messages(payload.StatusTopic("plantbed", "edge-1", "")) {
						if s, _ = payload.DecodeStatus(m.Payload); ok(s) {
							return
						}
					}
					time.Sleep(5 * time.Millisecond)
				}
				t.Fatalf("%s: never told, the last is %+v", what, s)
			}
			status("an alarm", func(s payload.Status) bool {
				return s.Up && strings.Contains(s.Why, "certificate of plc: ") && strings.Contains(s.Why, "runs out on ")
			})
			certificate(t, file, time.Hour)
			status("its end", func(s payload.Status) bool { return s.Up && s.Why == "" })
			g.stop(nil)
			if err := <-g.end; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDamageIsAnAlarm flips a bit in what waits for the broker: the rest
// arrives, and the alarm stands in the status, in the metrics and among the
// problems, without making the gateway unready.
func TestDamageIsAnAlarm(t *testing.T) {
	fs := disk.NewModel(disk.Model{Sync: -1})
	p := &plc{period: 2 * time.Millisecond, durable: map[uint64]bool{}}
	cfg := Config{Name: "edge-1"}
	cfg.MQTT.URL = "mqtt://127.0.0.1:1"
	cfg.Buffer.Commit = strict.Duration(5 * time.Millisecond)
	cfg.Defaults()
	opts := Options{FS: fs, sources: []source{{name: "plc", run: p.run}}}
	g := start(cfg, opts)
	time.Sleep(300 * time.Millisecond)
	g.stop(nil)
	<-g.end
	names, _ := fs.List()
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, ".seg") })
	if i < 0 {
		t.Fatal(names)
	}
	text, err := fs.ReadFile(names[i])
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.FlipBit(names[i], int64(len(text)/2)); err != nil {
		t.Fatal(err)
	}
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	cfg.MQTT.URL = "mqtt://" + addr
	g = start(cfg, opts)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		why := ""
		for _, m := range broker.Topics.Messages(payload.StatusTopic("plantbed", "edge-1", "")) {
			s, _ := payload.DecodeStatus(m.Payload)
			why = s.Why
		}
		if strings.Contains(why, "buffer-damaged: ") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no alarm, the status says %q", why)
		}
	}
	g.stop(nil)
	<-g.end
	p.mu.Lock()
	durable := len(p.durable)
	p.mu.Unlock()
	if got := len(l.values("m/t-1")); got == 0 || got >= durable || got < durable/3 {
		t.Errorf("%d of %d samples of a tag came through one flipped bit", got, durable)
	}
}
