package guard

import (
	"slices"

	"github.com/ringwall/ringwall"
)

// Scores returns how much the text, and what is under its disguises, looks like
// what is looked for: known once it was closed or blocked.
func (c *Channel) Scores() ringwall.Scores { return slices.Clone(c.rated()) }

// rated are the scores, valid until the Channel is freed.
func (c *Channel) rated() ringwall.Scores {
	c.rate(c.red.Scores())
	return c.scores
}

// rate adds scores that cursors gave.
func (c *Channel) rate(scores ringwall.Scores) {
	for _, s := range scores {
		c.scores = c.scores.Add(c.s.Way, s.Name, s.Value)
	}
}

// heed has a finding of a control that knows scores count as one: a rule of few
// words is as good a judge, and so is one that somebody else keeps.
func (c *Channel) heed(f *ringwall.Finding) {
	if f.Unlooked() {
		return
	}
	switch f.Control {
	case attackControl:
		c.scores = c.scores.Add(c.s.Way, ringwall.ScoreAttack, f.Score)
	case contentControl:
		if name, ok := contentScores[f.Reason]; ok {
			c.scores = c.scores.Add(c.s.Way, name, f.Score)
		}
	}
}

// The controls whose findings count as scores, and the scores of content by
// reason.
const (
	attackControl  = "inference/prompt-attack"
	contentControl = "inference/content"
)

var contentScores = map[string]string{
	"hate": ringwall.ScoreHate, "insult": ringwall.ScoreInsult, "sexual": ringwall.ScoreSexual, "violence": ringwall.ScoreViolence,
	"misconduct": ringwall.ScoreMisconduct, "self-harm": ringwall.ScoreSelfHarm,
}

// Least returns how sure a finding of a control and a reason must be in texts of
// an origin that go one way, to be one; false where nobody looks for it there.
func (g *Guard) Least(way ringwall.Direction, o ringwall.Origin, control, reason string) (float64, bool) {
	a, ok := g.on(way, o)[control]
	if !ok {
		return 0, false
	}
	return a.least(reason), true
}
