// Package guard looks at texts on their way to and from a model and says what
// may go on.
//
// Evidence and decision are apart. Detectors notice: a stream.Scanner while the
// text comes, a [Detector] once it is whole. [Decide] is pure and turns findings
// into a verdict under a [Policy]. What is done about a verdict is the gateway's
// business.
//
// The data's way: [Guard.Check] takes the texts of a request, [Guard.Channel]
// one text of an answer piece by piece; both run package guard/stream's release
// cursor with the rules of the guardrail, so that streamed and whole texts are
// judged alike. A rule that cannot look contributes a finding that blocks, unless
// the operator wrote fail_open, and every rule is in the record as ran, skipped
// or failed.
//
// Which detectors there are is package builtin's business.
package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Detector notices something in a whole text. Implementations must be safe for
// concurrent use and must not keep text. An error means "could not look", never
// "looked and found nothing". Detectors that may wait, for a model or a server,
// are of this kind; on streamed answers they hold the text back to its end.
type Detector interface {
	Detect(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, error)
}

// Rater is a Detector that also says how much a text looks like what it looks
// for, whatever it finds. Its Rate is called instead of Detect; the direction of
// the scores is that of the text, whatever they say.
type Rater interface {
	Detector
	Rate(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, ringwall.Scores, error)
}

// Beginner is a Detector that judges a text by what else is known of the exchange:
// the sources of an answer, the question. Begin returns the Detector for the
// texts of one exchange that go one way, or nil and the reason, in kebab-case, why
// there is nothing to look for. A reason beside a Detector says what of its
// looking is left out; it is recorded as skipped on its own.
type Beginner interface {
	Begin(s Session) (d Detector, why string)
}

// Func lets a plain function be a Detector.
type Func func(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, error)

// Detect implements Detector.
func (f Func) Detect(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
	return f(ctx, text)
}

// Rule is one line of a guardrail: who looks, and what comes of it.
type Rule struct {
	Control  string           // id in package control
	Scanners []stream.Scanner // look as the text comes; or
	Detector Detector         // looks at the whole text; or
	Missing  string           // says why nobody looks: the reason of its skipped looks, in kebab-case
	Input    *Actions         // what to do on the way in; nil: it does not look there
	Output   *Actions         // and on the way out
	// Origins differ from Input for texts of these origins; nil: it does not look
	// at them.
	Origins  map[ringwall.Origin]*Actions
	Release  Release // how streamed answers wait for it
	FailOpen bool    // let pass when it cannot look; the default is to block
}

// Release says how a streamed answer waits for a rule. The zero value lets
// nothing go that was not looked at.
type Release uint8

// Ways to release a streamed answer.
const (
	Strict Release = iota // scanners hold back what is undecided, detectors all of it
	Window                // detectors look at one stretch after the other, which then leaves
	Buffer                // the whole answer is held back to its end, for scanners too
	CutOff                // text leaves at once; what is noticed later ends the answer
)

// Config configures a Guard.
type Config struct {
	Name       string        // "default"
	Version    string        // default "draft"
	Rules      []Rule        // looked at and reported in this order
	Seconds    []Second      // look beside the rules
	Exceptions []Exception   // what excuses findings
	Turns      Turns         // how turns of a conversation are looked at together
	Timeout    time.Duration // for each Detector and text; default 2s
	// What clients read instead of what was blocked.
	InputMessage, OutputMessage string
	Now                         func() time.Time // default time.Now
}

// Guard is a guardrail that can look. It is safe for concurrent use.
type Guard struct {
	cfg    Config
	policy [2][origins]Policy // by direction and origin
	buffer bool               // streamed answers are held back whole
	second []seat
	waits  bool // somebody looks at whole texts on the way in
	// together looks at turns that are joined; nil: nobody does.
	together *Guard
}

const origins = int(ringwall.Retrieved) + 1

// ErrNoRules reports a guardrail that would guard nothing.
var ErrNoRules = errors.New("guard: no rules")

// Messages of guardrails that bring none.
const (
	DefaultInputMessage  = "This request was declined by policy."
	DefaultOutputMessage = "The answer was withheld by policy."
)

// New returns a Guard, or an error if cfg could not protect anything.
func New(cfg Config) (*Guard, error) {
	if len(cfg.Rules) == 0 {
		return nil, ErrNoRules
	}
	if cfg.Version == "" {
		cfg.Version = "draft"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	if cfg.InputMessage == "" {
		cfg.InputMessage = DefaultInputMessage
	}
	if cfg.OutputMessage == "" {
		cfg.OutputMessage = DefaultOutputMessage
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Turns.HalfLife == 0 {
		cfg.Turns.HalfLife = 3
	}
	if cfg.Turns.Join == 0 {
		cfg.Turns.Join = 3
	}
	g := &Guard{cfg: cfg}
	for way := range g.policy {
		for o := range origins {
			g.policy[way][o] = Policy{}
		}
	}
	for i, r := range cfg.Rules {
		looks := 0
		for _, there := range []bool{len(r.Scanners) > 0, r.Detector != nil, r.Missing != "", r.Control == Sanitize} {
			if there {
				looks++
			}
		}
		if r.Control == "" || looks != 1 {
			return nil, fmt.Errorf("guard %s: rule %d: a control and either scanners or a detector are required", cfg.Name, i)
		}
		g.buffer = g.buffer || r.Output != nil && r.Release == Buffer
		for way := range g.policy {
			for o := range origins {
				a := r.actions(ringwall.Direction(way), ringwall.Origin(o))
				if a == nil {
					continue
				}
				if _, twice := g.policy[way][o][r.Control]; twice {
					return nil, fmt.Errorf("guard %s: rule %d: %s has a rule already", cfg.Name, i, r.Control)
				}
				g.policy[way][o][r.Control] = a.with(r.FailOpen)
			}
		}
	}
	if err := g.seats(); err != nil {
		return nil, err
	}
	g.waits = len(g.second) > 0 || slices.ContainsFunc(cfg.Rules, func(r Rule) bool { return r.Detector != nil })
	for i, e := range cfg.Exceptions {
		if e.Name == "" || slices.ContainsFunc(cfg.Exceptions[:i], func(o Exception) bool { return o.Name == e.Name }) {
			return nil, fmt.Errorf("guard %s: exception %d: a name of its own is required", cfg.Name, i)
		}
	}
	if cfg.Turns.HalfLife > 0 || cfg.Turns.Join > 0 {
		var err error
		if g.together, err = newTogether(&cfg); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// actions returns what the rule does about texts of that origin that go that
// way, nil if it does not look at them.
func (r *Rule) actions(way ringwall.Direction, o ringwall.Origin) *Actions {
	if way == ringwall.Output {
		return r.Output
	}
	if a, ok := r.Origins[o]; ok {
		return a
	}
	return r.Input
}

// on returns the policy for a text.
func (g *Guard) on(way ringwall.Direction, o ringwall.Origin) Policy {
	if int(o) >= origins {
		o = ringwall.Unverified
	}
	return g.policy[way][o]
}

// Name returns the guardrail's name and version, "default@draft".
func (g *Guard) Name() string { return g.cfg.Name + "@" + g.cfg.Version }

// Message returns what a client reads instead of what was blocked.
func (g *Guard) Message(way ringwall.Direction) string {
	if way == ringwall.Input {
		return g.cfg.InputMessage
	}
	return g.cfg.OutputMessage
}

// Decide turns findings about texts of one origin that go one way into a
// verdict.
func (g *Guard) Decide(way ringwall.Direction, o ringwall.Origin, fs []ringwall.Finding) ringwall.Verdict {
	return Decide(g.on(way, o), fs)
}

// Weak says of a rule that it protects less than it could.
type Weak struct{ Control, Why string } // "fail-open", "cut-off", "shadow", "judge-fail-open"

// WeakRules returns the rules that let pass when they, or their judges, cannot
// look, that look at streamed answers only while these leave, and that only
// watch.
func (g *Guard) WeakRules() (weak []Weak) {
	for i := range g.cfg.Rules {
		r := &g.cfg.Rules[i]
		if r.FailOpen {
			weak = append(weak, Weak{r.Control, "fail-open"})
		}
		if r.Output != nil && r.Release == CutOff {
			weak = append(weak, Weak{r.Control, "cut-off"})
		}
		if r.Input != nil && r.Input.Shadow || r.Output != nil && r.Output.Shadow {
			weak = append(weak, Weak{r.Control, "shadow"})
		}
	}
	for _, s := range g.second {
		for _, control := range s.Controls {
			if s.FailOpen {
				weak = append(weak, Weak{control, "judge-fail-open"})
			}
		}
	}
	return weak
}

// Release names how streamed answers wait: the weakest way of any rule. Where a
// whole answer is waited for anyway, that is strict or buffer.
func (g *Guard) Release() string {
	names := [...]string{Strict: "strict", Window: "window", Buffer: "buffer", CutOff: "cut-off"}
	all := Strict
	for i := range g.cfg.Rules {
		if r := &g.cfg.Rules[i]; r.Output != nil {
			all = max(all, r.Release)
		}
	}
	return names[all]
}

// Session is what is known of an exchange before its texts are looked at.
type Session struct {
	Way       ringwall.Direction
	System    []string           // the operator's instructions
	Principal ringwall.Principal // who asks, for exceptions
	// Excuses reports whether an exception of a guardrail, by their names, may excuse
	// who asks; nil: whom the guardrail says. It is safe for concurrent use.
	Excuses func(guardrail, exception string) bool
	Query   string   // what is asked, for detectors that judge an answer by it
	Sources []string // texts that the answer is to follow from
	// Sync has a streamed answer wait for rules that would let it leave at once: they
	// look at one stretch after the other, which then leaves.
	Sync bool
	// Context ends the looking of detectors while a text comes; default: only
	// their timeout does.
	Context context.Context
	// Token returns what stands for a text that is to be tokenized; by default it
	// is masked.
	Token func(f ringwall.Finding, text []byte) string
}

// Result is what came of looking.
type Result struct {
	Verdict  ringwall.Verdict
	Findings []ringwall.Finding
	Looks    []ringwall.Look
	Scores   ringwall.Scores // the worst of each name; also of texts that go on
	Texts    []Changed       // those that must be replaced, in order
}

// Changed is a text of which parts were masked.
type Changed struct {
	Index int    // into the texts that were checked
	Value string // what may go on
}

// Check looks at whole texts. After a verdict that blocks or holds, Texts says
// nothing.
func (g *Guard) Check(ctx context.Context, s Session, texts []ringwall.Text) Result {
	res := Result{Verdict: ringwall.Verdict{Action: ringwall.Allow}}
	looks := g.Looks(s.Way)
	blocked := false
	ahead := g.ahead(ctx, s, texts, looks)
	talk := conversation{g: g, s: s, alone: len(texts) == 1}
	for i, text := range texts {
		c := g.Channel(s, text, looks)
		if ahead != nil {
			c.ahead = ahead[i]
		}
		out := c.text(ctx, text.Value)
		res.Findings = append(res.Findings, c.Findings()...)
		blocked = blocked || c.Blocked()
		scores := c.rated()
		res.Scores = res.Scores.Merge(scores)
		talk.note(i, text, c, scores)
		res.Verdict = res.Verdict.And(c.verdict())
		if c.Masked() && !c.Blocked() {
			res.Texts = append(res.Texts, Changed{i, string(out)})
		}
		c.Free()
	}
	blocked = talk.judge(ctx, texts, &res) || blocked
	if blocked && res.Verdict.Action > ringwall.Hold { // a mask that could not be put on
		res.Verdict.Action = ringwall.Block
	}
	res.Looks = looks.List()
	return res
}
