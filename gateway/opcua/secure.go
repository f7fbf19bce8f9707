package opcua

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"

	"github.com/plantbed/plantbed/internal/strict"
)

// Security is how a source proves itself to the server and the server to it.
// Files are read at every connect and looked at from time to time: one that was
// renewed makes a new connection, which takes the subscription over.
type Security struct {
	// Policy is "none" (default), "Basic256Sha256", "Aes128_Sha256_RsaOaep" or
	// "Aes256_Sha256_RsaPss"; Mode is "sign-and-encrypt" (default) or "sign".
	Policy string `toml:"policy"`
	Mode   string `toml:"mode"`
	// Certificate and Key are the gateway's own, PEM or DER files.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	// ServerCertificates is a file of one or more certificates, one of which the
	// server must show, or one of which must have signed the server's.
	ServerCertificates string `toml:"server_certificates"`
	// User and the file with its password, or the files with a user's
	// certificate and key; without either the session is anonymous.
	User            string `toml:"user"`
	PasswordFile    string `toml:"password_file"`
	UserCertificate string `toml:"user_certificate"`
	UserKey         string `toml:"user_key"`
	// Check is how often the files are looked at, default 5 s.
	Check strict.Duration `toml:"check"`
}

var policies = map[string]string{
	"none":                  ua.SecurityPolicyURINone,
	"Basic256Sha256":        ua.SecurityPolicyURIBasic256Sha256,
	"Aes128_Sha256_RsaOaep": ua.SecurityPolicyURIAes128Sha256RsaOaep,
	"Aes256_Sha256_RsaPss":  ua.SecurityPolicyURIAes256Sha256RsaPss,
}

var modes = map[string]ua.MessageSecurityMode{
	"sign":             ua.MessageSecurityModeSign,
	"sign-and-encrypt": ua.MessageSecurityModeSignAndEncrypt,
}

func (s *Security) defaults() {
	if s.Policy == "" {
		s.Policy = "none"
	}
	if s.Mode == "" {
		s.Mode = "sign-and-encrypt"
	}
	orDuration(&s.Check, 5*time.Second)
}

func (s Security) secured() bool { return s.Policy != "none" && s.Policy != "" }

func (s Security) hasFiles() bool { return s.secured() || s.User != "" || s.UserCertificate != "" }

func (s Security) validate() strict.Problems {
	var ps strict.Problems
	if _, ok := policies[s.Policy]; !ok {
		ps.Add("policy", fmt.Sprintf("%q is none of \"none\", \"Basic256Sha256\", \"Aes128_Sha256_RsaOaep\", \"Aes256_Sha256_RsaPss\"", s.Policy))
	}
	if _, ok := modes[s.Mode]; !ok {
		ps.Add("mode", fmt.Sprintf("%q is neither \"sign\" nor \"sign-and-encrypt\"", s.Mode))
	}
	if s.secured() {
		for _, f := range []struct{ path, file, what string }{
			{"certificate", s.Certificate, "the gateway's certificate"}, {"key", s.Key, "the gateway's key"},
			{"server_certificates", s.ServerCertificates, "whom to trust"}} {
			if f.file == "" {
				ps.Add(f.path, fmt.Sprintf("policy %s needs a file with %s", s.Policy, f.what))
			}
		}
	}
	if (s.User == "") != (s.PasswordFile == "") {
		ps.Add("user", "user and password_file go together")
	}
	if (s.UserCertificate == "") != (s.UserKey == "") {
		ps.Add("user_certificate", "user_certificate and user_key go together")
	}
	if s.Check < 0 {
		ps.Add("check", "must not be negative")
	}
	if s.User != "" && s.UserCertificate != "" {
		ps.Add("user", "a session has one user: with a password, or with a certificate")
	}
	return ps
}

// keys is what the files of a Security held at a connect.
type keys struct {
	cert, userCert []byte // DER
	key, userKey   *rsa.PrivateKey
	trusted        []*x509.Certificate
	password       string
	sum            [32]byte // of all files
}

// load reads the files.
func (s Security) load() (*keys, error) {
	k, r := &keys{}, &reader{sum: sha256.New()}
	if s.secured() {
		k.cert, k.key = r.certificate(s.Certificate), r.key(s.Key)
		k.trusted = r.certificates(s.ServerCertificates)
	}
	if s.User != "" {
		k.password = strings.TrimRight(string(r.read(s.PasswordFile)), "\r\n")
	}
	if s.UserCertificate != "" {
		k.userCert, k.userKey = r.certificate(s.UserCertificate), r.key(s.UserKey)
	}
	r.sum.Sum(k.sum[:0])
	return k, r.err
}

// reader reads files, PEM or DER, until the first error.
type reader struct {
	sum hash.Hash // of all
	err error
}

func (r *reader) read(file string) []byte {
	if r.err != nil {
		return nil
	}
	p, err := os.ReadFile(file)
	r.err = err
	r.sum.Write(p)
	return p
}

// certificates returns all in a file, at least one without an error.
func (r *reader) certificates(file string) (out []*x509.Certificate) {
	p := r.read(file)
	block, rest := pem.Decode(p)
	if block == nil {
		block = &pem.Block{Type: "CERTIFICATE", Bytes: p}
	}
	for ; block != nil && r.err == nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			r.err = fmt.Errorf("%s: %w", file, err)
			return nil
		}
		out = append(out, c)
	}
	if r.err == nil && len(out) == 0 {
		r.err = fmt.Errorf("%s holds no certificate", file)
	}
	return out
}

func (r *reader) certificate(file string) []byte {
	if c := r.certificates(file); r.err == nil {
		return c[0].Raw
	}
	return nil
}

func (r *reader) key(file string) *rsa.PrivateKey {
	p := r.read(file)
	if block, _ := pem.Decode(p); block != nil {
		p = block.Bytes
	}
	if k, err := x509.ParsePKCS1PrivateKey(p); err == nil {
		return k
	}
	if any, err := x509.ParsePKCS8PrivateKey(p); err == nil {
		if k, ok := any.(*rsa.PrivateKey); ok {
			return k
		}
	}
	if r.err == nil {
		r.err = fmt.Errorf("%s holds no RSA key", file)
	}
	return nil
}

// trusts tells whether a server's certificate is one of the trusted ones, or
// signed by one. Its dates are the server's matter: a PLC's clock may be wrong,
// and ours too.
func (k *keys) trusts(cert []byte) error {
	c, err := uapolicy.ParseCertificate(cert)
	if err != nil {
		return fmt.Errorf("the server's certificate: %w", err)
	}
	for _, t := range k.trusted {
		if bytes.Equal(t.Raw, c.Raw) || t.IsCA && c.CheckSignatureFrom(t) == nil {
			return nil
		}
	}
	return fmt.Errorf("the server's certificate (%s, SHA-256 %x) is not trusted", c.Subject, sha256.Sum256(c.Raw))
}

// discover asks the server, without security, for the endpoint that fits.
func discover(ctx context.Context, cfg *Config, k *keys) (*ua.EndpointDescription, error) {
	l, err := dial(ctx, cfg.URL, cfg.RequestTimeout.D(), nil)
	if err != nil {
		return nil, err
	}
	defer l.close()
	res, err := call[*ua.GetEndpointsResponse](ctx, l, &ua.GetEndpointsRequest{EndpointURL: cfg.URL, LocaleIDs: []string{}, ProfileURIs: []string{}}, l.step)
	if err != nil {
		return nil, fmt.Errorf("get endpoints: %w", cause(err))
	}
	for _, e := range res.Endpoints {
		if e.SecurityPolicyURI == policies[cfg.Security.Policy] && e.SecurityMode == modes[cfg.Security.Mode] {
			return e, k.trusts(e.ServerCertificate)
		}
	}
	return nil, fmt.Errorf("the server offers no %s with %s", cfg.Security.Policy, cfg.Security.Mode)
}

// channelConfig is what the secure channel needs.
func (l *link) channelConfig() *uasc.Config {
	c := &uasc.Config{SecurityPolicyURI: ua.SecurityPolicyURINone, SecurityMode: ua.MessageSecurityModeNone}
	if l.end != nil {
		c.SecurityPolicyURI, c.SecurityMode = l.end.SecurityPolicyURI, l.end.SecurityMode
		c.Certificate, c.LocalKey = l.keys.cert, l.keys.key
		c.RemoteCertificate, c.Thumbprint = l.end.ServerCertificate, uapolicy.Thumbprint(l.end.ServerCertificate)
	}
	if l.keys != nil {
		c.UserKey = l.keys.userKey
		if c.LocalKey == nil { // to encrypt a password nothing of ours is needed
			c.LocalKey = l.keys.userKey
		}
	}
	return c
}

// signature proves, over the server's certificate and nonce, that the channel's
// client has its key.
func (l *link) signature() (*ua.SignatureData, error) {
	sig, algorithm, err := l.channel.NewSessionSignature(slices.Clip(l.serverCert), l.nonce)
	return &ua.SignatureData{Algorithm: algorithm, Signature: sig}, err
}

// identity is the user's token, with the proof that goes with it.
func (l *link) identity(cfg *Config) (any, *ua.SignatureData, error) {
	s, none := cfg.Security, &ua.SignatureData{}
	switch {
	case s.User != "":
		p := l.tokenPolicy(ua.UserTokenTypeUserName)
		if p == nil {
			return nil, nil, errors.New("the server takes no user with a password")
		}
		secret, algorithm, err := l.channel.EncryptUserPassword(p.SecurityPolicyURI, l.keys.password, slices.Clip(l.serverCert), l.nonce)
		if err == nil && algorithm == "" && (l.end == nil || l.end.SecurityMode != ua.MessageSecurityModeSignAndEncrypt) {
			err = errors.New("the server would have the password unencrypted")
		}
		return &ua.UserNameIdentityToken{PolicyID: p.PolicyID, UserName: s.User, Password: secret, EncryptionAlgorithm: algorithm}, none, err
	case s.UserCertificate != "":
		p := l.tokenPolicy(ua.UserTokenTypeCertificate)
		if p == nil {
			return nil, nil, errors.New("the server takes no user with a certificate")
		}
		sig, algorithm, err := l.channel.NewUserTokenSignature(p.SecurityPolicyURI, slices.Clip(l.serverCert), l.nonce)
		return &ua.X509IdentityToken{PolicyID: p.PolicyID, CertificateData: l.keys.userCert}, &ua.SignatureData{Algorithm: algorithm, Signature: sig}, err
	}
	id := "Anonymous"
	if p := l.tokenPolicy(ua.UserTokenTypeAnonymous); p != nil {
		id = p.PolicyID
	}
	return &ua.AnonymousIdentityToken{PolicyID: id}, none, nil
}

// tokenPolicy is the server's way of taking a kind of user on this channel.
func (l *link) tokenPolicy(kind ua.UserTokenType) *ua.UserTokenPolicy {
	policy, mode := ua.SecurityPolicyURINone, ua.MessageSecurityModeNone
	if l.end != nil {
		policy, mode = l.end.SecurityPolicyURI, l.end.SecurityMode
	}
	for _, e := range l.offers {
		if e.SecurityPolicyURI != policy || e.SecurityMode != mode {
			continue
		}
		for _, t := range e.UserIdentityTokens {
			if t.TokenType == kind {
				return t
			}
		}
	}
	return nil
}
