package anthropic

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// stops are the reasons to stop, in the words of the Messages API. A model that
// refuses was stopped by a filter of the provider's.
var stops = map[string]ringwall.Stop{
	"end_turn": ringwall.StopEnd, "pause_turn": ringwall.StopEnd, "max_tokens": ringwall.StopLength,
	"model_context_window_exceeded": ringwall.StopLength, "tool_use": ringwall.StopTools,
	"stop_sequence": ringwall.StopSequence, "refusal": ringwall.StopFilter,
}

func stopWord(s ringwall.Stop, sequence string) string {
	switch s {
	case ringwall.StopLength:
		return "max_tokens"
	case ringwall.StopTools:
		return "tool_use"
	case ringwall.StopFilter, ringwall.StopRefusal:
		return "refusal"
	case ringwall.StopSequence:
		if sequence != "" {
			return "stop_sequence"
		}
	case ringwall.StopEnd:
	}
	return "end_turn"
}

func stopOf(word string) ringwall.Stop { return cmp.Or(stops[word], ringwall.StopEnd) }

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	root := doc.Root()
	content := root.Get("content")
	if content.Kind() != jsonedit.Array {
		return nil, errors.New("it has no content")
	}
	var t tokens
	t.read(root.Get("usage"))
	r := &ringwall.Reply{
		ID: root.Get("id").Text(), Model: root.Get("model").Text(), Usage: t.usage(),
		Stop: stopOf(root.Get("stop_reason").Text()), Sequence: root.Get("stop_sequence").Text(),
	}
	for _, b := range content.Elems() {
		p, err := readSaid(b)
		if err != nil {
			return nil, err
		}
		r.Parts = append(r.Parts, p)
	}
	return r, nil
}

// readSaid reads a block of an answer: of those that a request may have, what a
// model says by itself.
func readSaid(b jsonedit.Value) (ringwall.Part, error) {
	switch kind := b.Get("type").Text(); kind {
	case "text", "thinking", "redacted_thinking", "tool_use":
		parts, err := readBlock(nil, b)
		if err != nil {
			return ringwall.Part{}, err
		}
		return parts[0], nil
	default:
		return ringwall.Part{}, fmt.Errorf("the model answers with a block of type %.40q, for which others have no word", kind)
	}
}

// Shapes of what is written.
type (
	writtenReply struct {
		ID       string       `json:"id"`
		Type     string       `json:"type"`
		Role     string       `json:"role"`
		Model    string       `json:"model"`
		Content  []object     `json:"content"`
		Stop     *string      `json:"stop_reason"`
		Sequence *string      `json:"stop_sequence"`
		Usage    writtenUsage `json:"usage"`
	}
	writtenUsage struct {
		Input   int64  `json:"input_tokens"`
		Output  int64  `json:"output_tokens"`
		Cached  int64  `json:"cache_read_input_tokens"`
		Caching int64  `json:"cache_creation_input_tokens"`
		Detail  object `json:"output_tokens_details,omitempty"`
	}
	writtenStop struct {
		Stop     *string `json:"stop_reason"`
		Sequence *string `json:"stop_sequence"`
	}
)

func writeUsage(u ringwall.Usage) writtenUsage {
	w := writtenUsage{
		Input: max(0, u.InputTokens-u.CachedTokens-u.CachingTokens), Output: u.OutputTokens, Cached: u.CachedTokens, Caching: u.CachingTokens,
	}
	if u.ReasoningTokens > 0 {
		w.Detail = object{"thinking_tokens": u.ReasoningTokens}
	}
	return w
}

// writeStop writes why an answer ended, in which a part was a refusal or not.
func writeStop(s ringwall.Stop, sequence string, refused bool) writtenStop {
	if refused {
		s = ringwall.StopRefusal
	}
	w := writtenStop{Stop: new(string)}
	if *w.Stop = stopWord(s, sequence); *w.Stop == "stop_sequence" {
		w.Sequence = &sequence
	}
	return w
}

// WriteReply implements dialect.Codec.
func (Codec) WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	w := writtenReply{ID: r.ID, Type: "message", Role: "assistant", Model: c.Model, Content: []object{}, Usage: writeUsage(r.Usage)}
	refused := false
	for _, p := range r.Parts {
		if p.Kind == ringwall.PartMedia || p.Kind == ringwall.PartResult {
			return nil, errNoText
		}
		refused = refused || p.Kind == ringwall.PartRefusal
		if p.Kind == ringwall.PartReasoning {
			p.Signature = cmp.Or(p.Signature, unsigned)
		}
		b, err := writePart(p)
		if err != nil {
			return nil, fmt.Errorf("the model answers with %w", err)
		}
		if b == nil {
			continue
		}
		if p.Kind == ringwall.PartCall {
			b["id"] = p.Call.ID
		}
		w.Content = append(w.Content, b)
	}
	s := writeStop(r.Stop, r.Sequence, refused)
	w.Stop, w.Sequence = s.Stop, s.Sequence
	return json.Marshal(w)
}

var errNoText = errors.New("the model answers with what is no text")
