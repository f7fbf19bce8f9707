//go:build !linux

package modbus

import (
	"io"
	"net"
)

// streamOf is the connection itself; only Linux knows a quicker way.
func streamOf(c net.Conn) io.ReadWriter { return c }
