package opcua

import (
	"encoding/binary"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"
)

// channel is the secure channel of a connection. Only the connection's own
// goroutine changes it, under the outbox's mutex, which senders hold.
type channel struct {
	id       uint32 // 0: not open
	policy   string
	mode     ua.MessageSecurityMode
	cert     []byte    // of the client
	sec      *Security // of the server, as it was at the last OPN
	tokens   []token
	sending  uint32 // id of the token that secures what is sent
	nextID   uint32 // of a token
	sequence uint32 // of the last chunk that was sent
	received uint32 // of the last chunk that came in
}

// token is one set of keys; a renewed channel has two until the client uses
// the new one.
type token struct {
	id   uint32
	algo *uapolicy.EncryptionAlgorithm
	ends time.Time
}

func (ch *channel) secured() bool { return ch.mode != ua.MessageSecurityModeNone }

func (ch *channel) encrypts() bool { return ch.mode == ua.MessageSecurityModeSignAndEncrypt }

func (ch *channel) token(id uint32) *token {
	for i := range ch.tokens {
		if ch.tokens[i].id == id {
			return &ch.tokens[i]
		}
	}
	return nil
}

// next is the sequence number of the chunk to send. It wraps early, as the
// protocol asks.
func (ch *channel) next() uint32 {
	if ch.sequence++; ch.sequence > lastSequence {
		ch.sequence = 1
	}
	return ch.sequence
}

// lastSequence is the last number of a chunk before they begin anew (Part 6,
// 6.7.2.4).
const lastSequence = 4_294_966_271

// maxBody is how many bytes of a message fit into a chunk of at most size.
func (ch *channel) maxBody(size int) int {
	if !ch.secured() {
		return size - bodyStart
	}
	algo := ch.token(ch.sending).algo
	room := size - secureHeader - 4
	if ch.encrypts() {
		return room/algo.BlockSize()*algo.PlaintextBlockSize() - 8 - algo.SignatureLength() - 1
	}
	return room - 8 - algo.SignatureLength()
}

// chunk fills in the header of one chunk, in whose bytes the body starts at
// bodyStart, and secures it.
func (ch *channel) chunk(b []byte, flag byte, request uint32) ([]byte, error) {
	copy(b, typeMessage)
	b[3] = flag
	putSize(b, len(b))
	binary.LittleEndian.PutUint32(b[8:], ch.id)
	binary.LittleEndian.PutUint32(b[12:], ch.sending)
	binary.LittleEndian.PutUint32(b[16:], ch.next())
	binary.LittleEndian.PutUint32(b[20:], request)
	if !ch.secured() {
		return b, nil
	}
	return seal(ch.token(ch.sending).algo, b, secureHeader+4, ch.encrypts())
}

func putSize(b []byte, n int) { binary.LittleEndian.PutUint32(b[4:], uint32(n)) }

// frames makes a message ready for the wire: one chunk in place, or several
// one after the other. Its body starts at bodyStart.
func (ch *channel) frames(b []byte, request uint32, chunkSize int) ([]byte, error) {
	most := ch.maxBody(chunkSize)
	if len(b)-bodyStart <= most {
		return ch.chunk(b, flagFinal, request)
	}
	out := make([]byte, 0, len(b)+len(b)/8+bufferSize)
	for body := b[bodyStart:]; len(body) > 0; {
		n, flag := min(most, len(body)), byte(flagMore)
		if n == len(body) {
			flag = flagFinal
		}
		c, err := ch.chunk(append(make([]byte, bodyStart, bodyStart+n+600), body[:n]...), flag, request)
		if err != nil {
			return nil, err
		}
		out = append(out, c...)
		body = body[n:]
	}
	return out, nil
}

// open takes a MSG or CLO chunk apart: the request's id and the body.
func (ch *channel) open(chunk []byte) (request uint32, body []byte, fresh bool, err error) {
	if len(chunk) < bodyStart || ch.id == 0 {
		return 0, nil, false, ua.StatusBadDecodingError
	}
	if binary.LittleEndian.Uint32(chunk[8:]) != ch.id {
		return 0, nil, false, ua.StatusBadTCPSecureChannelUnknown
	}
	tok := ch.token(binary.LittleEndian.Uint32(chunk[12:]))
	if tok == nil || time.Now().After(tok.ends) {
		return 0, nil, false, ua.StatusBadSecureChannelTokenUnknown
	}
	rest := chunk[secureHeader+4:]
	if ch.secured() {
		if rest, err = unseal(tok.algo, chunk, secureHeader+4, ch.encrypts()); err != nil {
			return 0, nil, false, err
		}
		if len(rest) < 8 {
			return 0, nil, false, ua.StatusBadDecodingError
		}
		if err := ch.follows(binary.LittleEndian.Uint32(rest)); err != nil {
			return 0, nil, false, err
		}
	}
	return binary.LittleEndian.Uint32(rest[4:]), rest[8:], tok.id != ch.sending, nil
}

// follows refuses a chunk that was there before.
func (ch *channel) follows(seq uint32) error {
	wrapped := seq < 1024 && ch.received > lastSequence-1024
	if seq <= ch.received && !wrapped {
		return ua.StatusBadSequenceNumberInvalid
	}
	ch.received = seq
	return nil
}

// opening is what an OPN chunk says before any key is known.
type opening struct {
	head    uasc.AsymmetricSecurityHeader
	algo    *uapolicy.EncryptionAlgorithm
	request uint32
	body    []byte
	sec     *Security
}

// opening takes an OPN chunk apart.
func (s *Server) opening(chunk []byte) (o opening, err error) {
	if len(chunk) < secureHeader {
		return o, ua.StatusBadDecodingError
	}
	n, err := o.head.Decode(chunk[secureHeader:])
	if err != nil || n != o.head.Len() {
		return o, ua.StatusBadDecodingError
	}
	sec := s.security()
	o.sec = sec
	rest := chunk[secureHeader+n:]
	if o.head.SecurityPolicyURI != ua.SecurityPolicyURINone {
		if sec.Certificate == nil || sec.Key == nil {
			return o, ua.StatusBadSecurityPolicyRejected
		}
		if string(o.head.ReceiverCertificateThumbprint) != string(uapolicy.Thumbprint(sec.Certificate)) {
			return o, ua.StatusBadCertificateInvalid
		}
	}
	if o.algo, err = sec.asymmetric(o.head.SecurityPolicyURI, o.head.SenderCertificate); err != nil {
		return o, err
	}
	if o.head.SecurityPolicyURI != ua.SecurityPolicyURINone {
		if rest, err = unseal(o.algo, chunk, secureHeader+n, true); err != nil {
			return o, err
		}
	}
	if len(rest) < 8 {
		return o, ua.StatusBadDecodingError
	}
	o.request, o.body = binary.LittleEndian.Uint32(rest[4:]), rest[8:]
	return o, nil
}

// openChannel serves an OPN chunk: a new channel, or new keys for the one
// that there is.
func (c *conn) openChannel(chunk []byte) error {
	o, err := c.s.opening(chunk)
	if err != nil {
		return err
	}
	head, in, typ := requestHead(o.body)
	if in.bad || typ != id.OpenSecureChannelRequest_Encoding_DefaultBinary {
		return ua.StatusBadDecodingError
	}
	var r ua.OpenSecureChannelRequest
	if err := decode(&in, &r); err != nil {
		return err
	}
	nonce, lifetime, err := c.issue(&o, &r)
	if err != nil {
		return err
	}
	c.armRead()
	c.wmu.Lock()
	b, err := c.opened(&o, head.handle, nonce, lifetime)
	if err == nil {
		c.put(outgoing{b: b})
	}
	c.wmu.Unlock()
	c.flush()
	return err
}

// opened is the answer to an OPN chunk. It holds the outbox's mutex, because a
// sequence number is good only in its place in the stream.
func (c *conn) opened(o *opening, handle uint32, nonce []byte, lifetime uint32) ([]byte, error) {
	b := append(make([]byte, 0, 512), typeOpen...)
	b = append(b, flagFinal, 0, 0, 0, 0)
	b = appendU32(b, c.ch.id)
	b = appendString(b, c.ch.policy)
	if c.ch.secured() {
		b = appendBytes(b, o.sec.Certificate)
		b = appendBytes(b, uapolicy.Thumbprint(o.head.SenderCertificate))
	} else {
		b = appendBytes(appendBytes(b, nil), nil)
	}
	head, now := len(b), c.s.clock(time.Now())
	b = appendU32(b, c.ch.next())
	b = appendU32(b, o.request)
	b = appendTypeID(b, id.OpenSecureChannelResponse_Encoding_DefaultBinary)
	b = appendHeader(b, now, handle, ua.StatusOK)
	b = appendU32(b, 0) // protocol version
	b = appendU32(b, c.ch.id)
	b = appendU32(b, c.ch.tokens[len(c.ch.tokens)-1].id)
	b = appendU64(b, ticks(now))
	b = appendU32(b, lifetime)
	b = appendBytes(b, nonce)
	if c.ch.secured() {
		return seal(o.algo, b, head, true)
	}
	putSize(b, len(b))
	return b, nil
}

// issue adds a token to the channel, and makes the channel if there is none.
func (c *conn) issue(o *opening, r *ua.OpenSecureChannelRequest) (nonce []byte, lifetime uint32, err error) {
	ch, policy := &c.ch, o.head.SecurityPolicyURI
	renew := r.RequestType == ua.SecurityTokenRequestTypeRenew
	switch {
	case r.ClientProtocolVersion != 0:
		return nil, 0, ua.StatusBadProtocolVersionUnsupported
	case renew != (ch.id != 0) || r.RequestType > ua.SecurityTokenRequestTypeRenew:
		return nil, 0, ua.StatusBadRequestTypeInvalid
	case renew && (policy != ch.policy || r.SecurityMode != ch.mode || string(o.head.SenderCertificate) != string(ch.cert)):
		return nil, 0, ua.StatusBadSecurityChecksFailed
	case (policy == ua.SecurityPolicyURINone) != (r.SecurityMode == ua.MessageSecurityModeNone):
		return nil, 0, ua.StatusBadSecurityModeRejected
	case policy != ua.SecurityPolicyURINone && !o.sec.offers(endpointMode{policy, r.SecurityMode}):
		return nil, 0, ua.StatusBadSecurityModeRejected
	case len(r.ClientNonce) < o.algo.NonceLength():
		return nil, 0, ua.StatusBadNonceInvalid
	}
	if nonce, err = o.algo.MakeNonce(); err != nil {
		return nil, 0, ua.StatusBadUnexpectedError
	}
	algo, err := uapolicy.Symmetric(policy, nonce, append([]byte{}, r.ClientNonce...))
	if err != nil {
		return nil, 0, ua.StatusBadSecurityChecksFailed
	}
	most := uint32(c.s.cfg.Limits.MaxChannel.D().Milliseconds())
	if lifetime = r.RequestedLifetime; lifetime == 0 || lifetime > most {
		lifetime = most
	}
	fresh := ch.id
	if !renew {
		fresh = c.s.nextChannel()
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if !renew {
		ch.id, ch.nextID = fresh, 1
		if n := c.s.shown.Load().trouble.WrapIn; n > 0 {
			ch.sequence = lastSequence - min(n, lastSequence)
		}
		ch.policy, ch.mode, ch.cert = policy, r.SecurityMode, append([]byte{}, o.head.SenderCertificate...)
	}
	ch.sec = o.sec
	// A token outlives its time by a quarter, for messages under way.
	ends := time.Now().Add(time.Duration(lifetime) * time.Millisecond * 5 / 4)
	if n := len(ch.tokens); n > 1 {
		ch.tokens = ch.tokens[n-1:]
	}
	ch.tokens = append(ch.tokens, token{id: ch.nextID, algo: algo, ends: ends})
	if !renew {
		ch.sending = ch.nextID
	}
	ch.nextID++
	return nonce, lifetime, nil
}
