//go:build unix

package server

import "syscall"

// openFiles is how many files the process may have open.
func openFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur < 64 {
		return 1024
	}
	return int(min(uint64(l.Cur), 1<<20)) //nolint:unconvert // it is signed elsewhere
}
