// Package builtin is the one place where names become things: detectors by the
// control that they serve, and dialects by the route that speaks them. Adding a
// detector or a dialect is a line here.
package builtin

import (
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Options are what the configuration says to detectors.
type Options struct {
	Words []string // inference/word
	Hosts []string // inference/link
}

// Scanners is the table of detectors by the id of the control that they serve.
var Scanners = map[string]func(Options) (stream.Scanner, error){
	attack.Control: func(Options) (stream.Scanner, error) { return attack.Scanner{}, nil },
	leak.Control:   func(Options) (stream.Scanner, error) { return &leak.Scanner{}, nil },
	link.Control:   func(o Options) (stream.Scanner, error) { return link.Scanner{Hosts: o.Hosts}, nil },
	pii.Control:    func(Options) (stream.Scanner, error) { return pii.Scanner{}, nil },
	secret.Control: func(Options) (stream.Scanner, error) { return secret.Scanner{}, nil },
	word.Control:   func(o Options) (stream.Scanner, error) { return word.New(word.List{Words: o.Words}) },
}

// Dialects is the table of dialects by the route that speaks them.
func Dialects(limits jsonedit.Limits) map[string]gateway.Dialect {
	return map[string]gateway.Dialect{
		"POST /v1/chat/completions": openai.Chat{Limits: limits},
	}
}
