package opcua

import (
	"math"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// session is one client's session. It outlives its connection. Server.mu
// guards it.
type session struct {
	node    *ua.NodeID
	token   string
	name    string
	conn    *conn  // on which it is active, nil for none
	active  bool   // was ever activated
	user    string // who it is, empty for nobody
	timeout time.Duration
	seen    time.Time // of the last request
	timer   *time.Timer
	nonce   []byte // to be signed at the next activation
	cert    []byte // of the client, where the channel is secured
	policy  string // of the channel on which it was created
	mode    ua.MessageSecurityMode
	client  clientOf
	locales []string
	calls   calls

	subs      []*subscription // in the order of their creation
	queue     []publishing    // publish requests that wait
	notes     []statusNote    // ends of subscriptions that the client is to hear of
	points    []*point        // of BrowseNext
	rests     []*rest         // of HistoryRead
	lastPoint uint64
}

// enter finds the session of a request, which must be active on its channel.
func (x *exchange) enter(typ uint16) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sess := x.s.tokens[string(x.head.token)]
	switch {
	case sess == nil:
		return ua.StatusBadSessionIDInvalid
	case !sess.active:
		return ua.StatusBadSessionNotActivated
	case sess.conn != x.c:
		return ua.StatusBadSecureChannelIDInvalid
	}
	sess.seen = x.now
	sess.calls.called(typ)
	x.session = sess
	return nil
}

func (x *exchange) createSession(r *ua.CreateSessionRequest) (any, error) {
	s, ch := x.s, &x.c.ch
	sec := ch.sec
	switch {
	case !ch.secured() && !sec.offers(endpointMode{ch.policy, ch.mode}):
		return nil, ua.StatusBadSecurityModeInsufficient
	case ch.secured() && len(r.ClientNonce) < 32:
		return nil, ua.StatusBadNonceInvalid
	case ch.secured() && string(r.ClientCertificate) != string(ch.cert):
		return nil, ua.StatusBadCertificateInvalid
	case ch.secured() && !speaksFor(ch.cert, r.ClientDescription.ApplicationURI):
		return nil, ua.StatusBadCertificateURIInvalid
	}
	sign, err := x.sign(r.ClientCertificate, r.ClientNonce)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.sessions) >= s.cfg.Limits.Sessions || s.shown.Load().trouble.SessionsFull {
		s.stats.refused.Add(1)
		return nil, ua.StatusBadTooManySessions
	}
	s.stats.sessions.Add(1)
	s.stats.allSessions.Add(1)
	up(&s.ids.session)
	sess := &session{
		node: ua.NewNumericNodeID(1, s.ids.session), token: string(s.secret(32)), name: r.SessionName,
		timeout: s.sessionTimeout(r.RequestedSessionTimeout), seen: x.now, nonce: s.secret(32),
		cert: slices.Clone(ch.cert), policy: ch.policy, mode: ch.mode, calls: calls{},
		client: clientOf{r.ClientDescription, r.ServerURI, r.EndpointURL, r.MaxResponseMessageSize, x.now},
	}
	s.sessions = append(s.sessions, sess)
	s.tokens[sess.token] = sess
	sess.timer = s.after(s.patience(sess), func() { s.checkSession(sess) })
	return &ua.CreateSessionResponse{
		SessionID: sess.node, AuthenticationToken: ua.NewByteStringNodeID(0, []byte(sess.token)),
		RevisedSessionTimeout: float64(sess.timeout) / 1e6,
		ServerNonce:           sess.nonce,
		ServerCertificate:     sec.Certificate,
		ServerEndpoints:       x.endpoints(x.c.address(r.EndpointURL)),
		ServerSignature:       sign,
		MaxRequestMessageSize: uint32(s.cfg.Limits.MessageSize),
	}, nil
}

// sessionTimeout revises a time-out in milliseconds.
func (s *Server) sessionTimeout(ms float64) time.Duration {
	least, most := s.cfg.Limits.MinSession.D(), s.cfg.Limits.MaxSession.D()
	if !(ms > 0) || ms >= float64(most)/1e6 {
		return most
	}
	return max(least, time.Duration(math.Round(ms*1e6)))
}

// patience is how long a session may be silent: one that is never activated
// holds its place no longer than a handshake may take.
func (s *Server) patience(sess *session) time.Duration {
	if sess.active {
		return sess.timeout
	}
	return min(sess.timeout, s.cfg.Limits.Handshake.D())
}

// checkSession ends a session that was silent for its time-out, or looks again
// when that would be.
func (s *Server) checkSession(sess *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.tokens[sess.token] != sess {
		return
	}
	if left := s.patience(sess) - time.Since(sess.seen); left > 0 {
		sess.timer = s.after(left, func() { s.checkSession(sess) })
		return
	}
	s.stats.timedOut.Add(1)
	s.log.Info("session timed out", "session", sess.name, "after", s.patience(sess))
	s.endSession(sess, false)
}

// endSession drops a session; its subscriptions live on if they are not
// deleted with it. The mutex is held.
func (s *Server) endSession(sess *session, deleteSubscriptions bool) {
	s.halt(sess.timer)
	s.stats.sessions.Add(^uint32(0))
	s.sessions = slices.DeleteFunc(s.sessions, func(o *session) bool { return o == sess })
	delete(s.tokens, sess.token)
	for _, sub := range slices.Clone(sess.subs) {
		sub.session = nil
		if deleteSubscriptions {
			s.deleteSubscription(sub)
		}
	}
	sess.subs = nil
	s.answerAll(sess, ua.StatusBadSessionClosed)
	sess.points, sess.rests = nil, nil
	if c := sess.conn; c != nil {
		s.leave(c)
		sess.conn = nil
	}
}

// leave counts a session off a connection, which has a handshake's time to
// open another. The mutex is held.
func (s *Server) leave(c *conn) {
	if c.sessions--; c.sessions == 0 {
		c.nc.SetReadDeadline(time.Now().Add(s.cfg.Limits.Handshake.D()))
	}
}

func (x *exchange) activateSession(r *ua.ActivateSessionRequest) (any, error) {
	s := x.s
	s.mu.Lock()
	sess := s.tokens[string(x.head.token)]
	if sess == nil {
		s.mu.Unlock()
		return nil, ua.StatusBadSessionIDInvalid
	}
	nonce, cert := sess.nonce, sess.cert
	s.mu.Unlock()
	if err := x.verify(r.ClientSignature, cert, nonce); err != nil {
		return nil, err
	}
	user, err := x.identify(r.UserIdentityToken, r.UserTokenSignature, nonce)
	if err != nil {
		s.stats.refusedByUser.Add(1)
		return nil, err
	}
	s.mu.Lock()
	if s.tokens[sess.token] != sess {
		s.mu.Unlock()
		return nil, ua.StatusBadSessionIDInvalid
	}
	old := sess.conn
	if old != x.c {
		if old != nil {
			s.answerAll(sess, ua.StatusBadSecureChannelClosed)
			s.leave(old)
		}
		sess.conn = x.c
		x.c.sessions++
	}
	sess.active, sess.seen, sess.nonce, sess.user = true, x.now, s.secret(32), user
	if len(r.LocaleIDs) > 0 {
		sess.locales = r.LocaleIDs
	}
	out := &ua.ActivateSessionResponse{ServerNonce: sess.nonce}
	s.mu.Unlock()
	x.c.armRead()
	if old != nil && old != x.c {
		old.flush()
	}
	return out, nil
}

func (x *exchange) closeSession(r *ua.CloseSessionRequest) (any, error) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.tokens[string(x.head.token)]
	switch {
	case sess == nil:
		return nil, ua.StatusBadSessionIDInvalid
	case sess.active && sess.conn != x.c:
		return nil, ua.StatusBadSecureChannelIDInvalid
	}
	s.endSession(sess, r.DeleteSubscriptions)
	return &ua.CloseSessionResponse{}, nil
}

// cancel answers publish requests that the client gives up; no other request
// waits.
func (x *exchange) cancel(r *ua.CancelRequest) (any, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	out := &ua.CancelResponse{}
	x.session.queue = slices.DeleteFunc(x.session.queue, func(p publishing) bool {
		if p.x.head.handle != r.RequestHandle {
			return false
		}
		out.CancelCount++
		p.x.answer(0, nil, ua.StatusBadRequestCancelledByClient)
		return true
	})
	return out, nil
}

// sign proves to a client that the server holds its key.
func (x *exchange) sign(cert, nonce []byte) (*ua.SignatureData, error) {
	if !x.c.ch.secured() {
		return &ua.SignatureData{}, nil
	}
	algo, err := x.c.ch.sec.asymmetric(x.c.ch.policy, cert)
	if err != nil {
		return nil, err
	}
	sig, err := algo.Signature(slices.Concat(cert, nonce))
	if err != nil {
		return nil, ua.StatusBadUnexpectedError
	}
	return &ua.SignatureData{Algorithm: algo.SignatureURI(), Signature: sig}, nil
}

// verify checks that a client holds the key of the certificate with which it
// created its session.
func (x *exchange) verify(sig *ua.SignatureData, cert, nonce []byte) error {
	ch := &x.c.ch
	if string(ch.cert) != string(cert) {
		return ua.StatusBadSecurityChecksFailed
	}
	if !ch.secured() {
		return nil
	}
	algo, err := ch.sec.asymmetric(ch.policy, cert)
	if err != nil {
		return err
	}
	if algo.VerifySignature(slices.Concat(ch.sec.Certificate, nonce), sig.Signature) != nil {
		return ua.StatusBadApplicationSignatureInvalid
	}
	return nil
}
