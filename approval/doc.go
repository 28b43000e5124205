// Package approval keeps what waits for a person: calls of tools that were held, and
// requests that policies hold. An approval is for one thing alone, the very bytes that
// the person saw, and lets it go once.
//
// # The way of an approval
//
//	Ask ─▶ pending ─▶ approved ─▶ used
//	          │           │
//	          ├─▶ denied  └─▶ expired
//	          └─▶ expired
//
// [Store.Ask] makes one, or returns the one that there is for the same principal,
// conversation and digest. People look at it ([Store.Look]), which gives them a token
// that says since when; with it they approve ([Store.Approve]), or they deny
// ([Store.Deny]). [Store.Use] takes an approved one, exactly once, however many gateways
// share the database and however often it is asked.
//
// Whatever is not approved is denied: what has expired, what nobody decided about, a
// state that cannot be read. Nothing here is ever approved by itself.
//
// # What people do when they are asked too often
//
// They say yes. So the same call that was denied does not ask again for a while, few may
// wait at a time, nobody approves faster than one can read nor many in a short time, and
// who approves what does harm types what it is. See [Rules].
//
// # What it leaves to others
//
// What is held is package toolcall's and policies' to say, who somebody is that of
// package auth. Arguments are shown to who may approve, and sealed in the database;
// [Card] makes of them what can be shown. Records of every act wait in the database until
// [Store.Run] has handed them on, so that those of the command line come to the log, too.
//
// Start reading at [Store.Ask], then [Rules].
package approval
