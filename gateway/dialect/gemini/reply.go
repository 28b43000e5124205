package gemini

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// stops are the reasons to stop, in the words of Gemini.
var stops = map[string]ringwall.Stop{
	"STOP": ringwall.StopEnd, "MAX_TOKENS": ringwall.StopLength, "OTHER": ringwall.StopEnd, "FINISH_REASON_UNSPECIFIED": ringwall.StopEnd,
	"SAFETY": ringwall.StopFilter, "RECITATION": ringwall.StopFilter, "LANGUAGE": ringwall.StopFilter, "BLOCKLIST": ringwall.StopFilter,
	"PROHIBITED_CONTENT": ringwall.StopFilter, "SPII": ringwall.StopFilter, "IMAGE_SAFETY": ringwall.StopFilter,
	"IMAGE_PROHIBITED_CONTENT": ringwall.StopFilter, "IMAGE_RECITATION": ringwall.StopFilter,
}

func stopWord(s ringwall.Stop) string {
	switch s {
	case ringwall.StopLength:
		return "MAX_TOKENS"
	case ringwall.StopFilter, ringwall.StopRefusal:
		return "SAFETY"
	case ringwall.StopEnd, ringwall.StopTools, ringwall.StopSequence:
	}
	return "STOP"
}

// replyReader reads an answer, whole or piece by piece.
type replyReader struct {
	id, model string
	calls     int
	stop      ringwall.Stop
	stopped   bool
	usage     ringwall.Usage
}

// read calls part for each part of an answer.
func (r *replyReader) read(root jsonedit.Value, part func(ringwall.Part)) error {
	if e := root.Get("error"); e.Exists() && e.Kind() != jsonedit.Null {
		return errors.New("the model reports an error")
	}
	if id := root.Get("responseId").Text(); id != "" {
		r.id = id
	}
	if model := root.Get("modelVersion").Text(); model != "" {
		r.model = model
	}
	if root.Get("usageMetadata").Exists() {
		r.usage = usage(root)
	}
	if blocked := root.Get("promptFeedback").Get("blockReason"); blocked.Kind() == jsonedit.String {
		r.stopped, r.stop = true, ringwall.StopFilter
	}
	for _, c := range root.Get("candidates").Elems() {
		if i, _ := c.Get("index").Int(); i != 0 {
			continue // it was asked for one
		}
		for _, v := range each(c.Get("content").Get("parts"), "") {
			p, err := r.part(v)
			if err != nil {
				return err
			}
			part(p)
		}
		if fin := c.Get("finishReason"); fin.Kind() == jsonedit.String {
			stop, known := stops[fin.Text()]
			if !known {
				return fmt.Errorf("it ends with %.40q", fin.Text())
			}
			if r.stop, r.stopped = stop, true; stop == ringwall.StopEnd && r.calls > 0 {
				r.stop = ringwall.StopTools
			}
		}
	}
	return nil
}

func (r *replyReader) part(v jsonedit.Value) (p ringwall.Part, err error) {
	if err := complete(v); err != nil {
		return p, err
	}
	if f := v.Get("functionCall"); f.Exists() {
		p.Kind, p.Call = ringwall.PartCall, readCall(f)
		if p.Call.ID == "" {
			p.Call.ID = dialect.CallID(r.id, r.calls, p.Call.Name, p.Call.Arguments)
		}
		r.calls++
		return p, nil
	}
	if m := v.Get("inlineData"); m.Exists() {
		mime := m.Get("mimeType").Text()
		p.Kind, p.Media = ringwall.PartMedia, &ringwall.Media{Kind: kindOf(mime), MIME: mime, Data: standard(m.Get("data").Text())}
		return p, nil
	}
	for key := range v.Members() {
		switch key {
		case "text", "thought", "thoughtSignature", "videoMetadata", "partMetadata":
		default:
			return p, fmt.Errorf("it says a part with %.40q", key)
		}
	}
	p.Text = v.Get("text").Text()
	if v.Get("thought").True() {
		p.Kind, p.Signature = ringwall.PartReasoning, v.Get("thoughtSignature").Text()
	}
	return p, nil
}

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	var r replyReader
	out := &ringwall.Reply{}
	err := r.read(doc.Root(), func(p ringwall.Part) {
		n := len(out.Parts) - 1
		if n >= 0 && out.Parts[n].Kind == p.Kind && (p.Kind == ringwall.PartText || p.Kind == ringwall.PartReasoning) {
			out.Parts[n].Text += p.Text
			out.Parts[n].Signature += p.Signature
			return
		}
		if p.Kind != ringwall.PartText || p.Text != "" {
			out.Parts = append(out.Parts, p)
		}
	})
	if err == nil && !r.stopped {
		err = errors.New("it ends without a reason")
	}
	out.ID, out.Model, out.Stop, out.Usage = r.id, r.model, r.stop, r.usage
	return out, err
}

// Shapes of what is written.
type (
	genReply struct {
		Candidates []genCandidate `json:"candidates"`
		Usage      *genUsage      `json:"usageMetadata,omitempty"`
		Model      string         `json:"modelVersion,omitempty"`
		ID         string         `json:"responseId,omitempty"`
	}
	genCandidate struct {
		Content *genContent `json:"content,omitempty"`
		Finish  string      `json:"finishReason,omitempty"`
		Index   int         `json:"index"`
	}
	genUsage struct {
		Prompt   int64 `json:"promptTokenCount"`
		Said     int64 `json:"candidatesTokenCount"`
		Total    int64 `json:"totalTokenCount"`
		Cached   int64 `json:"cachedContentTokenCount,omitempty"`
		Thoughts int64 `json:"thoughtsTokenCount,omitempty"`
	}
)

func writeUsage(u ringwall.Usage) *genUsage {
	return &genUsage{
		Prompt: u.InputTokens, Said: u.OutputTokens - u.ReasoningTokens, Total: u.InputTokens + u.OutputTokens,
		Cached: u.CachedTokens, Thoughts: u.ReasoningTokens,
	}
}

// writeSaid writes a part of an answer; none for what only its own provider can
// read.
func writeSaid(p ringwall.Part) (parts []genPart, err error) {
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		return []genPart{{Text: &p.Text}}, nil
	case ringwall.PartReasoning:
		return []genPart{{Text: &p.Text, Thought: true}}, nil
	case ringwall.PartCall:
		call, err := writeCall(p.Call)
		if err != nil {
			return nil, fmt.Errorf("reading the arguments of a call: %w", err)
		}
		return []genPart{{Call: call}}, nil
	case ringwall.PartMedia:
		media, err := writeMedia(p.Media)
		return []genPart{media}, err
	case ringwall.PartRedacted:
		return nil, nil
	case ringwall.PartResult:
	}
	return nil, errors.New("the model answers with the result of a tool")
}

// WriteReply implements dialect.Codec.
func (Codec) WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	content := &genContent{Parts: []genPart{}, Role: "model"}
	for _, p := range r.Parts {
		parts, err := writeSaid(p)
		if err != nil {
			return nil, err
		}
		content.Parts = append(content.Parts, parts...)
	}
	return json.Marshal(genReply{
		Candidates: []genCandidate{{Content: content, Finish: stopWord(r.Stop)}}, Usage: writeUsage(r.Usage), Model: c.Model, ID: r.ID,
	})
}
