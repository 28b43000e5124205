// Package toolcall decides about the calls of tools that a model asks for: whether this
// principal may do this, with arguments from there. It is pure: it asks nobody, and what
// is decided depends on the conversation, the registry and the principal alone.
//
// A call goes through the steps of [Judge] in order, each of which can only make the
// decision stricter:
//
//	arguments are JSON ─▶ the tool is known and as it was pinned ─▶ schema ─▶ meaning of
//	arguments ─▶ policies ─▶ again? ─▶ where sensitive values come from ─▶ what the
//	session has read ─▶ what the person asked for
//
// Nothing here recognises an attack. What a classifier thinks of a text is evidence of
// package guard's; a call is held because nobody who may has asked for it.
//
// Start reading at [Session.Decide], then [Tool].
package toolcall
