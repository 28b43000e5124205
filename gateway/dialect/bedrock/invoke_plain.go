package bedrock

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
)

// plain is the relay of families whose events are all alike: a string at one place
// goes on in the string at the same place of the next event. So it is with all
// models of Bedrock whose answer is a text, known or not.
type plain struct {
	family  family
	open    gateway.Open
	named   guardrail
	did     func() gateway.Declined
	doc     jsonedit.Doc
	texts   []*going
	edits   []jsonedit.Edit
	blocked bool
	usage   ringwall.Usage
	judged
}

// going is a text that goes on from event to event.
type going struct {
	path  string
	ch    gateway.Channel
	last  []byte // the last event in which it went on
	ended bool
}

// Tell implements gateway.Telling.
func (p *plain) Tell(did func() gateway.Declined) { p.did = did }

func (p *plain) Blocked() bool         { return p.blocked }
func (p *plain) Usage() ringwall.Usage { return p.usage }

// Event implements gateway.Relay.
func (p *plain) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := p.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	root := p.doc.Root()
	if root.Kind() != jsonedit.Object {
		return dst, errors.New("reading the model's stream: an event is no object")
	}
	if p.judge != nil && len(wishes(root, nil)) > 0 {
		// In pieces of which nobody here knows the whole.
		return dst, errors.New("reading the model's stream: the model calls a tool in words that cannot be judged in a stream; ask for a whole answer")
	}
	p.usage = counted(p.usage, root)
	last := root.Get("stop_reason").Kind() == jsonedit.String || root.Get("completionReason").Kind() == jsonedit.String
	p.edits = p.edits[:0]
	if err := p.walk(ctx, root, "", "", last, data); err != nil {
		return dst, err
	}
	if p.blocked {
		return dst, nil
	}
	if last {
		p.edits = append(p.edits, actionEdits(root, p.named, p.did)...)
	}
	if len(p.edits) > 0 {
		data = dialect.Splice(data, p.edits)
	}
	return appendChunk(dst, data), nil
}

// walk passes every text under v through the Channel of its place.
func (p *plain) walk(ctx context.Context, v jsonedit.Value, path, key string, last bool, data []byte) error {
	switch v.Kind() {
	case jsonedit.Object:
		for k, m := range v.Members() {
			if path == "" && last && p.named.ours(k, true) {
				continue
			}
			if err := p.walk(ctx, m, path+"/"+dialect.Pointer(k), k, last, data); err != nil {
				return err
			}
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			if err := p.walk(ctx, e, path+"/"+strconv.Itoa(i), key, last, data); err != nil {
				return err
			}
		}
	case jsonedit.String:
		l := invokeLocated()
		if l.Grammar.IsName(key, v) {
			return nil
		}
		t, err := p.at(path)
		if err != nil {
			return err
		}
		out := slices.Clone(t.ch.Write([]byte(v.Text())))
		if last {
			out = append(out, t.ch.Close(ctx)...)
			t.ended = true
		} else {
			t.last = append(t.last[:0], data...)
		}
		p.blocked = p.blocked || t.ch.Blocked()
		if !bytes.Equal(out, []byte(v.Text())) {
			p.edits = append(p.edits, v.Set(string(out)))
		}
	}
	return nil
}

func (p *plain) at(path string) (*going, error) {
	for _, t := range p.texts {
		if t.path == path && !t.ended {
			return t, nil
		}
	}
	if len(p.texts) == maxBlocks {
		return nil, errors.New("reading the model's stream: too many texts")
	}
	t := &going{path: path, ch: p.open(path)}
	p.texts = append(p.texts, t)
	return t, nil
}

// End implements gateway.Relay: what was held back goes out in events like the last
// ones that said something there, and say nothing else now.
func (p *plain) End(ctx context.Context, dst []byte) []byte {
	before := len(dst)
	for _, t := range p.texts {
		if t.ended {
			continue
		}
		t.ended = true
		rest := string(t.ch.Close(ctx))
		p.blocked = p.blocked || t.ch.Blocked()
		if rest == "" || p.doc.Parse(t.last, dialect.AnswerLimits) != nil {
			continue
		}
		p.edits = p.edits[:0]
		p.only(p.doc.Root(), "", "", t.path, rest)
		dst = appendChunk(dst, dialect.Splice(t.last, p.edits))
	}
	if p.blocked {
		return dst[:before]
	}
	return dst
}

// only makes s of the text at a place, and nothing of all others.
func (p *plain) only(v jsonedit.Value, path, key, at, s string) {
	switch v.Kind() {
	case jsonedit.Object:
		for k, m := range v.Members() {
			p.only(m, path+"/"+dialect.Pointer(k), k, at, s)
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			p.only(e, path+"/"+strconv.Itoa(i), key, at, s)
		}
	case jsonedit.String:
		if l := invokeLocated(); !l.Grammar.IsName(key, v) {
			if path != at {
				s = ""
			}
			p.edits = append(p.edits, v.Set(s))
		}
	}
}

// Withhold implements gateway.Relay.
func (p *plain) Withhold(dst []byte, d gateway.Declined) []byte {
	if p.family == titan { // whose chunks are no results
		o := object{"outputText": d.Message, "index": 0, "totalOutputTextTokenCount": p.usage.OutputTokens, "inputTextTokenCount": p.usage.InputTokens, "completionReason": "CONTENT_FILTERED"}
		return appendChunk(dst, marshal(actionOf(o, p.named, d)))
	}
	return appendChunk(dst, withheldBy(p.family, p.usage, p.named, d))
}

// Fail implements gateway.Relay.
func (p *plain) Fail(dst []byte, r *ringwall.Refusal, id string) []byte {
	return appendFailure(dst, r, id)
}
