package plc

import "errors"

// What Write may answer, for servers that must tell the causes apart.
var (
	ErrReadOnly = errors.New("read only")
	ErrRange    = errors.New("outside its range")
)
