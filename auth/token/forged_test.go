package token_test

import (
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall/auth/token"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// hs256 signs with a shared secret.
func hs256(t testing.TB, secret []byte, header, claims any) string {
	h := b64(text(t, header)) + "." + b64(text(t, claims))
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(h))
	return h + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// attacker serves keys, and counts who asks for them.
func attacker(t testing.TB, p pair) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.jwk()}})
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

// Every known kind of forged, foreign or stale token is refused, and the good one that
// each is made of is taken.
func TestForgedTokens(t *testing.T) {
	good, ec, evil := newRSA(0, "k1"), newEC("k2"), newRSA(1, "k1")
	o, other := newOP(t, good, ec), newOP(t, newRSA(2, "k3"))
	issuer := token.Issuer{Name: "main", URL: o.URL, Audience: []string{"ringwall"}}
	s := newScene(t, token.Config{}, issuer, token.Issuer{Name: "other", URL: other.URL, Audience: []string{"ringwall"}})
	evilURL, evilAsked := attacker(t, evil)

	claims := s.claims(o)
	whole := sign(t, good, claims)
	parts := strings.Split(whole, ".")
	der, err := x509.MarshalPKIXPublicKey(good.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk := text(t, good.jwk())
	spki := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKeys()[0].PublicKey)})
	unsigned := func(header, payload string) string { return b64(header) + "." + b64(payload) + "." + parts[2] }
	changed := func(change ...any) string { return sign(t, good, s.claims(o, change...)) }
	now := s.clock.Now().Unix()
	future, past := now+3600, now-3600

	jwe := func() string {
		enc, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: good.private.Public()}, (&jose.EncrypterOptions{}).WithContentType("JWT"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := enc.Encrypt([]byte(whole))
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}()
	jwkOf := evil.jwk()

	rows := []struct{ name, token, cause string }{
		{"alg none, signature kept", unsigned(`{"alg":"none","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg none, no signature", b64(`{"alg":"none"}`) + "." + parts[1] + ".", "no signed token"},
		{"alg None", unsigned(`{"alg":"None","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg NONE", unsigned(`{"alg":"NONE","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg nOnE", unsigned(`{"alg":"nOnE","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg empty", unsigned(`{"alg":"","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"no alg", unsigned(`{"kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg null", unsigned(`{"alg":null,"kid":"k1"}`, text(t, claims)), "header"},
		{"alg a number", unsigned(`{"alg":256,"kid":"k1"}`, text(t, claims)), "header"},
		{"alg in another case", unsigned(`{"alg":"rs256","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg with a space", unsigned(`{"alg":"RS256 ","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"alg of encryption", unsigned(`{"alg":"dir","kid":"k1"}`, text(t, claims)), "algorithm"},
		{"two algs", unsigned(`{"alg":"none","alg":"RS256","kid":"k1"}`, text(t, claims)), "header"},
		{"HS256 by the public key as PEM", hs256(t, spki, map[string]any{"alg": "HS256", "kid": "k1"}, claims), "algorithm"},
		{"HS256 by the public key as PEM without its last line break", hs256(t, []byte(strings.TrimSpace(string(spki))), map[string]any{"alg": "HS256", "kid": "k1"}, claims), "algorithm"},
		{"HS256 by the public key as PKCS #1", hs256(t, pkcs1, map[string]any{"alg": "HS256", "kid": "k1"}, claims), "algorithm"},
		{"HS256 by the public key as DER", hs256(t, der, map[string]any{"alg": "HS256", "kid": "k1"}, claims), "algorithm"},
		{"HS256 by the public key as JWK", hs256(t, []byte(jwk), map[string]any{"alg": "HS256", "kid": "k1"}, claims), "algorithm"},
		{"HS256 by nothing", hs256(t, nil, map[string]any{"alg": "HS256"}, claims), "algorithm"},
		{"HS256 that says RS256", hs256(t, spki, map[string]any{"alg": "RS256", "kid": "k1"}, claims), "signature"},
		{"signed by another key of the same kid", sign(t, evil, claims), "signature"},
		{"a key of one kind for the algorithm of another", sign(t, pair{"k2", "RS256", good.private}, claims), "no such key"},
		{"an embedded jwk", sign(t, evil, claims, "jwk", jwkOf), "signature"},
		{"an embedded jwk and no kid", sign(t, pair{"", "RS256", evil.private}, claims, "jwk", jwkOf), "signature"},
		{"jku to an attacker", sign(t, evil, claims, "jku", evilURL+"/keys"), "signature"},
		{"jku to an attacker behind the issuer's name", sign(t, evil, claims, "jku", o.URL+"@"+strings.TrimPrefix(evilURL, "http://")), "signature"},
		{"x5u to an attacker", sign(t, evil, claims, "x5u", evilURL+"/chain"), "signature"},
		{"kid that is an attacker's address", sign(t, pair{evilURL, "RS256", evil.private}, claims), "no such key"},
		{"kid that is a path", sign(t, pair{"../../../../dev/null", "RS256", evil.private}, claims), "no such key"},
		{"kid that is SQL", sign(t, pair{"' UNION SELECT 'x", "RS256", evil.private}, claims), "no such key"},
		{"kid that is a command", sign(t, pair{"|whoami", "RS256", evil.private}, claims), "no such key"},
		{"kid with NUL", unsigned(`{"alg":"RS256","kid":"k1\u0000"}`, text(t, claims)), "header"},
		{"kid that is a list", unsigned(`{"alg":"RS256","kid":["k1"]}`, text(t, claims)), "header"},
		{"kid without end", sign(t, pair{strings.Repeat("k", 600), "RS256", good.private}, claims), "header"},
		{"no kid where the key is another", sign(t, pair{"", "RS256", evil.private}, claims), "signature"},
		{"crit that is known to nobody", sign(t, good, claims, "crit", []string{"x"}, "x", 1), "crit"},
		{"b64 false", sign(t, good, claims, "b64", false, "crit", []string{"b64"}), "crit"},
		{"b64 false without crit", unsigned(`{"alg":"RS256","kid":"k1","b64":false}`, text(t, claims)), "crit"},
		{"zip", sign(t, good, claims, "zip", "DEF"), "crit"},
		{"a token in a token", sign(t, good, whole, "cty", "JWT"), "crit"},
		{"a token in a token that does not say so", sign(t, good, whole), "claims"},
		{"encrypted", jwe, "three parts"},
		{"the signature taken away", parts[0] + "." + parts[1] + ".", "no signed token"},
		{"two parts", parts[0] + "." + parts[1], "no signed token"},
		{"four parts", whole + "." + parts[2], "no signed token"},
		{"a part twice", parts[0] + "." + parts[1] + "." + parts[1] + "." + parts[2], "no signed token"},
		{"header twice", parts[0] + "." + parts[0] + "." + parts[2], "nobody configured"},
		{"cut off", whole[:len(whole)-8], ""},
		{"something behind it", whole + "AAAA", "signature"},
		{"padding", whole + "=", "no signed token"},
		{"a line break", parts[0] + "." + parts[1] + "\n." + parts[2], "no signed token"},
		{"base64 that is not of URLs", whole[:len(whole)-4] + "+/+/", "no signed token"},
		{"claims changed", parts[0] + "." + b64(text(t, s.claims(o, "sub", "bob"))) + "." + parts[2], "signature"},
		{"header changed", b64(`{"alg":"RS256","kid":"k1","typ":"JWT"}`) + "." + parts[1] + "." + parts[2], "signature"},
		{"ES256 of r=0, s=0", b64(`{"alg":"ES256","kid":"k2"}`) + "." + parts[1] + "." + b64(strings.Repeat("\x00", 64)), "signature"},
		{"ES256 of no length", b64(`{"alg":"ES256","kid":"k2"}`) + "." + parts[1] + "." + b64("\x00"), "signature"},
		{"ES256 of DER", b64(`{"alg":"ES256","kid":"k2"}`) + "." + parts[1] + "." + b64("\x30\x06\x02\x01\x00\x02\x01\x00"), "signature"},
		{"ES256 of r=n, s=n", b64(`{"alg":"ES256","kid":"k2"}`) + "." + parts[1] + "." + b64(strings.Repeat(string(elliptic.P256().Params().N.Bytes()), 2)), "signature"},
		{"RS256 of zeros", parts[0] + "." + parts[1] + "." + b64(strings.Repeat("\x00", 256)), "signature"},
		{"RS256 of one", parts[0] + "." + parts[1] + "." + b64(strings.Repeat("\x00", 255)+"\x01"), "signature"},
		{"no issuer", changed("iss", nil), "nobody configured"},
		{"an unknown issuer", changed("iss", "https://evil.example"), "nobody configured"},
		{"an attacker as the issuer", sign(t, evil, s.claims(o, "iss", evilURL)), "nobody configured"},
		{"the issuer and a slash", changed("iss", o.URL+"/"), "nobody configured"},
		{"the issuer in capitals", changed("iss", strings.ToUpper(o.URL)), "nobody configured"},
		{"a list of issuers", changed("iss", []string{o.URL}), "nobody configured"},
		{"the key of another issuer that is known", sign(t, newRSA(2, "k3"), claims), "no such key"},
		{"the name of another issuer that is known", sign(t, good, s.claims(o, "iss", other.URL)), "no such key"},
		{"another audience", changed("aud", "shop"), "audience"},
		{"a part of the audience", changed("aud", "ring"), "audience"},
		{"no audience", changed("aud", nil), "audience"},
		{"an empty list of audiences", changed("aud", []string{}), "audience"},
		{"audiences that are numbers", changed("aud", []int{1}), "claims"},
		{"expired", changed("iat", past-60, "exp", now-61), "expired at"},
		{"no exp", changed("exp", nil), "exp"},
		{"exp null", sign(t, good, strings.Replace(text(t, claims), `"exp":`, `"exp":null,"x":`, 1)), "exp"},
		{"exp a text", changed("exp", "9999999999"), "exp is no time"},
		{"exp without end", sign(t, good, strings.Replace(text(t, claims), `"exp":`, `"exp":1e300,"x":`, 1)), "exp is no time"},
		{"exp below zero", changed("exp", -1), "exp is no time"},
		{"good for too long", changed("exp", now+25*3600), "longer than"},
		{"good for too long, no iat", changed("exp", now+25*3600, "iat", nil), "longer than"},
		{"not yet good", changed("nbf", now+120), "good from"},
		{"issued in the future", changed("iat", now+120), "future"},
		{"proved in the future", changed("auth_time", future), "future"},
		{"of another client", changed("azp", "evil-app"), "clients"},
		{"of another client by client_id", changed("client_id", "evil-app"), "clients"},
		{"several audiences and no client", changed("aud", []string{"ringwall", "evil-app"}), "which client"},
		{"no subject", changed("sub", nil), "whom it is about"},
		{"an empty subject", changed("sub", ""), "whom it is about"},
		{"a subject that is a number", changed("sub", 7), "whom it is about"},
		{"a subject without end", changed("sub", strings.Repeat("a", 256)), "whom it is about"},
		{"a claim twice", sign(t, good, strings.Replace(text(t, claims), `{`, `{"sub":"bob",`, 1)), "claims"},
		{"claims that are a list", sign(t, good, "[]"), "claims"},
		{"claims that are no JSON", sign(t, good, "sub=alice"), "claims"},
		{"claims that are no UTF-8", sign(t, good, "{\"sub\":\"\xff\"}"), "claims"},
		{"claims nested deep", sign(t, good, strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)), "claims"},
		{"typ of a logout token", sign(t, good, claims, "typ", "logout+jwt"), "typ"},
		{"typ of a proof of possession", sign(t, good, claims, "typ", "dpop+jwt"), "typ"},
		{"typ of a security event", sign(t, good, claims, "typ", "secevent+jwt"), "typ"},
		{"a logout token without typ", changed("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}), "security event"},
		{"oversized", changed("pad", strings.Repeat("x", 17<<10)), "at most"},
		{"empty", "..", "no signed token"},
		{"dots", "a.b.c", "no signed token"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s.refused(t, r.token, r.cause)
			s.clock.move(time.Minute / 100)
		})
	}
	s.accepted(t, whole)
	if n := evilAsked.Load(); n != 0 {
		t.Errorf("the attacker was asked %d times", n)
	}
	t.Logf("%d forged tokens are refused", len(rows))
}

// Good tokens of all kinds are taken.
func TestGoodTokens(t *testing.T) {
	rs, ec, ed := newRSA(0, "r"), newEC("e"), newEd("d")
	o := newOP(t, rs, ec, ed)
	s := newScene(t, token.Config{}, token.Issuer{Name: "main", URL: o.URL, Audience: []string{"ringwall", "other"}, Clients: []string{"web"}})
	now := s.clock.Now().Unix()
	azp := func(c ...any) map[string]any { return s.claims(o, append([]any{"azp", "web"}, c...)...) }
	for name, text := range map[string]string{
		"RS256":                           sign(t, rs, azp()),
		"PS512":                           sign(t, pair{"r2", "PS512", rs.private}, azp()),
		"ES256":                           sign(t, ec, azp()),
		"EdDSA":                           sign(t, ed, azp()),
		"no kid where one key fits":       sign(t, pair{"", "ES256", ec.private}, azp()),
		"an access token":                 sign(t, rs, azp(), "typ", "at+jwt"),
		"an access token in full":         sign(t, rs, azp(), "typ", "application/AT+JWT"),
		"JWT":                             sign(t, rs, azp(), "typ", "JWT"),
		"several audiences":               sign(t, rs, azp("aud", []string{"x", "ringwall"})),
		"expired within the skew":         sign(t, rs, azp("iat", now-600, "exp", now-59)),
		"good within the skew":            sign(t, rs, azp("iat", now+59, "nbf", now+59)),
		"times with fractions":            sign(t, rs, azp("iat", float64(now)+0.25, "exp", float64(now)+99.5)),
		"a jku that nobody asks":          sign(t, rs, azp(), "jku", "https://evil.example/keys"),
		"no iat":                          sign(t, rs, azp("iat", nil)),
		"the client is in the audience":   sign(t, rs, azp("azp", "other")),
		"client_id in the place of azp":   sign(t, rs, azp("azp", nil, "client_id", "web")),
		"a claim that nobody understands": sign(t, rs, azp("https://example.org/x", map[string]any{"a": 1})),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "PS512" { // by a key that may sign by any algorithm of its kind
				k := rs.jwk()
				k.KeyID, k.Algorithm = "r2", ""
				o.mu.Lock()
				o.set = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{rs.jwk(), ec.jwk(), ed.jwk(), k}}
				o.mu.Unlock()
				s.clock.move(11 * time.Second)
				defer s.clock.move(-11 * time.Second)
			}
			if p := s.accepted(t, text); p.ID != token.ID(o.URL, "alice") || p.Via != "token" {
				t.Errorf("%+v", p)
			}
		})
	}
}
