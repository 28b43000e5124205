package address_test

import (
	"net/netip"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/waf/address"
)

func TestRules(t *testing.T) {
	named := func(name string, texts ...string) []address.List {
		return []address.List{{Name: name, Set: address.NewSet(prefixes(t, texts...))}}
	}
	deny, exempt, office := named("bad", "203.0.113.0/24"), named("friends", "203.0.113.9"), named("office", "198.51.100.0/24")
	german := address.Choice[string]{Allow: []string{"DE"}}
	for _, tt := range []struct {
		name  string
		rules address.Rules
		c     ringwall.Client
		want  string // "+" before what lets in
	}{
		{"no rules", address.Rules{}, at("203.0.113.9"), "+none"},
		{"no rules and no address", address.Rules{}, ringwall.Client{}, "+none"},
		{"denied", address.Rules{Deny: deny}, at("203.0.113.9"), "deny bad"},
		{"not denied", address.Rules{Deny: deny}, at("203.0.114.9"), "+none"},
		{"denied and exempt", address.Rules{Deny: deny, Exempt: exempt}, at("203.0.113.9"), "+exempt friends"},
		{"allowed", address.Rules{Allow: office}, at("198.51.100.1"), "+allow office"},
		{"not allowed", address.Rules{Allow: office}, at("203.0.113.9"), "allow"},
		{"no address where some are allowed", address.Rules{Allow: office}, ringwall.Client{}, "allow"},
		{"allowed and denied", address.Rules{Allow: deny, Deny: deny}, at("203.0.113.9"), "deny bad"},
		{"allowed from a country that is not", address.Rules{Allow: office, Countries: german}, in("198.51.100.1", "FR", 0), "country FR"},
		{"a country", address.Rules{Countries: german}, in("203.0.113.9", "DE", 0), "+none"},
		{"another country", address.Rules{Countries: german}, in("203.0.113.9", "FR", 0), "country FR"},
		{"no country where some are allowed", address.Rules{Countries: german}, at("10.0.0.1"), "country"},
		{"no country, allowed", address.Rules{Countries: german, Unknown: address.UnknownAllow}, at("10.0.0.1"), "+none"},
		{"no country where some are denied", address.Rules{Countries: address.Choice[string]{Deny: []string{"KP"}}}, at("10.0.0.1"), "+none"},
		{"no country, denied", address.Rules{Countries: address.Choice[string]{Deny: []string{"KP"}}, Unknown: address.UnknownDeny}, at("10.0.0.1"), "country"},
		{"allowed and denied country", address.Rules{Countries: address.Choice[string]{Allow: []string{"KP"}, Deny: []string{"KP"}}}, in("203.0.113.9", "KP", 0), "country KP"},
		{"an AS", address.Rules{ASNs: address.Choice[uint32]{Deny: []uint32{64500}}}, in("203.0.113.9", "", 64500), "asn"},
		{"another AS", address.Rules{ASNs: address.Choice[uint32]{Deny: []uint32{64500}}}, in("203.0.113.9", "", 64501), "+none"},
		{"no AS where some are allowed", address.Rules{ASNs: address.Choice[uint32]{Allow: []uint32{64500}}}, at("203.0.113.9"), "asn"},
		{"others refuse", address.Rules{Others: others, Allow: office}, at("198.51.100.1"), "crowdsec scan"},
		{"others refuse who is exempt", address.Rules{Others: others, Exempt: office}, at("198.51.100.1"), "+exempt office"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.rules.Decide(tt.c)
			got := string(d.Rule)
			if d.Pass {
				got = "+" + got
			}
			if d.List != "" {
				got += " " + d.List
			}
			if got != tt.want {
				t.Errorf("Decide() = %s, want %s", got, tt.want)
			}
		})
	}
	if (address.Decision{}).Pass {
		t.Error("a decision that nobody made lets in")
	}
}

func others(ringwall.Client) (string, bool) { return "scan", true }

func at(addr string) ringwall.Client { return ringwall.Client{Addr: netip.MustParseAddr(addr)} }

func in(addr, country string, asn uint32) ringwall.Client {
	return ringwall.Client{Addr: netip.MustParseAddr(addr), Country: country, ASN: asn}
}
