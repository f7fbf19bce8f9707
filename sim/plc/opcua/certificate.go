package opcua

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// keyBits is the length of the keys that are made here: what every current
// policy takes.
const keyBits = 2048

// NewSecurity makes a key and a certificate for an application, good from one
// instant to another.
//
//	sec, err := opcua.NewSecurity("urn:plantbed:plc-fill:server", start, start.Add(20*time.Minute))
//	srv, err := opcua.Listen(opcua.Config{Security: sec}, plc, opcua.Options{})
func NewSecurity(uri string, from, to time.Time) (Security, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Security{}, fmt.Errorf("a key for %s: %w", uri, err)
	}
	cert, err := NewCertificate(key, uri, 0, from, to)
	return Security{Certificate: cert, Key: key}, err
}

// NewCertificate makes a self-signed application instance certificate (Part 6,
// 6.2.2) in DER. Certificates of one key differ by their number.
func NewCertificate(key *rsa.PrivateKey, uri string, number uint32, from, to time.Time) ([]byte, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("a certificate for %q: %w", uri, err)
	}
	id := sha1.Sum(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	t := &x509.Certificate{
		SerialNumber: big.NewInt(int64(number) + 1),
		Subject:      pkix.Name{CommonName: uri, Organization: []string{"Plantbed"}},
		NotBefore:    from, NotAfter: to,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:        []*url.URL{u}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		SubjectKeyId: id[:], BasicConstraintsValid: true,
	}
	return sign(t, t, key, key)
}

// sign makes a certificate of t for a key, in the name of an issuer.
func sign(t, issuer *x509.Certificate, key, by *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, issuer, &key.PublicKey, by)
	if err != nil {
		return nil, fmt.Errorf("a certificate for %q: %w", t.Subject.CommonName, err)
	}
	return der, nil
}

// Authority signs the certificates of a plant's controllers, so that a client
// that trusts it need not be told of each new one.
type Authority struct {
	// Certificate is what clients trust, in DER.
	Certificate []byte
	template    *x509.Certificate
	key         *rsa.PrivateKey
}

// NewAuthority makes one that is good from one instant to another.
func NewAuthority(name string, from, to time.Time) (*Authority, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("a key for %s: %w", name, err)
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Plantbed"}},
		NotBefore: from, NotAfter: to, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := sign(t, t, key, key)
	if err != nil {
		return nil, err
	}
	return &Authority{der, t, key}, nil
}

// Issue has the authority sign the certificate of s, and each that will take
// its place.
func (a *Authority) Issue(s *Security) error {
	leaf, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return fmt.Errorf("%s signs: %w", a.template.Subject.CommonName, err)
	}
	der, err := sign(leaf, a.template, s.Key, a.key)
	if err == nil {
		s.Certificate, s.Issuer = der, a
	}
	return err
}

// freshLife is how long a certificate is good that takes another's place.
const freshLife = 5 * 365 * 24 * time.Hour

// renewed is the same with another certificate: the first one for number 0,
// or one that has expired a minute ago.
func (s *Security) renewed(uri string, number uint32, expired bool, now time.Time) (*Security, error) {
	if s.Key == nil || number == 0 && !expired {
		return s, nil
	}
	from, to := now.Add(-time.Hour), now.Add(freshLife)
	if expired {
		from, to = now.Add(-freshLife), now.Add(-time.Minute)
	}
	cert, err := NewCertificate(s.Key, uri, number, from, to)
	if err != nil {
		return nil, err
	}
	out := *s
	out.Certificate = cert
	if s.Issuer != nil {
		err = s.Issuer.Issue(&out)
	}
	return &out, err
}

// TrustFolder reads the certificates, in DER, that are in a folder, for
// Security.Trust.
func TrustFolder(dir string) (func(certificate []byte) bool, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("trust list: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("trust list: %s is no folder", dir)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.der"))
	if err != nil {
		return nil, fmt.Errorf("trust list: %w", err)
	}
	trusted := map[string]bool{}
	for _, name := range names {
		der, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("trust list: %w", err)
		}
		if _, err := x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("trust list: %s: %w", name, err)
		}
		trusted[string(der)] = true
	}
	return func(cert []byte) bool { return trusted[string(cert)] }, nil
}
