package guard_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// detects is a Detector that notices word.
func detects(word string) guard.Func {
	return func(_ context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
		var fs []ringwall.Finding
		for at := 0; ; {
			i := strings.Index(text.Value[at:], word)
			if i < 0 {
				return fs, nil
			}
			at += i + len(word)
			fs = append(fs, ringwall.Finding{Reason: "said", Severity: ringwall.Low, Score: 0.5, Where: ringwall.Span{Start: at - len(word), End: at}})
		}
	}
}

func newGuard(t testing.TB, rules ...guard.Rule) *guard.Guard {
	t.Helper()
	g, err := guard.New(guard.Config{Name: "test", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func check(t testing.TB, g *guard.Guard, way ringwall.Direction, texts ...string) guard.Result {
	t.Helper()
	var list []ringwall.Text
	for _, s := range texts {
		list = append(list, ringwall.Text{Origin: ringwall.User, Value: s, Path: "/messages/0"})
	}
	return g.Check(t.Context(), guard.Session{Way: way}, list)
}

var (
	block = &guard.Actions{}
	flag  = &guard.Actions{Default: ringwall.Flag}
	mask  = &guard.Actions{Default: ringwall.Mask}
)

// A detector that cannot look blocks, in time and whatever its failure.
func TestDetectorThatCannotLook(t *testing.T) {
	for _, tt := range []struct {
		name   string
		detect func(stop <-chan struct{}) guard.Func
		why    string
		takes  time.Duration
	}{
		{"one that hangs, and heeds its context", func(<-chan struct{}) guard.Func {
			return func(ctx context.Context, _ ringwall.Text) ([]ringwall.Finding, error) {
				<-ctx.Done()
				<-ctx.Done()
				return nil, nil
			}
		}, "timeout", 2 * time.Second},
		{"one that hangs for good", func(stop <-chan struct{}) guard.Func {
			return func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
				<-stop
				return nil, nil
			}
		}, "timeout", 2 * time.Second},
		{"one that panics", func(<-chan struct{}) guard.Func {
			return func(context.Context, ringwall.Text) ([]ringwall.Finding, error) { panic("a bug") }
		}, "error", 0},
		{"one that reports an error", func(<-chan struct{}) guard.Func {
			return func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
				return []ringwall.Finding{{Reason: "half", Where: ringwall.Span{Start: 0, End: 1}}}, errors.New("the model is away")
			}
		}, "error", 0},
	} {
		for _, open := range []bool{false, true} {
			name := tt.name + " blocks"
			want := ringwall.Verdict{Action: ringwall.Block, Reasons: []string{ringwall.ReasonUnavailable}}
			if open {
				name, want.Action = tt.name+" is flagged where that was chosen", ringwall.Flag
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					stop := make(chan struct{})
					defer close(stop)
					g := newGuard(t,
						guard.Rule{Control: "inference/topic", Detector: tt.detect(stop), Input: flag, FailOpen: open},
						guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: flag})
					start := time.Now()
					res := check(t, g, ringwall.Input, "hello")
					if took := time.Since(start); took != tt.takes {
						t.Errorf("it took %v, want %v", took, tt.takes)
					}
					if !reflect.DeepEqual(res.Verdict, want) {
						t.Errorf("verdict %+v, want %+v", res.Verdict, want)
					}
					looks := []ringwall.Look{
						{Control: "inference/topic", State: ringwall.Failed, Why: tt.why},
						{Control: pii.Control, State: ringwall.Ran},
					}
					if !slices.Equal(res.Looks, looks) {
						t.Errorf("looks %+v, want %+v", res.Looks, looks)
					}
					if weak := g.WeakRules(); (len(weak) == 1) != open {
						t.Errorf("weak rules %v", weak)
					}
				})
			})
		}
	}
}

// Detectors look side by side: two slow ones take as long as one.
func TestDetectorsLookSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := guard.Func(func(ctx context.Context, _ ringwall.Text) ([]ringwall.Finding, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil, nil
		})
		g := newGuard(t, guard.Rule{Control: "inference/a", Detector: slow, Input: block}, guard.Rule{Control: "inference/b", Detector: slow, Input: block})
		start := time.Now()
		if res := check(t, g, ringwall.Input, "x"); res.Verdict.Action != ringwall.Allow {
			t.Errorf("verdict %+v", res.Verdict)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// What other people's code reports is put right before anybody acts on it.
func TestFindingsOfDetectorsAreBounded(t *testing.T) {
	g := newGuard(t, guard.Rule{Control: "inference/topic", Input: mask, Detector: guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
		return []ringwall.Finding{{Control: "inference/other", Reason: "far", Where: ringwall.Span{Start: 3, End: 99}}}, nil
	})})
	res := check(t, g, ringwall.Input, "hello")
	if len(res.Findings) != 1 || res.Findings[0].Control != "inference/topic" || res.Findings[0].Where != (ringwall.Span{}) {
		t.Errorf("findings %+v", res.Findings)
	}
	if res.Verdict.Action != ringwall.Block || len(res.Texts) > 0 {
		t.Errorf("a text that could not be masked goes on: %+v", res)
	}
}

func TestEveryRuleIsAccountedFor(t *testing.T) {
	g := newGuard(t,
		guard.Rule{Control: "inference/in-only", Detector: detects("x"), Input: block},
		guard.Rule{Control: "inference/out-only", Detector: detects("x"), Output: block},
		guard.Rule{Control: leak.Control, Scanners: []stream.Scanner{&leak.Scanner{}}, Input: block, Output: block},
		guard.Rule{Control: attack.Control, Scanners: []stream.Scanner{attack.Scanner{}}, Input: block, Output: block},
		guard.Rule{Control: "inference/both", Detector: detects("y"), Input: block, Output: block})
	look := func(control string, way ringwall.Direction, state ringwall.LookState, why string) ringwall.Look {
		return ringwall.Look{Control: control, Way: way, State: state, Why: why}
	}
	in, out := ringwall.Input, ringwall.Output
	for _, tt := range []struct {
		name  string
		way   ringwall.Direction
		texts []ringwall.Text
		want  []ringwall.Look
	}{
		{"on the way in", in, []ringwall.Text{{Origin: ringwall.User, Value: "a"}}, []ringwall.Look{
			look("inference/in-only", in, ringwall.Ran, ""), look("inference/out-only", in, ringwall.Skipped, "not-configured"),
			look(leak.Control, in, ringwall.Skipped, "input"), look(attack.Control, in, ringwall.Ran, ""), look("inference/both", in, ringwall.Ran, ""),
		}},
		{"on the way out", out, []ringwall.Text{{Origin: ringwall.Assistant, Value: "a"}}, []ringwall.Look{
			look("inference/in-only", out, ringwall.Skipped, "not-configured"), look("inference/out-only", out, ringwall.Ran, ""),
			look(leak.Control, out, ringwall.Skipped, "no-system-prompt"), look(attack.Control, out, ringwall.Ran, ""), look("inference/both", out, ringwall.Ran, ""),
		}},
		{"without texts", in, nil, []ringwall.Look{
			look("inference/in-only", in, ringwall.Skipped, "no-text"), look("inference/out-only", in, ringwall.Skipped, "not-configured"),
			look(leak.Control, in, ringwall.Skipped, "no-text"), look(attack.Control, in, ringwall.Skipped, "no-text"), look("inference/both", in, ringwall.Skipped, "no-text"),
		}},
		{
			"a rule that ran on one text and not on another ran", in,
			[]ringwall.Text{{Origin: ringwall.System, Value: "a"}, {Origin: ringwall.User, Value: "b"}},
			[]ringwall.Look{
				look("inference/in-only", in, ringwall.Ran, ""), look("inference/out-only", in, ringwall.Skipped, "not-configured"),
				look(leak.Control, in, ringwall.Skipped, "input"), look(attack.Control, in, ringwall.Ran, ""), look("inference/both", in, ringwall.Ran, ""),
			},
		},
		{"the operator's text alone", in, []ringwall.Text{{Origin: ringwall.System, Value: "a"}}, []ringwall.Look{
			look("inference/in-only", in, ringwall.Ran, ""), look("inference/out-only", in, ringwall.Skipped, "not-configured"),
			look(leak.Control, in, ringwall.Skipped, "input"), look(attack.Control, in, ringwall.Skipped, "operator-text"), look("inference/both", in, ringwall.Ran, ""),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := g.Check(t.Context(), guard.Session{Way: tt.way}, tt.texts)
			if !slices.Equal(res.Looks, tt.want) {
				t.Errorf("looks\n%+v\nwant\n%+v", res.Looks, tt.want)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	p := guard.Policy{
		"inference/a": {Default: ringwall.Flag, By: map[string]ringwall.Action{"bad": ringwall.Block, "odd": ringwall.Hold}},
		"inference/b": {Default: ringwall.Mask},
	}
	f := func(control, reason string) ringwall.Finding {
		return ringwall.Finding{Control: control, Reason: reason}
	}
	for _, tt := range []struct {
		name string
		in   []ringwall.Finding
		want ringwall.Verdict
	}{
		{"nothing was noticed", nil, ringwall.Verdict{Action: ringwall.Allow}},
		{"a finding that is flagged", []ringwall.Finding{f("inference/a", "x")}, ringwall.Verdict{Action: ringwall.Flag, Reasons: []string{"x"}}},
		{
			"the strictest counts, and every reason is kept",
			[]ringwall.Finding{f("inference/b", "y"), f("inference/a", "bad"), f("inference/a", "x")},
			ringwall.Verdict{Action: ringwall.Block, Reasons: []string{"bad", "x", "y"}},
		},
		{"reasons are there once", []ringwall.Finding{f("inference/b", "y"), f("inference/b", "y")}, ringwall.Verdict{Action: ringwall.Mask, Reasons: []string{"y"}}},
		{"holding is stricter than masking", []ringwall.Finding{f("inference/b", "y"), f("inference/a", "odd")}, ringwall.Verdict{Action: ringwall.Hold, Reasons: []string{"odd", "y"}}},
		{"a control that nobody thought of blocks", []ringwall.Finding{f("inference/c", "z")}, ringwall.Verdict{Action: ringwall.Block, Reasons: []string{"z"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.in)
			for range 2 {
				if got := guard.Decide(p, tt.in); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("Decide = %+v, want %+v", got, tt.want)
				}
			}
			if !slices.Equal(before, tt.in) {
				t.Error("the findings were changed")
			}
		})
	}
	if got := guard.Decide(nil, []ringwall.Finding{f("inference/a", "x")}); got.Action != ringwall.Block {
		t.Errorf("without a policy: %+v", got)
	}
}

func TestNew(t *testing.T) {
	ok := guard.Rule{Control: "inference/a", Detector: detects("x"), Input: block}
	for _, tt := range []struct {
		name  string
		rules []guard.Rule
		fault string
	}{
		{"no rules", nil, "no rules"},
		{"a rule without a control", []guard.Rule{{Detector: detects("x")}}, "rule 0"},
		{"a rule that cannot look", []guard.Rule{ok, {Control: "inference/b", Input: block}}, "rule 1"},
		{"a rule that looks in two ways", []guard.Rule{{Control: "inference/b", Detector: detects("x"), Scanners: []stream.Scanner{pii.Scanner{}}}}, "rule 0"},
		{"two rules for one control", []guard.Rule{ok, ok}, "has a rule already"},
		{"a rule for each way", []guard.Rule{ok, {Control: "inference/a", Detector: detects("x"), Output: block}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := guard.New(guard.Config{Name: "test", Rules: tt.rules})
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("New: %v, want %q", err, tt.fault)
			}
		})
	}
	if _, err := guard.New(guard.Config{}); !errors.Is(err, guard.ErrNoRules) {
		t.Errorf("New of nothing: %v", err)
	}
	g := newGuard(t, ok)
	if g.Name() != "test@draft" || g.Message(ringwall.Input) != guard.DefaultInputMessage || g.Message(ringwall.Output) != guard.DefaultOutputMessage {
		t.Errorf("%s: %q, %q", g.Name(), g.Message(ringwall.Input), g.Message(ringwall.Output))
	}
}

func TestCheck(t *testing.T) {
	g := newGuard(t,
		guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: &guard.Actions{Default: ringwall.Mask, By: map[string]ringwall.Action{pii.USSSN: ringwall.Block, pii.IPAddress: ringwall.Flag}}},
		guard.Rule{Control: "inference/topic", Detector: detects("tulip"), Input: mask})
	for _, tt := range []struct {
		name    string
		texts   []string
		action  ringwall.Action
		reasons []string
		changed []guard.Changed
	}{
		{"nothing", []string{"hello"}, ringwall.Allow, nil, nil},
		{"no texts", nil, ringwall.Allow, nil, nil},
		{"empty texts", []string{"", ""}, ringwall.Allow, nil, nil},
		{"the second of three is masked", []string{"a", "mail a@b.de", "c"}, ringwall.Mask, []string{"email"}, []guard.Changed{{Index: 1, Value: "mail {EMAIL}"}}},
		{"scanner and detector", []string{"a tulip for a@b.de"}, ringwall.Mask, []string{"email", "said"}, []guard.Changed{{Index: 0, Value: "a {SAID} for {EMAIL}"}}},
		{"flagged", []string{"at 8.8.8.8"}, ringwall.Flag, []string{"ip-address"}, nil},
		{"blocked, and the other texts are looked at still", []string{"078-05-1120", "a@b.de"}, ringwall.Block, []string{"email", "us-social-security-number"}, []guard.Changed{{Index: 1, Value: "{EMAIL}"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := check(t, g, ringwall.Input, tt.texts...)
			if res.Verdict.Action != tt.action || !slices.Equal(res.Verdict.Reasons, tt.reasons) || !slices.Equal(res.Texts, tt.changed) {
				t.Errorf("verdict %+v, texts %+v, want %v %v %+v", res.Verdict, res.Texts, tt.action, tt.reasons, tt.changed)
			}
			for _, f := range res.Findings {
				if f.Path != "/messages/0" {
					t.Errorf("finding %+v has no path", f)
				}
			}
		})
	}
}

// A detector holds a streamed text back to its end; what comes out then is what
// comes of the whole text.
func TestDetectorsOnStreams(t *testing.T) {
	g := newGuard(t,
		guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: mask},
		guard.Rule{Control: "inference/topic", Detector: detects("tulip"), Output: &guard.Actions{Default: ringwall.Mask}})
	for _, text := range []string{"", "a tulip", "tulip a@b.de tulip", "plain"} {
		res := check(t, g, ringwall.Output, text)
		want := text
		if len(res.Texts) > 0 {
			want = res.Texts[0].Value
		}
		looks := g.Looks(ringwall.Output)
		c := g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{Path: "/choices/0"}, looks)
		for i := range len(text) {
			if out := c.Write([]byte(text[i : i+1])); len(out) > 0 {
				t.Fatalf("%q went out before the detector looked", out)
			}
			if c.Settled() != 0 {
				t.Fatalf("%d bytes are settled before the detector looked", c.Settled())
			}
		}
		if got := string(c.Close(t.Context())); got != want || c.Blocked() || c.Masked() != (got != text) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		for _, f := range c.Findings() {
			if f.Path != "/choices/0" {
				t.Errorf("finding %+v has another path", f)
			}
		}
		for _, l := range looks.List() {
			if l.State != ringwall.Ran {
				t.Errorf("look %+v", l)
			}
		}
		c.Free()
	}
}

func TestDetectorBlocksStream(t *testing.T) {
	g := newGuard(t, guard.Rule{Control: "inference/topic", Detector: detects("tulip"), Output: block})
	c := g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{}, g.Looks(ringwall.Output))
	defer c.Free()
	c.Write([]byte("a tulip"))
	if out := c.Close(t.Context()); len(out) > 0 || !c.Blocked() {
		t.Errorf("%q went out, blocked %v", out, c.Blocked())
	}
}

func TestSessionsToken(t *testing.T) {
	g := newGuard(t, guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: &guard.Actions{Default: ringwall.Mask, Tokenize: true}})
	res := g.Check(t.Context(), guard.Session{Token: func(f ringwall.Finding, text []byte) string { return "<" + f.Reason + ":" + string(text) + ">" }},
		[]ringwall.Text{{Value: "to a@b.de"}})
	if len(res.Texts) != 1 || res.Texts[0].Value != "to <email:a@b.de>" {
		t.Errorf("texts %+v", res.Texts)
	}
}
