package token_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/token"
)

func TestMapping(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	keycloak := token.Mapping{
		TenantClaim: "org.name", Roles: []string{"realm_access.roles", "groups", "https://example.org/roles"},
		Rules: []token.Rule{{"realm_access.roles", "admin", ringwall.Operator}, {"groups", "staff", ringwall.Staff}, {"vip", "true", ringwall.Customer}, {"scope", "ringwall:all", ringwall.Staff}},
	}
	id := token.ID(o.URL, "alice")
	for _, tt := range []struct {
		name   string
		mapped token.Mapping
		claims []any
		want   ringwall.Principal
		cause  string // of a refusal
	}{
		{"nothing is mapped", token.Mapping{}, nil, ringwall.Principal{ID: id, Trust: ringwall.Verified}, ""},
		{"roles that nobody maps", token.Mapping{}, []any{"roles", []string{"admin"}}, ringwall.Principal{ID: id, Trust: ringwall.Verified}, ""},
		{"a subject that is shown", token.Mapping{Subject: true}, nil, ringwall.Principal{ID: "main:alice", Trust: ringwall.Verified}, ""},
		{"a subject that cannot be shown", token.Mapping{Subject: true}, []any{"sub", "a\u202eb"}, ringwall.Principal{}, "cannot be shown"},
		{"a tenant of all", token.Mapping{Tenant: "acme", Trust: ringwall.Customer}, nil, ringwall.Principal{ID: id, Tenant: "acme", Trust: ringwall.Customer}, ""},
		{
			"nested claims, and the highest trust",
			keycloak,
			[]any{"org", map[string]any{"name": "acme"}, "realm_access", map[string]any{"roles": []string{"user", "admin"}}, "groups", "staff", "https://example.org/roles", []any{"z", 1, "a", "z", " ", "\x1b[2J"}},
			ringwall.Principal{ID: id, Tenant: "acme", Trust: ringwall.Operator, Roles: []string{"a", "admin", "staff", "user", "z"}},
			"",
		},
		{"true is a value", keycloak, []any{"org", map[string]any{"name": "acme"}, "vip", true}, ringwall.Principal{ID: id, Tenant: "acme", Trust: ringwall.Customer}, ""},
		{"a part of a value is none", keycloak, []any{"org", map[string]any{"name": "acme"}, "groups", []string{"staffer"}}, ringwall.Principal{ID: id, Tenant: "acme", Trust: ringwall.Verified, Roles: []string{"staffer"}}, ""},
		{"a scope is a value", keycloak, []any{"org", map[string]any{"name": "acme"}, "scope", "openid ringwall:all"}, ringwall.Principal{ID: id, Tenant: "acme", Trust: ringwall.Staff}, ""},
		{"no tenant where one is needed", keycloak, nil, ringwall.Principal{}, "names no tenant"},
		{"a tenant that is a list", keycloak, []any{"org", map[string]any{"name": []string{"acme"}}}, ringwall.Principal{}, "names no tenant"},
		{"an address that nobody verified", token.Mapping{EmailVerified: true}, []any{"email_verified", false}, ringwall.Principal{}, "e-mail"},
		{"no word of an address", token.Mapping{EmailVerified: true}, nil, ringwall.Principal{}, "e-mail"},
		{"an address that was verified", token.Mapping{EmailVerified: true}, []any{"email_verified", true}, ringwall.Principal{ID: id, Trust: ringwall.Verified}, ""},
		{"scopes", token.Mapping{ScopePrefix: "rw:"}, []any{"scope", "openid rw:ask-model", "scp", []string{"rw:list-models"}}, ringwall.Principal{ID: id, Trust: ringwall.Verified, Scopes: []string{"ask-model", "list-models"}}, ""},
		{"no scopes where they narrow", token.Mapping{ScopePrefix: "rw:"}, nil, ringwall.Principal{ID: id, Trust: ringwall.Verified, Scopes: []string{}}, ""},
		{"how and when it was proved", token.Mapping{}, []any{"acr", "mfa", "auth_time", 1772366000}, ringwall.Principal{ID: id, Trust: ringwall.Verified, ACR: "mfa", Proved: time.Unix(1772366000, 0)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, token.Config{}, token.Issuer{Name: "main", URL: o.URL, Audience: []string{"ringwall"}, Map: tt.mapped})
			text := sign(t, k, s.claims(o, tt.claims...))
			if tt.cause != "" {
				s.refused(t, text, tt.cause)
				return
			}
			tt.want.Via = "token"
			for range 2 { // verified, and remembered
				if got := s.accepted(t, text); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			}
		})
	}
}

func TestIDsOfTwoIssuersNeverMeet(t *testing.T) {
	if token.ID("https://a", "bc") == token.ID("https://ab", "c") || token.ID("https://a", "b") != token.ID("https://a", "b") {
		t.Error("ids are not those of issuer and subject")
	}
}

func TestCognito(t *testing.T) {
	k := newRSA(0, "k")
	o := newOP(t, k)
	pool := token.Issuer{Name: "pool", URL: o.URL, Kind: token.Cognito, Audience: []string{"client-1"}, Map: token.Mapping{Rules: []token.Rule{{"cognito:groups", "staff", ringwall.Staff}}}}
	identity := token.Issuer{Name: "identity", URL: o.URL, Kind: token.CognitoIdentity, Audience: []string{"eu-central-1:pool"}}
	for _, tt := range []struct {
		name   string
		issuer token.Issuer
		claims []any
		cause  string
		trust  ringwall.Trust
	}{
		{"an ID token", pool, []any{"token_use", "id", "aud", "client-1", "cognito:groups", []string{"staff"}}, "", ringwall.Staff},
		{"an access token", pool, []any{"token_use", "access", "aud", nil, "client_id", "client-1", "scope", "aws.cognito.signin.user.admin"}, "", ringwall.Verified},
		{"an ID token of another client", pool, []any{"token_use", "id", "aud", "client-2"}, "audience", 0},
		{"an access token of another client", pool, []any{"token_use", "access", "aud", nil, "client_id", "client-2"}, "audience", 0},
		{"an access token of no client", pool, []any{"token_use", "access", "aud", nil}, "audience", 0},
		{"an access token that says aud, too", pool, []any{"token_use", "access", "aud", "other", "client_id", "client-1"}, "token_use", 0},
		{"no use", pool, []any{"aud", "client-1"}, "token_use", 0},
		{"another use", pool, []any{"token_use", "refresh", "aud", "client-1"}, "token_use", 0},
		{"an identity", identity, []any{"aud", "eu-central-1:pool", "amr", []string{"authenticated", "cognito-idp.eu-central-1.amazonaws.com/x"}}, "", ringwall.Verified},
		{"a guest", identity, []any{"aud", "eu-central-1:pool", "amr", []string{"unauthenticated"}}, "amr", 0},
		{"an identity of nothing", identity, []any{"aud", "eu-central-1:pool"}, "amr", 0},
		{"an identity of another pool", identity, []any{"aud", "eu-central-1:other", "amr", []string{"authenticated"}}, "audience", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, token.Config{}, tt.issuer)
			text := sign(t, k, s.claims(o, tt.claims...))
			if tt.cause != "" {
				s.refused(t, text, tt.cause)
			} else if p := s.accepted(t, text); p.Trust != tt.trust || p.Trust == ringwall.Staff && !reflect.DeepEqual(p.Roles, []string{"staff"}) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestIDTokensOfLogins(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	s := newScene(t, token.Config{}, token.Issuer{Name: "main", URL: o.URL, Audience: []string{"api"}})
	for _, tt := range []struct{ name, text, cause string }{
		{"the right one", sign(t, k, s.claims(o, "aud", "web", "nonce", "n1", "sid", "s1")), ""},
		{"of another login", sign(t, k, s.claims(o, "aud", "web", "nonce", "n2")), "nonce"},
		{"without a nonce", sign(t, k, s.claims(o, "aud", "web")), "nonce"},
		{"for an API", sign(t, k, s.claims(o, "aud", "api", "nonce", "n1")), "audience"},
		{"of another client", sign(t, k, s.claims(o, "aud", []string{"web", "x"}, "azp", "x", "nonce", "n1")), "another client"},
		{"of nobody knows which client", sign(t, k, s.claims(o, "aud", []string{"web", "x"}, "nonce", "n1")), "another client"},
		{"an access token", sign(t, k, s.claims(o, "aud", "web", "nonce", "n1"), "typ", "at+jwt"), "typ"},
		{"signed by nobody", sign(t, newEC("k"), s.claims(o, "aud", "web", "nonce", "n1")), "signature"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proof, err := s.Login(context.Background(), "main", "web", "n1", tt.text)
			switch {
			case tt.cause == "" && (err != nil || proof.Session != "s1" || proof.Principal.ID != token.ID(o.URL, "alice") || proof.Principal.Via != "session"):
				t.Errorf("%+v, %v", proof, err)
			case tt.cause != "" && (!errors.Is(err, ringwall.ErrUnauthenticated) || !strings.Contains(err.Error(), tt.cause) || proof.Principal.ID != ""):
				t.Errorf("%+v, %v, want %s", proof, err, tt.cause)
			}
		})
	}
}

func TestLogoutTokens(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	s := newScene(t, token.Config{}, token.Issuer{Name: "main", URL: o.URL, Audience: []string{"api"}})
	event := map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	good := func(change ...any) string {
		return sign(t, k, s.claims(o, append([]any{"aud", "web", "sid", "s1", "jti", "j1", "events", event}, change...)...), "typ", "logout+jwt")
	}
	for _, tt := range []struct{ name, text, cause string }{
		{"the right one", good(), ""},
		{"of a session alone", good("sub", nil), ""},
		{"of nobody", good("sub", nil, "sid", nil), "whose session"},
		{"with a nonce", good("nonce", "n"), "no logout token"},
		{"of another event", good("events", map[string]any{"x": 1}), "no logout token"},
		{"for another client", good("aud", "api"), "not meant"},
		{"without an id", good("jti", nil), "jti"},
		{"an ID token", sign(t, k, s.claims(o, "aud", "web")), "no logout token"},
		{"an access token", sign(t, k, s.claims(o, "aud", "web", "events", event), "typ", "at+jwt"), "typ"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			who, sid, id, until, err := s.Logout(context.Background(), "main", "web", tt.text)
			switch {
			case tt.cause == "" && (err != nil || sid != "s1" || id != "j1" || until.IsZero() || who != token.ID(o.URL, "alice") && tt.name == "the right one"):
				t.Errorf("%s %s %s, %v", who, sid, id, err)
			case tt.cause != "" && (!errors.Is(err, ringwall.ErrUnauthenticated) || !strings.Contains(err.Error(), tt.cause) || who != "" || sid != ""):
				t.Errorf("%s %s, %v, want %s", who, sid, err, tt.cause)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	ok := token.Issuer{Name: "main", URL: "https://op.example", Audience: []string{"a"}}
	for _, tt := range []struct {
		name   string
		change func(*token.Issuer)
		want   string
	}{
		{"a good one", func(*token.Issuer) {}, ""},
		{"on this machine", func(i *token.Issuer) { i.URL = "http://localhost:9998/" }, ""},
		{"no name", func(i *token.Issuer) { i.Name = "" }, "name"},
		{"a name that ids of keys could begin with", func(i *token.Issuer) { i.Name = "rw_" }, "name"},
		{"in the clear", func(i *token.Issuer) { i.URL = "http://op.example" }, "https"},
		{"with a password", func(i *token.Issuer) { i.URL = "https://a:b@op.example" }, "https"},
		{"keys in the clear", func(i *token.Issuer) { i.JWKS = "http://op.example/keys" }, "jwks"},
		{"no audience", func(i *token.Issuer) { i.Audience = nil }, "audience"},
		{"an empty audience", func(i *token.Issuer) { i.Audience = []string{""} }, "audience"},
		{"none", func(i *token.Issuer) { i.Algorithms = []string{"none"} }, "algorithms"},
		{"a shared secret", func(i *token.Issuer) { i.Algorithms = []string{"HS256"} }, "algorithms"},
		{"a skew of an hour", func(i *token.Issuer) { i.Skew = time.Hour }, "skew"},
		{"a rule without a value", func(i *token.Issuer) { i.Map.Rules = []token.Rule{{Claim: "x", Trust: ringwall.Staff}} }, "rule"},
		{"two tenants", func(i *token.Issuer) { i.Map.Tenant, i.Map.TenantClaim = "a", "b" }, "tenant"},
		{"another kind", func(i *token.Issuer) { i.Kind = "saml" }, "kind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := ok
			tt.change(&i)
			if err := i.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
