//go:build !linux || race

package modbus

import (
	"io"
	"net"
)

// streamOf is the connection itself; only Linux knows a quicker way, which the race
// detector cannot follow.
func streamOf(c net.Conn) io.ReadWriter { return c }
