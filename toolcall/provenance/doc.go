// Package provenance says where a value of an argument comes from that a model wants
// to call a tool with: from the words of the person who asks, from the operator's
// instructions, from an output that a system of the operator's made, or from text that
// anybody may have written.
//
//	conversation ─▶ New: who says what, nothing read yet
//	value ─▶ Trace: what is it, an address, a number, a date, words?
//	      ─▶ looked for as that: in trusted texts, then in trusted fields of outputs,
//	         in parts, and last in everything else
//
// Two mistakes are possible, and they do not weigh the same. A value that is the
// person's and is not recognised costs a question. A value of a stranger's that is taken
// for the person's costs what the call can do. So where a form can be read in two ways
// that name different things, it is not found: case, white space and compatibility forms
// are folded, look-alikes never are, an address is found whole or not at all, and a
// result that repeats what a call was given says nothing new.
//
// It is pure: it asks nobody, knows no tool by name, and its answer depends on the
// conversation and the options alone.
//
// Start reading at [Index.Trace], then [Origin].
package provenance
