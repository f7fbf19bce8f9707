//go:build !(linux && amd64)

package hostclock

import (
	"errors"
	"os"
)

// Possible tells that this machine can.
const Possible = false

// Start is not possible here.
func Start(string, []string, Options) (*Process, error) {
	return nil, errors.New("a process with a clock of its own needs Linux on amd64")
}

// Kill and Signal are never reached.
func (p *Process) Kill() error            { return os.ErrProcessDone }
func (p *Process) Signal(os.Signal) error { return os.ErrProcessDone }
