// Package db opens the one SQL database that an installation keeps its state
// in: SQLite, which needs nothing installed, or PostgreSQL once one machine is
// not enough. It knows no trade: the rooms above bring their own tables.
//
// # The data's way
//
//	Open(DSN) ─▶ *DB ─▶ Migrate(files, "audit_migrations")   once a room, at start
//	                └─▶ Exec, Query, QueryRow, Tx            "?" in the query, values beside it
//
// Several rooms share one database. Each brings its own embedded migrations
// and its own version table, so that none has to know the others.
//
// Queries are written once, for both dialects, with "?" for each value;
// [Rebind] turns them into "$1", "$2" for PostgreSQL. Values never become part
// of the text of a query. Where the dialects differ, ask [DB.Dialect].
//
// # What it leaves to others
//
// It does not map rows to structs, does not build queries, does not retry and
// does not log. Backups are the operator's.
//
// Start reading at [Open].
package db
