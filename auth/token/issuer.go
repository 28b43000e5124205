package token

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall"
)

// Kind is the family of an issuer, which says what its claims mean.
type Kind string

// Kinds of issuers.
const (
	OIDC            Kind = "oidc"             // any OpenID provider
	Cognito         Kind = "cognito"          // a user pool of Amazon Cognito
	CognitoIdentity Kind = "cognito-identity" // an identity pool of Amazon Cognito
)

// Issuer says whose tokens are taken, and what they prove. Zero fields mean the
// defaults.
type Issuer struct {
	Name       string        // of your choice: lower-case letters, digits, dashes. Required
	URL        string        // as tokens name it, letter for letter. Required
	Kind       Kind          // default OIDC
	Audience   []string      // one of which a token must be meant for. Required
	Clients    []string      // that tokens may have been given to, beside those of Audience; "*": any
	Algorithms []string      // default: all of [Algorithms]
	JWKS       string        // where its keys are; default: where its discovery says
	Skew       time.Duration // of its clock; default one minute, at most five
	Lifetime   time.Duration // longest of a token; default 24 hours, at most seven days
	Map        Mapping
}

// Mapping says what the claims of a token mean. A path is the name of a claim, or
// names with dots between them where claims are nested: "realm_access.roles".
type Mapping struct {
	Subject       bool     // a Principal's ID is NAME:SUB; default: a hash of issuer and subject
	Tenant        string   // of all callers
	TenantClaim   string   // path of each caller's; a token without it is refused
	Roles         []string // paths; default of Cognito: cognito:groups
	Trust         ringwall.Trust
	Rules         []Rule // the highest trust of those that fit counts, where it is above Trust
	EmailVerified bool   // refuse tokens that do not say email_verified
	ScopePrefix   string // scopes that begin so become the Principal's, without it; "": tokens do not narrow
}

// Rule gives trust to those of whom a claim says a value.
type Rule struct {
	Claim string // path
	Value string // that it has, or one of its elements
	Trust ringwall.Trust
}

// Algorithms are those by which tokens may be signed (RFC 7518 §3.1, RFC 8037): all of
// them by a private key that the issuer alone has.
var Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const (
	defaultSkew     = time.Minute
	maxSkew         = 5 * time.Minute
	defaultLifetime = 24 * time.Hour
	maxLifetime     = 7 * 24 * time.Hour // as long as revocations are remembered
)

var nameOf = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Check finds what is wrong with i.
func (i *Issuer) Check() error {
	switch {
	case !nameOf.MatchString(i.Name):
		return fmt.Errorf("name %q: want lower-case letters, digits and dashes, at most 32", i.Name)
	case !Secure(i.URL):
		return errors.New("issuer: want https://host, as its tokens name it; http on loopback alone")
	case i.JWKS != "" && !Secure(i.JWKS):
		return errors.New("jwks: want https://host/path; http on loopback alone")
	case i.Kind != "" && i.Kind != OIDC && i.Kind != Cognito && i.Kind != CognitoIdentity:
		return fmt.Errorf("kind: there is no %q", i.Kind)
	case len(i.Audience) == 0 || slices.Contains(i.Audience, ""):
		return errors.New("audience: whom are tokens meant for? Without it those for any other service would be taken")
	case i.Skew < 0 || i.Skew > maxSkew:
		return fmt.Errorf("skew: want at most %v", maxSkew)
	case i.Lifetime < 0 || i.Lifetime > 0 && i.Lifetime < time.Minute || i.Lifetime > maxLifetime:
		return errors.New("lifetime: want one minute to seven days")
	case i.Map.Tenant != "" && i.Map.TenantClaim != "":
		return errors.New("tenant: name it, or the claim that does, not both")
	case i.Map.Trust > ringwall.Operator:
		return errors.New("trust: want verified, customer, staff or operator")
	}
	for _, a := range i.Algorithms {
		if !slices.Contains(Algorithms, a) {
			return fmt.Errorf("algorithms: %q is none that is taken: there are %s", a, strings.Join(Algorithms, ", "))
		}
	}
	for _, r := range i.Map.Rules {
		if r.Claim == "" || r.Value == "" || r.Trust <= ringwall.Anonymous || r.Trust > ringwall.Operator {
			return errors.New("trust: a rule needs a claim, a value and a trust of verified, customer, staff or operator")
		}
	}
	return nil
}

// Secure reports whether address is a URL by which nobody on the way reads or changes
// what is said: HTTPS, or HTTP on this machine.
func Secure(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 2048 {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && local(u.Hostname())
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// issuer is an Issuer in force.
type issuer struct {
	Issuer
	algorithms []jose.SignatureAlgorithm
	keys       *keySet
}

func newIssuer(i Issuer, keys *keySet) *issuer {
	if i.Kind == "" {
		i.Kind = OIDC
	}
	if i.Skew == 0 {
		i.Skew = defaultSkew
	}
	if i.Lifetime == 0 {
		i.Lifetime = defaultLifetime
	}
	if len(i.Algorithms) == 0 {
		i.Algorithms = Algorithms
	}
	if i.Map.Trust == ringwall.Anonymous {
		i.Map.Trust = ringwall.Verified
	}
	if i.Map.Roles == nil && i.Kind == Cognito {
		i.Map.Roles = []string{"cognito:groups"}
	}
	out := &issuer{Issuer: i, keys: keys}
	for _, a := range i.Algorithms {
		out.algorithms = append(out.algorithms, jose.SignatureAlgorithm(a))
	}
	return out
}

// client reports whether a token that was given to id is taken.
func (i *issuer) client(id string) bool {
	return slices.Contains(i.Audience, id) || slices.Contains(i.Clients, id) || slices.Contains(i.Clients, "*")
}
