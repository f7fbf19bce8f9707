package opcua_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/internal/strict"
	server "github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// credentials are a certificate and its key, as files and as they are.
type credentials struct {
	certFile, keyFile string
	cert              []byte
	key               *rsa.PrivateKey
}

// issue makes self-signed credentials and writes them into files.
func issue(t *testing.T, dir, name string) credentials {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse("urn:test:" + name)
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, URIs: []*url.URL{u},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageContentCommitment}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	out := credentials{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"), der, key}
	os.WriteFile(out.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}), 0o600)
	os.WriteFile(out.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	return out
}

// why waits for the first status and tells it.
func why(t *testing.T, cfg opcua.Config) (up bool, reason string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &store{got: map[signal.ID][]signal.Sample{}}
	first := make(chan struct{})
	var once sync.Once
	done := make(chan error, 1)
	go func() {
		done <- opcua.Run(ctx, cfg, 7, nil, s.sink, func(_ string, isUp bool, why string) {
			once.Do(func() { up, reason = isUp, why; close(first) })
		})
	}()
	select {
	case <-first:
	case <-time.After(20 * time.Second):
		t.Fatal("no status")
	}
	cancel()
	<-done
	return up, reason
}

// TestSecurity goes through policies, modes and users, good and bad.
func TestSecurity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plc, own, user, stranger := issue(t, dir, "plc"), issue(t, dir, "own"), issue(t, dir, "user"), issue(t, dir, "stranger")
	password, wrong := filepath.Join(dir, "password"), filepath.Join(dir, "wrong")
	os.WriteFile(password, []byte("open sesame\n"), 0o600)
	os.WriteFile(wrong, []byte("open barley\n"), 0o600)
	p := newPlantWith(t, server.Config{
		Users: server.Users{Passwords: map[string]string{"ali": "open sesame"}, NoAnonymous: true, Certificate: func(c []byte) bool { return string(c) == string(user.cert) }},
		Security: server.Security{Certificate: plc.cert, Key: plc.key, Require: true,
			Trust: func(c []byte) bool { return string(c) == string(own.cert) }}})
	good := opcua.Security{Policy: "Basic256Sha256", Mode: "sign-and-encrypt", Certificate: own.certFile, Key: own.keyFile,
		ServerCertificates: plc.certFile, User: "ali", PasswordFile: password}
	for _, c := range []struct {
		name   string
		change func(*opcua.Security)
		want   string // in the reason; empty is up
	}{
		{"Basic256Sha256", func(*opcua.Security) {}, ""},
		{"sign", func(s *opcua.Security) { s.Mode = "sign" }, ""},
		{"Aes128", func(s *opcua.Security) { s.Policy = "Aes128_Sha256_RsaOaep" }, ""},
		{"Aes256", func(s *opcua.Security) { s.Policy = "Aes256_Sha256_RsaPss" }, ""},
		{"user's certificate", func(s *opcua.Security) {
			s.User, s.PasswordFile, s.UserCertificate, s.UserKey = "", "", user.certFile, user.keyFile
		}, ""},
		{"wrong password", func(s *opcua.Security) { s.PasswordFile = wrong }, "activate session"},
		{"stranger as user", func(s *opcua.Security) {
			s.User, s.PasswordFile, s.UserCertificate, s.UserKey = "", "", stranger.certFile, stranger.keyFile
		}, "activate session"},
		{"nobody", func(s *opcua.Security) { s.User, s.PasswordFile = "", "" }, "activate session"},
		{"server not trusted", func(s *opcua.Security) { s.ServerCertificates = stranger.certFile }, "is not trusted"},
		{"gateway not trusted", func(s *opcua.Security) { s.Certificate, s.Key = stranger.certFile, stranger.keyFile }, "secure channel"},
		{"no such file", func(s *opcua.Security) { s.Key = filepath.Join(dir, "none") }, "no such file"},
		{"no security", func(s *opcua.Security) { s.Policy = "none" }, "session"},
	} {
		cfg := p.config()
		cfg.Security = good
		c.change(&cfg.Security)
		cfg.Defaults()
		if ps := cfg.Validate(); len(ps) > 0 {
			t.Fatal(ps)
		}
		up, reason := why(t, cfg)
		if up != (c.want == "") || !strings.Contains(reason, c.want) {
			t.Errorf("%s: up %v, %q; want %q", c.name, up, reason, c.want)
		}
	}
}

// TestRenewedCertificate renews the gateway's certificate while samples flow:
// the source takes its subscription over to a connection with the new one, and
// no sample is lost.
func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plc, own := issue(t, dir, "plc"), issue(t, dir, "own")
	var mu sync.Mutex
	shown := map[string]bool{}
	p := newPlantWith(t, server.Config{Limits: server.Limits{Retransmit: 1000}, Security: server.Security{Certificate: plc.cert, Key: plc.key, Require: true,
		Trust: func(c []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			shown[string(c)] = true
			return true
		}}})
	cfg := p.config()
	cfg.Security = opcua.Security{Policy: "Basic256Sha256", Certificate: own.certFile, Key: own.keyFile, ServerCertificates: plc.certFile,
		Check: strict.Duration(50 * time.Millisecond)}
	cfg.Defaults()
	s := &store{got: map[signal.ID][]signal.Sample{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- opcua.Run(ctx, cfg, 7, nil, s.sink, s.status) }()
	p.run(600 * time.Millisecond)
	issue(t, dir, "own")
	p.run(1500 * time.Millisecond)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(shown) != 2 {
		t.Errorf("the server was shown %d certificates", len(shown))
	}
	for _, tag := range p.tags {
		compare(t, tag.ID, s.got[tag.ID], p.truth[tag.ID])
	}
}
