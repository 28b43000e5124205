//go:build !linux

package pgtest

import "syscall"

// processAttributes changes nothing: the tests must not run as root here.
func processAttributes(string) (*syscall.SysProcAttr, error) { return &syscall.SysProcAttr{}, nil }

func dieWithParent(*syscall.SysProcAttr) {}
