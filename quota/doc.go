// Package quota says how much: it sets aside what a request may cost before it is
// made, and settles what it did cost afterwards, so that limits hold at any number of
// requests at a time.
//
//	Claim ─▶ Plan.Reserve ─▶ *Lease ─▶ Grow, while a stream comes ─▶ Settle, whatever happened
//	             │
//	             └─ all limits that the claim falls under have room, or nothing is taken
//
// A limit counts one [Measure] (requests, tokens, money …) of each subject (a key, a
// tenant, a model, everybody) in a [Window]. What is set aside counts as used from that
// moment on. [Lease.Settle] gives back what was not used, and takes what was used
// beyond; what nobody settles stays used, and leaves with its window, because a
// provider may have done the work. Requests at a time end with their lease in any case.
//
// # Windows
//
// A sliding window is a ring of [Slots] equal slots and the one that is being filled. A
// slot leaves as a whole when its last moment is as old as the window is long: in no
// span of that length more is granted than the limit says, and what was used comes back
// by one part in [Slots] of the window late. A calendar window is a day, a week or a
// month in a time zone, and begins anew with the next.
//
// # Where the counters are
//
// In the process, in shards, in bounded memory; those of calendar windows are in the
// database, too, a second late, so that a restart does not forget money ([Ledger]). Or
// in Valkey or Redis, where several replicas share them: one script takes from all
// counters of a claim or from none, by the clock of the server. When that is away,
// [Config].Away says what happens.
//
// Start reading at [New], then [Plan.Reserve].
package quota
