package judge

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
)

// moderation asks OpenAI's moderation API, or one that speaks as it does: POST
// URL/moderations.
type moderation struct {
	*client
	url, model string
	labels     *labels
}

func newModeration(cfg *Config, l *labels) (asker, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return &moderation{c, strings.TrimSuffix(cfg.URL, "/") + "/moderations", cmp.Or(cfg.Model, "omni-moderation-latest"), l}, nil
}

func (m *moderation) ask(ctx context.Context, q question) ([]ringwall.Finding, error) {
	answer, err := m.post(ctx, m.url, map[string]string{"model": m.model, "input": q.text}, nil)
	if err != nil {
		return nil, err
	}
	return readModeration(answer, m.labels)
}

// readModeration reads the categories of the one result. A score counts as it
// is; that of a category that is flagged counts at least half, for the
// thresholds of the API are its own.
func readModeration(answer []byte, l *labels) ([]ringwall.Finding, error) {
	var body struct {
		Results []struct {
			Flagged    *bool               `json:"flagged"`
			Categories map[string]*bool    `json:"categories"`
			Scores     map[string]*float64 `json:"category_scores"`
		} `json:"results"`
	}
	if err := into(answer, &body); err != nil {
		return nil, err
	}
	if len(body.Results) != 1 {
		return nil, unreadable("the answer has %d results, not one", len(body.Results))
	}
	r := body.Results[0]
	if r.Flagged == nil || r.Categories == nil || r.Scores == nil {
		return nil, unreadable("the result lacks flagged, categories or category_scores")
	}
	var fs []ringwall.Finding
	flagged := false
	for _, name := range slices.Sorted(maps.Keys(r.Scores)) {
		p := r.Scores[name]
		if p == nil { // a category that is not judged for this kind of input
			continue
		}
		if !share(*p) {
			return nil, unreadable("a score is no number from 0 to 1")
		}
		score := *p
		if on := r.Categories[name]; on != nil && *on {
			score, flagged = max(score, 0.5), true
		}
		fs = append(fs, l.finding(name, score))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Categories)) {
		if on := r.Categories[name]; on != nil && *on && r.Scores[name] == nil {
			flagged = true
			fs = append(fs, l.finding(name, 0.5))
		}
	}
	if *r.Flagged && !flagged {
		fs = append(fs, found(Target{l.controls[0], Judged}, 0.5))
	}
	return fs, nil
}
