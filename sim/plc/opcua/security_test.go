package opcua

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"
)

// pair is a self-signed certificate and its key, good for an hour.
func pair(t *testing.T, bits int, uri string) ([]byte, *rsa.PrivateKey) {
	t.Helper()
	return pairFor(t, bits, uri, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
}

func pairFor(t *testing.T, bits int, uri string, from, to time.Time) ([]byte, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(uri)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: uri}, URIs: []*url.URL{u},
		NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func TestSecurityPolicies(t *testing.T) {
	cert, key := pair(t, 2048, "urn:plantbed:plc-test:server")
	clientCert, clientKey := pair(t, 2048, "urn:client")
	stranger, strangerKey := pair(t, 2048, "urn:stranger")
	p := newPLC()
	s := serve(t, p, Config{Security: Security{
		Certificate: cert, Key: key, Require: true, Trust: func(c []byte) bool { return string(c) == string(clientCert) },
	}}, Options{})
	p.scan(1)
	ctx := context.Background()
	endpoints, err := opcua.GetEndpoints(ctx, endpoint(s))
	if err != nil || len(endpoints) != 6 {
		t.Fatalf("%d endpoints, %v", len(endpoints), err)
	}
	for _, ep := range endpoints {
		t.Run(ep.SecurityPolicyURI[len(ua.SecurityPolicyURIPrefix):]+"/"+ep.SecurityMode.String(), func(t *testing.T) {
			c := connect(t, s, opcua.SecurityFromEndpoint(ep, ua.UserTokenTypeAnonymous), opcua.Certificate(clientCert), opcua.PrivateKey(clientKey))
			notes := make(chan *opcua.PublishNotificationData, 10)
			sub := subscribe(t, s, c, soon, notes)
			if _, err := sub.Monitor(ctx, ua.TimestampsToReturnBoth, want{tag: "pump/flow", queue: 5}.request(0)); err != nil {
				t.Fatal(err)
			}
			if err := c.SecureChannel().Renew(ctx); err != nil {
				t.Fatal(err)
			}
			if n := <-notes; n.Error != nil || len(n.Value.(*ua.DataChangeNotification).MonitoredItems) != 1 {
				t.Errorf("%+v", n)
			}
			// More than a chunk, there and back.
			r := &ua.ReadRequest{}
			for range 3000 {
				r.NodesToRead = append(r.NodesToRead, &ua.ReadValueID{NodeID: ua.NewStringNodeID(2, "pump/vibration"), AttributeID: ua.AttributeIDValue})
			}
			if got, err := c.Read(ctx, r); err != nil || len(got.Results) != 3000 || got.Results[2999].Value.Float() != 1 {
				t.Errorf("%v", err)
			}
			seen.Note(t, "gopcua v0.9.1", "connect, subscribe, renew, read, "+t.Name()[len("TestSecurityPolicies/"):], !t.Failed())
		})
	}
	none := dial(t, s, opcua.AutoReconnect(false))
	if err := none.Connect(ctx); err == nil {
		t.Error("a session without security, though it is required")
	}
	bad := dial(t, s, opcua.AutoReconnect(false), opcua.SecurityFromEndpoint(endpoints[0], ua.UserTokenTypeAnonymous), opcua.Certificate(stranger), opcua.PrivateKey(strangerKey))
	if err := bad.Connect(ctx); err == nil {
		t.Error("a stranger's certificate is trusted")
	}
	impostor := dial(t, s, opcua.AutoReconnect(false), opcua.SecurityFromEndpoint(endpoints[0], ua.UserTokenTypeAnonymous), opcua.Certificate(clientCert), opcua.PrivateKey(strangerKey))
	if err := impostor.Connect(ctx); err == nil {
		t.Error("a certificate without its key is good enough")
	}
}

// Keys above 2048 bits have a second byte of padding size.
func TestLongKeys(t *testing.T) {
	cert, key := pair(t, 3072, "urn:plantbed:plc-test:server")
	clientCert, clientKey := pair(t, 2048, "urn:client")
	s := serve(t, newPLC(), Config{Security: Security{Certificate: cert, Key: key, Policies: []string{ua.SecurityPolicyURIBasic256Sha256}}}, Options{})
	endpoints, err := opcua.GetEndpoints(context.Background(), endpoint(s))
	if err != nil || len(endpoints) != 3 {
		t.Fatalf("%d endpoints, %v", len(endpoints), err)
	}
	for _, keys := range []struct {
		cert []byte
		key  *rsa.PrivateKey
	}{{clientCert, clientKey}, {cert, key}} {
		connect(t, s, opcua.SecurityFromEndpoint(endpoints[2], ua.UserTokenTypeAnonymous), opcua.Certificate(keys.cert), opcua.PrivateKey(keys.key))
	}
}

// A client is told what the standard has it told of its certificate: nothing
// where it is not trusted, the reason where it is.
func TestCertificatesThatAreRefused(t *testing.T) {
	cert, key := pair(t, 2048, "urn:plantbed:plc-test:server")
	now := time.Now()
	refused := map[string]ua.StatusCode{
		"a stranger": ua.StatusBadSecurityChecksFailed, "expired": ua.StatusBadCertificateTimeInvalid, "not good yet": ua.StatusBadCertificateTimeInvalid,
		"of another application": ua.StatusBadCertificateURIInvalid, "an expired stranger": ua.StatusBadSecurityChecksFailed,
	}
	trusted := map[string]bool{}
	s := serve(t, newPLC(), Config{Security: Security{Certificate: cert, Key: key, Trust: func(c []byte) bool { return trusted[string(c)] }}}, Options{})
	endpoints, err := opcua.GetEndpoints(context.Background(), endpoint(s))
	if err != nil {
		t.Fatal(err)
	}
	right := true
	for what, want := range refused {
		uri, from, to := "urn:client", now.Add(-time.Hour), now.Add(time.Hour)
		switch what {
		case "expired", "an expired stranger":
			to = now.Add(-time.Minute)
		case "not good yet":
			from = now.Add(time.Minute)
		}
		der, private := pairFor(t, 2048, uri, from, to)
		trusted[string(der)] = !strings.Contains(what, "stranger")
		opts := []opcua.Option{opcua.AutoReconnect(false), opcua.SecurityFromEndpoint(endpoints[1], ua.UserTokenTypeAnonymous), opcua.Certificate(der), opcua.PrivateKey(private)}
		if what == "of another application" {
			opts = append(opts, opcua.ApplicationURI("urn:somebody:else"))
		}
		url, told := listenIn(t, s)
		c, err := opcua.NewClient(url, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Connect(context.Background()); err == nil || !errors.Is(err, want) && told() != want {
			t.Errorf("%s: %v, told %v, want %v", what, err, told(), want)
			right = false
		}
		c.Close(context.Background())
	}
	seen.Note(t, "gopcua v0.9.1", "client certificates: untrusted, expired, of another application refused as the standard has it", right)
}

// listenIn is a way to a server on which one hears with what error the server
// ends a connection: the library at the other end does not tell.
func listenIn(t *testing.T, s *Server) (url string, told func() ua.StatusCode) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	status := make(chan ua.StatusCode, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		up, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			return
		}
		defer up.Close()
		go io.Copy(up, c)
		var all bytes.Buffer
		io.Copy(c, io.TeeReader(up, &all))
		if i := bytes.LastIndex(all.Bytes(), []byte("ERRF")); i >= 0 && all.Len() >= i+12 {
			status <- ua.StatusCode(binary.LittleEndian.Uint32(all.Bytes()[i+8:]))
		}
		close(status)
	}()
	var got ua.StatusCode
	return "opc.tcp://" + ln.Addr().String(), func() ua.StatusCode {
		if v, ok := <-status; ok {
			got = v
		}
		return got
	}
}
