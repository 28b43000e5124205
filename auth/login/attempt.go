package login

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"
)

// Cookie is the name of the cookie of sessions.
const Cookie = "__Host-ringwall"

const (
	attemptCookie = "__Host-ringwall-login-" // and the beginning of the state
	attemptTTL    = 10 * time.Minute
	stateLen      = 32 // characters
	nameLen       = 12 // of them in the cookie's name
	maxReturn     = 1024
	maxAttempts   = 4 // cookies in one browser
	maxSealed     = 4096
)

// attempt is a login under way. Its browser keeps it and cannot read it.
type attempt struct {
	State    string        `json:"s"`
	Nonce    string        `json:"n"`
	Verifier string        `json:"v"` // of PKCE
	Return   string        `json:"r"`
	ACR      []string      `json:"a,omitempty"` // of which one is needed
	MaxAge   time.Duration `json:"m,omitempty"` // -1: none
	Begun    time.Time     `json:"b"`
}

// newAttempt reads what GET /login asks for.
func newAttempt(query url.Values, home string, now time.Time) (*attempt, error) {
	a := &attempt{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Return: query.Get("return"), MaxAge: -1, Begun: now}
	if a.Return == "" {
		a.Return = home
	}
	if !Local(a.Return) {
		return nil, errors.New("return: want a path of this host, such as /console")
	}
	if acr := query.Get("acr_values"); acr != "" {
		if a.ACR = strings.Fields(acr); len(acr) > 512 || !slices.ContainsFunc(a.ACR, func(string) bool { return true }) || strings.ContainsFunc(acr, odd) {
			return nil, errors.New("acr_values: want names with spaces between them")
		}
	}
	if age := query.Get("max_age"); age != "" {
		n, err := strconv.Atoi(age)
		if err != nil || n < 0 || n > 1<<30 {
			return nil, errors.New("max_age: want seconds")
		}
		a.MaxAge = time.Duration(n) * time.Second
	}
	return a, nil
}

func odd(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

// random returns 192 random bits as text.
func random() string {
	var b [stateLen / 4 * 3]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Local reports whether target is a path of this host, whatever a browser makes of it:
// what else stands there would let strangers send people on from here (CWE-601).
func Local(target string) bool {
	if len(target) > maxReturn || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || !utf8.ValidString(target) {
		return false
	}
	for _, c := range []byte(target) {
		if c <= ' ' || c == 0x7f || c == '\\' { // browsers leave some out, and take some for others
			return false
		}
	}
	u, err := url.Parse(target)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && !strings.HasPrefix(u.Path, "//")
}

func isState(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(s) == stateLen && len(b) == stateLen/4*3
}

func cookieOf(state string) string { return attemptCookie + state[:nameLen] }

// seals keeps attempts from being read, made or changed by browsers.
type seals struct {
	aead cipher.AEAD
	of   []byte // the provider and the client that they are for
}

func newSeals(key [32]byte, issuer, client string) (seals, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return seals{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return seals{aead, []byte(issuer + "\x00" + client)}, err
}

func (s seals) seal(a *attempt) (string, error) {
	plain, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, s.of)), nil
}

var errAttempt = errors.New("the login was not begun in this browser, or too long ago")

// open returns the attempt with that state.
func (s seals) open(r *http.Request, state string, now time.Time) (*attempt, error) {
	if !isState(state) {
		return nil, errAttempt
	}
	c, err := r.Cookie(cookieOf(state))
	if err != nil || len(c.Value) > maxSealed {
		return nil, errAttempt
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil, errAttempt
	}
	plain, err := s.aead.Open(nil, nil, sealed, s.of)
	if err != nil {
		return nil, errAttempt
	}
	var a attempt
	if err := json.Unmarshal(plain, &a); err != nil {
		return nil, fmt.Errorf("%w: %w", errAttempt, err)
	}
	if a.State != state || now.Sub(a.Begun) >= attemptTTL || now.Before(a.Begun.Add(-time.Minute)) {
		return nil, errAttempt
	}
	return &a, nil
}

// set sets a cookie of this host alone; an empty value takes it away.
func set(w http.ResponseWriter, name, value string, ttl time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(ttl / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
