package server

import "fmt"

// withPolicies names the policies in force, for the record of the configuration, ""
// where nobody wrote any.
func (s *Server) withPolicies() string {
	b := s.rails.Load().config.Policies
	if b == nil {
		return ""
	}
	return fmt.Sprintf(", with %d policies sha256:%s", len(b.Policies()), b.Sum())
}

// files are those that the configuration in force was read from, its own first.
func (s *Server) files() []string { return append([]string{s.opt.File}, s.current.Load().Read...) }
