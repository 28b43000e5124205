package ban

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Scope is the kind of what is banned.
type Scope string

// Scopes.
const (
	Address   Scope = "address" // an address or a network
	Principal Scope = "principal"
	Tenant    Scope = "tenant"
	Country   Scope = "country" // ISO 3166-1 alpha-2
	AS        Scope = "as"      // the number of an autonomous system
)

// Subject is who is banned, in one form only: equal subjects are equal.
type Subject struct {
	Scope Scope
	Value string // "192.0.2.7/32", "2001:db8::/64", "rw_k7mq2xvd", "DE", "64500"
}

// String is the subject as ParseSubject takes it.
func (s Subject) String() string {
	if s.Scope == Address {
		p, err := netip.ParsePrefix(s.Value)
		if err == nil && p.IsSingleIP() && p.Addr().Is4() {
			return p.Addr().String()
		}
		return s.Value
	}
	return string(s.Scope) + ":" + s.Value
}

var errSubject = errors.New("want an address or a network (192.0.2.7, 192.0.2.0/24, 2001:db8::/48), principal:ID, tenant:NAME, country:DE or as:64500")

// maxValue bounds a value, in bytes.
const maxValue = 256

// ParseSubject reads a subject: an address, of which IPv6 stands for its /64; a
// network, as it is; or a scope and a value with a colon between them.
func ParseSubject(text string) (Subject, error) {
	scope, value, ok := strings.Cut(text, ":")
	switch s := Scope(strings.ToLower(scope)); {
	case !ok:
	case s == Principal || s == Tenant:
		if value == "" || len(value) > maxValue || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return Subject{}, fmt.Errorf("%.60q: %w", text, errSubject)
		}
		return Subject{s, value}, nil
	case s == Country:
		code := strings.ToUpper(value)
		if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return Subject{}, fmt.Errorf("%.60q: want a country of two letters, as in country:DE", text)
		}
		return Subject{s, code}, nil
	case s == AS:
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil || n == 0 {
			return Subject{}, fmt.Errorf("%.60q: want the number of an autonomous system, as in as:64500", text)
		}
		return Subject{s, strconv.FormatUint(n, 10)}, nil
	}
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return Subject{}, fmt.Errorf("%.60q: %w", text, errSubject)
		}
		return Network(p)
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return Subject{}, fmt.Errorf("%.60q: %w", text, errSubject)
	}
	return Host(a), nil
}

// canonical is s in its one form.
func (s Subject) canonical() (Subject, error) {
	if s.Scope == Address {
		return ParseSubject(s.Value)
	}
	return ParseSubject(string(s.Scope) + ":" + s.Value)
}

var errAll = errors.New("a ban of all addresses shuts out who could lift it")

// Network is the subject of a network. IPv4 in IPv6 form is unmapped, bits of a host
// are cut off.
func Network(p netip.Prefix) (Subject, error) {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	switch p = p.Masked(); {
	case !p.IsValid():
		return Subject{}, errSubject
	case p.Bits() == 0:
		return Subject{}, errAll
	}
	return Subject{Address, p.String()}, nil
}

// Host is the subject of an address: itself, or its /64 of IPv6.
func Host(a netip.Addr) Subject { return Subject{Address, hostPrefix(a).String()} }

// hostPrefix is the network that stands for one subscriber.
func hostPrefix(a netip.Addr) netip.Prefix {
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // the zero address has the zero prefix
	return p
}

// Ban says that a subject is shut out.
type Ban struct {
	Subject Subject
	Reason  string    // for operators: "failed authentications"
	By      string    // who or what did it: "automatic", "command", a rule's name
	Since   time.Time // default: now
	Until   time.Time // zero: until it is removed
	Strikes int       // how often it was banned automatically within a while
}

// Automatic is the By of bans that [Bans.Fault] makes.
const Automatic = "automatic"

// active reports whether b holds at a time.
func (b *Ban) active(now time.Time) bool { return b.Until.IsZero() || now.Before(b.Until) }

// outlasts reports whether b holds longer than c.
func (b *Ban) outlasts(c *Ban) bool {
	return !c.Until.IsZero() && (b.Until.IsZero() || b.Until.After(c.Until))
}

func compare(a, b Ban) int {
	return cmp.Or(cmp.Compare(a.Subject.Scope, b.Subject.Scope), cmp.Compare(a.Subject.Value, b.Subject.Value))
}
