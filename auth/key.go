package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/scope"
)

// Conditions that callers test with errors.Is.
var (
	ErrNoSuchKey = errors.New("auth: no such key")
	ErrNameTaken = errors.New("auth: a key of this name is in use")
	ErrReplaced  = errors.New("auth: another key replaces this one already")
)

// Lifetimes of keys.
const (
	DefaultTTL    = 90 * 24 * time.Hour
	NeverExpires  = time.Duration(-1) // as Spec.TTL: the key works until somebody revokes it
	maxTTL        = 10 * 365 * 24 * time.Hour
	maxNameLength = 128 // bytes
	maxRoles      = 32
	maxNets       = 32
)

// Spec says what key to create.
type Spec struct {
	Name   string         // who or what uses it; no other key in use may have it. Required
	Tenant string         // on whose behalf; may be empty
	Trust  ringwall.Trust // what it proves; a key that proves nothing is refused. Required
	TTL    time.Duration  // from now; 0: DefaultTTL; at most ten years, or NeverExpires
	Roles  []string       // of its principal; without spaces
	Scopes []string       // what it is good for, see package scope; nil: whatever its principal may
	From   []netip.Prefix // where it may be shown from; nil: anywhere
}

// Key is what is known of a key: everything but its secret. Times are zero when
// they have not come, or never will.
type Key struct {
	Prefix    string         `json:"prefix"`    // "rw_k7mq2xvd": public
	Principal string         `json:"principal"` // the id of its Principal: the prefix of the first key of its line
	Name      string         `json:"name"`
	Tenant    string         `json:"tenant,omitempty"`
	Trust     ringwall.Trust `json:"trust"`
	Roles     []string       `json:"roles,omitempty"`  // sorted
	Scopes    []string       `json:"scopes,omitempty"` // nil: whatever its principal may
	From      []netip.Prefix `json:"from,omitempty"`   // nil: anywhere
	Created   time.Time      `json:"created"`
	Expires   time.Time      `json:"expires,omitzero"`
	Replaced  time.Time      `json:"replaced,omitzero"` // by another of its line; it works until it expires
	Revoked   time.Time      `json:"revoked,omitzero"`
	LastUsed  time.Time      `json:"last_used,omitzero"` // within about ten seconds
}

func (s Spec) check() error {
	switch {
	case s.Name == "":
		return errors.New("a key needs a name")
	case strings.HasPrefix(s.Name, mark):
		return fmt.Errorf("name %q: %s begins the prefixes of keys", s.Name, mark)
	case s.Trust <= ringwall.Anonymous || s.Trust > ringwall.Operator:
		return fmt.Errorf("trust %v: a key must prove something: want verified, customer, staff or operator", s.Trust)
	case s.TTL < 0 && s.TTL != NeverExpires || s.TTL > maxTTL:
		return fmt.Errorf("lifetime %v: want more than 0 and at most %v", s.TTL, maxTTL)
	case s.TTL > 0 && s.TTL < time.Millisecond:
		return fmt.Errorf("lifetime %v: want a millisecond at least", s.TTL)
	}
	if err := checkWord("name", s.Name); err != nil {
		return err
	}
	if err := checkWord("tenant", s.Tenant); err != nil {
		return err
	}
	if err := CheckRoles(s.Roles); err != nil {
		return err
	}
	if err := checkNets(s.From); err != nil {
		return err
	}
	return scope.Check(s.Scopes)
}

// CheckRoles says what is wrong with a list of roles that somebody wrote.
func CheckRoles(roles []string) error {
	if len(roles) > maxRoles {
		return fmt.Errorf("%d roles: want at most %d", len(roles), maxRoles)
	}
	for _, r := range roles {
		if r == "" || strings.Contains(r, " ") {
			return fmt.Errorf("role %q: want a word", r)
		}
		if err := checkWord("role", r); err != nil {
			return err
		}
	}
	return nil
}

func checkNets(nets []netip.Prefix) error {
	if nets != nil && len(nets) == 0 || len(nets) > maxNets {
		return fmt.Errorf("%d networks: want 1 to %d, or none said for anywhere", len(nets), maxNets)
	}
	for _, n := range nets {
		if !n.IsValid() || n.Addr().Is4In6() || n != n.Masked() {
			return fmt.Errorf("network %v: want an address range such as 10.0.0.0/8 or 2001:db8::/32, with nothing set behind its length", n)
		}
	}
	return nil
}

// checkWord refuses what would be misread in a list or a log.
func checkWord(what, word string) error {
	if len(word) > maxNameLength {
		return fmt.Errorf("%s of %d bytes: want at most %d", what, len(word), maxNameLength)
	}
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if strings.ContainsFunc(word, odd) || strings.TrimSpace(word) != word {
		return fmt.Errorf("%s %q: want printable characters without spaces around them", what, word)
	}
	return nil
}
