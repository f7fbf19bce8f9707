package modbus

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/tbrandon/mbserver"
)

// A frame is a header of 7 bytes (transaction, protocol 0, length, unit) and a
// PDU of 1 to 253 bytes (function, data). Length counts unit and PDU. Requests
// are taken a little longer than that, so that one register too many is
// answered with an exception and not with the end of the connection.
const (
	headerBytes = 7
	maxPDU      = 253
	maxRequest  = 260
	maxFrame    = headerBytes + maxRequest
)

// frame is one request or response.
type frame struct {
	transaction uint16
	unit        byte
	pdu         pdu
}

// readFrame reads one frame into buf, which its data then points into. The
// error is io.EOF at the end between two frames, and names what is wrong with
// a header that can be none: behind it nothing can be told apart any more.
func readFrame(r io.Reader, buf *[maxFrame]byte) (frame, error) {
	if _, err := io.ReadFull(r, buf[:headerBytes]); err != nil {
		return frame{}, err
	}
	if p := binary.BigEndian.Uint16(buf[2:]); p != 0 {
		return frame{}, fmt.Errorf("protocol %d in a header, want 0", p)
	}
	length := int(binary.BigEndian.Uint16(buf[4:]))
	if length < 2 || length > 1+maxRequest {
		return frame{}, fmt.Errorf("length %d in a header, want 2 to %d", length, 1+maxRequest)
	}
	body := buf[headerBytes : headerBytes+length-1]
	if _, err := io.ReadFull(r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	return frame{
		transaction: binary.BigEndian.Uint16(buf[0:]),
		unit:        buf[6],
		pdu:         pdu{function: body[0], data: body[1:]},
	}, nil
}

// whole tells whether a whole frame, or a header that can be none, lies ready
// in the buffer.
func whole(r *bufio.Reader) bool {
	if r.Buffered() < headerBytes {
		return false
	}
	head, _ := r.Peek(headerBytes)
	return r.Buffered() >= headerBytes-1+int(binary.BigEndian.Uint16(head[4:]))
}

// append adds the frame in wire form to b.
func (f *frame) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, f.transaction)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(2+len(f.pdu.data)))
	b = append(b, f.unit, f.pdu.function)
	return append(b, f.pdu.data...)
}

// pdu is a function code and its data, in the form that mbserver's functions
// work on.
type pdu struct {
	function byte
	data     []byte
	// room is where the data of a response may be put; nil allocates.
	room []byte
}

func (p *pdu) scratch() []byte { return p.room[:0] }

func (p *pdu) Bytes() []byte         { return append([]byte{p.function}, p.data...) }
func (p *pdu) Copy() mbserver.Framer { c := *p; return &c }
func (p *pdu) GetData() []byte       { return p.data }
func (p *pdu) GetFunction() uint8    { return p.function }
func (p *pdu) SetData(data []byte)   { p.data = data }
func (p *pdu) SetException(e *mbserver.Exception) {
	p.function, p.data = p.function|0x80, []byte{byte(*e)}
}

// word is the n-th 16-bit word of the data.
func (p *pdu) word(n int) int { return int(binary.BigEndian.Uint16(p.data[2*n:])) }
