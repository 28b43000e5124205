package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/rule"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// bodies are what the configuration lets bodies be said to be.
var bodies = map[string]gateway.Bodies{"json": gateway.BodiesJSON, "strict": gateway.BodiesStrict, "any": gateway.BodiesAny}

// Requests builds the rules that c has for requests, nil where it has none.
func Requests(c *config.Config) (*rule.Rules, error) {
	if len(c.Requests.Rules) == 0 {
		return nil, nil
	}
	return rule.New(c.Requests.Rules, c.Requests.Schemas, ruled())
}

// ruled are the routes whose requests are held against rules: those that are read.
func ruled() (routes []string) {
	for pattern := range maps.Keys(builtin.Dialects(jsonedit.Limits{})) {
		routes = append(routes, pathOf(pattern))
	}
	for pattern := range maps.Keys(builtin.Inquirers(jsonedit.Limits{})) {
		routes = append(routes, pathOf(pattern))
	}
	return routes
}

// pathOf returns a pattern without its method.
func pathOf(pattern string) string {
	_, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return pattern
	}
	return path
}

// rules gives w what requests must meet.
func rules(c *config.Config, w *gateway.World) error {
	w.Bodies = bodies[c.Requests.ContentType]
	made, err := Requests(c)
	if err != nil {
		return err
	}
	if made != nil {
		w.Rules = made
	}
	return nil
}

// Trial judges requests as the gateway does before it asks anybody.
type Trial struct {
	mux   *http.ServeMux
	rules *rule.Rules // nil: there are none
}

// NewTrial makes a Trial of the rules that c has for requests.
func NewTrial(c *config.Config) (*Trial, error) {
	made, err := Requests(c)
	if err != nil {
		return nil, err
	}
	t := &Trial{http.NewServeMux(), made}
	limits := jsonedit.Limits{Bytes: int(c.Limits.Body)}
	for pattern, d := range builtin.Dialects(limits) {
		t.mux.Handle(pattern, reader{pathOf(pattern), func(r *http.Request, body []byte) (gateway.Input, error) {
			d := d
			if s, ok := d.(gateway.Splitter); ok {
				d = s.Split(r)
			}
			in := gateway.Input{API: d.Name()}
			req, err := d.Read(r, body)
			if err != nil {
				return in, err
			}
			in.Model, in.Stream, in.Texts = req.Model(), req.Stream(), req.Texts()
			if p, ok := req.(gateway.Parsed); ok {
				in.Document = p.Document()
			}
			return in, nil
		}})
	}
	for pattern, q := range builtin.Inquirers(limits) {
		t.mux.Handle(pattern, reader{pathOf(pattern), func(r *http.Request, body []byte) (gateway.Input, error) {
			in := gateway.Input{API: q.Name()}
			asked, err := q.Read(r, body)
			if err != nil {
				return in, err
			}
			in.Texts = asked.Question().Prompt
			return in, nil
		}})
	}
	return t, nil
}

// reader reads requests of a route. It is a handler only to be found by its route.
type reader struct {
	route string
	read  func(r *http.Request, body []byte) (gateway.Input, error)
}

// ServeHTTP implements http.Handler.
func (rd reader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := w.(*outcome)
	in, err := rd.read(r, out.body)
	in.Route, in.Body = rd.route, out.body
	out.in, out.err = in, err
}

// outcome is what comes of reading. It is a ResponseWriter only to be handed on.
type outcome struct {
	http.ResponseWriter
	body []byte
	in   gateway.Input
	err  error
}

// ErrNoRoute reports that requests to an address are not held against rules.
var ErrNoRoute = errors.New("no such requests are held against rules")

// Judge reads a request to path and holds it against the rules. It returns the body as
// it would go on, and JSON pointers to what is lowered in it. The error is a
// *ringwall.Refusal, or wraps ErrNoRoute.
func (t *Trial) Judge(path string, body []byte) (goes []byte, lowered []string, err error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, path, nil)
	if err != nil || !strings.HasPrefix(path, "/") {
		return nil, nil, fmt.Errorf("%q: %w: want a path, such as /v1/chat/completions", path, ErrNoRoute)
	}
	if _, pattern := t.mux.Handler(r); pattern == "" {
		return nil, nil, fmt.Errorf("%s: %w: want a path, such as /v1/chat/completions", path, ErrNoRoute)
	}
	out := &outcome{body: body}
	t.mux.ServeHTTP(out, r)
	if out.err != nil || t.rules == nil {
		return body, nil, out.err
	}
	edits, lowered, err := t.rules.Check(out.in)
	if err != nil || len(edits) == 0 {
		return body, nil, err
	}
	return jsonedit.Splice(nil, out.in.Document.Source(), edits), lowered, nil
}
