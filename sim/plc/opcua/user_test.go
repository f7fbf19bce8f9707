package opcua

import (
	"context"
	"crypto/rsa"
	"errors"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"
)

// login opens a session as somebody with gopcua's client and says what came of it.
func login(t *testing.T, s *Server, secured bool, typ ua.UserTokenType, opts ...opcua.Option) error {
	t.Helper()
	endpoints, err := opcua.GetEndpoints(context.Background(), endpoint(s))
	if err != nil {
		t.Fatal(err)
	}
	ep := endpoints[0]
	if secured {
		ep = endpoints[len(endpoints)-1]
		cert, key := pair(t, 2048, "urn:client")
		opts = append([]opcua.Option{opcua.Certificate(cert), opcua.PrivateKey(key)}, opts...)
	}
	opts = append([]opcua.Option{opcua.AutoReconnect(false), opcua.SecurityFromEndpoint(ep, typ)}, opts...)
	c, err := opcua.NewClient(endpoint(s), opts...)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Connect(context.Background())
	c.Close(context.Background())
	return err
}

func TestUsers(t *testing.T) {
	sec, err := NewSecurity("urn:plantbed:plc-test:server", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	anna, annaKey := pair(t, 2048, "urn:anna")
	eve, eveKey := pair(t, 2048, "urn:eve")
	s := serve(t, newPLC(), Config{Security: sec, Users: Users{
		Passwords: map[string]string{"operator": "öl-42"}, NoAnonymous: true,
		Certificate: func(cert []byte) bool { return string(cert) == string(anna) },
	}}, Options{})
	name := func(user, password string) opcua.Option { return opcua.AuthUsername(user, password) }
	holder := func(cert []byte, key *rsa.PrivateKey) []opcua.Option {
		return []opcua.Option{opcua.AuthCertificate(cert), opcua.AuthPrivateKey(key)}
	}
	for _, secured := range []bool{true, false} {
		for what, l := range map[string]struct {
			typ  ua.UserTokenType
			opts []opcua.Option
			want ua.StatusCode
		}{
			"the operator":         {ua.UserTokenTypeUserName, []opcua.Option{name("operator", "öl-42")}, ua.StatusOK},
			"a wrong password":     {ua.UserTokenTypeUserName, []opcua.Option{name("operator", "öl-43")}, ua.StatusBadUserAccessDenied},
			"no password":          {ua.UserTokenTypeUserName, []opcua.Option{name("operator", "")}, ua.StatusBadUserAccessDenied},
			"nobody known":         {ua.UserTokenTypeUserName, []opcua.Option{name("guest", "")}, ua.StatusBadUserAccessDenied},
			"anonymous":            {ua.UserTokenTypeAnonymous, nil, ua.StatusBadIdentityTokenRejected},
			"a certificate":        {ua.UserTokenTypeCertificate, holder(anna, annaKey), ua.StatusOK},
			"a stranger's":         {ua.UserTokenTypeCertificate, holder(eve, eveKey), ua.StatusBadIdentityTokenRejected},
			"a stolen certificate": {ua.UserTokenTypeCertificate, holder(anna, eveKey), ua.StatusBadUserSignatureInvalid},
		} {
			err := login(t, s, secured, l.typ, l.opts...)
			if l.want == ua.StatusOK && err != nil || l.want != ua.StatusOK && !errors.Is(err, l.want) {
				t.Errorf("%s, secured %v: %v, want %v", what, secured, err, l.want)
			}
		}
	}
	seen.Note(t, "gopcua v0.9.1", "users: password, X.509, anonymous, and refusals", !t.Failed())
}

// A server without a certificate has nothing to encrypt passwords with; it
// takes them as they are, and still checks them.
func TestPasswordsInTheOpen(t *testing.T) {
	s := serve(t, newPLC(), Config{Users: Users{Passwords: map[string]string{"operator": "x"}}}, Options{})
	if err := login(t, s, false, ua.UserTokenTypeUserName, opcua.AuthUsername("operator", "x")); err != nil {
		t.Error(err)
	}
	if err := login(t, s, false, ua.UserTokenTypeUserName, opcua.AuthUsername("operator", "y")); !errors.Is(err, ua.StatusBadUserAccessDenied) {
		t.Error(err)
	}
	if err := login(t, s, false, ua.UserTokenTypeAnonymous); err != nil {
		t.Error(err)
	}
}

// A password that was heard on the way is no use in another session, nor is
// anything that is not a password.
func TestSecrets(t *testing.T) {
	sec, err := NewSecurity("urn:x", time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	policy := sec.policies()[0]
	algo, err := sec.asymmetric(policy, sec.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(b []byte) []byte {
		sealed, err := algo.Encrypt(b)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	nonce := []byte("0123456789abcdef")
	good := append([]byte{18, 0, 0, 0, 'p', 'w'}, nonce...)
	if got, err := sec.secret(policy, seal(good), nonce); err != nil || string(got) != "pw" {
		t.Errorf("%q, %v", got, err)
	}
	for what, b := range map[string][]byte{
		"another nonce": seal(append([]byte{18, 0, 0, 0, 'p', 'w'}, "fedcba9876543210"...)), "too long": seal(append([]byte{19, 0, 0, 0, 'p', 'w'}, nonce...)),
		"too short": seal([]byte{1, 0, 0, 0, 'p'}), "no length": seal([]byte{1}), "half a block": seal(good)[:100], "nothing": nil, "noise": make([]byte, 256),
	} {
		if got, err := sec.secret(policy, b, nonce); err == nil {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// A subscription goes to no other user's session.
func TestTransferIsForTheSameUser(t *testing.T) {
	s := serve(t, newPLC(), Config{Users: Users{Passwords: map[string]string{"a": "1", "b": "2"}}}, Options{})
	as := func(user, password string) *raw {
		c := rawDial(t, s)
		c.createSession(time.Minute)
		r := activateRequest()
		r.UserIdentityToken = ua.NewExtensionObject(&ua.UserNameIdentityToken{PolicyID: "username", UserName: user, Password: []byte(password)})
		ask[*ua.ActivateSessionResponse](c, r)
		return c
	}
	sub := as("a", "1").subscribe(time.Hour, 1000, 10).SubscriptionID
	take := func(c *raw) ua.StatusCode {
		return ask[*ua.TransferSubscriptionsResponse](c, &ua.TransferSubscriptionsRequest{SubscriptionIDs: []uint32{sub}}).Results[0].StatusCode
	}
	if got := take(as("b", "2")); got != ua.StatusBadUserAccessDenied {
		t.Errorf("to another user: %v", got)
	}
	if got := take(as("a", "1")); got != ua.StatusOK {
		t.Errorf("to the same user: %v", got)
	}
}
