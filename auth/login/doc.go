// Package login lets people log in with a browser at an OpenID provider, and out again:
// the authorization code flow (OpenID Connect Core §3.1) with PKCE (RFC 7636).
//
// # The data's way
//
//	GET /login ─▶ provider ─▶ GET /login/callback ─▶ code for an ID token ─▶ session
//	   │ attempt, sealed, in a cookie ─────┘ once                              │
//	   └ state, nonce, verifier, where to go then          cookie ◀────────────┘
//
// An attempt lives ten minutes, in the browser that began it, and ends once: the first
// answer to it is the last. What of the address of an answer decides is checked before
// the code is used: state, and the issuer's name where it says it (RFC 9207). After the
// login the browser goes to a path of this host, and nowhere else.
//
// # The cookie
//
// __Host-ringwall holds the text of a session: Secure, HttpOnly, SameSite=Lax, of this
// host alone. A request's cookie counts as its credential only when no other site made
// the browser send it: see [Login.Credential].
//
// # Step-up
//
// [Need] says how far and how lately a person must have proved who they are, and
// [Login.Require] asks for more: programs by the challenge of RFC 9470, browsers by
// another login.
//
// # What it leaves to others
//
// Tokens are verified by auth/token, sessions kept by auth/session, both behind
// interfaces here; records are the server's. Start reading at [New], then
// [Login.Mount].
package login
