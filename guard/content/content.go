// Package content notices texts that hate, insult, are sexual or violent, help with
// misconduct, or speak of self-harm.
//
// A model judges window by window what a text says ([guard/textmodel]); how sure it
// is has Bedrock's levels, NONE, LOW, MEDIUM and HIGH, at the scores that package
// guardrail's strengths stand for. It was learnt from English texts mostly, and some
// in eleven other languages; in others it knows little. A person's own words,
// tools' answers and the model's are judged alike.
//
// What is done about it is the guardrail's business. Start reading at Scanner.
package content

import (
	_ "embed" // the weights
	"fmt"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/meaning"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// Control is the id of the control that this package keeps.
const Control = "inference/content"

// Reasons, by output of the model.
const (
	Hate       = "hate"       // against people for what they are
	Insult     = "insult"     // against a person
	Sexual     = "sexual"     // explicit or soliciting
	Violence   = "violence"   // threats, cruelty, praise of them
	Misconduct = "misconduct" // help with crime and harm
	SelfHarm   = "self-harm"  // ideation, methods, eating disorders
)

// Reasons lists all reasons.
var Reasons = []string{Hate, Insult, Sexual, Violence, Misconduct, SelfHarm}

var scores = []string{
	ringwall.ScoreHate, ringwall.ScoreInsult, ringwall.ScoreSexual,
	ringwall.ScoreViolence, ringwall.ScoreMisconduct, ringwall.ScoreSelfHarm,
}

//go:embed content.bin
var weights []byte

// least is the score from which on windows are reported: below the lowest
// threshold that a budget of false positives may choose.
const least = 0.05

// Model returns the model: its outputs are those of Reasons, in that order.
var Model = sync.OnceValues(func() (*textmodel.Model, error) {
	words, err := wordvec.Default()
	if err != nil {
		return nil, err
	}
	m, err := textmodel.Load(weights, words)
	if err != nil {
		return nil, fmt.Errorf("the classifier of content: %w", err)
	}
	if len(m.Info.Outputs) != len(Reasons) {
		return nil, fmt.Errorf("the classifier of content: %w: %d outputs", textmodel.ErrAsset, len(m.Info.Outputs))
	}
	return m, nil
})

// Scanner returns a scanner that judges all texts but those of the operator. The
// error is one of damaged weights.
var Scanner = sync.OnceValues(func() (*meaning.Scanner, error) {
	m, err := Model()
	if err != nil {
		return nil, err
	}
	return meaning.New(meaning.Config{
		Model: m, Scores: scores,
		Skip: func(sc stream.Scope) string {
			if sc.Way == ringwall.Input && sc.Origin == ringwall.System {
				return "operator-text"
			}
			return ""
		},
		Tell: func(_ stream.Scope, scores []float64, report func(string, ringwall.Severity, float64)) {
			for o, s := range scores {
				if s >= least {
					report(Reasons[o], severity(s), s)
				}
			}
		},
	}), nil
})

func severity(score float64) ringwall.Severity {
	switch Level(score) {
	case "HIGH":
		return ringwall.High
	case "MEDIUM":
		return ringwall.Medium
	}
	return ringwall.Low
}

// Level returns Bedrock's confidence for a score: NONE, LOW, MEDIUM or HIGH.
func Level(score float64) string {
	switch {
	case score >= 0.8:
		return "HIGH"
	case score >= 0.5:
		return "MEDIUM"
	case score >= 0.3:
		return "LOW"
	}
	return "NONE"
}
