package config

import (
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/auth/session"
	"github.com/ringwall/ringwall/auth/token"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// OIDC is an OpenID provider whose tokens are taken.
type OIDC struct {
	Name        string         `yaml:"name" doc:"of your choice, in records: lower-case letters, digits, dashes" example:"staff"`
	Issuer      string         `yaml:"issuer" doc:"as its tokens name it (iss), letter for letter; its keys are found by discovery" example:"https://login.example.com/realms/staff"`
	Kind        string         `yaml:"kind" doc:"what its claims mean: of any provider; of a user pool of Amazon Cognito, whose access tokens name the client and no audience; of an identity pool" enum:"oidc|cognito|cognito-identity" default:"oidc"`
	Audience    []string       `yaml:"audience" doc:"whom tokens must be meant for, one of these (aud; of Cognito the ids of clients)" example:"[ringwall]"`
	Clients     []string       `yaml:"clients" doc:"applications whose tokens are taken (azp, client_id), beside those of audience; '*': any" example:"[web-shop]"`
	Algorithms  []string       `yaml:"algorithms" doc:"by which tokens may be signed, of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA; default: all of these" example:"[RS256, ES256]"`
	JWKS        string         `yaml:"jwks" doc:"where its keys are; default: where its discovery says" example:""`
	Skew        time.Duration  `yaml:"skew" doc:"how far its clock may be off" default:"1m"`
	Lifetime    time.Duration  `yaml:"max_lifetime" doc:"longest time that a token may be good for; at most 168h" default:"24h"`
	ID          string         `yaml:"id" doc:"what callers are known by: a hash of issuer and subject, or the name above, a colon and the subject as it stands" enum:"hash|subject" default:"hash"`
	Tenant      string         `yaml:"tenant" doc:"tenant of all its callers" example:""`
	TenantClaim string         `yaml:"tenant_claim" doc:"claim that names the tenant of each; a token without it is refused" example:"organization.id"`
	Roles       []string       `yaml:"roles" doc:"claims that list roles, with dots where they are nested; default of cognito: cognito:groups" example:"[realm_access.roles]"`
	Trust       ringwall.Trust `yaml:"trust" doc:"how far its callers are trusted: verified, customer, staff or operator" default:"verified"`
	Rules       []TrustRule    `yaml:"trust_rules" doc:"who of them is trusted further; the highest trust counts"`
	Email       bool           `yaml:"email_verified" doc:"refuse tokens that do not say that the e-mail address is verified" default:"false"`
	Scopes      string         `yaml:"scope_prefix" doc:"scopes of a token that begin so are, without it, what the token is good for; empty: tokens do not narrow what their callers may" example:""`
}

// TrustRule gives trust by what a claim says.
type TrustRule struct {
	Claim string         `yaml:"claim" doc:"its name, with dots where it is nested" example:"realm_access.roles"`
	Value string         `yaml:"value" doc:"that it has, or one of its elements" example:"ringwall-admin"`
	Trust ringwall.Trust `yaml:"trust" doc:"verified, customer, staff or operator" example:"operator"`
}

// Login configures how browsers log in.
type Login struct {
	Issuer string            `yaml:"issuer" doc:"name of the provider, one of oidc; empty: browsers do not log in" example:"staff"`
	URL    string            `yaml:"url" doc:"address of the gateway as browsers know it; the provider must know it with /login/callback behind it" example:"https://gateway.example.com"`
	Client string            `yaml:"client_id" doc:"our id at the provider" example:"ringwall-web"`
	Secret strictyaml.Secret `yaml:"client_secret" doc:"our secret there; without one the client is public" example:"env:RINGWALL_OIDC_SECRET"`
	Scopes []string          `yaml:"scopes" doc:"to ask for, beside openid" example:"[profile]"`
	Home   string            `yaml:"home" doc:"path to go to after a login that names none, and after a logout" default:"/session"`
	Local  bool              `yaml:"local_logout" doc:"who logs out stays logged in at the provider" default:"false"`
}

// On reports whether browsers log in.
func (l *Login) On() bool { return l.Issuer != "" }

// Sessions configures how long people stay logged in.
type Sessions struct {
	Idle     time.Duration `yaml:"idle" doc:"without a request" default:"30m"`
	Absolute time.Duration `yaml:"absolute" doc:"in all; of sessions that begin from now on" default:"12h"`
}

// Limits returns s as sessions take it.
func (s Sessions) Limits() session.Limits { return session.Limits{Idle: s.Idle, Absolute: s.Absolute} }

// Verifies returns o as what verifies tokens takes it.
func (o *OIDC) Verifies() token.Issuer {
	i := token.Issuer{
		Name: o.Name, URL: o.Issuer, Kind: token.Kind(o.Kind), Audience: o.Audience, Clients: o.Clients, Algorithms: o.Algorithms, JWKS: o.JWKS,
		Skew: o.Skew, Lifetime: o.Lifetime,
		Map: token.Mapping{
			Subject: o.ID == "subject", Tenant: o.Tenant, TenantClaim: o.TenantClaim, Roles: o.Roles, Trust: o.Trust,
			EmailVerified: o.Email, ScopePrefix: o.Scopes,
		},
	}
	for _, r := range o.Rules {
		i.Map.Rules = append(i.Map.Rules, token.Rule{Claim: r.Claim, Value: r.Value, Trust: r.Trust})
	}
	return i
}

func (c *Config) checkLogin(fail failing) {
	names, issuers := map[string]bool{}, map[string]bool{}
	for n, o := range c.OIDC {
		at := strictyaml.Index("oidc", n)
		i := o.Verifies()
		if err := i.Check(); err != nil {
			fail(at, "%v", err)
		}
		if names[o.Name] {
			fail(at+".name", "there is a provider %q already", o.Name)
		}
		if issuers[o.Issuer] {
			fail(at+".issuer", "its tokens are taken already: add to that entry")
		}
		names[o.Name], issuers[o.Issuer] = true, true
	}
	l := &c.Login
	switch {
	case !l.On():
		if l.Client != "" || l.URL != "" || !l.Secret.IsZero() {
			fail("login.issuer", "which provider do browsers log in at? Name one of oidc")
		}
	case !names[l.Issuer]:
		fail("login.issuer", "there is no provider %q in oidc", l.Issuer)
	case l.Client == "":
		fail("login.client_id", "what is our id at the provider?")
	case !token.Secure(l.URL) || strings.Count(strings.TrimSuffix(l.URL, "/"), "/") != 2:
		fail("login.url", "want https://host, as browsers know it; http on loopback alone")
	case slices.ContainsFunc(l.Scopes, func(s string) bool { return s == "" || strings.ContainsAny(s, " \t\"\\") }):
		fail("login.scopes", "want names, without spaces")
	}
	if !login.Local(l.Home) && l.On() {
		fail("login.home", "want a path of this host, such as /session")
	}
	if s := c.Sessions; s.Idle < time.Minute || s.Absolute < s.Idle || s.Absolute > 31*24*time.Hour {
		fail("sessions", "want idle of a minute or more, and absolute of no less than that and at most 744h")
	}
}
