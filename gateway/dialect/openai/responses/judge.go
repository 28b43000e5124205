package responses

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

var _ gateway.Judging = (*relay)(nil)

// maxWaiting bounds the bytes of events that wait for calls to be judged.
const maxWaiting = 2 * maxSaid

var errWaiting = errors.New("reading the model's stream: what waits for a tool call is too long")

// waiting are the events that do not go out before all calls of the answer are judged:
// those from the first call on, for clients take items in their order.
type waiting struct {
	on     bool
	events []byte // as they would go out
	// The relay as it was before.
	number       int64
	said         bool
	items, begun []item
}

// Judge implements gateway.Judging: the calls of an answer come out together, with its
// end.
func (r *relay) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	r.judge = judge
}

// Event implements gateway.Relay.
func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if r.judge == nil {
		return r.event(ctx, dst, data)
	}
	from, number := len(dst), r.number
	dst, err := r.event(ctx, dst, data)
	if !r.waits.on {
		return dst, err
	}
	if r.waits.events == nil {
		r.waits.number = number
	}
	if r.waits.events = append(r.waits.events, dst[from:]...); len(r.waits.events) > maxWaiting {
		err = errWaiting
	}
	dst = dst[:from]
	if err == nil && r.final != nil && !r.blocked {
		dst = r.release(ctx, dst)
	}
	return dst, err
}

// End implements gateway.Relay.
func (r *relay) End(ctx context.Context, dst []byte) []byte {
	from := len(dst)
	dst = r.end(ctx, dst, everywhere)
	if !r.waits.on {
		return dst
	}
	r.waits.events = append(r.waits.events, dst[from:]...)
	if dst = dst[:from]; r.blocked {
		return dst
	}
	return r.release(ctx, dst)
}

// wait has this event and those behind it wait, if it is about a call.
func (r *relay) wait(kind string, event jsonedit.Value) {
	if r.waits.on {
		return
	}
	if isCall(event.Get("item")) || ofCall(kind) || len(wishes(event.Get("response").Get("output"))) > 0 {
		r.waits = waiting{on: true, said: r.said, items: slices.Clone(r.items), begun: slices.Clone(r.begun)}
	}
}

// ofCall reports whether events of that kind are about a call that the client is to
// run.
func ofCall(kind string) bool {
	return strings.HasPrefix(kind, "response.function_call_arguments.") || strings.HasPrefix(kind, "response.custom_tool_call_input.")
}

// forget makes the relay as if nothing that waits had come.
func (r *relay) forget() {
	if w := r.waits; w.on {
		r.number, r.said, r.items, r.begun = w.number, w.said, w.items, w.begun
		r.waits = waiting{}
	}
}

// call is a call in a stream and what becomes of it.
type call struct {
	gateway.Ruling
	asked ringwall.ToolCall
	told  bool // the note stands there
}

// release has the calls of the answer judged and appends what waited for it.
func (r *relay) release(ctx context.Context, dst []byte) []byte {
	events, done := r.waits.events, r.items
	final := r.final
	r.forget()
	slices.SortFunc(done, func(a, b item) int { return int(a.index - b.index) })
	calls := map[int64]*call{} // by the index of their item
	var order []*call
	docs := make([]jsonedit.Doc, len(done))
	ran := results(done, docs)
	for i, it := range done {
		if root := docs[i].Root(); isCall(root) && !ran[root.Get("call_id").Text()] {
			c := &call{asked: callOf(root)}
			calls[it.index], order = c, append(order, c)
		}
	}
	last := r.finals(final, calls, &order)
	asked := make([]ringwall.ToolCall, len(order))
	for i, c := range order {
		asked[i] = c.asked
	}
	rulings := make([]gateway.Ruling, len(asked))
	if len(asked) > 0 {
		copy(rulings, r.judge(ctx, asked))
	}
	for i, c := range order {
		c.Ruling = rulings[i]
	}
	cut := recut{relay: r, calls: calls, last: last, ran: ran}
	for ev, err := range sse.Events(bytes.NewReader(events)) {
		if err != nil {
			break
		}
		dst = cut.event(dst, ev.Data)
	}
	return dst
}

// results parses items and returns the ids of the calls whose results are among them,
// which the provider has run.
func results(items []item, docs []jsonedit.Doc) map[string]bool {
	ran := map[string]bool{}
	for i, it := range items {
		if docs[i].Parse(it.raw, dialect.AnswerLimits) == nil && isResult(docs[i].Root()) {
			ran[docs[i].Root().Get("call_id").Text()] = true
		}
	}
	return ran
}

// finals returns the calls of the whole answer: those that were streamed, and where it
// says something else than the stream, more.
func (r *relay) finals(final []byte, calls map[int64]*call, order *[]*call) (last []*call) {
	var doc jsonedit.Doc
	if final == nil || doc.Parse(final, dialect.AnswerLimits) != nil {
		return nil
	}
	for _, w := range wishes(doc.Root().Get("output")) {
		asked := callOf(w.item)
		c := calls[int64(w.at)]
		if c == nil || c.asked != asked {
			c = &call{asked: asked}
			*order = append(*order, c)
		}
		last = append(last, c)
	}
	return last
}

// recut writes events again, with rulings in force.
type recut struct {
	*relay
	calls map[int64]*call // by the index of their item
	last  []*call         // of the whole answer
	ran   map[string]bool // ids of calls that the provider ran
	ids   map[string]int64
}

// shift returns the index of an item once calls that leave nothing are gone.
func (c *recut) shift(index int64) int64 {
	n := index
	for i, call := range c.calls {
		if i < index && !call.Runs && call.Note == "" {
			n--
		}
	}
	return n
}

func (c *recut) event(dst, data []byte) []byte {
	var doc jsonedit.Doc
	if doc.Parse(data, dialect.AnswerLimits) != nil {
		return dst
	}
	root := doc.Root()
	kind := root.Get("type").Text()
	if response := root.Get("response"); response.Kind() == jsonedit.Object {
		return c.whole(dst, data, kind, root)
	}
	p := placeOf(root, root.Get("item_id").Text())
	it := root.Get("item")
	if id := it.Get("id"); id.Kind() == jsonedit.String {
		p.id = id.Text()
	}
	if p.item < 0 && p.id != "" {
		if at, known := c.ids[p.id]; known {
			p.item = at
		}
	} else if p.id != "" {
		if c.ids == nil {
			c.ids = map[string]int64{}
		}
		c.ids[p.id] = p.item
	}
	call := c.calls[p.item]
	if call == nil {
		if ofCall(kind) || isCall(it) && !c.ran[it.Get("call_id").Text()] { // it was never done
			return dst
		}
		return c.moved(dst, data, kind, root, nil)
	}
	switch {
	case call.Runs && call.Arguments == "":
		return c.moved(dst, data, kind, root, nil)
	case call.Runs:
		return c.changed(dst, data, kind, root, call, p)
	case call.Note == "" || call.told:
		return dst
	}
	call.told = true
	return c.message(dst, c.shift(p.item), noteID(c.response(), int(p.item), call.asked), "completed", call.Note)
}

// moved appends an event with its number and the index of its item as they are now.
func (c *recut) moved(dst, data []byte, kind string, root jsonedit.Value, edits []jsonedit.Edit) []byte {
	edits = append(edits, root.SetMember("sequence_number", strconv.AppendInt(nil, c.number, 10)))
	c.number++
	if i, ok := root.Get("output_index").Int(); ok {
		if now := c.shift(i); now != i {
			edits = append(edits, root.SetMember("output_index", strconv.AppendInt(nil, now, 10)))
		}
	}
	return frame(dst, kind, dialect.Splice(data, edits))
}

// changed appends an event about a call with other arguments: they come in one piece,
// before the event that ends them.
func (c *recut) changed(dst, data []byte, kind string, root jsonedit.Value, call *call, p place) []byte {
	it := root.Get("item")
	switch {
	case it.Exists() && kind == "response.output_item.added" && pieces[it.Get("type").Text()] != "":
		key := pieces[it.Get("type").Text()]
		return c.moved(dst, data, kind, root, []jsonedit.Edit{it.SetMember(key, []byte(`""`))})
	case it.Exists():
		return c.moved(dst, data, kind, root, become(it, call.Arguments))
	case strings.HasSuffix(kind, ".delta"), !ofCall(kind):
		return dst
	}
	key, text := "arguments", call.Arguments
	if strings.HasPrefix(kind, "response.custom_tool_call_input.") {
		key, text = "input", dialect.Unfreely(text)
	}
	p.item = c.shift(p.item)
	about, _ := strings.CutSuffix(kind, ".done")
	dst = c.own(dst, p, about+".delta", c.delta(about, []byte(text)))
	return c.moved(dst, data, kind, root, []jsonedit.Edit{root.SetMember(key, jsonedit.AppendQuote(nil, text))})
}

// pieces are the members of calls whose texts come in pieces, by the type of the item.
var pieces = map[string]string{"function_call": "arguments", "custom_tool_call": "input"}

// whole appends an event that holds a response. The last is what is kept.
func (c *recut) whole(dst, data []byte, kind string, root jsonedit.Value) []byte {
	var rulings []gateway.Ruling
	ends := kind == "response.completed" || kind == "response.incomplete"
	if ends {
		for _, call := range c.last {
			rulings = append(rulings, call.Ruling)
		}
	}
	out := dialect.Splice(data, append(rule(root.Get("response"), rulings), root.SetMember("sequence_number", strconv.AppendInt(nil, c.number, 10))))
	c.number++
	if ends {
		var doc jsonedit.Doc
		if doc.Parse(out, dialect.AnswerLimits) != nil {
			return dst
		}
		c.final = dialect.Raw(doc.Root().Get("response"))
	}
	return frame(dst, kind, out)
}

// response returns the id of the answer.
func (r *relay) response() string {
	var doc jsonedit.Doc
	for _, raw := range [][]byte{r.final, r.head} {
		if raw != nil && doc.Parse(raw, dialect.AnswerLimits) == nil {
			return doc.Root().Get("id").Text()
		}
	}
	return ""
}
