package stream

import "github.com/ringwall/ringwall"

// Scorer is a Cursor that also says how much its text looks like what it looks
// for, whether or not it reported a Match. It is asked once, when it will not scan
// any more: after the final window, or when the text was cut, of which it then
// knows the beginning only. Names are those of ringwall.Score; scores go from 0 to
// 1. The same text in other pieces has the same scores.
type Scorer interface {
	Scores(yield func(name string, score float64))
}

// Scores returns the scores of the watches that have any, as they go the way to
// the model, once the text ended or was blocked; valid until Reset.
func (r *Redactor) Scores() ringwall.Scores {
	if !r.scored && r.blocked {
		r.score()
	}
	return r.scores
}

// score asks the watches for their scores.
func (r *Redactor) score() {
	r.scored = true
	for i := range r.cfg.Watches {
		s, ok := r.cfg.Watches[i].Cursor.(Scorer)
		if !ok || r.safe[i] == panicked {
			continue
		}
		func() {
			defer func() {
				if p := recover(); p != nil {
					r.watch = i
					r.failed(i)
				}
			}()
			s.Scores(r.scoring)
		}()
	}
}

func (r *Redactor) addScore(name string, score float64) {
	r.scores = r.scores.Add(ringwall.Input, name, score)
}
