package server

import (
	"maps"
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
