package sut

import "syscall"

// Group sets a process apart with what it starts; it dies with this one.
func Group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
