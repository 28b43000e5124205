package provenance

import (
	"strings"

	"github.com/ringwall/ringwall"
)

// Bounds on a question and its answer, in bytes: what is longer may have been agreed to
// without having been read.
const (
	maxQuestion = 2000
	maxAnswer   = 80
)

// agreeing are the words of which an answer consists that says nothing but yes; those
// that are true say it.
var agreeing = map[string]bool{
	"yes": true, "yep": true, "yeah": true, "ok": true, "okay": true, "sure": true, "confirmed": true, "confirm": true,
	"correct": true, "approved": true, "absolutely": true, "exactly": true, "right": true, "proceed": true,
	"ja": true, "oui": true, "sí": true, "si": true, "sim": true, "da": true, "tak": true, "はい": true, "是": true, "genau": true,
	"please": false, "do": false, "it": false, "that": false, "that's": false, "thats": false, "is": false, "go": false, "ahead": false,
	"send": false, "thanks": false, "thank": false, "you": false, "bitte": false, "danke": false, "merci": false, "gracias": false, "i": false, "so": false,
}

// confirmed says whether the assistant asked about a value, and the person answered
// nothing but yes in the next turn.
func (x *Index) confirmed(q *query) bool {
	for i := 0; i+1 < len(x.turns); i++ {
		ask, answer := x.turns[i], x.turns[i+1]
		if ask.Role != ringwall.RoleAssistant || answer.Role != ringwall.RoleUser || !x.passed(i) || !agrees(answer) {
			continue
		}
		for _, p := range ask.Parts {
			if p.Kind == ringwall.PartText && len(p.Text) <= maxQuestion && strings.ContainsAny(p.Text, "?？") &&
				q.in(&sheet{raw: p.Text}, false) != HowNone {
				return true
			}
		}
	}
	return false
}

// agrees says whether a turn says yes and nothing else.
func agrees(t ringwall.Turn) bool {
	if len(t.Parts) != 1 || t.Parts[0].Kind != ringwall.PartText || len(t.Parts[0].Text) > maxAnswer {
		return false
	}
	yes := false
	for w := range strings.FieldsFuncSeq(strings.ToLower(t.Parts[0].Text), func(r rune) bool { return !word(r) && r != '\'' }) {
		strong, ok := agreeing[w]
		if !ok {
			return false
		}
		yes = yes || strong
	}
	return yes
}
