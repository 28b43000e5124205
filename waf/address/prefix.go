package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

var errZone = errors.New("an address of a list has no zone")

// ParsePrefix reads an address ("192.0.2.7") or a network ("192.0.2.0/24",
// "2001:db8::/32"). IPv4 networks in IPv6 form are unmapped. A network with bits of
// a host in it is an error, for one of the two is a mistake.
func ParsePrefix(text string) (netip.Prefix, error) {
	p, err := parsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if m := p.Masked(); m != p {
		return netip.Prefix{}, fmt.Errorf("%q names a host within a network: want %s, or %s alone", text, m, p.Addr())
	}
	return p, nil
}

// parsePrefix is ParsePrefix, and leaves bits of a host where they are.
func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		switch {
		case err != nil:
			return netip.Prefix{}, fmt.Errorf("%.60q is neither an address nor a network, as 192.0.2.7 and 192.0.2.0/24 are", text)
		case a.Zone() != "":
			return netip.Prefix{}, fmt.Errorf("%.60q: %w", text, errZone)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text) // takes no zone
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%.60q is no network, as 192.0.2.0/24 is", text)
	}
	return unmapPrefix(p)
}

func unmapPrefix(p netip.Prefix) (netip.Prefix, error) {
	if !p.Addr().Is4In6() {
		return p, nil
	}
	if p.Bits() < 96 {
		return netip.Prefix{}, fmt.Errorf("%s reaches beyond the IPv4 addresses that it begins with", p)
	}
	return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96), nil
}

// plain is a as it is looked for: unmapped, without a zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
