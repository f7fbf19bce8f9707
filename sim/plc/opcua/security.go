package opcua

import (
	"bytes"
	"crypto/rsa"
	"net/url"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// Security is what signed and encrypted endpoints need. Without a certificate
// there is the one endpoint without security.
type Security struct {
	Certificate []byte // DER
	Key         *rsa.PrivateKey
	// Policies are URIs of gopcua's ua package, weakest first; each is offered
	// with Sign and with SignAndEncrypt. Nil means the three current ones:
	// Basic256Sha256, Aes128_Sha256_RsaOaep and Aes256_Sha256_RsaPss.
	Policies []string
	// Require drops the endpoint without security: it then serves discovery alone.
	Require bool
	// Trust tells whether a client's certificate (DER) is trusted; nil trusts all.
	Trust func(certificate []byte) bool
	// Issuer has signed the certificate, and signs what takes its place; nil
	// where it is self-signed.
	Issuer *Authority
}

// endpointMode is one way of talking that the server offers.
type endpointMode struct {
	policy string
	mode   ua.MessageSecurityMode
}

// modes lists what is offered, weakest first.
func (s *Security) modes() []endpointMode {
	var list []endpointMode
	if !s.Require || s.Certificate == nil {
		list = append(list, endpointMode{ua.SecurityPolicyURINone, ua.MessageSecurityModeNone})
	}
	if s.Certificate == nil || s.Key == nil {
		return list
	}
	for _, p := range s.policies() {
		list = append(list, endpointMode{p, ua.MessageSecurityModeSign}, endpointMode{p, ua.MessageSecurityModeSignAndEncrypt})
	}
	return list
}

// policies lists the policies that are offered.
func (s *Security) policies() []string {
	if s.Policies != nil {
		return s.Policies
	}
	return []string{ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.SecurityPolicyURIAes256Sha256RsaPss}
}

func (s *Security) offers(m endpointMode) bool {
	for _, o := range s.modes() {
		if o == m {
			return true
		}
	}
	return false
}

// asymmetric is the algorithm between this server and the holder of a
// certificate.
func (s *Security) asymmetric(policy string, cert []byte) (*uapolicy.EncryptionAlgorithm, error) {
	if policy == ua.SecurityPolicyURINone {
		return uapolicy.Asymmetric(policy, nil, nil)
	}
	if !s.offers(endpointMode{policy, ua.MessageSecurityModeSign}) {
		return nil, ua.StatusBadSecurityPolicyRejected
	}
	parsed, err := uapolicy.ParseCertificate(cert)
	if err != nil {
		return nil, ua.StatusBadSecurityChecksFailed
	}
	key, ok := parsed.PublicKey.(*rsa.PublicKey)
	if !ok || s.Trust != nil && !s.Trust(cert) { // whom nobody trusts is told no more (Part 6, 6.7.4)
		return nil, ua.StatusBadSecurityChecksFailed
	}
	if now := time.Now(); now.Before(parsed.NotBefore) || now.After(parsed.NotAfter) {
		return nil, ua.StatusBadCertificateTimeInvalid
	}
	algo, err := uapolicy.Asymmetric(policy, s.Key, key)
	if err != nil {
		return nil, ua.StatusBadCertificateInvalid
	}
	return algo, nil
}

// speaksFor tells whether a certificate is one of the application that says
// so of itself.
func speaksFor(cert []byte, uri string) bool {
	parsed, err := uapolicy.ParseCertificate(cert)
	return err == nil && slices.ContainsFunc(parsed.URIs, func(u *url.URL) bool { return u.String() == uri })
}

// unseal decrypts and verifies one chunk, which has head bytes of header, and
// returns what follows the header: sequence header and body.
func unseal(algo *uapolicy.EncryptionAlgorithm, chunk []byte, head int, encrypted bool) ([]byte, error) {
	plain := bytes.Clone(chunk)
	if encrypted {
		p, err := algo.Decrypt(chunk[head:])
		if err != nil {
			return nil, ua.StatusBadSecurityChecksFailed
		}
		plain = append(plain[:head:head], p...)
	}
	end := len(plain) - algo.RemoteSignatureLength()
	if end < head || algo.VerifySignature(plain[:end], plain[end:]) != nil {
		return nil, ua.StatusBadSecurityChecksFailed
	}
	if encrypted {
		// The last byte is the padding's length, or its high byte where keys
		// are longer than 2048 bits; the padding proper lies before.
		extra := algo.SignatureLength() > 256
		if end-2 < head {
			return nil, ua.StatusBadSecurityChecksFailed
		}
		pad := int(plain[end-1]) + 1
		if extra {
			pad = int(plain[end-1])<<8 + int(plain[end-2]) + 2
		}
		end -= pad
	}
	if end < head {
		return nil, ua.StatusBadSecurityChecksFailed
	}
	return plain[head:end], nil
}

// seal signs, and if asked encrypts, one chunk with head bytes of header. It
// writes the size into the header, which the signature covers.
func seal(algo *uapolicy.EncryptionAlgorithm, chunk []byte, head int, encrypt bool) ([]byte, error) {
	size := len(chunk) + algo.SignatureLength()
	if encrypt {
		block, extra := algo.PlaintextBlockSize(), algo.RemoteSignatureLength() > 256
		own := 1
		if extra {
			own = 2
		}
		pad := (block - (len(chunk)-head+own+algo.SignatureLength())%block) % block
		for range pad + 1 {
			chunk = append(chunk, byte(pad))
		}
		if extra {
			chunk = append(chunk, byte(pad>>8))
		}
		size = head + (len(chunk)-head+algo.SignatureLength())/block*algo.BlockSize()
	}
	putSize(chunk, size)
	sig, err := algo.Signature(chunk)
	if err != nil {
		return nil, ua.StatusBadSecurityChecksFailed
	}
	chunk = append(chunk, sig...)
	if !encrypt {
		return chunk, nil
	}
	secret, err := algo.Encrypt(chunk[head:])
	if err != nil {
		return nil, ua.StatusBadSecurityChecksFailed
	}
	return append(chunk[:head:head], secret...), nil
}
