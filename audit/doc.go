// Package audit keeps the record of everything that Ringwall lets happen, so
// that nobody can quietly change it afterwards. The gateway promises each call
// here before it makes it: no entry, no call.
//
// # The data's way
//
//	Begin, End, Note ─▶ encode ─▶ chain (SHA-256) ─▶ write(2) ─▶ fsync ─▶ return
//	                                    │
//	      segment-000000000001.jsonl ◀──┘──▶ Run: head file, index in SQL
//	                  │                                   │
//	          Verify, Read, Export                      Query
//
// A segment is a file with one entry a line:
//
//	{"seq":7,"prev":"<64 hex digits>","event":{…},"hash":"<64 hex digits>"}
//
// hash is the SHA-256 of the line's own bytes before `,"hash":`, prev is the
// hash of the entry before; the first entry of a log has 64 zeros, and the
// first of a later segment goes on from the last of the one before. A line has
// this form to the byte, so that checking needs no JSON and no other encoder.
//
// # What is promised
//
// Once Begin, End or Note has returned nil, the entry outlives the end of the
// process, however sudden; under [FsyncAlways], the zero value, that of the
// machine as well. An entry that could not be written whole is taken back and
// its caller told. After an unclean end, Open cuts off a torn last line, keeps
// it in a file torn-…, and writes an entry of kind ringwall.Recovered that says
// so and counts the exchanges that were begun and never ended.
//
// The chain shows any entry that was altered, removed, moved or doubled. It
// cannot show that its own end is missing, nor that somebody wrote all of it
// anew: for that the file "head" holds the last sequence number and hash,
// authenticated with audit.key. Who can read that key and write the directory
// can still forge everything: keep a copy of [Log.Head] elsewhere from time to
// time, or keep the log where its writer cannot rewrite it.
//
// # What it leaves to others
//
// The texts of prompts and answers do not come in: [Log.Digest] makes length
// and keyed hash of them, and only Config.KeepText lets the text through. The
// index is a convenience: it follows the segments, may lie behind, and is made
// anew when it is missing. Removing old segments is for package retention,
// looking for attacks in them for package detect.
//
// Start reading at [Open], then at write in append.go.
package audit
