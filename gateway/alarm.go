package gateway

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// alarms are conditions that somebody has to see to. They stand in the
// gateway's retained status, in the metrics and in the log until they pass.
type alarms struct {
	mu  sync.Mutex
	why map[string]string
}

// Alarms that are not about a file.
const (
	alarmDisk   = "buffer"          // the disk refuses
	alarmDamage = "buffer-damaged"  // what it holds is not what was written
	alarmFile   = "certificate of " // and whose
)

// alarm raises an alarm, or with an empty why ends it.
func (g *gateway) alarm(name, why string) {
	a := &g.alarms
	a.mu.Lock()
	if a.why[name] == why {
		a.mu.Unlock()
		return
	}
	if a.why == nil {
		a.why = map[string]string{}
	}
	if a.why[name] = why; why == "" {
		delete(a.why, name)
	}
	a.mu.Unlock()
	if why == "" {
		g.log.Info("alarm over", "alarm", name)
	} else {
		g.log.Error("alarm", "alarm", name, "why", why)
	}
	g.metrics.Alarm(name, why)
	if p := g.publisher.Load(); p != nil {
		p.Status("", true, a.text())
	}
}

// text is all of them in a line.
func (a *alarms) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.why)) {
		all = append(all, name+": "+a.why[name])
	}
	return strings.Join(all, "; ")
}

// certificates are the files that run out, and whose they are.
func (c Config) certificates() (files [][2]string) {
	add := func(whose, file string) {
		if file != "" {
			files = append(files, [2]string{whose, file})
		}
	}
	add("mqtt", c.MQTT.Certificate)
	add("mqtt", c.MQTT.CA)
	for _, s := range c.MQTTIn {
		add(s.Name, s.Certificate)
		add(s.Name, s.CA)
	}
	for _, s := range c.OPCUA {
		add(s.Name, s.Security.Certificate)
		add(s.Name, s.Security.ServerCertificates)
		add(s.Name, s.Security.UserCertificate)
	}
	return files
}

// watchCertificates raises an alarm for each certificate that runs out soon,
// until it is renewed.
func (g *gateway) watchCertificates(ctx context.Context) error {
	raised := map[string]bool{}
	for {
		cfg := g.config()
		due := map[string]string{}
		for _, f := range cfg.certificates() {
			if end, ok := expiry(f[1]); ok && time.Until(end) < cfg.CertificateWarning.D() {
				due[alarmFile+f[0]] = fmt.Sprintf("%s runs out on %s", f[1], end.UTC().Format(time.RFC3339))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(due)) {
			g.alarm(name, due[name])
			raised[name] = true
		}
		for _, name := range slices.Sorted(maps.Keys(raised)) {
			if due[name] == "" {
				g.alarm(name, "")
				delete(raised, name)
			}
		}
		pause := time.NewTimer(min(max(cfg.CertificateWarning.D()/100, time.Second), time.Hour) + 13_717_313)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil
		}
	}
}

// expiry is when the first certificate of a file runs out, PEM or DER.
func expiry(file string) (end time.Time, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return end, false // whoever needs it says so
	}
	look := func(der []byte) {
		if all, err := x509.ParseCertificates(der); err == nil {
			for _, c := range all {
				if !ok || c.NotAfter.Before(end) {
					end, ok = c.NotAfter, true
				}
			}
		}
	}
	if block, _ := pem.Decode(text); block == nil {
		look(text)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			look(block.Bytes)
		}
	}
	return end, ok
}
