package attack

import (
	_ "embed" // the weights
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/meaning"
	"github.com/ringwall/ringwall/guard/textmodel"
)

//go:embed attack.bin
var weights []byte

// Injection is the reason of what the classifier takes for a direct injection.
// What it takes for another kind of attack has the reason that rules give it.
const Injection = "prompt-injection" // LLM01, AML.T0051.000

// outputs are the reasons of the outputs of the model behind the first, which says
// whether a text is an attack at all.
var outputs = []string{Injection, Jailbreak, Indirect, LeakAsked}

// Model returns the model that judges whether texts are attacks: its first output
// is the score, the others say of which kind.
var Model = sync.OnceValues(func() (*textmodel.Model, error) {
	return meaning.Load("the classifier of attacks", weights, 1+len(outputs))
})

// Classifier returns a scanner that judges what texts mean, window by window: the
// second judge, beside the rules of [Scanner]. Text of origin system is the
// operator's own and is not looked at. The error is one of damaged weights.
var Classifier = sync.OnceValues(func() (*meaning.Scanner, error) {
	m, err := Model()
	if err != nil {
		return nil, err
	}
	return meaning.New(meaning.Config{
		Model:  m,
		Scores: []string{ringwall.ScoreAttack, "", "", "", ""},
		Skip: func(sc stream.Scope) string {
			if sc.Origin == ringwall.System {
				return "operator-text"
			}
			return ""
		},
		Tell: tell,
	}), nil
})

// tell reports a window that looks like an attack, as the kind that it is most
// like. In text that no person wrote to the model every attack is an indirect one.
func tell(sc stream.Scope, scores []float64, report func(string, float64)) {
	if scores[0] < meaning.Least {
		return
	}
	kind := 0
	for i, s := range scores[1:] {
		if s > scores[1+kind] {
			kind = i
		}
	}
	reason := outputs[kind]
	switch {
	case sc.Origin == ringwall.Tool || sc.Origin == ringwall.Retrieved:
		reason = Indirect
	case reason == Indirect:
		reason = Injection // a person wrote, or quoted, it
	}
	report(reason, scores[0])
}
