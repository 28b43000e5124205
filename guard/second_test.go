package guard_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

const (
	aboutTopic   = "inference/topic"
	aboutContent = "inference/content"
)

// outside is a judge that finds "quick" a topic and "brown" content, and counts
// how often it is asked.
type outside struct {
	asked atomic.Int64
	err   error
	hang  chan struct{}
}

func (o *outside) Judge(_ context.Context, _ ringwall.Direction, text ringwall.Text) (fs []ringwall.Finding, err error) {
	o.asked.Add(1)
	if o.hang != nil {
		<-o.hang
	}
	for control, said := range map[string]string{aboutTopic: "quick", aboutContent: "brown", "inference/word": "fox"} {
		for at := 0; ; {
			i := strings.Index(text.Value[at:], said)
			if i < 0 {
				break
			}
			at += i + len(said)
			fs = append(fs, ringwall.Finding{Control: control, Reason: said, Score: 0.9, Where: ringwall.Span{Start: at - len(said), End: at}})
		}
	}
	return fs, o.err
}

// away is an error that says why.
type away struct{}

func (away) Error() string { return "the judge is away" }
func (away) Why() string   { return "unreachable" }

func judged(t testing.TB, r guard.Release, change func(*guard.Second), o *outside) *guard.Guard {
	t.Helper()
	second := guard.Second{Name: "out", Controls: []string{aboutTopic, aboutContent}, Judge: o}
	if change != nil {
		change(&second)
	}
	g, err := guard.New(guard.Config{
		Rules: []guard.Rule{
			{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: mask, Output: mask},
			{Control: aboutTopic, Detector: detects("the"), Input: mask, Output: mask, Release: r},
			{Control: aboutContent, Missing: "outside-judges", Input: mask, Output: mask, Release: r, FailOpen: true},
			{Control: guard.Sanitize, Input: flag, Output: flag},
		},
		Seconds: []guard.Second{second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func looksBy(looks []ringwall.Look, by string) (out []string) {
	for _, l := range looks {
		if l.By == by {
			out = append(out, strings.TrimSpace(strings.TrimPrefix(l.Control, "inference/")+" "+string(l.State)+" "+l.Why))
		}
	}
	return out
}

// A judge looks beside the rules of all controls that it serves, by one call,
// and nothing is heard of those that it does not.
func TestJudgeBesideRules(t *testing.T) {
	o := &outside{}
	g := judged(t, guard.Strict, nil, o)
	res := check(t, g, ringwall.Input, "the quick brown fox of ann@example.com")
	if len(res.Texts) != 1 || res.Texts[0].Value != "{SAID} {QUICK} {BROWN} fox of {EMAIL}" {
		t.Errorf("%+v", res)
	}
	if n := o.asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
	if got := looksBy(res.Looks, "out"); !slices.Equal(got, []string{"topic ran", "content ran"}) {
		t.Errorf("looks %v", got)
	}
	if got := looksBy(res.Looks, ""); !slices.Equal(got, []string{"pii ran", "topic ran", "content skipped outside-judges", "sanitize ran"}) {
		t.Errorf("looks of the rules %v", got)
	}
}

// A judge that could not look blocks, whatever its rules say, unless it may fail
// open; the record says why.
func TestJudgeThatCannotLook(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *outside
		why  string
	}{
		{"one that is away", &outside{err: away{}}, "failed unreachable"},
		{"one that reports another error", &outside{err: errors.New("no")}, "failed error"},
		{"one that hangs", &outside{hang: make(chan struct{})}, "failed timeout"},
	} {
		for _, open := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if tt.o.hang != nil {
						tt.o.hang = make(chan struct{})
						defer close(tt.o.hang)
					}
					g := judged(t, guard.Strict, func(s *guard.Second) { s.FailOpen, s.Timeout = open, 7*time.Second }, tt.o)
					start := time.Now()
					res := check(t, g, ringwall.Input, "the quick one")
					if took := time.Since(start); tt.o.hang != nil && took != 7*time.Second {
						t.Errorf("it took %v", took)
					}
					want := ringwall.Block
					if open {
						want = ringwall.Mask // by the rule's own detector
					}
					if res.Verdict.Action != want || !slices.Contains(res.Verdict.Reasons, ringwall.ReasonJudgeUnavailable) {
						t.Errorf("verdict %+v", res.Verdict)
					}
					if got := looksBy(res.Looks, "out"); !slices.Equal(got, []string{"topic " + tt.why, "content " + tt.why}) {
						t.Errorf("looks %v", got)
					}
					if weak := slices.Contains(g.WeakRules(), guard.Weak{Control: aboutTopic, Why: "judge-fail-open"}); weak != open {
						t.Errorf("weak rules %v", g.WeakRules())
					}
				})
			})
		}
	}
}

// A judge that need not look says why, and leaves the rest to the rules.
func TestJudgeThatNeedNotLook(t *testing.T) {
	g := judged(t, guard.Strict, nil, &outside{err: guard.Skip("not-in-grey-zone")})
	res := check(t, g, ringwall.Input, "the quick one")
	if res.Verdict.Action != ringwall.Mask || slices.Contains(res.Verdict.Reasons, ringwall.ReasonJudgeUnavailable) {
		t.Errorf("verdict %+v", res.Verdict)
	}
	if got := looksBy(res.Looks, "out"); !slices.Equal(got, []string{"topic skipped not-in-grey-zone", "content skipped not-in-grey-zone"}) {
		t.Errorf("looks %v", got)
	}
}

// A detector of a rule may do so too.
func TestDetectorThatNeedNotLook(t *testing.T) {
	need := guard.Func(func(_ context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
		if text.Value == "" {
			return nil, nil
		}
		return nil, guard.Skip("too-short")
	})
	g := newGuard(t, guard.Rule{Control: aboutTopic, Detector: need, Input: block})
	res := check(t, g, ringwall.Input, "x")
	if want := []ringwall.Look{{Control: aboutTopic, State: ringwall.Skipped, Why: "too-short"}}; res.Verdict.Action != ringwall.Allow || !slices.Equal(res.Looks, want) {
		t.Errorf("%+v, looks %v", res.Verdict, res.Looks)
	}
}

// A judge looks at the ways and origins that it is for, and where its controls
// look.
func TestJudgesTexts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*guard.Second)
		way    ringwall.Direction
		origin ringwall.Origin
		asked  bool
		look   string
	}{
		{"any text", nil, ringwall.Input, ringwall.User, true, "topic ran"},
		{"another way", func(s *guard.Second) { s.Ways = []ringwall.Direction{ringwall.Output} }, ringwall.Input, ringwall.User, false, "topic skipped not-configured"},
		{"its way", func(s *guard.Second) { s.Ways = []ringwall.Direction{ringwall.Output} }, ringwall.Output, ringwall.Assistant, true, "topic ran"},
		{"another origin", func(s *guard.Second) { s.Origins = []ringwall.Origin{ringwall.Tool} }, ringwall.Input, ringwall.User, false, "topic skipped no-text"},
		{"its origin", func(s *guard.Second) { s.Origins = []ringwall.Origin{ringwall.Tool} }, ringwall.Input, ringwall.Tool, true, "topic ran"},
		{"an origin that there is not", nil, ringwall.Input, ringwall.Origin(99), true, "topic ran"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &outside{}
			g := judged(t, guard.Strict, tt.change, o)
			res := g.Check(t.Context(), guard.Session{Way: tt.way}, []ringwall.Text{{Origin: tt.origin, Value: "quick"}})
			if got := o.asked.Load() == 1; got != tt.asked {
				t.Errorf("it was asked %d times", o.asked.Load())
			}
			if got := looksBy(res.Looks, "out"); got[0] != tt.look {
				t.Errorf("looks %v", got)
			}
		})
	}
}

// With a judge beside it the promise of the stream holds in every mode.
func TestJudgesOnStreams(t *testing.T) {
	for name, r := range map[string]guard.Release{"strict": guard.Strict, "window": guard.Window, "buffer": guard.Buffer} {
		t.Run(name, func(t *testing.T) {
			g := judged(t, r, nil, &outside{})
			for seed := range 20 {
				rng := rand.New(rand.NewPCG(uint64(seed), 4))
				var text string
				for range 40 {
					text += randomText(rng, 1+rng.IntN(20)) + []string{" quick brown ", " the quick brown fox ", " quick brown", "."}[rng.IntN(4)]
				}
				want, fs := unary(t, g, text)
				if len(fs) == 0 {
					t.Fatal("nothing was found")
				}
				for _, most := range []int{7, 60, 3000} {
					send(t, g, text, want, func() int { return 1 + rng.IntN(most) })
				}
			}
		})
	}
}

// In window mode a stretch leaves when the judge has looked at it; with cut-off
// it leaves at once, and what the judge says ends the answer.
func TestJudgesLetGo(t *testing.T) {
	long := strings.Repeat("a fine day. ", 200)
	for r, leaves := range map[guard.Release]bool{guard.Strict: false, guard.Window: true, guard.CutOff: true} {
		o := &outside{}
		g := judged(t, r, nil, o)
		c := g.Channel(session, ringwall.Text{}, g.Looks(ringwall.Output))
		if out := c.Write([]byte(long)); (len(out) > 0) != leaves {
			t.Errorf("release %d: %d bytes left", r, len(out))
		}
		out := string(c.Write([]byte("brown" + long)))
		out += string(c.Close(t.Context()))
		switch blocked := c.Blocked(); {
		case r != guard.CutOff && blocked:
			t.Errorf("release %d: blocked", r)
		case r == guard.CutOff && !blocked && (strings.Contains(out, "brown") || !c.Masked()):
			t.Error("cut-off: what the judge says is neither masked, where it comes in time, nor ends the answer")
		}
		c.Free()
	}
}

func TestNewRefusesJudges(t *testing.T) {
	rule := guard.Rule{Control: aboutTopic, Detector: detects("x"), Input: block}
	for name, seconds := range map[string][]guard.Second{
		"without a name":       {{Controls: []string{aboutTopic}, Judge: &outside{}}},
		"without a judge":      {{Name: "a", Controls: []string{aboutTopic}}},
		"without controls":     {{Name: "a", Judge: &outside{}}},
		"of no rule's control": {{Name: "a", Controls: []string{aboutContent}, Judge: &outside{}}},
		"of one name":          {{Name: "a", Controls: []string{aboutTopic}, Judge: &outside{}}, {Name: "a", Controls: []string{aboutTopic}, Judge: &outside{}}},
	} {
		if _, err := guard.New(guard.Config{Rules: []guard.Rule{rule}, Seconds: seconds}); err == nil {
			t.Errorf("judges %s are taken", name)
		}
	}
	closed := 0
	g, err := guard.New(guard.Config{Rules: []guard.Rule{rule}, Seconds: []guard.Second{{Name: "a", Controls: []string{aboutTopic}, Judge: &outside{}, Close: func() { closed++ }}}})
	if err != nil {
		t.Fatal(err)
	}
	if g.Close(); closed != 1 {
		t.Error("the judge was not closed")
	}
}

// The texts of a request are looked at several at once, each once, and what is
// found is of its own text.
func TestManyTextsWaitLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		slow := func(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
			asked.Add(1)
			<-time.After(time.Second)
			return (&outside{}).Judge(ctx, ringwall.Input, text)
		}
		g := judged(t, guard.Strict, func(s *guard.Second) { s.Judge = judgeFunc(slow); s.Origins = []ringwall.Origin{ringwall.User} }, nil)
		texts := []ringwall.Text{{Origin: ringwall.Tool, Value: "quick"}}
		for range 15 {
			texts = append(texts, ringwall.Text{Origin: ringwall.User, Value: "a quick one"}, ringwall.Text{Origin: ringwall.User, Value: "a slow one"})
		}
		start := time.Now()
		res := g.Check(t.Context(), guard.Session{}, texts)
		if took := time.Since(start); took != 4*time.Second || asked.Load() != 30 { // 30 in groups of 8
			t.Errorf("it took %v for %d questions", took, asked.Load())
		}
		if len(res.Texts) != 15 {
			t.Errorf("%d texts were changed", len(res.Texts))
		}
		for i, c := range res.Texts {
			if c.Index != 1+2*i || c.Value != "a {QUICK} one" {
				t.Errorf("text %d became %q", c.Index, c.Value)
			}
		}
	})
}

type judgeFunc func(context.Context, ringwall.Text) ([]ringwall.Finding, error)

func (f judgeFunc) Judge(ctx context.Context, _ ringwall.Direction, text ringwall.Text) ([]ringwall.Finding, error) {
	return f(ctx, text)
}
