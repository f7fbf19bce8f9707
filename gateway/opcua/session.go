package opcua

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// login creates and activates a session. The application is named the same at
// every connect: a server hands a subscription over only to the client that it
// belonged to.
func (l *link) login(ctx context.Context, cfg *Config) error {
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	uri := "urn:plantbed:gateway:" + cfg.Name
	var cert []byte
	if l.end != nil {
		cert = l.keys.cert
		if c, err := uapolicy.ParseCertificate(cert); err == nil && len(c.URIs) > 0 {
			uri = c.URIs[0].String()
		}
	}
	created, err := call[*ua.CreateSessionResponse](ctx, l, &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{
			ApplicationURI:  uri,
			ProductURI:      "urn:plantbed:gateway",
			ApplicationName: ua.NewLocalizedText("Plantbed gateway"),
			ApplicationType: ua.ApplicationTypeClient,
		},
		EndpointURL:             cfg.URL,
		SessionName:             cfg.Name,
		ClientNonce:             nonce,
		ClientCertificate:       cert,
		RequestedSessionTimeout: float64(cfg.Lifetime.D() / time.Millisecond),
	}, l.step)
	if err != nil {
		return fmt.Errorf("create session: %w", cause(err))
	}
	l.token, l.offers, l.nonce, l.serverCert = created.AuthenticationToken, created.ServerEndpoints, created.ServerNonce, created.ServerCertificate
	if l.end != nil {
		if !bytes.Equal(l.serverCert, l.end.ServerCertificate) {
			return errors.New("create session: the server shows another certificate than its channel")
		}
		if created.ServerSignature == nil || l.channel.VerifySessionSignature(slices.Clip(l.serverCert), nonce, created.ServerSignature.Signature) != nil {
			return errors.New("create session: the server does not prove that its certificate is its own")
		}
	}
	if err := l.activate(ctx, cfg); err != nil {
		return fmt.Errorf("activate session: %w", cause(err))
	}
	return nil
}

// activate binds the session of l.token to this connection.
func (l *link) activate(ctx context.Context, cfg *Config) error {
	proof, err := l.signature()
	if err != nil {
		return err
	}
	user, userProof, err := l.identity(cfg)
	if err != nil {
		return err
	}
	res, err := call[*ua.ActivateSessionResponse](ctx, l, &ua.ActivateSessionRequest{
		ClientSignature:    proof,
		LocaleIDs:          []string{"en"},
		UserIdentityToken:  ua.NewExtensionObject(user),
		UserTokenSignature: userProof,
	}, l.step)
	if err == nil {
		l.nonce = res.ServerNonce
	}
	return err
}
