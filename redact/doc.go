// Package redact lets a model work with placeholders instead of values, and
// gives the values back to those who may read them.
//
// # The data's way
//
//	request ─▶ guard masks ─▶ Book.Token ─▶ {EMAIL_4f2a91c0d3b1} ─▶ model
//	            Book.Seen, Book.Settle ◀─▶ Vault (SQLite or PostgreSQL)
//	answer  ─▶ guard looks ─▶ Restorer ─▶ the value, for who may read it
//
// A placeholder is a pure function of the root key, the tenant, the
// conversation, the kind of the value and the value: there is no counter. The
// same value reads alike in every turn, on every replica and after a restart,
// and in another conversation it reads otherwise. It tells nothing of the value
// but its kind and whether it is equal to another one.
//
// What a placeholder stands for is kept in the [Vault], sealed, until it
// expires. A [Book] is one exchange's view of it: what the request itself put in
// is known without asking anybody, so that a vault that is away costs only what
// earlier exchanges put in. A placeholder that nobody put into this
// conversation, forged or of another one, is text like any other.
//
// # What it leaves to others
//
// What is a value, and that it is masked, is package guard's business. Who calls
// and which conversation it is, the gateway says. Values that are put back are
// not looked at again: the guard has looked at what the model said.
//
// Start reading at [Vault.Book], then [Restorer].
package redact
