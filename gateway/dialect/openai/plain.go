package openai

import (
	"context"
	"errors"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Plain is a request whose texts are strings of a document: what completions,
// embeddings and moderations have in common. It implements gateway.Request.
type Plain struct {
	dialect.Locator
	doc    jsonedit.Doc
	src    []byte
	model  jsonedit.Value
	rename string
	stream bool
}

// Document implements gateway.Parsed.
func (r *Plain) Document() jsonedit.Value { return r.doc.Root() }

// ReadPlain parses a request, and reads its model and whether it is streamed. Its
// texts are for the caller to find.
func ReadPlain(body []byte, limits jsonedit.Limits) (*Plain, jsonedit.Value, error) {
	r, root, err := ReadUnnamed(body, limits)
	if err == nil && !r.model.Exists() {
		err = dialect.Invalid(body, r.model, "model", "a string is required")
	}
	return r, root, err
}

// ReadUnnamed is ReadPlain for requests that need not name a model.
func ReadUnnamed(body []byte, limits jsonedit.Limits) (*Plain, jsonedit.Value, error) {
	r := &Plain{Locator: dialect.Locator{Grammar: grammar}, src: body}
	if err := r.doc.Parse(body, limits); err != nil {
		return nil, jsonedit.Value{}, dialect.Unparsed(err)
	}
	root := r.doc.Root()
	if root.Kind() != jsonedit.Object {
		return nil, root, dialect.Invalid(body, root, "", "an object should stand here, not %s", root.Kind())
	}
	r.model = root.Get("model")
	if r.model.Exists() && (r.model.Kind() != jsonedit.String || r.model.Text() == "") {
		return nil, root, dialect.Invalid(body, r.model, "model", "a string is required")
	}
	if r.model.Exists() && len(r.model.Raw()) > dialect.LongestName*2 {
		return nil, root, dialect.Invalid(body, r.model, "model", "the name is too long")
	}
	switch s := root.Get("stream"); s.Kind() {
	case jsonedit.Bool:
		r.stream = s.True()
	case jsonedit.Missing, jsonedit.Null:
	default:
		return nil, root, dialect.Invalid(body, s, "stream", "true or false should stand here")
	}
	return r, root, nil
}

// Prompt adds what stands at the member key: a string, or an array of strings.
// Tokens are refused, for nobody can look at them.
func (r *Plain) Prompt(v jsonedit.Value, key string) error {
	switch v.Kind() {
	case jsonedit.String:
		r.Add(v, "/"+key, ringwall.User)
		return nil
	case jsonedit.Array:
	default:
		return dialect.Invalid(r.src, v, key, "a string or an array of strings should stand here, not %s", v.Kind())
	}
	n := 0
	for i, e := range v.Elems() {
		n++
		at := key + "[" + strconv.Itoa(i) + "]"
		switch e.Kind() {
		case jsonedit.String:
			r.Add(e, "/"+key+"/"+strconv.Itoa(i), ringwall.User)
		case jsonedit.Number, jsonedit.Array:
			return dialect.Invalid(r.src, e, at, "tokens cannot be looked at, so they are not passed on: send the text itself")
		default:
			return dialect.Invalid(r.src, e, at, "a string should stand here, not %s", e.Kind())
		}
	}
	if n == 0 {
		return dialect.Invalid(r.src, v, key, "at least one string is required")
	}
	return nil
}

// Source returns the body as it was read.
func (r *Plain) Source() []byte { return r.src }

// Model implements gateway.Request.
func (r *Plain) Model() string { return r.model.Text() }

// Stream implements gateway.Request.
func (r *Plain) Stream() bool { return r.stream }

// Header implements gateway.Request.
func (r *Plain) Header() map[string]string { return nil }

// WithModel implements gateway.Request.
func (r *Plain) WithModel(name string) { r.rename = name }

// Edit implements gateway.Request.
func (r *Plain) Edit(changed []guard.Changed) []byte {
	if len(changed) == 0 && r.rename == "" {
		return r.src
	}
	edits := r.Edits(changed)
	if r.rename != "" {
		edits = append(edits, r.model.Set(r.rename))
	}
	return dialect.Splice(r.src, edits)
}

// Unstreamed is the relay of a dialect that has no streams: it lets nothing pass.
type Unstreamed struct{}

var errStream = errors.New("reading the model's stream: the API has none")

// Event implements gateway.Relay.
func (Unstreamed) Event(_ context.Context, dst, _ []byte) ([]byte, error) { return dst, errStream }

// End implements gateway.Relay.
func (Unstreamed) End(_ context.Context, dst []byte) []byte { return dst }

// Blocked implements gateway.Relay.
func (Unstreamed) Blocked() bool { return false }

// Withhold implements gateway.Relay.
func (Unstreamed) Withhold(dst []byte, _ gateway.Declined) []byte { return dst }

// Fail implements gateway.Relay.
func (Unstreamed) Fail(dst []byte, _ *ringwall.Refusal, _ string) []byte { return dst }

// Usage implements gateway.Relay.
func (Unstreamed) Usage() ringwall.Usage { return ringwall.Usage{} }

var _ gateway.Relay = Unstreamed{}

// MostTokens implements gateway.Bounded.
func (r *Plain) MostTokens() int64 {
	root := r.doc.Root()
	times := root.Get("n")
	if best := root.Get("best_of"); best.Exists() {
		times = best
	}
	return dialect.Most(times, root.Get("max_tokens"))
}

// Mute is a Plain whose answer has no tokens.
type Mute struct{ *Plain }

// MostTokens implements gateway.Bounded.
func (Mute) MostTokens() int64 { return 0 }
