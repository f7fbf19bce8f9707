package opcua

import (
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// Users are who may open a session. The zero Users lets anybody in who does not
// claim to be somebody.
type Users struct {
	// Passwords are the users that come with a password. Where the server has a
	// certificate, passwords must come encrypted.
	Passwords map[string]string
	// Certificate tells whether the holder of a certificate (DER) is a user;
	// nil is nobody. It needs a certificate of the server's own.
	Certificate func(certificate []byte) bool
	// NoAnonymous refuses who does not say who it is.
	NoAnonymous bool
}

// tokenPolicy is how the proof of a user is secured: as the channel is, or, on
// a channel that is not, by the first policy of the server.
func (s *Security) tokenPolicy(channel string) string {
	if channel != ua.SecurityPolicyURINone || s.Certificate == nil || s.Key == nil {
		return channel
	}
	return s.policies()[0]
}

// tokenPolicies lists what users an endpoint takes.
func (u *Users) tokenPolicies(sec *Security, channel string) []*ua.UserTokenPolicy {
	var list []*ua.UserTokenPolicy
	if !u.NoAnonymous {
		list = append(list, &ua.UserTokenPolicy{PolicyID: "anonymous", TokenType: ua.UserTokenTypeAnonymous})
	}
	by := sec.tokenPolicy(channel)
	if len(u.Passwords) > 0 {
		list = append(list, &ua.UserTokenPolicy{PolicyID: "username", TokenType: ua.UserTokenTypeUserName, SecurityPolicyURI: by})
	}
	if u.Certificate != nil && by != ua.SecurityPolicyURINone {
		list = append(list, &ua.UserTokenPolicy{PolicyID: "certificate", TokenType: ua.UserTokenTypeCertificate, SecurityPolicyURI: by})
	}
	return list
}

// identify checks who a client says it is, and returns the name by which the
// server knows it: nobody's is empty. The nonce is the one that the client was
// given last.
func (x *exchange) identify(token *ua.ExtensionObject, sig *ua.SignatureData, nonce []byte) (string, error) {
	u := &x.s.cfg.Users
	switch t := token.Value.(type) {
	case *ua.UserNameIdentityToken:
		return x.password(u, t, nonce)
	case *ua.X509IdentityToken:
		return x.holder(u, t, sig, nonce)
	case nil:
		if token.EncodingMask != ua.ExtensionObjectEmpty {
			return "", ua.StatusBadIdentityTokenInvalid
		}
	}
	if u.NoAnonymous {
		return "", ua.StatusBadIdentityTokenRejected
	}
	return "", nil
}

// password checks a user's password.
func (x *exchange) password(u *Users, t *ua.UserNameIdentityToken, nonce []byte) (string, error) {
	if len(u.Passwords) == 0 {
		return "", ua.StatusBadIdentityTokenRejected
	}
	sec := x.c.ch.sec
	secret := t.Password
	if policy := sec.tokenPolicy(x.c.ch.policy); policy != ua.SecurityPolicyURINone {
		var err error
		if secret, err = sec.secret(policy, t.Password, nonce); err != nil {
			return "", err
		}
	} else if t.EncryptionAlgorithm != "" {
		return "", ua.StatusBadIdentityTokenInvalid
	}
	want, known := u.Passwords[t.UserName]
	if subtle.ConstantTimeCompare(secret, []byte(want)) != 1 || !known {
		return "", ua.StatusBadUserAccessDenied
	}
	return "user:" + t.UserName, nil
}

// secret decrypts a password that was encrypted together with a nonce
// (Part 4, 7.41.2.2): its length, itself, the nonce.
func (s *Security) secret(policy string, sealed, nonce []byte) ([]byte, error) {
	algo, err := uapolicy.Asymmetric(policy, s.Key, &s.Key.PublicKey)
	if err != nil || len(sealed) == 0 || len(sealed)%algo.BlockSize() != 0 {
		return nil, ua.StatusBadIdentityTokenInvalid
	}
	plain, err := algo.Decrypt(sealed)
	if err != nil || len(plain) < 4 {
		return nil, ua.StatusBadIdentityTokenInvalid
	}
	n := binary.LittleEndian.Uint32(plain)
	plain = plain[4:]
	if uint64(n) > uint64(len(plain)) || int(n) < len(nonce) {
		return nil, ua.StatusBadIdentityTokenInvalid
	}
	plain = plain[:n]
	cut := len(plain) - len(nonce)
	if subtle.ConstantTimeCompare(plain[cut:], nonce) != 1 { // somebody has heard it before
		return nil, ua.StatusBadIdentityTokenInvalid
	}
	return plain[:cut], nil
}

// holder checks that a user holds the key of a certificate that is known.
func (x *exchange) holder(u *Users, t *ua.X509IdentityToken, sig *ua.SignatureData, nonce []byte) (string, error) {
	sec := x.c.ch.sec
	policy := sec.tokenPolicy(x.c.ch.policy)
	if u.Certificate == nil || policy == ua.SecurityPolicyURINone {
		return "", ua.StatusBadIdentityTokenRejected
	}
	cert, err := uapolicy.ParseCertificate(t.CertificateData)
	if err != nil {
		return "", ua.StatusBadIdentityTokenInvalid
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return "", ua.StatusBadIdentityTokenInvalid
	}
	if !u.Certificate(t.CertificateData) || x.now.Before(cert.NotBefore) || x.now.After(cert.NotAfter) {
		return "", ua.StatusBadIdentityTokenRejected
	}
	algo, err := uapolicy.Asymmetric(policy, sec.Key, key)
	if err != nil {
		return "", ua.StatusBadIdentityTokenRejected
	}
	if algo.VerifySignature(slices.Concat(sec.Certificate, nonce), sig.Signature) != nil {
		return "", ua.StatusBadUserSignatureInvalid
	}
	return "certificate:" + string(uapolicy.Thumbprint(t.CertificateData)), nil
}
