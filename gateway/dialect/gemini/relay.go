package gemini

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// maxCandidates bounds what a provider can make us hold.
const maxCandidates = 128

// framing is how the pieces of a stream stand behind one another.
type framing struct {
	array bool // as elements of a JSON array; else as server-sent events
	begun bool
}

func (f *framing) append(dst, data []byte) []byte {
	switch {
	case !f.array:
		return sse.Append(dst, data)
	case f.begun:
		dst = append(dst, ",\r\n"...)
	default:
		f.begun = true
		dst = append(dst, '[')
	}
	return append(dst, data...)
}

func (f *framing) end(dst []byte) []byte {
	switch {
	case !f.array:
		return dst
	case !f.begun:
		dst = append(dst, '[')
	}
	return append(dst, ']')
}

// relay implements gateway.Relay: the frames of a stream, re-cut.
//
// Each run of text goes through a Channel of its own, and what the Channel lets go
// takes its place in the frame; a frame that says nothing any more is dropped. A
// run ends where another kind of part begins, or the candidate ends: what its
// channel held back stands in its last part, or in a frame before.
//
// Calls come whole, and are looked at so. The log probabilities of tokens are
// left away.
type relay struct {
	framing
	open       gateway.Open
	doc        jsonedit.Doc
	head       []byte // the last frame, whose names frames of our own take over
	candidates []*candidate
	blocked    bool
	said       bool // some text went out
	edits      []jsonedit.Edit
	before     []byte // candidates of the frame that must stand before this one
	usage      ringwall.Usage
	judged

	frameBuf []byte // an edited frame
}

// candidate is the state of one candidate.
type candidate struct {
	index    int64
	path     string // its JSON pointer
	parts    int    // that there were, a run being one
	run      *run   // nil: none is open
	masked   bool
	finished bool
	sent     bool   // its end went out
	held     []byte // parts for the frame before
}

// run is text that goes on.
type run struct {
	thought bool
	ch      gateway.Channel
	last    jsonedit.Value // its last part in this frame
	in, out []byte         // what came there, and what goes out
}

// Relay implements gateway.Dialect.
func (Dialect) Relay(req gateway.Request, open gateway.Open) gateway.Relay {
	r, ok := req.(*request)
	return &relay{framing: framing{array: ok && !r.events}, open: open, judged: judged{req: r}}
}

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.usage }

func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	root := r.doc.Root()
	if e := root.Get("error"); e.Exists() && e.Kind() != jsonedit.Null {
		return dst, errors.New("reading the model's stream: the model reports an error")
	}
	candidates := root.Get("candidates")
	if candidates.Kind() != jsonedit.Array && root.Get("promptFeedback").Kind() != jsonedit.Object && root.Get("usageMetadata").Kind() != jsonedit.Object {
		return dst, errors.New("reading the model's stream: a frame has no candidates")
	}
	r.head = append(r.head[:0], data...)
	r.edits, r.before = r.edits[:0], r.before[:0]
	useful := !candidates.Exists()
	for key, v := range root.Members() {
		switch key {
		case "candidates":
		case "usageMetadata":
			r.usage = usage(root)
		default:
			useful = r.whole(ctx, nil, v, "", key) || useful
		}
	}
	for _, v := range candidates.Elems() {
		c, err := r.candidate(v)
		if err != nil {
			return dst, err
		}
		says, err := r.says(ctx, c, v)
		if err != nil {
			return dst, err
		}
		useful = useful || says
	}
	useful = r.settle(ctx) || useful
	if r.blocked {
		return dst, nil
	}
	dst = r.sendBefore(dst)
	if useful {
		r.said = true
		if len(r.edits) > 0 {
			slices.SortFunc(r.edits, dialect.ByStart)
			r.frameBuf = jsonedit.Splice(r.frameBuf[:0], data, r.edits)
			data = r.frameBuf
		}
		dst = r.append(dst, data)
	}
	for _, c := range r.candidates {
		c.sent = c.finished
	}
	return dst, nil
}

func (r *relay) candidate(v jsonedit.Value) (*candidate, error) {
	index, _ := v.Get("index").Int()
	for _, c := range r.candidates {
		if c.index == index {
			return c, nil
		}
	}
	if len(r.candidates) == maxCandidates {
		return nil, errors.New("reading the model's stream: too many candidates")
	}
	c := &candidate{index: index, path: "/candidates/" + strconv.FormatInt(index, 10)}
	r.candidates = append(r.candidates, c)
	return c, nil
}

// says replaces what a candidate says by what may go out, and reports whether that
// is anything.
func (r *relay) says(ctx context.Context, c *candidate, v jsonedit.Value) (says bool, err error) {
	from := len(r.edits)
	for key, m := range v.Members() {
		switch key {
		case "index", "finishReason", "logprobsResult":
			continue
		case "content":
		default:
			says = r.whole(ctx, c, m, c.path, key) || says
			continue
		}
		more, err := r.content(ctx, c, m)
		if err != nil {
			return says, err
		}
		says = more || says
	}
	if fin := v.Get("finishReason"); fin.Kind() == jsonedit.String {
		says = true
		r.close(ctx, c)
		c.finished = true
	}
	if c.run != nil {
		says = r.commit(c.run) || says
	}
	var gone []jsonedit.Edit
	if !c.masked && (c.run == nil || !c.run.ch.Masked()) {
		gone = tokens(v) // them alone
	} else {
		gone = giveaways(v)
	}
	if len(gone) > 0 {
		mine := without(slices.Clone(r.edits[from:]), gone)
		r.edits = append(r.edits[:from], mine...)
	}
	if len(c.held) > 0 {
		if len(r.before) > 0 {
			r.before = append(r.before, ',')
		}
		r.before = append(r.before, `{"content":{"parts":[`...)
		r.before = append(r.before, c.held...)
		r.before = append(r.before, `],"role":"model"},"index":`...)
		r.before = append(appendInt(r.before, c.index), '}')
		c.held = c.held[:0]
	}
	return says, nil
}

// content passes on what a candidate says, and reports whether that is anything.
func (r *relay) content(ctx context.Context, c *candidate, v jsonedit.Value) (says bool, err error) {
	for key, m := range v.Members() {
		if key != "parts" {
			r.whole(ctx, c, m, c.path+"/content", key)
			continue
		}
		more, err := r.parts(ctx, c, m)
		if err != nil {
			return says, err
		}
		says = more || says
	}
	return says, nil
}

// parts passes on the parts of a candidate; one object Google takes for an array of
// one.
func (r *relay) parts(ctx context.Context, c *candidate, v jsonedit.Value) (says bool, err error) {
	if v.Kind() != jsonedit.Array && v.Exists() {
		return r.part(ctx, c, v, v)
	}
	for _, part := range v.Elems() {
		more, err := r.part(ctx, c, v, part)
		if err != nil {
			return says, err
		}
		says = more || says
	}
	return says, nil
}

// part passes on a part of a list, and reports whether it says something.
func (r *relay) part(ctx context.Context, c *candidate, list, part jsonedit.Value) (says bool, err error) {
	if err := complete(part); err != nil {
		return false, err
	}
	text := part.Get("text")
	if r.judge != nil && (text.Kind() != jsonedit.String || others(part)) && member(part, "functioncall").Exists() {
		return r.asks(ctx, c, list, part)
	}
	if text.Kind() != jsonedit.String {
		r.close(ctx, c)
		path := r.next(c)
		l := located()
		l.part(part, path, ringwall.Assistant)
		r.look(ctx, c, &l)
		return true, nil
	}
	thought := part.Get("thought").True()
	if c.run != nil && c.run.thought != thought {
		says = r.close(ctx, c)
	}
	if c.run == nil {
		c.run = &run{thought: thought, ch: r.open(r.next(c) + "/text")}
	}
	says = r.commit(c.run) || says
	w := c.run
	w.last = text
	piece := text.Raw()
	if piece = piece[1 : len(piece)-1]; bytes.IndexByte(piece, '\\') >= 0 {
		piece = []byte(text.Text())
	}
	w.in = append(w.in[:0], piece...)
	w.out = append(w.out[:0], w.ch.Write(piece)...)
	r.blocked = r.blocked || w.ch.Blocked()
	more := others(part)
	if more {
		r.others(ctx, c, part)
	}
	return says || more, nil
}

// others reports whether a part with text holds anything else.
func others(part jsonedit.Value) bool {
	for key := range part.Members() {
		if key != "text" && key != "thought" {
			return true
		}
	}
	return false
}

// others looks at what else stands in a part with text.
func (r *relay) others(ctx context.Context, c *candidate, part jsonedit.Value) {
	l := located()
	for key, m := range part.Members() {
		if key != "text" && key != "thought" {
			l.ofPart(key, m, c.path+"/content/parts/"+strconv.Itoa(c.parts-1), ringwall.Assistant)
		}
	}
	r.look(ctx, c, &l)
}

// next returns the path of the next part.
func (r *relay) next(c *candidate) string {
	c.parts++
	return c.path + "/content/parts/" + strconv.Itoa(c.parts-1)
}

// commit puts what goes out into the place of what came, and reports whether
// anything goes.
func (r *relay) commit(w *run) bool {
	if !w.last.Exists() {
		return false
	}
	if !bytes.Equal(w.in, w.out) {
		r.edits = append(r.edits, w.last.Set(string(w.out)))
	}
	w.last = jsonedit.Value{}
	return len(w.out) > 0
}

// close ends the run that is open, and reports whether any of it goes out in this
// frame.
func (r *relay) close(ctx context.Context, c *candidate) bool {
	w := c.run
	if w == nil {
		return false
	}
	c.run = nil
	rest := w.ch.Close(ctx)
	r.blocked = r.blocked || w.ch.Blocked()
	c.masked = c.masked || w.ch.Masked()
	if w.last.Exists() {
		w.out = append(w.out, rest...)
		return r.commit(w)
	}
	if len(rest) > 0 {
		if len(c.held) > 0 {
			c.held = append(c.held, ',')
		}
		c.held = append(c.held, `{"text":`...)
		c.held = jsonedit.AppendQuote(c.held, string(rest))
		if w.thought {
			c.held = append(c.held, `,"thought":true`...)
		}
		c.held = append(c.held, '}')
	}
	return false
}

// whole looks at the strings of a value that comes in one piece, the member key
// of what stands at path, and reports whether there are any.
func (r *relay) whole(ctx context.Context, c *candidate, v jsonedit.Value, path, key string) (says bool) {
	if grammar.Silent(key, v) {
		return false
	}
	l := located()
	l.All(v, path+"/"+dialect.Pointer(key), key, ringwall.Assistant)
	r.look(ctx, c, &l)
	return len(l.Texts()) > 0
}

// look passes the texts that were located through channels of their own.
func (r *relay) look(ctx context.Context, c *candidate, l *locator) {
	edits, blocked := dialect.Look(ctx, &l.Locator, r.open, r.blocked)
	if r.blocked = blocked; len(edits) > 0 && c != nil {
		c.masked = true
	}
	r.edits = append(r.edits, edits...)
}

// sendBefore appends the frame that must stand before this one, if any.
func (r *relay) sendBefore(dst []byte) []byte {
	if len(r.before) == 0 {
		return dst
	}
	r.said = true
	return r.frame(dst, r.before)
}

// frame appends a frame of our own with the given candidates. Of the last frame it
// takes over only what names the stream.
func (r *relay) frame(dst, candidates []byte) []byte {
	out := append([]byte(`{"candidates":[`), candidates...)
	var doc jsonedit.Doc
	if len(r.head) == 0 || doc.Parse(r.head, dialect.AnswerLimits) != nil {
		return r.append(dst, append(out, "]}"...))
	}
	return r.append(dst, appendTail(append(out, ']'), doc.Root()))
}

func (r *relay) End(ctx context.Context, dst []byte) []byte {
	r.before = r.before[:0]
	for _, c := range r.candidates {
		r.close(ctx, c)
		if len(c.held) > 0 {
			_, _ = r.says(ctx, c, jsonedit.Value{}) // what was held alone, which is no error
		}
	}
	if r.blocked {
		return dst
	}
	return r.end(r.sendBefore(dst))
}

func (r *relay) Withhold(dst []byte, d gateway.Declined) []byte {
	message := d.Message
	if r.said {
		message = ""
	}
	var out []byte
	for _, c := range r.candidates {
		if !c.sent {
			out = appendWithheld(out, int(c.index), message)
		}
	}
	if len(out) == 0 {
		out = appendWithheld(out, 0, message)
	}
	return r.end(r.frame(dst, out))
}

func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	return r.end(r.append(dst, Dialect{}.AppendError(nil, nil, refusal, id)))
}
