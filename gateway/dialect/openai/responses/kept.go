package responses

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// KeptRoutes are the routes of [Kept].
var KeptRoutes = []string{"GET /v1/responses/{id}", "DELETE /v1/responses/{id}", "GET /v1/responses/{id}/input_items"}

// Kept gives callers the answers that they got before, as they read them, and what
// these were answers to, as it was sent on. It gives nobody another's. What only the
// provider keeps is not given: nobody would look at it.
type Kept struct {
	openai.Common
	Memory gateway.Memory
}

var _ gateway.Errands = Kept{}

// Name implements gateway.Errands.
func (Kept) Name() string { return API }

// Do implements gateway.Errands.
func (k Kept) Do(ctx context.Context, r *http.Request, _ []byte, p ringwall.Principal) (status int, answer []byte, err error) {
	id, owner := r.PathValue("id"), gateway.Owner(p)
	if r.URL.Query().Get("stream") == "true" {
		return 0, nil, dialect.Invalid(nil, jsonedit.Value{}, "stream", "an answer that is kept is given whole")
	}
	said, err := k.Memory.Recall(ctx, owner, id)
	if err != nil || said.Answer == nil {
		return 0, nil, unkept(id, err)
	}
	switch {
	case r.Method == http.MethodDelete:
		if err := k.Memory.Forget(ctx, owner, id); err != nil {
			return 0, nil, unkept(id, err)
		}
		answer, err = json.Marshal(struct {
			ID      string `json:"id"`
			Object  string `json:"object"`
			Deleted bool   `json:"deleted"`
		}{id, "response", true})
	case strings.HasSuffix(r.URL.Path, "/input_items"):
		answer, err = page(said.Asked, r)
	default:
		answer = said.Answer
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, answer, nil
}

// unkept is the refusal of what is not kept here for the caller.
func unkept(id string, err error) error {
	if err != nil && !errors.Is(err, gateway.ErrForgotten) && !errors.Is(err, gateway.ErrForeign) {
		return &ringwall.Refusal{
			Status: http.StatusServiceUnavailable, Code: "memory_unavailable", Public: "What was said before cannot be read at the moment.",
			Err: fmt.Errorf("%w: %w", ringwall.ErrUnavailable, err),
		}
	}
	why := " is not kept here for you."
	if err == nil {
		why = " is kept by the provider alone, whose answers are not guarded here when they are fetched later."
	}
	return &ringwall.Refusal{
		Status: http.StatusNotFound, Code: "response_not_found", Public: fmt.Sprintf("The response %.80q%s", id, why), Err: cmp.Or(err, gateway.ErrForgotten),
	}
}

const (
	pageItems = 20 // by default
	mostItems = 100
)

// page returns a part of the items of an input, the last first unless the request
// asks for another order. Items that have no id are named by their place.
func page(items []byte, r *http.Request) ([]byte, error) {
	q := r.URL.Query()
	limit := pageItems
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostItems {
			return nil, dialect.Invalid(nil, jsonedit.Value{}, "limit", "want a number from 1 to %d", mostItems)
		}
		limit = n
	}
	order := cmp.Or(q.Get("order"), "desc")
	if order != "asc" && order != "desc" {
		return nil, dialect.Invalid(nil, jsonedit.Value{}, "order", "want asc or desc")
	}
	var doc jsonedit.Doc
	if err := doc.Parse(slices.Concat([]byte{'['}, items, []byte{']'}), dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading what was kept: %w", err)
	}
	var data []json.RawMessage
	var ids []string
	for i, v := range doc.Root().Elems() {
		id, raw := v.Get("id").Text(), v.Raw()
		if id == "" && v.Kind() == jsonedit.Object {
			id = "item_" + strconv.Itoa(i)
			at := v.SetMember("id", jsonedit.AppendQuote(nil, id))
			start, _ := v.Span()
			at.Start, at.End = at.Start-start, at.End-start
			raw = jsonedit.Splice(nil, raw, []jsonedit.Edit{at})
		}
		data, ids = append(data, raw), append(ids, id)
	}
	if order == "desc" {
		slices.Reverse(data)
		slices.Reverse(ids)
	}
	if after := q.Get("after"); after != "" {
		i := slices.Index(ids, after)
		if i < 0 {
			return nil, dialect.Invalid(nil, jsonedit.Value{}, "after", "there is no item %.80q", after)
		}
		data, ids = data[i+1:], ids[i+1:]
	}
	more := len(data) > limit
	data, ids = data[:min(limit, len(data))], ids[:min(limit, len(ids))]
	out := struct {
		Object string            `json:"object"`
		Data   []json.RawMessage `json:"data"`
		First  *string           `json:"first_id"`
		Last   *string           `json:"last_id"`
		More   bool              `json:"has_more"`
	}{Object: "list", Data: data, More: more}
	if len(ids) > 0 {
		out.First, out.Last = &ids[0], &ids[len(ids)-1]
	} else {
		out.Data = []json.RawMessage{}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return b, nil
}
