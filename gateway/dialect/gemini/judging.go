package gemini

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var (
	_ gateway.Calling = (*answer)(nil)
	_ gateway.Judging = (*relay)(nil)
)

// wish is a part that calls a function of the client's.
type wish struct {
	candidate  int64
	list, part jsonedit.Value // the part, and the list that it is in
	raw        []byte         // the part as the client would read it
}

// call is the call that w is. Ids are given where there is none, as in the
// conversation that goes on from the answer.
func (w *wish) call(n int) ringwall.ToolCall {
	var doc jsonedit.Doc
	v := w.part
	if doc.Parse(w.raw, dialect.AnswerLimits) == nil { // what is left of a part that was parsed
		v = doc.Root()
	}
	c := callOf(member(v, "functioncall"))
	if c.ID == "" {
		c.ID = "call_" + strconv.Itoa(n)
	}
	return c
}

// proofs are the signatures of calls that do not run, by candidate. Gemini wants one on
// the first call of an answer: the next that runs takes it over.
type proofs map[int64][]byte

// rule returns the edits that put rulings in force, one for each call, and whether
// anything is said in their places.
func (ps proofs) rule(ws []wish, rulings []gateway.Ruling) (edits []jsonedit.Edit, says bool) {
	gone := map[jsonedit.Value]bool{}
	var lists []jsonedit.Value
	for i, r := range dialect.Rulings(rulings, len(ws)) {
		w := &ws[i]
		if !r.Runs {
			if proof := member(w.part, "thoughtsignature"); proof.Kind() == jsonedit.String && ps[w.candidate] == nil {
				ps[w.candidate] = slices.Clone(proof.Raw())
			}
		}
		switch {
		case r.Runs:
			says = true
			out := w.running(r, ps[w.candidate])
			delete(ps, w.candidate)
			if string(out) != string(w.part.Raw()) {
				edits = append(edits, dialect.Put(w.part, out))
			}
		case r.Note != "":
			says = true
			edits = append(edits, dialect.Put(w.part, append(jsonedit.AppendQuote([]byte(`{"text":`), r.Note), '}')))
		case w.list.Kind() != jsonedit.Array: // one part in the place of a list
			edits = append(edits, dialect.Put(w.list, []byte("[]")))
		default:
			if gone[w.part] = true; !slices.Contains(lists, w.list) {
				lists = append(lists, w.list)
			}
		}
	}
	for _, list := range lists {
		edits = append(edits, list.RemoveElems(func(_ int, part jsonedit.Value) bool { return gone[part] })...)
	}
	return edits, says
}

// running is a part whose call runs, with the arguments that it goes on with, and with
// a proof if it has none of its own.
func (w *wish) running(r gateway.Ruling, proof []byte) []byte {
	var doc jsonedit.Doc
	if r.Arguments == "" && proof == nil || doc.Parse(w.raw, dialect.AnswerLimits) != nil {
		return w.raw
	}
	var edits []jsonedit.Edit
	if call := member(doc.Root(), "functioncall"); r.Arguments != "" && call.Kind() == jsonedit.Object {
		edits = append(edits, call.SetMember(named(call, "args"), []byte(r.Arguments)))
	}
	if proof != nil && !member(doc.Root(), "thoughtsignature").Exists() {
		edits = append(edits, doc.Root().SetMember("thoughtSignature", proof))
	}
	return dialect.Splice(w.raw, edits)
}

// named is the key in v that folds to key, or key.
func named(v jsonedit.Value, key string) string {
	for k := range v.Members() {
		if dialect.FoldProto(k) == key {
			return k
		}
	}
	return key
}

// wishes finds the calls of an answer.
func wishes(root jsonedit.Value) (ws []wish) {
	for i, c := range root.Get("candidates").Elems() {
		list := c.Get("content").Get("parts")
		for _, part := range each(list, "") {
			if member(part, "functioncall").Exists() {
				ws = append(ws, wish{int64(i), list, part, part.Raw()})
			}
		}
	}
	return ws
}

// Calls implements gateway.Calling.
func (a *answer) Calls() (calls []ringwall.ToolCall) {
	ws := wishes(a.doc.Root())
	if len(ws) == 0 {
		return nil
	}
	before := a.req.called()
	for i := range ws {
		calls = append(calls, ws[i].call(before+i+1))
	}
	return calls
}

// called is how many calls are in a request.
func (r *request) called() (n int) {
	if r == nil {
		return 0
	}
	for _, c := range each(member(r.doc.Root(), "contents"), "") {
		for _, part := range each(member(c, "parts"), "") {
			if member(part, "functioncall").Exists() {
				n++
			}
		}
	}
	return n
}

// Rule implements gateway.Calling.
func (a *answer) Rule(rulings []gateway.Ruling) { a.ruled, a.rulings = true, rulings }

// rule returns the edits that put rulings in force. What spells the calls out goes with
// those that do not stay as they are.
func (a *answer) rule(root jsonedit.Value) []jsonedit.Edit {
	ws := wishes(root)
	edits, _ := proofs{}.rule(ws, a.rulings)
	touched := map[int64]bool{}
	for i, r := range dialect.Rulings(a.rulings, len(ws)) {
		touched[ws[i].candidate] = touched[ws[i].candidate] || !r.Runs || r.Arguments != ""
	}
	for i, c := range root.Get("candidates").Elems() {
		if touched[int64(i)] {
			edits = append(edits, tokens(c)...)
		}
	}
	return edits
}

// judged is what a relay knows of rulings about calls.
type judged struct {
	judge  func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling
	req    *request
	calls  int // of the request and of the answer so far; 0: not counted yet
	wishes []wish
	proofs proofs
}

// Judge implements gateway.Judging.
func (r *relay) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	r.judge = judge
}

// asks looks at a part that calls a function, and keeps it until the frame was seen.
func (r *relay) asks(ctx context.Context, c *candidate, list, part jsonedit.Value) (says bool, err error) {
	if call := member(part, "functioncall"); member(call, "willcontinue").True() || member(call, "partialargs").Exists() {
		return false, errors.New("reading the model's answer: a call comes in pieces")
	}
	says = r.close(ctx, c)
	l := located()
	l.part(part, r.next(c), ringwall.Assistant)
	edits, blocked := dialect.Look(ctx, &l.Locator, r.open, r.blocked)
	r.blocked = blocked
	raw := slices.Clone(part.Raw())
	if len(edits) > 0 {
		c.masked = true
		start, _ := part.Span()
		for i := range edits {
			edits[i].Start -= start
			edits[i].End -= start
		}
		raw = dialect.Splice(raw, edits)
	}
	r.wishes = append(r.wishes, wish{c.index, list, part, raw})
	return says, nil
}

// settle has the calls of a frame decided about, and reports whether anything is said
// in their places.
func (r *relay) settle(ctx context.Context) bool {
	if len(r.wishes) == 0 || r.blocked {
		return false
	}
	if r.calls == 0 {
		r.calls, r.proofs = r.req.called(), proofs{}
	}
	var calls []ringwall.ToolCall
	for i := range r.wishes {
		r.calls++
		calls = append(calls, r.wishes[i].call(r.calls))
	}
	edits, says := r.proofs.rule(r.wishes, r.judge(ctx, calls))
	r.edits, r.wishes = append(r.edits, edits...), r.wishes[:0]
	return says
}
