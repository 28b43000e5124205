package responses

import (
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// own appends an event of our own at p; rest are its last members.
func (r *relay) own(dst []byte, p place, kind string, rest []byte) []byte {
	body := p.appendEvent(nil, kind)
	body = append(append(body, ','), rest...)
	return frame(dst, kind, r.ending(body))
}

// ending ends an event of our own with its number.
func (r *relay) ending(body []byte) []byte {
	body = append(body, `,"sequence_number":`...)
	body = strconv.AppendInt(body, r.number, 10)
	r.number++
	return append(body, '}')
}

// delta returns the members of an event that gives a piece of a text.
func (r *relay) delta(kind string, piece []byte) []byte {
	out := jsonedit.AppendQuote([]byte(`"delta":`), string(piece))
	if kind == words {
		out = append(out, `,"logprobs":[]`...)
	}
	return out
}

// words is the kind of events by which the model speaks.
const words = "response.output_text"

// speaks reports whether events of that kind are of a message.
func speaks(kind string) bool { return kind == words || kind == "response.refusal" }

// Withhold implements gateway.Relay: what is open is closed where it stands, and
// the answer is incomplete.
func (r *relay) Withhold(dst []byte, d gateway.Declined) []byte {
	r.forget()
	next := int64(0)
	for _, it := range r.items {
		next = max(next, it.index+1)
	}
	for _, it := range r.begun {
		next = max(next, it.index+1)
		dst = r.cut(dst, it)
	}
	if !r.said {
		dst = r.message(dst, next, messageID, "incomplete", d.Message)
	}
	slices.SortFunc(r.items, func(a, b item) int { return int(a.index - b.index) })
	var items []byte
	for i, it := range r.items {
		if i > 0 {
			items = append(items, ',')
		}
		items = append(items, it.raw...)
	}
	var head jsonedit.Doc
	if r.head == nil || head.Parse(r.head, dialect.AnswerLimits) != nil {
		r.final = incomplete(jsonedit.Value{}, items)
	} else {
		r.final = incomplete(head.Root(), items)
	}
	body := append([]byte(`{"type":"response.incomplete","response":`), r.final...)
	return frame(dst, "response.incomplete", r.ending(body))
}

// cut ends a message that the model had begun with what went out of it. Of what is
// no message nothing is kept.
func (r *relay) cut(dst []byte, it item) []byte {
	var doc jsonedit.Doc
	if doc.Parse(it.raw, dialect.AnswerLimits) != nil || doc.Root().Get("type").Text() != "message" {
		return dst
	}
	id := doc.Root().Get("id").Text()
	raw := append([]byte(`{"type":"message","id":`), jsonedit.AppendQuote(nil, id)...)
	raw = append(raw, `,"status":"incomplete","role":"assistant","content":[`...)
	for i := range int64(len(r.texts)) {
		p := place{item: it.index, part: i, list: "content", id: id}
		t := r.texts[p.path("text")]
		if t == nil || t.kind != words {
			break
		}
		if i > 0 {
			raw = append(raw, ',')
		}
		part := appendText(nil, string(t.out))
		raw = append(raw, part...)
		if t.ch != nil { // nobody has heard its end
			dst = r.closed(dst, p, string(t.out), part)
		}
	}
	raw = append(raw, `]}`...)
	r.items = append(r.items, item{it.index, raw})
	return r.own(dst, place{item: it.index, part: -1, id: id}, "response.output_item.done", append([]byte(`"item":`), raw...))
}

// closed appends the events that end a text and the part that it is.
func (r *relay) closed(dst []byte, p place, text string, part []byte) []byte {
	dst = r.own(dst, p, words+".done", append(jsonedit.AppendQuote([]byte(`"text":`), text), `,"logprobs":[]`...))
	return r.own(dst, p, "response.content_part.done", append([]byte(`"part":`), part...))
}

// message appends a message of our own.
func (r *relay) message(dst []byte, index int64, id, status, text string) []byte {
	p := place{item: index, part: -1, id: id}
	dst = r.own(dst, p, "response.output_item.added", []byte(`"item":{"type":"message","id":"`+id+`","status":"in_progress","role":"assistant","content":[]}`))
	p.part, p.list = 0, "content"
	dst = r.own(dst, p, "response.content_part.added", append([]byte(`"part":`), appendText(nil, "")...))
	dst = r.own(dst, p, words+".delta", r.delta(words, []byte(text)))
	dst = r.closed(dst, p, text, appendText(nil, text))
	p.part = -1
	raw := appendMessage(nil, id, status, text)
	r.items = append(r.items, item{index, raw})
	return r.own(dst, p, "response.output_item.done", append([]byte(`"item":`), raw...))
}

// Fail implements gateway.Relay. The error stands there twice: in the event's own
// members, as the API is documented, and in "error", where OpenAI's clients look for
// it and without which they take what came before for an answer.
func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	r.forget()
	body := jsonedit.AppendQuote([]byte(`{"type":"error","code":`), refusal.Code)
	body = jsonedit.AppendQuote(append(body, `,"message":`...), refusal.Public+" (reference "+id+")")
	nested := openai.Common{}.AppendError(nil, nil, refusal, id) // {"error":{…}}
	body = append(append(body, `,"param":null,`...), nested[1:len(nested)-1]...)
	return frame(dst, "error", r.ending(body))
}
