package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/ringwall/ringwall"
)

// Conditions that callers test with errors.Is.
var (
	ErrNoSuchKey = errors.New("auth: no such key")
	ErrNameTaken = errors.New("auth: a key of this name is in use")
)

// Lifetimes of keys.
const (
	DefaultTTL    = 90 * 24 * time.Hour
	NeverExpires  = time.Duration(-1) // as Spec.TTL: the key works until somebody revokes it
	maxTTL        = 10 * 365 * 24 * time.Hour
	maxNameLength = 128 // bytes
)

// Spec says what key to create.
type Spec struct {
	Name   string         // who or what uses it; no other key in use may have it. Required
	Tenant string         // on whose behalf; may be empty
	Trust  ringwall.Trust // what it proves; a key that proves nothing is refused. Required
	TTL    time.Duration  // from now; 0: DefaultTTL; at most ten years, or NeverExpires
}

// Key is what is known of a key: everything but its secret. Times are zero when
// they have not come, or never will.
type Key struct {
	Prefix   string         `json:"prefix"` // "rw_k7mq2xvd": public, and the id of its Principal
	Name     string         `json:"name"`
	Tenant   string         `json:"tenant,omitempty"`
	Trust    ringwall.Trust `json:"trust"`
	Created  time.Time      `json:"created"`
	Expires  time.Time      `json:"expires,omitzero"`
	Revoked  time.Time      `json:"revoked,omitzero"`
	LastUsed time.Time      `json:"last_used,omitzero"` // within about ten seconds
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
	return checkWord("tenant", s.Tenant)
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
