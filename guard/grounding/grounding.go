// Package grounding says how well the sources of an exchange bear out what an
// answer claims, and whether the answer is to the question.
//
// The data's way: the sources are cut into sentences, read into words, names and
// numbers, and indexed by stem, once per exchange. Each sentence of the answer
// that claims something is looked up there: the few sentences that have most of
// its words are its evidence. What share of the claim they have, words of like
// meaning included, is its support; numbers, names, negations, opposites, amounts
// ("some", "all") and who did it to whom must agree, or little of it is left. The
// answer's score leans towards its worst claim, because one invented fact among
// ten true ones is an invented fact. Greetings, questions, refusals and remarks
// about the sources claim nothing.
//
// This is lexical evidence, no proof: a paraphrase in quite other words loses
// support, and an error that only knowledge of the world tells goes unseen. It is
// made for English; in other languages numbers, names and shared words count, a
// few negations, and nothing else. Sources and answer must be in one language.
//
// The texts of tool calls and of reasoning are not judged: they answer nobody.
//
// Start reading at [Detector] and judge.support.
package grounding

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sentence"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// Control is the id of the control that is kept here.
const Control = "inference/grounding"

// Reasons of findings.
const (
	Reason          = "grounding" // the sources do not bear the sentence out
	ReasonRelevance = "relevance" // the answer is not to the question
)

// Why nothing, or not everything, is looked at.
const (
	NoSources = "no-sources"
	NoQuery   = "no-query"
)

// Config configures a Detector. At least one of the thresholds is required.
type Config struct {
	Grounding float64        // an answer that scores less is a finding; 0: not looked at
	Relevance float64        // the same, of its being to the question
	Vectors   *wordvec.Table // tells words of like meaning; nil: only equal ones
}

// Detector judges answers. It is safe for concurrent use; [Detector.Begin] ties
// it to an exchange.
type Detector struct{ cfg Config }

// New returns a Detector, or an error if cfg asks for nothing or too much.
func New(cfg Config) (*Detector, error) {
	for _, v := range []float64{cfg.Grounding, cfg.Relevance} {
		if !(v >= 0 && v < 1) {
			return nil, fmt.Errorf("grounding: want thresholds from 0 to 0.99, found %v", v)
		}
	}
	if cfg.Grounding == 0 && cfg.Relevance == 0 {
		return nil, errors.New("grounding: neither a threshold of grounding nor one of relevance")
	}
	return &Detector{cfg}, nil
}

// Begin implements guard.Beginner: it returns a detector for the answers of one
// exchange, and which of its checks it lacks what it needs for. It is nil if that
// is all of them.
func (d *Detector) Begin(s guard.Session) (guard.Detector, string) {
	if s.Way == ringwall.Input {
		return nil, "answers-only"
	}
	e := &Exchange{grounding: d.cfg.Grounding, relevance: d.cfg.Relevance, vectors: d.cfg.Vectors, query: s.Query}
	for _, src := range s.Sources {
		if strings.TrimSpace(src) != "" {
			e.sources = append(e.sources, src)
		}
	}
	why := ""
	if e.relevance > 0 && strings.TrimSpace(s.Query) == "" {
		e.relevance, why = 0, NoQuery
	}
	if e.grounding > 0 && len(e.sources) == 0 {
		e.grounding, why = 0, NoSources
	}
	if e.grounding == 0 && e.relevance == 0 {
		return nil, why
	}
	return e, why
}

// Detect implements guard.Detector: without an exchange there is nothing to
// judge by.
func (d *Detector) Detect(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
	return nil, errors.New("grounding: the exchange is not known")
}

// Exchange judges the answers of one exchange. It is safe for concurrent use.
type Exchange struct {
	grounding, relevance float64
	vectors              *wordvec.Table
	query                string
	sources              []string

	mu    sync.Mutex
	index *index // made when it is first needed
}

// Judgement is what is to be said of an answer.
type Judgement struct {
	Grounding float64 // 0 to 1; 1 of an answer that claims nothing
	Relevance float64
	Claims    []Claim
}

// Claim is a sentence of an answer that claims something.
type Claim struct {
	Where   ringwall.Span
	Support float64 // 0 to 1
}

// Judge judges an answer by sources and a question. Either may be missing, and
// then says nothing against it.
func (d *Detector) Judge(ctx context.Context, query string, sources []string, answer string) (Judgement, error) {
	e := &Exchange{vectors: d.cfg.Vectors, query: query, sources: sources, grounding: 1, relevance: 1}
	if len(sources) == 0 {
		e.grounding = 0
	}
	if strings.TrimSpace(query) == "" {
		e.relevance = 0
	}
	return e.judge(ctx, answer)
}

// Detect implements guard.Detector. The score of a finding is how far the
// sentence, or the answer, is from being borne out: 1 less its support.
func (e *Exchange) Detect(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
	fs, _, err := e.Rate(ctx, text)
	return fs, err
}

// Rate implements guard.Rater. Unlike those of findings, its scores are the higher
// the better an answer is borne out.
func (e *Exchange) Rate(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, ringwall.Scores, error) {
	if !answers(text.Path) {
		return nil, nil, nil
	}
	v, err := e.judge(ctx, text.Value)
	if err != nil {
		return nil, nil, err
	}
	var fs []ringwall.Finding
	var scores ringwall.Scores
	if e.grounding > 0 {
		scores = scores.Add(ringwall.Output, ringwall.ScoreGrounding, v.Grounding)
	}
	if v.Grounding < e.grounding {
		for _, c := range v.Claims {
			if c.Support < e.grounding {
				fs = append(fs, ringwall.Finding{Control: Control, Reason: Reason, Severity: ringwall.Medium, Score: 1 - c.Support, Where: c.Where})
			}
		}
	}
	if e.relevance > 0 {
		scores = scores.Add(ringwall.Output, ringwall.ScoreRelevance, v.Relevance)
	}
	if v.Relevance < e.relevance {
		fs = append(fs, ringwall.Finding{Control: Control, Reason: ReasonRelevance, Severity: ringwall.Low, Score: 1 - v.Relevance})
	}
	return fs, scores, nil
}

// answers reports whether the text at path is read by who asked.
func answers(path string) bool {
	for _, p := range []string{"/tool_calls/", "/function_call", "/reasoning"} {
		if strings.Contains(path, p) {
			return false
		}
	}
	return true
}

// indexed returns the index, which the first to need it makes.
func (e *Exchange) indexed(ctx context.Context) (*index, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.index == nil {
		x, err := newIndex(ctx, e.sources, e.query)
		if err != nil {
			return nil, fmt.Errorf("reading the sources: %w", err)
		}
		e.index = x
	}
	return e.index, nil
}

// claimed is a claim as it was read.
type claimed struct {
	said
	where ringwall.Span
}

// judge judges an answer, or a stretch of one.
func (e *Exchange) judge(ctx context.Context, answer string) (Judgement, error) {
	x, err := e.indexed(ctx)
	if err != nil {
		return Judgement{}, err
	}
	j := &judge{x: x, near: newLikeness(e.vectors)}
	out := Judgement{Grounding: 1, Relevance: 1}
	var said []claimed
	var r reader
	lines := 0
	for start, end := range sentence.Each(answer, sentenceBytes) {
		if lines++; lines%16 == 0 && ctx.Err() != nil {
			return Judgement{}, ctx.Err()
		}
		s := r.read(answer[start:end])
		x.proper(&s)
		if !claims(&s) {
			continue
		}
		said = append(said, claimed{s, ringwall.Span{Start: start, End: end}})
		if e.grounding > 0 {
			out.Claims = append(out.Claims, Claim{ringwall.Span{Start: start, End: end}, j.support(&s)})
		}
	}
	out.Grounding = overall(out.Claims)
	if e.relevance > 0 {
		out.Relevance = j.relevance(e.query, said)
	}
	return out, nil
}

// overall is the score of an answer: mostly that of its worst claim.
func overall(claims []Claim) float64 {
	if len(claims) == 0 {
		return 1
	}
	least, sum := 1.0, 0.0
	for _, c := range claims {
		least = min(least, c.Support)
		sum += c.Support
	}
	return 0.8*least + 0.2*sum/float64(len(claims))
}
