package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
)

func TestProblemsOfListeners(t *testing.T) {
	const cert = minimal + "tls: {cert: a.pem, key: a.key"
	for _, tt := range []struct{ name, file, want string }{
		{"half a further certificate", minimal + "tls: {certificates: [{cert: a.pem}]}\n", "tls.certificates[0]: cert and key go together"},
		{"time that runs back", cert + ", hsts: -1h}\n", "tls.hsts: times are not negative"},
		{"a domain with a star", minimal + "tls: {acme: {domains: ['*.example.org'], accept_terms: true}}\n", "tls.acme.domains[0]: want a whole name"},
		{"terms that nobody accepted", minimal + "tls: {acme: {domains: [a.example.org]}}\n", "tls.acme.accept_terms: a CA gives certificates to those alone"},
		{"a directory in the clear", minimal + "tls: {acme: {domains: [a.example.org], accept_terms: true, directory: 'http://ca/'}}\n", "tls.acme.directory: want https://"},
		{"clients without TLS", minimal + "tls: {clients: {mode: required, ca: c.pem}}\n", "c.yaml:4:7: tls.clients: clients show certificates in TLS alone"},
		{"clients of any CA", cert + ", clients: {mode: optional}}\n", "tls.clients.ca: who vouches for clients?"},
		{"an unknown mode", cert + ", clients: {mode: maybe, ca: c.pem}}\n", `tls.clients.mode: "maybe" is an unknown value`},
		{"a list without a name", cert + ", clients: {mode: required, ca: c.pem, crl: ['']}}\n", "tls.clients.crl: want names of files"},
		{"a foreign trust domain", cert + ", clients: {mode: required, ca: c.pem, identities: [{spiffe: spiffe://a.example/x}]}}\n", "tls.clients.identities[0]: \"spiffe://a.example/x\": the trust domain a.example is not among those"},
		{"an identity of nobody", cert + ", clients: {mode: required, ca: c.pem, identities: [{tenant: a}]}}\n", "tls.clients.identities[0]: want one of spiffe, dns and subject"},
		{"an identity that proves nothing", cert + ", clients: {mode: required, ca: c.pem, identities: [{dns: a.example, trust: anonymous}]}}\n", "must prove something"},
		{"a scope that there is not", cert + ", clients: {mode: required, ca: c.pem, identities: [{dns: a.example, scopes: [x]}]}}\n", `scope "x" is unknown`},
		{"a role of two words", cert + ", clients: {mode: required, ca: c.pem, identities: [{dns: a.example, roles: [a b]}]}}\n", "identities[0].roles: role \"a b\""},
		{"frames beyond all bounds", minimal + "http: {frame: 16MiB}\n", "http: want header_bytes from 4KiB"},
		{"no streams", minimal + "http: {streams: 0}\n", "http: want header_bytes from 4KiB"},
		{"no ping", minimal + "http: {ping: 0s}\n", "http: want times of at least 1s"},
		{"an admin listener beyond loopback in the clear", minimal + "admin: {listen: '0.0.0.0:9090'}\n", "admin.listen: 0.0.0.0:9090 is reached from other machines: that takes tls"},
		{"an admin listener beyond loopback for anybody", cert + "}\nadmin: {listen: '0.0.0.0:9090', anonymous: true}\n", "admin.anonymous: only a loopback listener"},
		{"an admin listener for anonymous callers by trust", minimal + "admin: {trust: anonymous}\n", "admin.trust: want verified"},
		{"two listeners at one address", minimal + "admin: {listen: '127.0.0.1:8080'}\n", "admin.listen: the gateway listens there already"},
		{"an admin listener without a port", minimal + "admin: {listen: localhost}\n", "admin.listen: \"localhost\" is no address"},
		{"any origin", minimal + "cors: [{paths: [/v1/], origins: ['*']}]\n", "cors[0].origins[0]: want https://host"},
		{"an origin with a path", minimal + "cors: [{paths: [/v1/], origins: ['https://a.example/']}]\n", "cors[0].origins[0]: want https://host"},
		{"an origin with a star", minimal + "admin: {origins: ['https://*.example']}\n", "admin.origins[0]: want https://host"},
		{"no path", minimal + "cors: [{paths: [v1], origins: ['https://a.example']}]\n", "cors[0].paths[0]: want a path"},
		{"nobody", minimal + "cors: [{paths: [/v1/]}]\n", "cors[0]: want paths and origins"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := config.Parse("c.yaml", []byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestClientsInTheFile(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(minimal+`tls:
  cert: a.pem
  key: a.key
  certificates: [{cert: b.pem, key: b.key}]
  clients: {mode: optional, ca: c.pem, crl: [d.crl], trust_domains: [example.org], identities: [{spiffe: "spiffe://example.org/x", scopes: []}]}
admin: {listen: "127.0.0.1:9090"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a.pem", "a.key", "b.pem", "b.key", "c.pem", "d.crl"}; !slices.Equal(c.TLS.Files(), want) || !slices.Equal(c.Read, want) {
		t.Errorf("files %v, watched %v", c.TLS.Files(), c.Read)
	}
	if id := c.TLS.Clients.Peers()[0]; id.Trust != ringwall.Customer || id.Scopes != nil || c.Admin.Trust != ringwall.Staff || c.Admin.Anonymous {
		t.Errorf("%+v, %+v", id, c.Admin)
	}
}
