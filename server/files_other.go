//go:build !unix

package server

// openFiles is how many files the process may have open, where the system does not say.
func openFiles() int { return 16384 }
