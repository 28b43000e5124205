// Package ban keeps who is shut out for a while: addresses, networks, countries and
// autonomous systems, callers and tenants.
//
// # The data's way
//
//	Add (a command, a response, the admin) ─▶ database ─▶ Run, twice a second ─▶ table
//	Fault (a failed authentication, …) ─▶ watch ─▶ table, at once ─▶ Run ─▶ database
//	Put (the configuration, CrowdSec)  ─────────▶ table of its source, in memory only
//	                                     Address, Caller ◀─ tables
//
// The database is the truth: bans of one process are seen by all that share it within
// a second, and outlive a restart. When it is away, the bans that are known hold, and
// new ones of [Bans.Fault] hold in the process that made them and are written later.
//
// An IPv6 address stands for its /64, which is what one subscriber has: a ban of one
// address of 2^64 would be none.
//
// Automatic bans come by [Bans.Fault]: who fails too often within a while is shut out,
// twice as long each time. Everything that strangers can make grow is bounded.
//
// # What it leaves to others
//
// It refuses nobody: package server asks. Who is never banned automatically is said
// by who calls Fault.
//
// Start reading at [Open], then [Bans.Address].
package ban
