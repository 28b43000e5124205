package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Models answers GET /v1/models with the models that the configuration names,
// and those of the default provider. Errors are in the dialect d, and the list,
// where it has one of its own.
func (g *Gateway) Models(d Dialect) http.HandlerFunc {
	return g.named(d, func(x *exchange, names []string) {
		var out []byte
		if l, ok := d.(Lister); ok {
			out = l.AppendModels(nil, names)
		} else {
			out = appendModels(nil, names)
		}
		x.w.Header().Set("Content-Type", "application/json")
		x.status(http.StatusOK)
		_ = x.write(out) // who does not read it misses nothing
	})
}

// Model answers GET /v1/models/{id} with one of them.
func (g *Gateway) Model(d Dialect) http.HandlerFunc {
	return g.named(d, func(x *exchange, names []string) {
		id := x.r.PathValue("id")
		if _, there := slices.BinarySearch(names, id); !there {
			x.refuse(&ringwall.Refusal{Status: http.StatusNotFound, Code: "model_not_found", Public: fmt.Sprintf("The model %.80q does not exist or you may not use it.", id)})
			return
		}
		x.w.Header().Set("Content-Type", "application/json")
		x.status(http.StatusOK)
		_ = x.write(appendModel(nil, id)) // who does not read it misses nothing
	})
}

func appendModel(dst []byte, name string) []byte {
	dst = jsonedit.AppendQuote(append(dst, `{"id":`...), name)
	return append(dst, `,"object":"model","created":0,"owned_by":"ringwall"}`...)
}

// named has callers that are let in answered with the names of the models, sorted.
func (g *Gateway) named(d Dialect, answer func(x *exchange, names []string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := g.aside(w, r, d)
		x.world = g.take()
		defer x.world.drop()
		if err := x.enter(); err != nil {
			x.fail(err)
			return
		}
		defer x.ticket.Leave()
		ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
		defer cancel()
		if err := x.identify(ctx); err != nil {
			var known *ringwall.Refusal
			errors.As(err, &known)
			x.refuse(known)
			return
		}
		if err := x.may(ctx, ListModels); err != nil {
			x.Start, x.Route, x.Dialect = g.cfg.Now(), clip(r.URL.Path, 100), d.Name()
			x.fail(err)
			x.settle() // lists have no record, refusals do
			return
		}
		if err := x.work(ctx); err != nil {
			x.fail(err)
			return
		}
		x.ticket.Rest() // providers are asked
		names := slices.Sorted(maps.Keys(x.world.Models))
		if p := x.world.Default; p != nil {
			more, err := p.Provider.Models(ctx)
			if err != nil {
				g.cfg.Log.Warn("a provider did not list its models", "exchange", x.ID, "provider", p.Name, "error", err)
			}
			names = append(names, more...)
			slices.Sort(names)
		}
		answer(x, x.mine(ctx, slices.Compact(names)))
	}
}

// appendModels appends a list of models as OpenAI's API has it.
func appendModels(out []byte, names []string) []byte {
	out = append(out, `{"object":"list","data":[`...)
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendModel(out, name)
	}
	return append(out, `]}`...)
}

// Lister is a Dialect that lists models in a way of its own.
type Lister interface {
	// AppendModels appends the list of the models of those names to dst.
	AppendModels(dst []byte, names []string) []byte
}

// NotFound answers what no route takes, for nothing is passed through unlooked.
// Errors are in the dialect d.
func (g *Gateway) NotFound(d Dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g.aside(w, r, d).refuse(&ringwall.Refusal{
			Status: http.StatusNotFound, Code: "not_found",
			Public: "There is no " + r.Method + " " + clip(r.URL.Path, 100) + " here: see the dialects in the documentation, such as POST /v1/chat/completions, /v1/responses and /v1/messages, and GET /v1/models.",
		})
	}
}

// aside returns an exchange that asks no model.
func (g *Gateway) aside(w http.ResponseWriter, r *http.Request, d Dialect) *exchange {
	x := &exchange{g: g, d: d, w: w, rc: http.NewResponseController(w), r: r}
	x.ID = newID()
	w.Header().Set(Header, x.ID)
	return x
}
