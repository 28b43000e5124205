// Package peer says who is calling by the certificate of their TLS connection: by a
// SPIFFE id, a DNS name or the whole subject, whichever an operator has given a tenant
// and a trust.
//
// # The data's way
//
//	CA bundle, revocation lists, identities ─▶ Read ─▶ Book ─▶ Peers.Use
//	                                                             │
//	handshake and each request ─▶ Peers.Check ◀──────────────────┤
//	request ─▶ Peers.Authenticate ─▶ Principal ◀─────────────────┘
//
// Package crypto/tls verifies chains when a connection is made: signatures, the times
// of validity, that the certificate is one for clients. [Peers.Check] looks again, at
// the handshake and at each request, for connections outlive certificates: whether the
// chain still ends in a CA of the bundle in force, whether it is still the time of
// each certificate, and whether none is revoked.
//
// # Revocation
//
// With lists (RFC 5280 §5) every issuer in a chain needs one that is current. One that
// is missing or whose next update is past refuses all certificates of its issuer:
// nobody can say that they are not revoked. Lists of a part of what an issuer made,
// and those that only say what changed, are refused when they are read.
//
// # SPIFFE
//
// A certificate with a URI of the scheme spiffe is an X.509-SVID, and is held to what
// its specification says: exactly one URI, a well-formed id with a path, no CA, for
// digital signatures and not for signing certificates or lists. It is only known by
// its id, and only where its trust domain is allowed; all CAs of the bundle may vouch for
// all of these.
//
// Start reading at [Read], then [Peers.Authenticate].
package peer
