//go:build !linux

package sut

import "syscall"

// Group sets a process apart with what it starts.
func Group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
