// Package session keeps the sessions of people who logged in: who they are, how far
// they are trusted, since when, and until when.
//
// # The data's way
//
//	Begin ─▶ database ◀─ Revoke, Lower
//	            │ Run, each half second: what changed
//	            ▼
//	text ─▶ tag ─▶ memory (read from the database at first use) ─▶ Principal
//
// # Session texts
//
//	rws_ 32 characters of base64url  16 characters of base64url
//	│    └ the secret, 192 bits        └ the tag: HMAC-SHA256 of what stands before it
//	└ says what it is
//
// The database holds the SHA-256 of the whole text and never the text; the id, which is
// public, is the beginning of that. The tag is made with a key that all processes on
// the database share, so that texts that nobody gave out ask no database.
//
// # What is promised
//
// What this process revokes or lowers is so at its next request. Every other process on
// the database knows it within a second while [Store.Run] runs and the database
// answers; a process that cannot ask the database goes on with what it knows for
// [Config.MaxStale], and then takes no session at all. When a session was last used is
// written within ten seconds: by so much may another process take it for idle too
// early. The trust of a session falls and never rises: who wants more logs in anew.
//
// # What it leaves to others
//
// Cookies and the way to the provider and back are auth/login's, records the server's.
// Start reading at [Open], then [Store.Authenticate].
package session
