package dialect

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/ringwall/ringwall"
)

// CallID is the id of a tool call in an API that has none: always the same for the
// same call of the same answer, and another for each.
func CallID(answer string, at int, name, arguments string) string {
	h := sha256.New()
	for _, s := range []string{answer, strconv.Itoa(at), name, arguments} {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return "call_" + hex.EncodeToString(h.Sum(nil)[:12])
}

// Calls tells which result answers which call, in APIs whose calls have no ids:
// of the calls that wait, the first of that name.
type Calls struct {
	n    int
	wait []*ringwall.ToolCall
}

// Asked notes a call, and gives it an id if it has none.
func (c *Calls) Asked(call *ringwall.ToolCall) {
	if c.n++; call.ID == "" {
		call.ID = "call_" + strconv.Itoa(c.n)
	}
	c.wait = append(c.wait, call)
}

// Answered finds the call that a result is for, by its id or else by its name, and
// completes the result. An empty name is that of any call.
func (c *Calls) Answered(r *ringwall.ToolResult) bool {
	for i, call := range c.wait {
		if r.ID != "" && r.ID == call.ID || r.ID == "" && (r.Name == call.Name || r.Name == "") {
			r.ID, r.Name = call.ID, call.Name
			c.wait = append(c.wait[:i:i], c.wait[i+1:]...)
			return true
		}
	}
	return false
}

// CallName returns the name of the tool that the last call of that id asks for, ""
// where there is none.
func CallName(turns []ringwall.Turn, id string) (name string) {
	for _, t := range turns {
		for _, p := range t.Parts {
			if p.Kind == ringwall.PartCall && p.Call.ID == id {
				name = p.Call.Name
			}
		}
	}
	return name
}
