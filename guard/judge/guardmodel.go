package judge

import (
	"regexp"
	"strings"

	"github.com/ringwall/ringwall"
)

// Scores of what guard models say without saying how likely it is.
const (
	sureUnsafe    = 0.9
	controversial = 0.55
)

// newLlama makes a client of Llama Guard 3 or 4. The server's chat template
// makes its prompt of the conversation.
func newLlama(cfg *Config, l *labels) (asker, error) {
	return newChat(cfg, l, shape{
		fill: func(r *chatRequest, q question) string {
			r.Messages = turns(q)
			r.terse(64, !cfg.NoLogprobs)
			return ""
		},
		read: func(said completion, _ string) ([]ringwall.Finding, error) { return readLlama(said, l) },
	})
}

var hazards = regexp.MustCompile(`^S[0-9]{1,2}(, ?S[0-9]{1,2})*$`)

// readLlama reads "safe", or "unsafe" and a line of hazards: "S1,S10". The share
// of unsafe among the first tokens is the score, of texts that are called safe
// too.
func readLlama(said completion, l *labels) ([]ringwall.Finding, error) {
	verdict, codes, more := strings.Cut(strings.TrimSpace(said.text), "\n")
	verdict, codes = strings.TrimSpace(verdict), strings.TrimSpace(codes)
	unsafe := -1.0
	if p := said.likely("", "unsafe", "safe"); p != nil {
		unsafe = p[0]
	}
	switch {
	case verdict == "safe" && !more:
		if unsafe > 0 {
			return []ringwall.Finding{found(Target{l.controls[0], Judged}, min(unsafe, 0.49))}, nil
		}
		return nil, nil
	case verdict != "unsafe" || more && !hazards.MatchString(codes):
		return nil, unreadable("the model said neither safe nor unsafe and hazards")
	}
	if unsafe < 0 {
		unsafe = sureUnsafe
	}
	unsafe = max(unsafe, 0.5) // it said so
	if codes == "" {
		return []ringwall.Finding{found(Target{l.controls[0], Judged}, unsafe)}, nil
	}
	var fs []ringwall.Finding
	for code := range strings.SplitSeq(codes, ",") {
		fs = append(fs, l.finding(strings.TrimSpace(code), unsafe))
	}
	return fs, nil
}

// newQwen makes a client of Qwen3Guard-Gen.
func newQwen(cfg *Config, l *labels) (asker, error) {
	return newChat(cfg, l, shape{
		fill: func(r *chatRequest, q question) string {
			r.Messages = turns(q)
			r.terse(128, !cfg.NoLogprobs)
			return ""
		},
		read: func(said completion, _ string) ([]ringwall.Finding, error) { return readQwen(said, l) },
	})
}

var qwenAnswer = regexp.MustCompile(`^Safety: (Safe|Controversial|Unsafe)\s*\nCategories: ([A-Za-z&,\- ]+?)\s*(?:\nRefusal: (?:Yes|No)\s*)?$`)

// readQwen reads "Safety: Safe|Controversial|Unsafe", "Categories: …" and, of
// answers, "Refusal: …", a line each.
func readQwen(said completion, l *labels) ([]ringwall.Finding, error) {
	m := qwenAnswer.FindStringSubmatch(strings.TrimSpace(said.text))
	if m == nil {
		return nil, unreadable("the model did not say how safe it is, in which category")
	}
	score := -1.0
	if p := said.likely("Safety:", "unsafe", "controversial", "safe"); p != nil {
		score = p[0] + p[1]*controversial
	}
	switch m[1] {
	case "Safe":
		if m[2] != "None" {
			return nil, unreadable("the model says safe, and categories of harm")
		}
		if score > 0 {
			return []ringwall.Finding{found(Target{l.controls[0], Judged}, min(score, 0.49))}, nil
		}
		return nil, nil
	case "Controversial":
		score = max(score, controversial)
	default:
		if score < 0 {
			score = sureUnsafe
		}
		score = max(score, controversial)
	}
	var fs []ringwall.Finding
	for name := range strings.SplitSeq(m[2], ",") {
		if name = strings.TrimSpace(name); name == "None" || name == "" {
			name = Judged
		}
		fs = append(fs, l.finding(name, score))
	}
	return fs, nil
}

// newYesNo makes a client of models that answer a question about a text with
// yes or no. With a risk, Granite Guardian's own template asks it; else the
// policy does.
func newYesNo(cfg *Config, l *labels) (asker, error) {
	return newChat(cfg, l, shape{
		fill: func(r *chatRequest, q question) string {
			r.terse(48, !cfg.NoLogprobs)
			if cfg.Risk != "" {
				r.Messages = turns(q)
				r.Template = map[string]any{"guardian_config": map[string]any{"risk_name": cfg.Risk}}
				return ""
			}
			system, text, _ := framed(q)
			r.Messages = []message{
				{"system", system + "\n\nPolicy:\n" + cfg.Policy + "\n\nDoes the text violate the policy? Answer with one word, Yes or No."},
				{"user", text},
			}
			return ""
		},
		read: func(said completion, _ string) ([]ringwall.Finding, error) { return readYesNo(said, l) },
	})
}

var yesNo = regexp.MustCompile(`(?i)^(?:<think>\s*</think>\s*)?(?:<score>\s*(yes|no)\s*</score>|(yes|no)\.?(?:\s*<confidence>\s*(?:high|low)\s*</confidence>)?)$`)

// readYesNo reads "Yes" or "No", as it stands or as Granite Guardian marks it.
func readYesNo(said completion, l *labels) ([]ringwall.Finding, error) {
	m := yesNo.FindStringSubmatch(strings.TrimSpace(said.text))
	if m == nil {
		return nil, unreadable("the model said neither yes nor no")
	}
	score := -1.0
	if p := said.likely("", "yes", "no"); p != nil {
		score = p[0]
	}
	if strings.EqualFold(m[1]+m[2], "no") {
		if score > 0 {
			return []ringwall.Finding{l.finding(Judged, min(score, 0.49))}, nil
		}
		return nil, nil
	}
	if score < 0 {
		score = sureUnsafe
	}
	return []ringwall.Finding{l.finding(Judged, max(score, 0.5))}, nil
}
