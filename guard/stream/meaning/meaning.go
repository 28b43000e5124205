// Package meaning lets a model of package textmodel look at texts as they come:
// block by block, to the end, however long a text is.
//
// A [Scanner] reports each block whose window looks like something, and has a score
// for the text, which is that of its worst window. What the outputs of the model
// mean is its user's business ([Config.Tell]). Of a text that comes, the block that
// is not complete is held back: [textmodel.Block] pieces, some 200 bytes of prose.
//
// A long text has many windows, each of which may be mistaken, so what counts in its
// later ones is a little more than in the first: else every book would be an attack.
package meaning

import (
	"fmt"
	"math"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// Config says what to make of a model.
type Config struct {
	Model *textmodel.Model
	// Scores are the names of the scores, by output; "" for an output that has none.
	Scores []string
	// Tell says of a window what it looks like: scores are by output, 0 to 1.
	Tell func(sc stream.Scope, scores []float64, report func(reason string, score float64))
	// Skip says, in kebab-case, why texts of such a scope are not looked at; "" for
	// those that are. Nil looks at all.
	Skip func(stream.Scope) string
}

// Scanner is a stream.Scanner.
type Scanner struct {
	cfg     Config
	cursors sync.Pool
}

// New returns a Scanner.
func New(cfg Config) *Scanner {
	s := &Scanner{cfg: cfg}
	s.cursors.New = func() any {
		c := &cursor{s: s, text: cfg.Model.Begin(), scores: make([]float64, len(cfg.Scores)), most: make([]float64, len(cfg.Scores))}
		c.judge, c.report = c.judged, c.reported
		return c
	}
	return s
}

// Load reads the weights of a model, which is called what in errors and has so many
// outputs.
func Load(what string, weights []byte, outputs int) (*textmodel.Model, error) {
	words, err := wordvec.Default()
	if err != nil {
		return nil, err
	}
	m, err := textmodel.Load(weights, words)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if n := len(m.Info.Outputs); n != outputs {
		return nil, fmt.Errorf("%s: %w: %d outputs, want %d", what, textmodel.ErrAsset, n, outputs)
	}
	return m, nil
}

// The scores from which on a judgement is of low, medium and high confidence, in
// Bedrock's words: 2 %, 0.5 % and 0.1 % of harmless texts reach them.
const (
	Low    = 0.3
	Medium = 0.5
	High   = 0.8
)

// Least is the score from which on windows are worth reporting: lower than any
// threshold that a budget of false positives may choose.
const Least = 0.05

// Severity returns how bad a window of such a score is.
func Severity(score float64) ringwall.Severity {
	switch {
	case score >= High:
		return ringwall.High
	case score >= Medium:
		return ringwall.Medium
	}
	return ringwall.Low
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(sc stream.Scope) (stream.Cursor, string) {
	if s.cfg.Skip != nil {
		if why := s.cfg.Skip(sc); why != "" {
			return nil, why
		}
	}
	c := s.cursors.Get().(*cursor)
	c.scope = sc
	c.text.Reset(sc.Origin.Untrusted())
	return c, ""
}

// cursor implements stream.Cursor and stream.Scorer.
type cursor struct {
	s      *Scanner
	scope  stream.Scope
	text   *textmodel.Cursor
	scores []float64 // of a window
	most   []float64 // of the text
	blocks int

	start, end int // of the block
	found      func(stream.Match)
	judge      func(textmodel.Judgement)
	report     func(reason string, score float64)
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	clear(c.most)
	c.scope, c.blocks, c.found = stream.Scope{}, 0, nil
	c.s.cursors.Put(c)
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	c.found = found
	safe := c.text.Read(w.Folded, w.Base, w.Final, c.judge)
	c.found = nil
	if w.Final {
		return w.End()
	}
	return safe
}

func (c *cursor) judged(j textmodel.Judgement) {
	c.start, c.end = j.Start, j.End
	less := Discount(c.blocks)
	c.blocks++
	for o := range c.scores {
		c.scores[o] = Score(&c.s.cfg.Model.Info.Outputs[o], float64(j.Logits[o])-less, j.Strange)
		c.most[o] = max(c.most[o], c.scores[o])
	}
	c.s.cfg.Tell(c.scope, c.scores, c.report)
}

func (c *cursor) reported(reason string, score float64) {
	c.found(stream.Match{Start: c.start, End: c.end, Reason: reason, Severity: Severity(score), Score: score})
}

// doubt is what is left of the score of a window in words that say little to the
// model: other languages, codes and numbers, placeholders, a word said again and
// again. Of what it cannot read it is never as sure.
const doubt = 0.8

// Score returns what the logit of a window means.
func Score(o *textmodel.Output, logit float64, strange bool) float64 {
	if strange {
		return doubt * o.Score(logit, true)
	}
	return o.Score(logit, false)
}

// Discount is what is taken off the logits of the n-th block of a text, counted
// from 0.
func Discount(n int) float64 { return 0.15 * math.Log1p(float64(n)/16) }

// Scores implements stream.Scorer.
func (c *cursor) Scores(yield func(name string, score float64)) {
	for o, name := range c.s.cfg.Scores {
		if name != "" {
			yield(name, c.most[o])
		}
	}
}
