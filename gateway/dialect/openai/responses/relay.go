package responses

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// maxSaid bounds the bytes of texts that an answer can make us remember.
const maxSaid = 32 << 20

// relay implements gateway.Relay: the events of a stream, re-cut.
//
// The pieces of a text go through a Channel of its own, and what the Channel lets
// go takes their places; an event that says nothing any more is dropped. Before
// the event that ends a text, what was held back goes out in one of its own.
// Arguments of tool calls are held until they are whole.
//
// What was let go of each text is kept by its path, for the events that repeat it.
// Events are numbered anew, for there are more or fewer of them. The tokens of
// pieces stay away; those of a whole text come with it, unless it was masked.
type relay struct {
	open    gateway.Open
	req     gateway.Request
	doc     jsonedit.Doc
	texts   map[string]*text // by path
	streams []*text          // those that come in pieces, in order
	items   []item           // those that are done
	begun   []item           // those that are not
	head    []byte           // the first response, as it went out
	final   []byte           // the last, as it went out
	number  int64            // of the next event
	size    int
	blocked bool
	said    bool // some of a message went out
	usage   ringwall.Usage
	judge   func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling // nil: all calls go out
	waits   waiting

	current  *text  // that the last piece was of
	kind, id string // the last event's type and item
	edits    []jsonedit.Edit
	frameBuf []byte       // an edited event
	spare    jsonedit.Doc // what went out
	digits   [20]byte     // the event's number
}

// text is a text of the answer: as the model gave it, and as it went out.
type text struct {
	path   string
	in     []byte
	out    []byte
	masked bool

	ch    gateway.Channel // of one that comes in pieces, until it is whole
	kind  string          // of its events: "response.output_text"
	place place
	held  bool // its pieces wait until it is whole
}

// item is an item of the output, as it went out.
type item struct {
	index int64
	raw   []byte
}

// Relay implements gateway.Dialect.
func (Dialect) Relay(req gateway.Request, open gateway.Open) gateway.Relay {
	return &relay{open: open, req: req, texts: map[string]*text{}}
}

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.usage }

// Final implements gateway.Finished.
func (r *relay) Final() []byte { return r.final }

func (r *relay) event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	root := r.doc.Root()
	before := r.kind
	kind := dialect.Again(root.Get("type"), &r.kind)
	if (kind == "" || kind != before) && !clean(kind) {
		r.kind = ""
		return dst, errors.New("reading the model's stream: an event has no type")
	}
	if kind == "error" || kind == "response.failed" || said(root.Get("error")) || said(root.Get("response").Get("error")) {
		return dst, errors.New("reading the model's stream: the model reports an error")
	}
	if r.judge != nil && (kind != before || !strings.HasSuffix(kind, ".delta")) {
		r.wait(kind, root)
	}
	p := placeOf(root, dialect.Again(root.Get("item_id"), &r.id))
	if about, ok := strings.CutSuffix(kind, ".delta"); ok && root.Get("delta").Kind() == jsonedit.String {
		return r.piece(ctx, dst, data, about, p)
	}
	switch response := root.Get("response"); {
	case kind == "response.completed" || kind == "response.incomplete":
		r.usage = usage(response)
		p = everywhere
		dst = r.end(ctx, dst, p)
	case strings.HasSuffix(kind, ".done"):
		dst = r.end(ctx, dst, p)
	}
	if r.blocked {
		return dst, nil
	}
	out := r.edited(ctx, data, kind, p)
	if r.blocked {
		return dst, nil
	}
	r.remember(kind, p, out)
	return frame(dst, kind, out), nil
}

// said reports whether v is there and says something.
func said(v jsonedit.Value) bool { return v.Exists() && v.Kind() != jsonedit.Null }

// text returns the text that a piece at p belongs to.
func (r *relay) text(kind string, p place) (*text, error) {
	if t := r.current; t != nil && t.ch != nil && t.kind == kind && t.place == p {
		return t, nil
	}
	path := p.path(member(kind))
	t := r.texts[path]
	switch {
	case t != nil && t.kind != "" && t.ch == nil:
		return nil, errors.New("reading the model's stream: a text goes on behind its end")
	case t == nil || t.ch == nil:
		t = &text{path: path, kind: kind, place: p, held: member(kind) == "arguments", ch: none{}}
		if !t.held {
			t.ch = r.open(path)
		}
		r.texts[path] = t
		r.streams = append(r.streams, t)
	}
	r.current = t
	return t, nil
}

// piece passes a piece of a text through its Channel.
func (r *relay) piece(ctx context.Context, dst, data []byte, about string, p place) ([]byte, error) {
	t, err := r.text(about, p)
	if err != nil {
		return dst, err
	}
	root := r.doc.Root()
	delta := root.Get("delta")
	piece := delta.Raw()
	if piece = piece[1 : len(piece)-1]; bytes.IndexByte(piece, '\\') >= 0 {
		piece = []byte(delta.Text())
	}
	if r.size += len(piece); r.size > maxSaid {
		return dst, errors.New("reading the model's stream: it is too long")
	}
	t.in = append(t.in, piece...)
	if t.held {
		return dst, nil
	}
	out := t.ch.Write(piece)
	if r.blocked = t.ch.Blocked(); r.blocked || len(out) == 0 {
		return dst, nil
	}
	t.out = append(t.out, out...)
	r.edits = append(r.edits[:0], r.numbered(root))
	if !bytes.Equal(out, piece) {
		r.edits = append(r.edits, delta.Set(string(out)))
	}
	if lp := root.Get("logprobs"); lp.Kind() == jsonedit.Array && string(lp.Raw()) != "[]" {
		r.edits = append(r.edits, put(lp, "[]"))
	}
	others := false
	for key, m := range root.Members() {
		others = others || key != "delta" && key != "logprobs" && key != "type" && !grammar.Silent(key, m)
	}
	if others {
		r.others(ctx, p)
	}
	if r.blocked {
		return dst, nil
	}
	r.said = r.said || speaks(about)
	slices.SortFunc(r.edits, dialect.ByStart)
	r.frameBuf = jsonedit.Splice(r.frameBuf[:0], data, r.edits)
	return frame(dst, r.kind, r.frameBuf), nil
}

// others looks at what an event says beside the piece of a text.
func (r *relay) others(ctx context.Context, p place) {
	l := located()
	for key, m := range r.doc.Root().Members() {
		if key != "delta" && key != "logprobs" && !grammar.Silent(key, m) {
			l.rest(r.req, m, p.path(dialect.Pointer(key)), key)
		}
	}
	changed, _ := r.look(ctx, &l)
	r.edits = append(r.edits, l.Edits(changed)...)
}

// end ends the texts at p and appends what was held back of them.
func (r *relay) end(ctx context.Context, dst []byte, p place) []byte {
	open := r.streams[:0]
	for _, t := range r.streams {
		if !p.holds(t.place) {
			open = append(open, t)
			continue
		}
		var rest []byte
		if t.held {
			t.out = r.arguments(ctx, t)
			rest = t.out
		} else {
			rest = t.ch.Close(ctx)
			t.masked = t.ch.Masked()
			if r.blocked = r.blocked || t.ch.Blocked(); !r.blocked {
				t.out = append(t.out, rest...)
			}
		}
		if len(rest) > 0 && !r.blocked {
			r.said = r.said || speaks(t.kind)
			dst = r.own(dst, t.place, t.kind+".delta", r.delta(t.kind, rest))
		}
		t.ch = nil
	}
	r.streams = open
	return dst
}

// arguments returns the arguments of a tool call with their texts looked at.
func (r *relay) arguments(ctx context.Context, t *text) []byte {
	src := jsonedit.AppendQuote(nil, string(t.in))
	var doc jsonedit.Doc
	if doc.Parse(src, dialect.AnswerLimits) != nil {
		r.blocked = true
		return nil
	}
	l := located()
	l.Arguments(doc.Root(), t.path, ringwall.Assistant)
	delete(r.texts, t.path) // it is looked at now, under this path or those below
	changed, _ := r.look(ctx, &l)
	out := dialect.Splice(src, l.Edits(changed))
	if doc.Parse(out, dialect.AnswerLimits) != nil {
		r.blocked = true
		return nil
	}
	return []byte(doc.Root().Text())
}

// look finds out what may go of each text of l: what went of it already, or what
// the guard lets go now. Masked are the paths of those that were changed.
func (r *relay) look(ctx context.Context, l *locator) (changed []guard.Changed, masked map[string]bool) {
	masked = map[string]bool{}
	for i, at := range l.Texts() {
		if at.Value == "" || r.blocked {
			continue
		}
		t := r.texts[at.Path]
		if t == nil || t.ch != nil || string(t.in) != at.Value {
			going := t != nil && t.ch != nil
			ch := r.open(at.Path)
			t = &text{path: at.Path, in: []byte(at.Value)}
			t.out = append(slices.Clone(ch.Write(t.in)), ch.Close(ctx)...) // what Write returns is valid until Close
			t.masked = ch.Masked()
			r.blocked = r.blocked || ch.Blocked()
			if r.size += len(t.in); r.size > maxSaid {
				r.blocked = true
			}
			if !going {
				r.texts[at.Path] = t
			}
		}
		if t.masked {
			masked[at.Path] = true
		}
		if string(t.out) != at.Value {
			changed = append(changed, guard.Changed{Index: i, Value: string(t.out)})
		}
	}
	return changed, masked
}

// edited returns an event with all that it says looked at.
func (r *relay) edited(ctx context.Context, data []byte, kind string, p place) []byte {
	root := r.doc.Root()
	about := member(strings.TrimSuffix(kind, ".done"))
	t := r.texts[p.path(about)]
	l := located()
	for key, m := range root.Members() {
		switch {
		case key == "type":
		case key == "response":
			l.response(r.req, m)
		case key == "item":
			l.item(m, p.itemPath(), ringwall.Assistant, false)
		case key == "part":
			l.part(m, p.partPath(), key, ringwall.Assistant)
		case key == "arguments" && m.Kind() == jsonedit.String:
			l.Arguments(m, p.path(key), ringwall.Assistant)
		case key == "logprobs" && m.Kind() == jsonedit.Array:
			l.probs = append(l.probs, probs{p.path(about), m})
		case t != nil && m.Is(string(t.in)):
			l.Add(m, t.path, ringwall.Assistant)
		case !grammar.Silent(key, m):
			l.rest(r.req, m, p.path(dialect.Pointer(key)), key)
		}
	}
	changed, masked := r.look(ctx, &l)
	return dialect.Splice(data, slices.Concat(l.Edits(changed), l.tokenless(masked), []jsonedit.Edit{r.numbered(root)}))
}

// remember keeps what an event says of the whole.
func (r *relay) remember(kind string, p place, data []byte) {
	doc := &r.spare
	if kind != "response.created" && kind != "response.completed" && kind != "response.incomplete" &&
		kind != "response.output_item.added" && kind != "response.output_item.done" || doc.Parse(data, dialect.AnswerLimits) != nil {
		return
	}
	root := doc.Root()
	here := func(it item) bool { return it.index == p.item }
	switch kind {
	case "response.created":
		r.head = dialect.Raw(root.Get("response"))
	case "response.completed", "response.incomplete":
		r.final = dialect.Raw(root.Get("response"))
	case "response.output_item.added":
		r.begun = append(slices.DeleteFunc(r.begun, here), item{p.item, dialect.Raw(root.Get("item"))})
	case "response.output_item.done":
		r.begun = slices.DeleteFunc(r.begun, here)
		r.items = append(slices.DeleteFunc(r.items, here), item{p.item, dialect.Raw(root.Get("item"))})
		r.said = r.said || root.Get("item").Get("type").Is("message")
	}
}

// numbered returns the edit that gives an event the next number.
func (r *relay) numbered(event jsonedit.Value) jsonedit.Edit {
	r.number++
	return event.SetMember("sequence_number", strconv.AppendInt(r.digits[:0], r.number-1, 10))
}

// frame appends an event.
func frame(dst []byte, kind string, data []byte) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, kind...)
	dst = append(dst, '\n')
	return sse.Append(dst, data)
}

// clean reports whether the type of an event is a name.
func clean(kind string) bool {
	for _, c := range []byte(kind) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.') {
			return false
		}
	}
	return kind != "" && len(kind) <= dialect.LongestName
}

// none is the Channel of a text that is held until it is whole.
type none struct{ gateway.Channel }
