package opcua

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
)

// login creates and activates a session. The application is named the same at
// every connect: a server hands a subscription over only to the client that it
// belonged to.
func (l *link) login(ctx context.Context, cfg *Config) error {
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	created, err := call[*ua.CreateSessionResponse](ctx, l, &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{
			ApplicationURI:  "urn:plantbed:gateway:" + cfg.Name,
			ProductURI:      "urn:plantbed:gateway",
			ApplicationName: ua.NewLocalizedText("Plantbed gateway"),
			ApplicationType: ua.ApplicationTypeClient,
		},
		EndpointURL:             cfg.URL,
		SessionName:             cfg.Name,
		ClientNonce:             nonce,
		RequestedSessionTimeout: float64(cfg.Lifetime.D() / time.Millisecond),
	}, l.step)
	if err != nil {
		return fmt.Errorf("create session: %w", cause(err))
	}
	l.token, l.policy = created.AuthenticationToken, anonymousPolicy(created.ServerEndpoints)
	if err := l.activate(ctx); err != nil {
		return fmt.Errorf("activate session: %w", cause(err))
	}
	return nil
}

// activate binds the session of l.token to this connection.
func (l *link) activate(ctx context.Context) error {
	_, err := call[*ua.ActivateSessionResponse](ctx, l, &ua.ActivateSessionRequest{
		ClientSignature:    &ua.SignatureData{},
		LocaleIDs:          []string{"en"},
		UserIdentityToken:  ua.NewExtensionObject(&ua.AnonymousIdentityToken{PolicyID: l.policy}),
		UserTokenSignature: &ua.SignatureData{},
	}, l.step)
	return err
}

// anonymousPolicy is the server's name for logging in without a user.
func anonymousPolicy(endpoints []*ua.EndpointDescription) string {
	for _, e := range endpoints {
		if e.SecurityPolicyURI != ua.SecurityPolicyURINone {
			continue
		}
		for _, t := range e.UserIdentityTokens {
			if t.TokenType == ua.UserTokenTypeAnonymous {
				return t.PolicyID
			}
		}
	}
	return "Anonymous"
}
