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
// of the calls that wait, the first of that name. What a result costs does not grow
// with how many wait.
type Calls struct {
	n            int
	all          waiting
	byID, byName map[string]*waiting
}

// waiting are calls in their order, of which some were answered.
type waiting []*asked

type asked struct {
	call     *ringwall.ToolCall
	answered bool
}

// next takes the first call out that was not answered; nil: there is none.
func (w *waiting) next() *asked {
	for w != nil && len(*w) > 0 {
		a := (*w)[0]
		if *w = (*w)[1:]; !a.answered {
			a.answered = true
			return a
		}
	}
	return nil
}

// Asked notes a call, and gives it an id if it has none.
func (c *Calls) Asked(call *ringwall.ToolCall) {
	if c.n++; call.ID == "" {
		call.ID = "call_" + strconv.Itoa(c.n)
	}
	if c.byID == nil {
		c.byID, c.byName = map[string]*waiting{}, map[string]*waiting{}
	}
	a := &asked{call: call}
	c.all = append(c.all, a)
	for _, in := range []struct {
		of  map[string]*waiting
		key string
	}{{c.byID, call.ID}, {c.byName, call.Name}} {
		if in.of[in.key] == nil {
			in.of[in.key] = &waiting{}
		}
		*in.of[in.key] = append(*in.of[in.key], a)
	}
}

// Answered finds the call that a result is for, by its id or else by its name, and
// completes the result. An empty name is that of any call.
func (c *Calls) Answered(r *ringwall.ToolResult) bool {
	from := &c.all
	switch {
	case r.ID != "":
		from = c.byID[r.ID]
	case r.Name != "":
		from = c.byName[r.Name]
	}
	a := from.next()
	if a == nil {
		return false
	}
	r.ID, r.Name = a.call.ID, a.call.Name
	return true
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
