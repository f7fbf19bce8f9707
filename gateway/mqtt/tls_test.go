package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/plantbed/plantbed/internal/strict"
)

// authority signs certificates for the test.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	n    int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// write replaces a file in one step, as whoever rotates certificates should.
func (a *authority) write(name, kind string, der []byte) {
	next := a.file(name + ".next")
	if err := errors.Join(os.WriteFile(next, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600), os.Rename(next, a.file(name))); err != nil {
		a.t.Fatal(err)
	}
}

// issue writes NAME.pem and NAME.key, and returns the serial number.
func (a *authority) issue(name string) int64 {
	a.n++
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := &x509.Certificate{SerialNumber: big.NewInt(100 + a.n), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	k, _ := x509.MarshalECPrivateKey(key)
	a.write(name+".key", "EC PRIVATE KEY", k)
	a.write(name+".pem", "CERTIFICATE", der)
	return 100 + a.n
}

// TestRotatedCertificates rotates the client certificate three times while
// samples flow to a broker that wants one: all come, in order and once.
func TestRotatedCertificates(t *testing.T) {
	a := newAuthority(t)
	a.issue("broker")
	want := []int64{a.issue("gateway")}
	pair, err := tls.LoadX509KeyPair(a.file("broker.pem"), a.file("broker.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	var mu sync.Mutex
	var shown []int64
	b := &broker{t: t, kick: make(chan struct{}, 1)}
	b.s = mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	l := listeners.NewTCP(listeners.Config{ID: "tls", Address: "127.0.0.1:0", TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, SessionTicketsDisabled: true,
		VerifyPeerCertificate: func(_ [][]byte, chains [][]*x509.Certificate) error {
			mu.Lock()
			defer mu.Unlock()
			shown = append(shown, chains[0][0].SerialNumber.Int64())
			return nil
		}}})
	if err := errors.Join(b.s.AddHook(b, nil), b.s.AddListener(l), b.s.Serve()); err != nil {
		t.Fatal(err)
	}
	defer b.s.Close()
	b.addr = l.Address()
	r := newRig(t, b, func(c *Config, _ *Options) {
		c.URL, c.CA, c.Certificate, c.Key = "mqtts://"+b.addr, a.file("ca.pem"), a.file("gateway.pem"), a.file("gateway.key")
		c.CertificateCheck = strict.Duration(10 * time.Millisecond)
	})
	flow := func() {
		for range 40 {
			r.put(20)
			time.Sleep(2 * time.Millisecond)
		}
	}
	for range 3 {
		flow()
		want = append(want, a.issue("gateway"))
	}
	flow()
	time.Sleep(50 * time.Millisecond)
	r.put(1)
	if n := r.delivered(); n != 0 {
		t.Errorf("%d samples came twice", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(shown) != len(want) || shown[len(shown)-1] != want[len(want)-1] {
		t.Errorf("the broker was shown %v, want %v", shown, want)
	}
}
