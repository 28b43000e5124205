package guard

import (
	"context"
	"sync"

	"github.com/ringwall/ringwall"
)

// mostAhead bounds the texts of a request that detectors and judges look at at
// once.
const mostAhead = 8

// ahead asks those that look at whole texts about all texts of a request, several
// at once: a conversation of many turns waits hardly longer than one of one. The
// result is by text, nil where nobody need be asked so.
func (g *Guard) ahead(ctx context.Context, s Session, texts []ringwall.Text, l *Looks) [][]answer {
	if s.Way != ringwall.Input || len(texts) < 2 || !g.waits {
		return nil
	}
	type question struct {
		text int
		of   []asked
	}
	var questions []question
	for i, text := range texts {
		if of := g.asked(s, text.Origin, l); len(of) > 0 {
			questions = append(questions, question{i, of})
		}
	}
	out := make([][]answer, len(texts))
	next := make(chan question)
	var all sync.WaitGroup
	for range min(len(questions), mostAhead) {
		all.Go(func() {
			for q := range next {
				out[q.text] = g.detect(ctx, q.of, texts[q.text])
			}
		})
	}
	for _, q := range questions {
		next <- q
	}
	close(next)
	all.Wait()
	return out
}

// asked lists, as a Channel does, the detectors and judges that look at a text of
// that origin on the way in, where all of it is there at once.
func (g *Guard) asked(s Session, o ringwall.Origin, l *Looks) (of []asked) {
	for i := range g.cfg.Rules {
		if r := &g.cfg.Rules[i]; r.Detector == nil || r.actions(ringwall.Input, o) == nil {
			continue
		}
		if d, _ := l.begin(i, s); d != nil {
			of = append(of, asked{i, d})
		}
	}
	for k := range g.second {
		if len(g.second[k].on(ringwall.Input, o)) > 0 {
			of = append(of, asked{len(g.cfg.Rules) + k, g.second[k].looks[ringwall.Input]})
		}
	}
	return of
}
