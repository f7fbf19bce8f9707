package opcua

import (
	"encoding/binary"
	"io"

	"github.com/gopcua/opcua/ua"
)

// Sizes of OPC UA's TCP framing, in bytes.
const (
	chunkHeader  = 8      // message type, chunk flag, size
	secureHeader = 12     // the same and the secure channel id
	bodyStart    = 24     // secureHeader, token id, sequence number, request id
	bufferSize   = 65_536 // the largest chunk that is read or written
	minBuffer    = 8_192  // the least that a client must be able to take
	maxURL       = 4_096
)

// Message types and chunk flags.
const (
	typeHello, typeOpen, typeMessage, typeClose, typeError = "HEL", "OPN", "MSG", "CLO", "ERR"

	flagFinal, flagMore, flagAbort = 'F', 'C', 'A'
)

// reader takes chunks off a stream.
type reader struct {
	r    io.Reader
	head [chunkHeader]byte
	buf  []byte
}

// next reads one chunk of at most max bytes, and no other type than want or
// also. The chunk is whole, with its header, and stays good until the next
// call. Its size is judged before there is room made for it.
func (r *reader) next(max int, want ...string) (kind string, flag byte, chunk []byte, err error) {
	if _, err = io.ReadFull(r.r, r.head[:]); err != nil {
		return "", 0, nil, err
	}
	for _, w := range want {
		if string(r.head[:3]) == w {
			kind = w
		}
	}
	flag = r.head[3]
	if kind == "" || flag != flagFinal && flag != flagMore && flag != flagAbort {
		return "", 0, nil, ua.StatusBadTCPMessageTypeInvalid
	}
	size := binary.LittleEndian.Uint32(r.head[4:])
	if size > uint32(max) {
		return "", 0, nil, ua.StatusBadTCPMessageTooLarge
	}
	if size < chunkHeader {
		return "", 0, nil, ua.StatusBadDecodingError
	}
	if cap(r.buf) < int(size) {
		r.buf = make([]byte, size, max4k(size))
	}
	chunk = r.buf[:size]
	copy(chunk, r.head[:])
	if _, err = io.ReadFull(r.r, chunk[chunkHeader:]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return "", 0, nil, err
	}
	return kind, flag, chunk, nil
}

// max4k rounds up to whole 4 KiB, so that a buffer seldom grows.
func max4k(n uint32) uint32 { return (n + 4095) &^ 4095 }

// assembler puts the chunks of one message together.
type assembler struct {
	max    int // bytes of a message
	open   bool
	id     uint32
	chunks int
	buf    []byte
}

// add takes the body of a chunk. It returns the message once that is whole; a
// message of one chunk is that chunk's body itself.
func (a *assembler) add(flag byte, id uint32, body []byte) (msg []byte, whole bool, err error) {
	if a.open && id != a.id {
		return nil, false, ua.StatusBadSecurityChecksFailed // chunks of two messages among one another
	}
	if flag == flagAbort {
		a.reset()
		return nil, false, nil
	}
	if len(a.buf)+len(body) > a.max {
		return nil, false, ua.StatusBadTCPMessageTooLarge
	}
	if flag == flagFinal && !a.open {
		return body, true, nil
	}
	a.open, a.id = true, id
	a.chunks++
	if a.chunks > a.maxChunks() {
		return nil, false, ua.StatusBadTCPMessageTooLarge
	}
	a.buf = append(a.buf, body...)
	if flag == flagMore {
		return nil, false, nil
	}
	msg = a.buf
	a.reset()
	return msg, true, nil
}

// maxChunks is how many chunks the largest message needs if each is as small
// as the protocol lets a buffer be.
func (a *assembler) maxChunks() int { return a.max/(minBuffer-bodyStart) + 1 }

// reset forgets what was put together; its memory goes with the message.
func (a *assembler) reset() { a.open, a.chunks, a.buf = false, 0, nil }
