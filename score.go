package ringwall

import (
	"math"
	"slices"
	"strings"
)

// Score says how much texts that go one way look like something, from 0, not at
// all, to 1. It is there whatever comes of it: below the threshold, in shadow mode
// and under an exception too, so that thresholds can be chosen by what was seen.
type Score struct {
	Name  string    `json:"name"` // of ScoreNames, "topic:" and a topic's name, grounding, relevance
	Way   Direction `json:"direction"`
	Value float64   `json:"score"`
}

// Names of scores.
const (
	ScoreAttack     = "prompt_attack"
	ScoreHate       = "hate"
	ScoreInsult     = "insult"
	ScoreSexual     = "sexual"
	ScoreViolence   = "violence"
	ScoreMisconduct = "misconduct"
	ScoreSelfHarm   = "self_harm"
	ScoreGrounding  = "grounding" // how well an answer's sources bear it out
	ScoreRelevance  = "relevance" // how much it has to do with its question
	// ScoreTurns is how much several turns of a conversation look like an attack
	// together.
	ScoreTurns = "prompt_attack_turns"
)

// ScoreNames lists the classes that a classifier of attacks and of harm knows, in
// the order in which they are printed.
func ScoreNames() []string {
	return []string{ScoreAttack, ScoreHate, ScoreInsult, ScoreSexual, ScoreViolence, ScoreMisconduct, ScoreSelfHarm}
}

// Scores are scores in the order of their names, each once for each direction.
type Scores []Score

// Of returns the score of that name and direction, and whether there is one.
func (s Scores) Of(way Direction, name string) (float64, bool) {
	i, ok := s.find(way, name)
	if !ok {
		return 0, false
	}
	return s[i].Value, true
}

func (s Scores) find(way Direction, name string) (int, bool) {
	return slices.BinarySearchFunc(s, name, func(a Score, name string) int {
		if c := strings.Compare(a.Name, name); c != 0 {
			return c
		}
		return int(a.Way) - int(way)
	})
}

// Add takes what one more look said: the worse of two scores of one name stays,
// the higher of most, the lower of grounding and relevance. What is no number is
// not taken, and what lies beyond 0 or 1 is that.
func (s Scores) Add(way Direction, name string, value float64) Scores {
	if math.IsNaN(value) {
		return s
	}
	value = min(max(value, 0), 1)
	i, there := s.find(way, name)
	switch {
	case !there:
		return slices.Insert(s, i, Score{name, way, value})
	case name == ScoreGrounding || name == ScoreRelevance:
		s[i].Value = min(s[i].Value, value)
	default:
		s[i].Value = max(s[i].Value, value)
	}
	return s
}

// Merge adds all scores of o.
func (s Scores) Merge(o Scores) Scores {
	for _, x := range o {
		s = s.Add(x.Way, x.Name, x.Value)
	}
	return s
}

// Rounded returns a copy with so many digits behind the point: what a record
// keeps.
func (s Scores) Rounded(digits int) Scores {
	if len(s) == 0 {
		return nil
	}
	out := slices.Clone(s)
	unit := math.Pow10(digits)
	for i := range out {
		out[i].Value = math.Round(out[i].Value*unit) / unit
	}
	return out
}
