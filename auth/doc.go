// Package auth says who is calling. An API key proves a [ringwall.Principal];
// without one that is valid, nobody is let in under any name.
//
// # The data's way
//
//	Create ─▶ database ─▶ Refresh (Run, each half second) ─▶ table in memory
//	                                                            │
//	bearer ─▶ Authenticate ─▶ by prefix, in constant time ◀─────┘ ─▶ Principal
//
// Authenticate reads memory alone. When the database is away, the keys already
// known keep working until they expire, for [Config.MaxStale] at most, and
// nobody unknown gets in.
//
// # Key texts
//
//	rw_ k7mq2xvd _ 32 characters of 0-9A-Za-z, 6 characters of checksum
//	│   │          └ the secret, 190 bits of randomness
//	│   └ the id, 40 bits; "rw_k7mq2xvd", the prefix, is public and may be logged
//	└ says what it is, to people and to scanners for leaked secrets
//
// The checksum is the CRC-32 (IEEE) of all that stands before it, in base 62: a
// scanner can tell a key from what only looks like one, and a typo is told from
// a wrong key. It protects nothing.
//
// The database holds the SHA-256 of the whole text and never the text. Slow
// hashes (bcrypt, Argon2) exist to make guessing dear where people choose the
// secret; 190 random bits cannot be guessed at any speed, so a fast hash loses
// nothing and keeps the hot path below a microsecond.
//
// # Signatures
//
// AWS's clients show no key but sign with a pair: its id is the prefix of a key, and
// its secret is derived from that and a [Root], so that it is not kept. A signature
// proves the same principal as the key; checking it is the gateway's.
//
// # What it leaves to others
//
// Reading the header and writing the 401 is the gateway's, recording created
// and revoked keys is the audit log's, limits per principal are quota's. Start
// reading at [Open], then [Keys.Authenticate].
package auth
