package address

import (
	"net/netip"
	"slices"

	"github.com/ringwall/ringwall"
)

// Rule is what decided about a client.
type Rule string

// Rules, in the order in which they are asked.
const (
	ByForgery  Rule = "forged"   // a header of proxies is malformed, or from nobody who may send one
	ByBan      Rule = "ban"      // of package waf/ban
	ByExempt   Rule = "exempt"   // lets in
	ByDeny     Rule = "deny"     // a list of the operator's
	ByCrowdSec Rule = "crowdsec" // decisions of others
	ByAllow    Rule = "allow"    // there is an allow list, and it is not on it
	ByASN      Rule = "asn"
	ByCountry  Rule = "country"
	ByNone     Rule = "none" // no rule is about it: it is let in
)

// Refusals are the rules by which a client can be refused.
func Refusals() []string {
	return []string{string(ByForgery), string(ByBan), string(ByDeny), string(ByCrowdSec), string(ByAllow), string(ByASN), string(ByCountry)}
}

// Unknown says what becomes of a client whose country nobody knows.
type Unknown string

// What becomes of them. The zero value is as a country that is on no list: refused
// where only listed countries are let in.
const (
	UnknownUnlisted Unknown = "unlisted"
	UnknownAllow    Unknown = "allow"
	UnknownDeny     Unknown = "deny"
)

// Choice is what is let in and what is not, of countries or AS numbers. Denied ones
// are refused; where some are allowed, so are all others.
type Choice[T comparable] struct{ Allow, Deny []T }

func (c *Choice[T]) refuses(v T) bool {
	return slices.Contains(c.Deny, v) || len(c.Allow) > 0 && !slices.Contains(c.Allow, v)
}

// List is a set of addresses with a name.
type List struct {
	Name string // "office"; "" for addresses that stand in the rule itself
	*Set
}

// Rules decide about clients. They do not change; the zero value lets everybody in.
type Rules struct {
	Exempt []List // let in, whatever the rules below say
	Deny   []List
	// Others is asked behind Deny, and names what refuses a client; nil: nobody is.
	Others    func(ringwall.Client) (why string, refused bool)
	Allow     []List // where there are any, all other addresses are refused
	ASNs      Choice[uint32]
	Countries Choice[string] // ISO 3166-1 alpha-2, in capitals
	Unknown   Unknown        // country
}

// Decision is what becomes of a client. The zero value refuses.
type Decision struct {
	Pass bool
	Rule Rule   // that decided
	List string // of the rule, or the ban: for operators
}

// Decide decides about c. An address that nobody knows is on no list.
func (r *Rules) Decide(c ringwall.Client) Decision {
	if name, ok := r.Exempted(c.Addr); ok {
		return Decision{Pass: true, Rule: ByExempt, List: name}
	}
	if name, ok := on(r.Deny, c.Addr); ok {
		return Decision{Rule: ByDeny, List: name}
	}
	if r.Others != nil {
		if why, refused := r.Others(c); refused {
			return Decision{Rule: ByCrowdSec, List: why}
		}
	}
	allowed := ""
	if len(r.Allow) > 0 {
		name, ok := on(r.Allow, c.Addr)
		if !ok {
			return Decision{Rule: ByAllow}
		}
		allowed = name
	}
	if r.ASNs.refuses(c.ASN) {
		return Decision{Rule: ByASN}
	}
	if r.refusesCountry(c.Country) {
		return Decision{Rule: ByCountry, List: c.Country}
	}
	if len(r.Allow) > 0 {
		return Decision{Pass: true, Rule: ByAllow, List: allowed}
	}
	return Decision{Pass: true, Rule: ByNone}
}

func (r *Rules) refusesCountry(code string) bool {
	if code == "" && r.Unknown == UnknownAllow {
		return false
	}
	if code == "" && r.Unknown == UnknownDeny {
		return true
	}
	return r.Countries.refuses(code)
}

// Exempted reports whether a is let in whatever lists say, and the list that says so.
func (r *Rules) Exempted(a netip.Addr) (list string, ok bool) { return on(r.Exempt, a) }

// Allowed reports whether a is on the allow list.
func (r *Rules) Allowed(a netip.Addr) (list string, ok bool) { return on(r.Allow, a) }

func on(lists []List, a netip.Addr) (name string, ok bool) {
	for i := range lists {
		if lists[i].Contains(a) {
			return lists[i].Name, true
		}
	}
	return "", false
}
