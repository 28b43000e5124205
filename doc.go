// Package ringwall holds the words that the whole program speaks: who asks
// ([Principal]), what is said ([Exchange], [Text]), what was noticed
// ([Finding]), what was decided ([Verdict]) and what remains ([Event]). It
// imports nothing but the standard library, and nothing in it does I/O.
//
// # The data's way
//
//	client ─▶ gateway ─▶ guard (input) ─▶ provider ─▶ guard (output) ─▶ client
//	              └────────── audit ◀── every Exchange, whatever its Verdict
//
// Evidence, decision and action stand in three places: detectors notice
// findings, guard.Decide turns them into a Verdict, and package gateway acts.
//
// Start reading at [Exchange], then package gateway.
package ringwall
