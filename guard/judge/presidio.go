package judge

import (
	"context"
	"strings"

	"github.com/ringwall/ringwall"
)

// presidio asks Presidio's analyzer: POST URL/analyze.
type presidio struct {
	*client
	url, language string
	labels        *labels
}

func newPresidio(cfg *Config, l *labels) (asker, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return &presidio{c, strings.TrimSuffix(cfg.URL, "/") + "/analyze", cfg.Language, l}, nil
}

func (p *presidio) ask(ctx context.Context, q question) ([]ringwall.Finding, error) {
	answer, err := p.post(ctx, p.url, map[string]string{"text": q.text, "language": p.language}, nil)
	if err != nil {
		return nil, err
	}
	return readPresidio(answer, q.text, p.labels)
}

// readPresidio reads a list of entities. Their places are counted in characters
// there, as Python does, and in bytes here.
func readPresidio(answer []byte, text string, l *labels) ([]ringwall.Finding, error) {
	var body []struct {
		Type  string   `json:"entity_type"`
		Start *int     `json:"start"`
		End   *int     `json:"end"`
		Score *float64 `json:"score"`
	}
	if err := into(answer, &body); err != nil {
		return nil, err
	}
	if body == nil {
		return nil, unreadable("the answer is no list of entities")
	}
	var fs []ringwall.Finding
	at := &offsets{text: text}
	for _, e := range body {
		if e.Type == "" || e.Start == nil || e.End == nil || e.Score == nil || !share(*e.Score) {
			return nil, unreadable("an entity lacks its type, place or score")
		}
		where, ok := at.span(*e.Start, *e.End)
		if !ok {
			return nil, unreadable("an entity lies outside the text")
		}
		f := l.entity(e.Type, *e.Score)
		f.Where = where
		fs = append(fs, f)
	}
	return fs, nil
}

// entity is a kind of personal data. One that no table names has its own name
// for a reason.
func (l *labels) entity(name string, score float64) ringwall.Finding {
	_, own := l.own[name]
	if _, usual := l.table[name]; !own && !usual {
		return found(Target{personal, kebab(name)}, score)
	}
	return l.finding(name, score)
}
