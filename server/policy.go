package server

import (
	"slices"

	"github.com/ringwall/ringwall/policy"
)

// files are those that the configuration in force was read from, and the policies that
// have come since.
func (s *Server) files() []string {
	c := s.rails.Load().config
	files := append([]string{s.opt.File}, c.Read...)
	if c.Policy.Dir == "" {
		return files
	}
	names, err := policy.Names(c.Policy.Dir)
	if err != nil {
		return files // the reload says so
	}
	for _, name := range names {
		if !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	return files
}
