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
