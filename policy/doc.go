// Package policy decides who may do what, by policies in the Cedar language: by
// default nobody may anything, a permit lets, and one forbid that fits is stronger
// than all permits.
//
// # The data's way
//
//	*.cedar ─┐                      ┌─ tests pass?    ┐
//	*.json  ─┼▶ Parse ▶ schema ok? ─┼─ approvals ok?  ┼▶ Bundle ▶ Decide(Request) ▶ Decision
//	*.yaml  ─┘                      └─ refused whole  ┘
//
// A [Bundle] does not change. What it may speak of says the published schema
// ([Schema]); a policy that does not fit it is refused when it is read, with its
// file and line, and so is a bundle whose own tests fail. Policies that are
// @protected count only as two or more people signed them ([Approval]).
//
// What a decision leads to is the caller's business: the gateway refuses, a command
// prints. Who the caller is, and where they come from, is for others to find out
// before.
//
// Start reading at [Bundle.Decide], then [Parse].
package policy
