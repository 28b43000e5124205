// Package address says where requests come from, and whether they may come from
// there.
//
// # The data's way
//
//	connection ─▶ Listener   PROXY protocol, from trusted proxies only
//	request    ─▶ Proxies    X-Forwarded-For or Forwarded, read from the right
//	                         through trusted proxies only ─▶ the client's address
//	address    ─▶ Geo        country and AS number, of MaxMind's databases
//	client     ─▶ Rules      exempt, deny, others, allow, AS numbers, countries ─▶ Decision
//
// Lists of addresses are a [Set], which does not change: a trie of its networks.
// A list is written by hand, or read from a [Feed], which is a file or
// comes by HTTPS.
//
// Addresses are unmapped wherever they come in: an IPv4 address is never looked
// for as IPv6, and no rule can be gone around by writing it in another way. Zones
// (fe80::1%eth0) are names of our machine's own interfaces and are dropped.
//
// # What it leaves to others
//
// It answers no request and closes no connection but one without a proper header
// of the PROXY protocol. Bans that end are for package waf/ban. Who refuses, counts
// and records is package server.
//
// Start reading at [Proxies.Client], then [Rules.Decide].
package address
