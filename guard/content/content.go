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
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/meaning"
	"github.com/ringwall/ringwall/guard/textmodel"
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

// Model returns the model: its outputs are those of Reasons, in that order.
var Model = sync.OnceValues(func() (*textmodel.Model, error) {
	return meaning.Load("the classifier of content", weights, len(Reasons))
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
		Tell: func(_ stream.Scope, scores []float64, report func(string, float64)) {
			for o, s := range scores {
				if s >= meaning.Least {
					report(Reasons[o], s)
				}
			}
		},
	}), nil
})

// Level returns Bedrock's confidence for a score: NONE, LOW, MEDIUM or HIGH.
func Level(score float64) string {
	switch {
	case score >= meaning.High:
		return "HIGH"
	case score >= meaning.Medium:
		return "MEDIUM"
	case score >= meaning.Low:
		return "LOW"
	}
	return "NONE"
}
