// Package builtin is the one place where names become things: detectors by the
// control that they serve, and dialects by the route that speaks them. Adding a
// detector or a dialect is a line here; [Guard] puts a whole guardrail together.
package builtin

import (
	"fmt"
	"slices"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/gateway/dialect/guardapi"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
	"github.com/ringwall/ringwall/gateway/dialect/openai/embeddings"
	"github.com/ringwall/ringwall/gateway/dialect/openai/moderations"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/content"
	"github.com/ringwall/ringwall/guard/grounding"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/injection"
	"github.com/ringwall/ringwall/guard/known"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/limit"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/topic"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// Scanners is the table of detectors by the id of the control that they serve:
// those that a guardrail asks for, none if it asks for nothing.
var Scanners = map[string]func(*guardrail.Spec) ([]stream.Scanner, error){
	attack.Control: func(*guardrail.Spec) ([]stream.Scanner, error) {
		c, err := attack.Classifier()
		return []stream.Scanner{attack.Scanner{}, c}, err
	},
	content.Control: func(*guardrail.Spec) ([]stream.Scanner, error) {
		c, err := content.Scanner()
		return []stream.Scanner{c}, err
	},
	injection.Control: func(s *guardrail.Spec) ([]stream.Scanner, error) {
		return []stream.Scanner{injection.Scanner{Floor: s.Code.Least}}, nil
	},
	leak.Control:  func(*guardrail.Spec) ([]stream.Scanner, error) { return []stream.Scanner{&leak.Scanner{}}, nil },
	limit.Control: limits,
	link.Control: func(s *guardrail.Spec) ([]stream.Scanner, error) {
		l := link.Scanner{Hosts: s.Link.Hosts, Deny: s.Link.Deny, Only: s.Link.Only}
		return []stream.Scanner{l}, l.Check()
	},
	pii.Control: personal,
	secret.Control: func(s *guardrail.Spec) ([]stream.Scanner, error) {
		return listed("known secret", known.Secret, s.Secret.Known, secret.Scanner{})
	},
	topic.Control: topics,
	word.Control:  words,
}

// Detectors is the table of detectors that look at whole texts, by the id of the
// control that they serve: those that a guardrail asks for, nil if it asks for
// nothing.
var Detectors = map[string]func(*guardrail.Spec) (guard.Detector, error){
	grounding.Control: grounds,
}

// listed adds to a scanner one for values that the guardrail names.
func listed(what string, kind known.Kind, refs []strictyaml.Secret, beside stream.Scanner) ([]stream.Scanner, error) {
	if len(refs) == 0 {
		return []stream.Scanner{beside}, nil
	}
	var cfg known.Config
	for i, ref := range refs {
		value, err := ref.Reveal()
		if err != nil {
			return nil, fmt.Errorf("reading the %s %d: %w", what, i, err)
		}
		cfg.Values = append(cfg.Values, known.Value{Name: fmt.Sprintf("%s %d", what, i), Text: known.Text(value), Kind: kind})
	}
	s, err := known.New(cfg)
	if err != nil {
		return nil, err
	}
	return []stream.Scanner{s, beside}, nil
}

// limits looks for texts that are too long, that only repeat themselves, and
// that are in another language than is allowed.
func limits(s *guardrail.Spec) ([]stream.Scanner, error) {
	long := limit.Length{Chars: s.Limit.Characters, Tokens: s.Limit.Tokens, Repeats: s.Limit.Repeats}
	out := []stream.Scanner{long}
	if len(s.Limit.Languages) == 0 {
		return out, long.Check()
	}
	only, err := limit.NewLanguages(s.Limit.Languages...)
	if err != nil {
		return nil, err
	}
	return append(out, only), long.Check()
}

// personal looks for personal data, and for what recognizers describe.
func personal(s *guardrail.Spec) ([]stream.Scanner, error) {
	names, err := person.New()
	if err != nil {
		return nil, err
	}
	out := []stream.Scanner{pii.Scanner{}, names}
	if len(s.PII.Recognizers) == 0 {
		return out, nil
	}
	var cfg pattern.Config
	for _, r := range s.PII.Recognizers {
		one := pattern.Recogniser{
			Name: r.Name, Words: r.Words, Context: r.Context, ContextRequired: r.NeedContext, Allow: r.Allow, Checksum: r.Checksum,
		}
		for _, p := range r.Patterns {
			one.Patterns = append(one.Patterns, pattern.Pattern{Regex: p.Regex, Score: p.Score})
		}
		cfg.Recognisers = append(cfg.Recognisers, one)
	}
	own, err := pattern.New(cfg)
	if err != nil {
		return nil, err
	}
	return append(out, own), nil
}

// topics looks for denied topics.
func topics(s *guardrail.Spec) ([]stream.Scanner, error) {
	if len(s.Topic.Topics) == 0 {
		return nil, nil
	}
	var denied []topic.Topic
	for _, t := range s.Topic.Topics {
		denied = append(denied, topic.Topic{Name: t.Name, Title: t.Title, Definition: t.Definition, Examples: t.Examples})
	}
	sc, err := topic.New(denied...)
	if err != nil {
		return nil, err
	}
	return []stream.Scanner{sc}, nil
}

// grounds holds answers against their sources and their question.
func grounds(s *guardrail.Spec) (guard.Detector, error) {
	if s.Grounding.Grounding == 0 && s.Grounding.Relevance == 0 {
		return nil, nil
	}
	vectors, err := wordvec.Default()
	if err != nil {
		return nil, err
	}
	return grounding.New(grounding.Config{Grounding: s.Grounding.Grounding, Relevance: s.Grounding.Relevance, Vectors: vectors})
}

// words looks for listed words.
func words(s *guardrail.Spec) ([]stream.Scanner, error) {
	lists := []word.List{{Words: s.Word.Words}}
	for _, l := range s.Word.Lists {
		lists = append(lists, word.List{Name: l.Name, Words: l.Words, Inflect: l.Inflection, Disguise: l.Obfuscated, Within: l.Within})
	}
	if slices.Contains(s.Word.Managed, "profanity") {
		lists = append(lists, word.Profanity()...)
	}
	w, err := word.New(lists...)
	if err != nil {
		return nil, err
	}
	return []stream.Scanner{w}, nil
}

// Dialects is the table of dialects by the route that speaks them.
func Dialects(limits jsonedit.Limits) map[string]gateway.Dialect {
	azure := func(d gateway.Dialect) openai.Azure { return openai.Azure{Dialect: d, Limits: limits} }
	messages, counting := anthropic.New(limits)
	return map[string]gateway.Dialect{
		"POST /api/chat":                                         ollama.Dialect{Limits: limits},
		"POST /api/generate":                                     ollama.Dialect{Limits: limits, Generate: true},
		"POST /v1/models/{call}":                                 gemini.Dialect{Limits: limits},
		"POST /v1beta/models/{call}":                             gemini.Dialect{Limits: limits},
		"POST /v1/messages":                                      messages,
		"POST /v1/messages/count_tokens":                         counting,
		"POST /v1/chat/completions":                              openai.Chat{Limits: limits},
		"POST /model/{modelId}/converse":                         bedrock.Converse{Limits: limits},
		"POST /model/{modelId}/converse-stream":                  bedrock.Converse{Limits: limits},
		"POST /model/{modelId}/count-tokens":                     bedrock.Count{Limits: limits},
		"POST /model/{modelId}/invoke":                           bedrock.Invoke{Limits: limits},
		"POST /model/{modelId}/invoke-with-response-stream":      bedrock.Invoke{Limits: limits},
		"POST /openai/deployments/{deployment}/chat/completions": azure(openai.Chat{Limits: limits}),
		"POST /openai/deployments/{deployment}/completions":      azure(completions.Dialect{Limits: limits}),
		"POST /openai/deployments/{deployment}/embeddings":       azure(embeddings.Dialect{Limits: limits}),
		"POST /openai/responses":                                 azure(responses.Dialect{Limits: limits}),
		"POST /openai/v1/chat/completions":                       azure(openai.Chat{Limits: limits}),
		"POST /openai/v1/completions":                            azure(completions.Dialect{Limits: limits}),
		"POST /openai/v1/embeddings":                             azure(embeddings.Dialect{Limits: limits}),
		"POST /openai/v1/responses":                              azure(responses.Dialect{Limits: limits}),
		"POST /v1/completions":                                   completions.Dialect{Limits: limits},
		"POST /v1/embeddings":                                    embeddings.Dialect{Limits: limits},
		"POST /v1/responses":                                     responses.Dialect{Limits: limits},
	}
}

// Inquirers is the table of APIs that ask the guard and no model, by the route that
// speaks them.
func Inquirers(limits jsonedit.Limits) map[string]gateway.Inquirer {
	out := guardapi.APIs(limits)
	out["POST /v1/moderations"] = moderations.Dialect{Limits: limits}
	return out
}

// Unguarded are paths of APIs that nobody looks at here: requests to them are
// refused by name, unless the configuration has them passed on. One that ends in a
// slash takes all below it.
var Unguarded = []string{
	"/v1/assistants", "/v1/assistants/", "/v1/audio/", "/v1/batches", "/v1/batches/", "/v1/containers", "/v1/containers/",
	"/v1/conversations", "/v1/conversations/", "/v1/evals", "/v1/evals/", "/v1/files", "/v1/files/", "/v1/fine_tuning/",
	"/v1/images/", "/v1/messages/batches", "/v1/messages/batches/", "/v1/realtime", "/v1/realtime/", "/v1/responses/{id}", "/v1/responses/{id}/{what}", "/v1/chat/completions/{id}", "/v1/chat/completions/{id}/{what}", "/v1/threads", "/v1/threads/",
	"/v1/uploads", "/v1/uploads/", "/v1/vector_stores", "/v1/vector_stores/", "/v1/videos", "/v1/videos/",
}
