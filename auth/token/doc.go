// Package token proves callers by JSON Web Tokens (RFC 7519) that OpenID providers
// signed for them: access tokens (RFC 9068) and ID tokens.
//
// # The data's way
//
//	token ─▶ SHA-256 ─▶ known and still good? ─────────────────────────▶ Principal
//	           │ no                                                         ▲
//	           ▼                                                            │
//	  shape, header ─▶ iss ─▶ the issuer's keys ─▶ signature ─▶ claims ─▶ mapping
//	                             ▲
//	  Run, an unknown kid ─▶ discovery, JWKS
//
// # What is believed
//
// The issuer is the one that the configuration names, letter for letter, and keys come
// from it alone: what a token says of keys (jwk, jku, x5u, x5c) is never looked at, and
// kid only picks one of the issuer's. Algorithms are asymmetric, each key serves its
// own kind, and the list cannot be widened to none or HMAC. Nothing in a token is
// believed, its issuer's name aside, before its signature fits.
//
// # When an issuer is away
//
// Known keys work on for [Config.Outage], no longer. Before an issuer was reached for
// the first time its tokens are refused. An unknown kid has the keys read once more,
// all callers together and not more often than [Config.Pause].
//
// # What it leaves to others
//
// Browsers log in by package auth/login, and their sessions are auth/session's. Start
// reading at [New], then [Issuers.Authenticate].
package token
