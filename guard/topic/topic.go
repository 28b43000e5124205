// Package topic finds texts about topics that are denied by a name, a definition
// and, where there are any, examples.
//
// A topic is learned when the guardrail loads. The words of its name, definition
// and examples become terms, without those of clauses that say what does not
// belong to it; the whole becomes a direction among word vectors (package
// internal/wordvec). A text is judged sentence by sentence, all of it: how near
// the sentence is to the topic, less how near it is to the ordinary subject that
// it is nearest to (background.go), and how many of its words are terms, or are
// like one. Sentences of few words are also judged together with the one before,
// for "I have some money. What should I buy?" says more than its parts.
//
//	definition ─▶ learn ─▶ model                  of each topic
//	text ─▶ sentence.Cutter ─▶ words ─▶ direction, terms ─▶ score ─▶ Match
//
// The score is 0.5 where about one in a hundred ordinary texts would be, by what a
// topic makes of a hundred ordinary sentences when it is learned (ordinary.go). It
// says how sure the judgement is, not how bad the text is.
//
// Word vectors know English. In other languages, and where the definition is in
// another, only the words that the definition and the examples have count, by
// their beginnings; a definition must be in the language of the texts then.
//
// Start reading at [New] and model.judge.
package topic

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/sentence"
)

// Control is the id of the control that is kept here.
const Control = "inference/topic"

// Bounds on what a topic may bring.
const (
	MostTopics   = 100
	MostExamples = 100
	mostBytes    = 16 << 10 // of a definition, and of an example
)

// Topic is a topic that is denied.
type Topic struct {
	Name       string   // the reason of its findings, in kebab-case
	Title      string   // its name for people, where that says more
	Definition string   // what belongs to it
	Examples   []string // texts that belong to it
}

// Scanner looks for topics. It is safe for concurrent use.
type Scanner struct {
	models  []*model
	cursors sync.Pool
}

// New learns topics. It returns an error if there is nothing to learn from, or
// the word vectors that come with the program are damaged.
func New(topics ...Topic) (*Scanner, error) {
	k, err := known()
	if err != nil {
		return nil, fmt.Errorf("reading the word vectors: %w", err)
	}
	if len(topics) == 0 {
		return nil, errors.New("topic: there are no topics")
	}
	if len(topics) > MostTopics {
		return nil, fmt.Errorf("topic: %d topics, at most %d are looked for", len(topics), MostTopics)
	}
	s := &Scanner{}
	for _, t := range topics {
		m, err := learn(k, t)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
		s.models = append(s.models, m)
	}
	s.cursors.New = func() any { return newCursor(s, k) }
	return s, nil
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	return s.cursors.Get().(*cursor), ""
}

// Views implements stream.Viewer: topics are not spelled in numbers.
func (s *Scanner) Views() stream.Views { return stream.Decoded }

// sentenceBytes bounds a sentence, and so what a stream holds back.
const sentenceBytes = 400

// floor is the score from which on a sentence is reported.
const floor = 0.2

func newCursor(s *Scanner, k *knowledge) *cursor {
	c := &cursor{home: s, k: k, most: make([]float64, len(s.models))}
	c.cut = sentence.Cutter{Most: sentenceBytes}
	c.now, c.before, c.both = newSpeech(k, len(s.models)), newSpeech(k, len(s.models)), newSpeech(k, len(s.models))
	return c
}

// Names returns the names of the topics.
func (s *Scanner) Names() (out []string) {
	for _, m := range s.models {
		out = append(out, m.name)
	}
	return out
}

// spoken is a name as words: "investment-advice" is "investment advice".
func spoken(name string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(name) }
