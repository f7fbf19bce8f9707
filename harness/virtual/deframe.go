package virtual

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Deframe copies what a program under the fake clock prints, without the
// 16-byte header that the runtime puts before each write: 0 0 'P' 'B', the
// virtual time, the length. Where no header stands the rest is copied as it is.
func Deframe(r io.Reader, w io.Writer) error {
	br := bufio.NewReader(r)
	for {
		h, err := br.Peek(16)
		if len(h) < 16 || h[0] != 0 || h[1] != 0 || h[2] != 'P' || h[3] != 'B' {
			if len(h) > 0 {
				_, err = io.Copy(w, br)
			}
			if err == io.EOF {
				err = nil
			}
			return err
		}
		n := int64(binary.BigEndian.Uint32(h[12:]))
		br.Discard(16)
		if _, err := io.CopyN(w, br, n); err != nil {
			return err
		}
	}
}
