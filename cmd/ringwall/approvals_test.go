package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
	"github.com/ringwall/ringwall/toolcall"
)

// held NAME DIR TOOL EFFECT ARGUMENTS asks, as a gateway with that data directory does,
// for the call of a tool, and sets the variable NAME to the id of its approval.
func held(ts *testscript.TestScript, _ bool, args []string) {
	c := config.Default()
	c.Data = ts.MkAbs(args[1])
	store, db, err := server.OpenApprovals(context.Background(), c)
	ts.Check(err)
	defer db.Close()
	call := ringwall.ToolCall{Name: args[2], Arguments: args[4]}
	a, err := store.Ask(context.Background(), approval.Request{
		Principal: ringwall.Principal{ID: "rw_agent", Tenant: "acme", Trust: ringwall.Customer, Via: "key", Key: "rw_agent"}, Conversation: args[2],
		Tool: call.Name, Effect: args[3], Arguments: call.Arguments, Digest: toolcall.Digest(call), Rules: []string{"untrusted-argument"},
		Provenance: []ringwall.ArgumentUse{{Path: "/to", Sensitive: true, Source: ringwall.SourceUntrusted, From: "turn 3, read_mail"}},
	})
	ts.Check(err)
	ts.Setenv(args[0], a.ID)
}
