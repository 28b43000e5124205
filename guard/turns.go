package guard

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
)

// Turns says how the turns of a conversation are looked at together, for attacks
// that no single turn shows: those that come little by little, and those of which
// each turn brings a part. Zero fields mean the defaults.
type Turns struct {
	HalfLife float64 // after how many turns a turn's score counts half; default 3, below 0: none is carried
	Join     int     // how many of the last turns are looked at as one text; default 3, below 0: none
}

// ReasonTurns is the reason of a finding that several turns gave together. It is
// one of inference/prompt-attack, about the latest of them.
const ReasonTurns = "multi-turn" // AML.T0054, LLM01

// Bounds on what turns cost beside their own looks, and on what counts.
const (
	joinBytes  = 2 << 10 // of the turns that are joined
	shortTurn  = 80      // bytes: turns up to there are joined beyond Turns.Join
	shortBytes = 4 << 10 // of all that is joined
	turnFloor  = 0.2     // scores up to there add nothing: talk of attacks is none
	joinDoubt  = 0.8     // what a finding in turns joined counts: nobody wrote them as one text
)

// said is a text of a conversation and what was thought of it alone.
type said struct {
	index int // into the texts
	turn  string
	value string
	score float64
	found bool // a finding of the control was made of it, and not excused
}

// turns are the texts of one series of a conversation: what the user said, or what
// tools and sources gave. What the model said is of neither.
type turns struct {
	origin ringwall.Origin // of the latest
	texts  []said
}

// series are who speaks in the conversation, and is looked at together.
func series(o ringwall.Origin) int {
	switch o {
	case ringwall.User:
		return 0
	case ringwall.Tool, ringwall.Retrieved:
		return 1
	case ringwall.System, ringwall.Assistant, ringwall.Unverified:
	}
	return -1
}

// turnOf names the turn that a text is of: by its path up to the first index of a
// list, "/messages/3". Texts without a path are turns of their own; what stands in
// no list is none.
func turnOf(path string, index int) string {
	if path == "" {
		return strconv.Itoa(index)
	}
	for i := 0; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		end := i + 1
		for end < len(path) && path[end] >= '0' && path[end] <= '9' {
			end++
		}
		if end > i+1 && (end == len(path) || path[end] == '/') {
			return path[:end]
		}
	}
	return ""
}

// conversation gathers what was thought of the texts of a request.
type conversation struct {
	g      *Guard
	s      Session
	alone  bool // there is one text only
	series [2]turns
}

// note takes the text at index, which c has looked at.
func (v *conversation) note(index int, text ringwall.Text, c *Channel, scores ringwall.Scores) {
	at := series(text.Origin)
	if v.alone || at < 0 || v.g.together == nil || v.s.Way != ringwall.Input {
		return
	}
	turn := turnOf(text.Path, index)
	if turn == "" || text.Value == "" {
		return
	}
	t := said{index: index, turn: turn, value: text.Value}
	t.score, _ = scores.Of(ringwall.Input, ringwall.ScoreAttack)
	for _, fs := range [][]ringwall.Finding{c.red.Findings(), c.extra} {
		for _, f := range fs {
			switch {
			case f.Control != attackControl:
			case f.Excepted != "":
				t.score = 0
			default:
				t.found = true
			}
		}
	}
	v.series[at].origin = text.Origin
	v.series[at].texts = append(v.series[at].texts, t)
}

// judge adds to res what several turns say together.
func (v *conversation) judge(ctx context.Context, texts []ringwall.Text, res *Result) (blocked bool) {
	for i := range v.series {
		t := &v.series[i]
		if len(t.texts) < 2 {
			continue
		}
		policy := v.g.on(ringwall.Input, t.origin)
		if _, looks := policy[attackControl]; !looks {
			continue
		}
		f := ringwall.Finding{Control: attackControl, Reason: ReasonTurns, Severity: ringwall.High, Score: v.g.carried(t.texts)}
		joined, failed := v.joined(ctx, t)
		if joined.Score > f.Score {
			f.Score, f.Where, f.Via = joined.Score, joined.Where, joined.Via
		}
		res.Scores = res.Scores.Add(ringwall.Input, ringwall.ScoreTurns, f.Score)
		fs := failed
		if !slices.ContainsFunc(t.texts, func(s said) bool { return s.found }) && f.Score > 0 {
			fs = append(fs, f)
		}
		last := texts[t.texts[len(t.texts)-1].index]
		for _, f := range fs {
			f.Path = last.Path
			if !policy.note(&f) {
				continue
			}
			for _, e := range v.g.active(&v.s) {
				if len(e.Scanners) == 0 && e.covers(f) {
					f.Excepted = e.Name
					break
				}
			}
			res.Findings = append(res.Findings, f)
			res.Verdict = res.Verdict.And(Decide(policy, []ringwall.Finding{f}))
			// What several turns say is in no place that could be masked.
			blocked = blocked || policy.Action(f) <= ringwall.Mask
		}
	}
	return blocked
}

// carried is how much the turns add up to at the latest: the chance that not all
// of them are harmless, if each counts less the longer ago it was. Of a score only
// what lies above the floor counts.
func (g *Guard) carried(texts []said) float64 {
	if g.cfg.Turns.HalfLife <= 0 {
		return 0
	}
	decay := math.Exp2(-1 / g.cfg.Turns.HalfLife)
	harmless, weight, seen := 1.0, 1.0, map[string]bool{}
	for i := len(texts) - 1; i >= 0 && weight > 1e-3; {
		worst := &texts[i]
		for turn := worst.turn; i >= 0 && texts[i].turn == turn; i-- {
			if texts[i].score > worst.score {
				worst = &texts[i]
			}
		}
		// Who says the same again has said it once.
		if worst.score > turnFloor && !seen[worst.value] {
			harmless *= 1 - weight*(worst.score-turnFloor)/(1-turnFloor)
			seen[worst.value] = true
		}
		weight *= decay
	}
	if len(seen) < 2 {
		return 0 // one turn is not several
	}
	return 1 - harmless
}

// part is so many bytes of a text that are joined with others.
type part struct {
	text       int // index into the turns' texts
	from, size int // bytes
}

// piece is where a part stands in what was joined.
type piece struct {
	start, end int // in the joined text
	text       int // index into the turns' texts
	from       int // offset of start in that text
}

// joined looks at the last turns as one text, parted by spaces and, where words or
// encodings may go on from one to the next, unparted. It returns the surest
// finding that lies in more than one text, placed in the latest, and failures to
// look.
func (v *conversation) joined(ctx context.Context, t *turns) (best ringwall.Finding, failed []ringwall.Finding) {
	parts := v.g.window(t.texts)
	if len(parts) < 2 {
		return best, nil
	}
	for _, sep := range []string{" ", ""} {
		text, pieces := join(t.texts, parts, sep)
		if sep == "" && !goesOn(text, pieces) {
			break
		}
		s := Session{Way: ringwall.Input, System: v.s.System, Principal: ringwall.Principal{}, Context: v.s.Context}
		res := v.g.together.Check(ctx, s, []ringwall.Text{{Origin: t.origin, Value: text}})
		for _, f := range res.Findings {
			switch {
			case f.Control != attackControl:
			case f.Reason == ringwall.ReasonUnavailable:
				failed = []ringwall.Finding{unavailable(attackControl)}
			case f.Score*joinDoubt > best.Score && spans(pieces, f.Where):
				best = f
				best.Score *= joinDoubt
				best.Where = placed(pieces, f.Where, len(t.texts)-1)
			}
		}
	}
	return best, failed
}

// window chooses the parts of texts that are joined, oldest first: the last turns,
// each its share of the bytes, and before them those that are short.
func (g *Guard) window(texts []said) (parts []part) {
	n, turn, count, left := g.cfg.Turns.Join, "", 0, shortBytes
	if n <= 0 {
		return nil
	}
	first := len(texts)
	for first > 0 {
		t := &texts[first-1]
		if t.turn != turn {
			count++
		}
		if count > n && (len(t.value) > shortTurn || len(t.value) > left) {
			break
		}
		turn = t.turn
		left -= min(len(t.value), joinBytes/n)
		first--
		if left <= 0 {
			break
		}
	}
	most := max(joinBytes/n, shortTurn)
	for i := first; i < len(texts); i++ {
		size := len(texts[i].value)
		from, to := 0, size
		if i > first {
			from, to = fresh(texts[i-1].value, texts[i].value)
		}
		switch {
		case from == to:
		case to-from < size && to-from <= most:
			parts = append(parts, part{i, from, to - from})
		case size <= most:
			parts = append(parts, part{i, 0, size})
		case i == first:
			parts = append(parts, part{i, size - most, most}) // its end
		case i == len(texts)-1:
			parts = append(parts, part{i, 0, most}) // its beginning
		default:
			parts = append(parts, part{i, 0, most / 2}, part{i, size - most/2, most / 2})
		}
	}
	return parts
}

// fresh returns the words of next that last has not, where the two are otherwise
// much alike, and else all of next: who says the same again has said it once.
func fresh(last, next string) (from, to int) {
	most := min(len(last), len(next))
	head := 0
	for head < most && last[head] == next[head] {
		head++
	}
	tail := 0
	for tail < most-head && last[len(last)-1-tail] == next[len(next)-1-tail] {
		tail++
	}
	if head+tail <= len(next)/2 {
		return 0, len(next)
	}
	from, to = head, len(next)-tail
	if from == to {
		return from, to
	}
	for from > 0 && inWord(next[from-1]) {
		from--
	}
	for to < len(next) && inWord(next[to]) {
		to++
	}
	return from, to
}

// join puts parts together, whole characters each.
func join(texts []said, parts []part, sep string) (string, []piece) {
	var b strings.Builder
	pieces := make([]piece, 0, len(parts))
	for i, p := range parts {
		value := texts[p.text].value
		from, to := p.from, p.from+p.size
		for from < to && !utf8.RuneStart(value[from]) {
			from++
		}
		for to > from && to < len(value) && !utf8.RuneStart(value[to]) {
			to--
		}
		if i > 0 {
			if b.WriteString(sep); sep == "" && parts[i-1].text == p.text {
				b.WriteByte('\n') // something was left out between
			}
		}
		start := b.Len()
		b.WriteString(value[from:to])
		pieces = append(pieces, piece{start, b.Len(), p.text, from})
	}
	return b.String(), pieces
}

// goesOn reports whether a word or an encoding may go on from one text to the next:
// none ends in a full stop.
func goesOn(text string, pieces []piece) bool {
	for i := 1; i < len(pieces); i++ {
		if a, b := pieces[i-1], pieces[i]; a.text != b.text && a.end > a.start && b.end > b.start && inWord(text[a.end-1]) && inWord(text[b.start]) {
			return true
		}
	}
	return false
}

func inWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf || strings.IndexByte("+/=-_%&\\", c) >= 0
}

// spans reports whether a place in what was joined lies in more than one text. A
// finding without a place is about all of it.
func spans(pieces []piece, where ringwall.Span) bool {
	if where.Empty() {
		return true
	}
	in := -1
	for _, p := range pieces {
		if p.start < where.End && where.Start < p.end {
			if in >= 0 && in != p.text {
				return true
			}
			in = p.text
		}
	}
	return false
}

// placed is the part of a place that lies in a text; none where it does not.
func placed(pieces []piece, where ringwall.Span, text int) (out ringwall.Span) {
	for _, p := range pieces {
		start, end := max(where.Start, p.start), min(where.End, p.end)
		if p.text != text || start >= end {
			continue
		}
		s := ringwall.Span{Start: start - p.start + p.from, End: end - p.start + p.from}
		if out.Empty() {
			out = s
		}
		out.End = s.End
	}
	return out
}

// newTogether returns the guard that looks at joined turns: with the scanners for
// attacks alone, which notice whatever they see. Nil where there are none.
func newTogether(cfg *Config) (*Guard, error) {
	for i := range cfg.Rules {
		r := &cfg.Rules[i]
		if r.Control != attackControl || len(r.Scanners) == 0 {
			continue
		}
		looks := r.Input != nil
		for _, a := range r.Origins {
			looks = looks || a != nil
		}
		if !looks {
			continue
		}
		return New(Config{
			Name: cfg.Name, Version: cfg.Version, Timeout: cfg.Timeout, Now: cfg.Now, Turns: Turns{-1, -1},
			Rules: []Rule{{Control: attackControl, Scanners: r.Scanners, Input: &Actions{Default: ringwall.Flag}}},
		})
	}
	return nil, nil
}
