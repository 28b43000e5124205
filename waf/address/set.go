package address

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// Set is a set of addresses. It does not change and is safe for concurrent use; the
// zero value, and nil, are empty.
type Set struct {
	trie bart.Lite
	n    int
}

// NewSet returns the addresses of all of prefixes. Prefixes are unmapped and masked;
// invalid ones are left out.
func NewSet(prefixes []netip.Prefix) *Set {
	s := &Set{}
	for _, p := range prefixes {
		p, err := unmapPrefix(p)
		if err != nil || !p.IsValid() {
			continue
		}
		s.trie.Insert(p.Masked())
	}
	s.trie.Aggregate()
	s.n = s.trie.Size()
	return s
}

// Contains reports whether a is in s. The zero address is in no set.
func (s *Set) Contains(a netip.Addr) bool {
	return s != nil && s.n > 0 && s.trie.Contains(plain(a))
}

// Len is the number of networks that s is made of, neighbours joined.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.n
}
