package guard_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

// A finding that is less sure than its threshold is none.
func TestThresholds(t *testing.T) {
	scored := guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
		return []ringwall.Finding{{Reason: "likely", Score: 0.9}, {Reason: "unlikely", Score: 0.4}, {Reason: "rare", Score: 0.1}}, nil
	})
	g := newGuard(t, guard.Rule{Control: "inference/topic", Detector: scored, Input: &guard.Actions{
		Default: ringwall.Flag, Least: 0.5, LeastBy: map[string]float64{"rare": 0.1},
	}})
	if got := check(t, g, ringwall.Input, "x").Verdict.Reasons; !slices.Equal(got, []string{"likely", "rare"}) {
		t.Errorf("reasons %v", got)
	}
}

// Where the rest is ignored, only the reasons that are named leave a trace.
func TestIgnore(t *testing.T) {
	g := newGuard(t, guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: &guard.Actions{
		Ignore: true, By: map[string]ringwall.Action{pii.Email: ringwall.Mask},
	}})
	res := check(t, g, ringwall.Input, "ann@example.com, 4111 1111 1111 1111")
	if len(res.Findings) != 1 || len(res.Texts) != 1 || res.Texts[0].Value != "{EMAIL}, 4111 1111 1111 1111" {
		t.Errorf("%+v", res)
	}
}

// A rule in shadow mode records what it would have done, and lets pass. That it
// could not look is no shadow.
func TestShadow(t *testing.T) {
	g := newGuard(t,
		guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: &guard.Actions{Shadow: true, By: map[string]ringwall.Action{pii.IPAddress: ringwall.Flag}}},
	)
	res := check(t, g, ringwall.Input, "ann@example.com from 192.168.12.250")
	if res.Verdict.Action != ringwall.Flag || len(res.Texts) > 0 || len(res.Findings) != 2 || res.Findings[0].Shadow != "block" || res.Findings[1].Shadow != "" {
		t.Errorf("%+v", res)
	}
	broken := guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) { panic("a bug") })
	g = newGuard(t, guard.Rule{Control: "inference/topic", Detector: broken, Input: &guard.Actions{Shadow: true, Default: ringwall.Flag}})
	if res := check(t, g, ringwall.Input, "x"); res.Verdict.Action != ringwall.Block {
		t.Errorf("a detector that cannot look in shadow mode: %+v", res.Verdict)
	}
}

// A rule may say something else of texts by whose words they are.
func TestOrigins(t *testing.T) {
	g := newGuard(t, guard.Rule{
		Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: &guard.Actions{Default: ringwall.Block},
		Origins: map[ringwall.Origin]*guard.Actions{ringwall.Tool: {Default: ringwall.Flag}, ringwall.System: nil},
	})
	for origin, want := range map[ringwall.Origin]ringwall.Action{
		ringwall.User: ringwall.Block, ringwall.Unverified: ringwall.Block, ringwall.Origin(99): ringwall.Block,
		ringwall.Tool: ringwall.Flag, ringwall.System: ringwall.Allow,
	} {
		res := g.Check(t.Context(), guard.Session{}, []ringwall.Text{{Origin: origin, Value: "ann@example.com"}})
		if res.Verdict.Action != want {
			t.Errorf("a text of %s: %s, want %s", origin, res.Verdict.Action, want)
		}
	}
	mixed := []ringwall.Text{{Origin: ringwall.Tool, Value: "ann@example.com"}, {Origin: ringwall.User, Value: "bob@example.com"}}
	if res := g.Check(t.Context(), guard.Session{}, mixed); res.Verdict.Action != ringwall.Block || len(res.Findings) != 2 {
		t.Errorf("%+v", res)
	}
}

func excusing(t testing.TB, words ...string) []stream.Scanner {
	w, err := word.New(word.List{Words: words})
	if err != nil {
		t.Fatal(err)
	}
	return []stream.Scanner{w}
}

func TestExceptions(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	staff := ringwall.Principal{ID: "k1", Tenant: "shop"}
	for _, tt := range []struct {
		name string
		e    guard.Exception
		who  ringwall.Principal
		text string
		want string // the text that goes on
	}{
		{"by text", guard.Exception{Scanners: excusing(t, "info@example.com")}, staff, "INFO@example.com or ann@example.com", "INFO@example.com or {EMAIL}"},
		{"a text around the finding", guard.Exception{Scanners: excusing(t, "mail to info@example.com")}, staff, "mail to info@example.com, not info@example.com", "mail to info@example.com, not {EMAIL}"},
		{"a text inside the finding", guard.Exception{Scanners: excusing(t, "example.com")}, staff, "ann@example.com", "{EMAIL}"},
		{"by principal", guard.Exception{Principals: []string{"k1"}}, staff, "ann@example.com", "ann@example.com"},
		{"another principal", guard.Exception{Principals: []string{"k2"}}, staff, "ann@example.com", "{EMAIL}"},
		{"by tenant and reason", guard.Exception{Tenants: []string{"shop"}, Reasons: []string{pii.Email}}, staff, "ann@example.com 4111 1111 1111 1111", "ann@example.com {CREDIT_DEBIT_CARD_NUMBER}"},
		{"another control", guard.Exception{Controls: []string{"inference/secret"}}, staff, "ann@example.com", "{EMAIL}"},
		{"one that is over", guard.Exception{Reasons: []string{pii.Email}, Until: now}, staff, "ann@example.com", "{EMAIL}"},
		{"one that is not over yet", guard.Exception{Reasons: []string{pii.Email}, Until: now.Add(time.Second)}, staff, "ann@example.com", "ann@example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.e.Name = "x"
			g, err := guard.New(guard.Config{
				Name: "g", Now: func() time.Time { return now }, Exceptions: []guard.Exception{tt.e},
				Rules: []guard.Rule{{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: mask, Output: mask}},
			})
			if err != nil {
				t.Fatal(err)
			}
			res := g.Check(t.Context(), guard.Session{Principal: tt.who}, []ringwall.Text{{Origin: ringwall.User, Value: tt.text}})
			got := tt.text
			if len(res.Texts) > 0 {
				got = res.Texts[0].Value
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			excused := slices.ContainsFunc(res.Findings, func(f ringwall.Finding) bool { return f.Excepted == "x" })
			if all := tt.want == "{EMAIL}"; excused == all {
				t.Errorf("excused: %v in %+v", excused, res.Findings)
			}
		})
	}
}

// A judgement about the whole of a text is excused by an exception for all of
// it, and by none for a part.
func TestExceptionsForWholeTexts(t *testing.T) {
	always := guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
		return []ringwall.Finding{{Reason: "off-topic", Score: 1}}, nil
	})
	g, err := guard.New(guard.Config{
		Rules:      []guard.Rule{{Control: "inference/topic", Detector: always, Input: &guard.Actions{}}},
		Exceptions: []guard.Exception{{Name: "x", Scanners: excusing(t, "i have been pre qualified")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]ringwall.Action{" I have been pre qualified\n": ringwall.Allow, "I have been pre qualified for crime": ringwall.Block} {
		if res := check(t, g, ringwall.Input, text); res.Verdict.Action != want {
			t.Errorf("%q: %+v", text, res.Verdict)
		}
	}
}

// modal is a guardrail whose detector looks at streamed answers the given way,
// beside scanners and exceptions.
func modal(t testing.TB, r guard.Release) *guard.Guard {
	g, err := guard.New(guard.Config{
		Rules: []guard.Rule{
			{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: mask},
			{Control: "inference/topic", Detector: detects("quick brown"), Output: mask, Release: r},
			{Control: guard.Sanitize, Output: flag},
		},
		Exceptions: []guard.Exception{{Name: "x", Scanners: excusing(t, "the quick brown fox", "192.168.12.250")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Detectors that look stretch by stretch keep the promise of the stream: where
// it is cut into pieces makes no difference, and nothing leaves before it was
// looked at. Exceptions keep it too.
func TestStreamEqualsUnaryInEveryMode(t *testing.T) {
	for name, r := range map[string]guard.Release{"strict": guard.Strict, "window": guard.Window, "buffer": guard.Buffer} {
		t.Run(name, func(t *testing.T) {
			g := modal(t, r)
			for seed := range 60 {
				rng := rand.New(rand.NewPCG(uint64(seed), 3))
				var text string
				for range 30 {
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

// In window mode what was looked at leaves while the rest is still to come.
func TestWindowsLeave(t *testing.T) {
	g := modal(t, guard.Window)
	c := g.Channel(session, ringwall.Text{}, g.Looks(ringwall.Output))
	defer c.Free()
	sent := 0
	for range 100 {
		sent += len(c.Write([]byte("All is well that ends well, they say. ")))
	}
	if written := 100 * 38; sent < written-2048 || sent == written {
		t.Errorf("%d of %d bytes left", sent, written)
	}
}

// In cut-off mode text leaves at once, and what is noticed later ends it.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := modal(t, guard.CutOff)
		c := g.Channel(session, ringwall.Text{}, g.Looks(ringwall.Output))
		defer c.Free()
		if got := string(c.Write([]byte("see a quick brown dog "))); !strings.HasPrefix(got, "see a quick brown") {
			t.Errorf("%q left at once", got)
		}
		c.Write([]byte(strings.Repeat("and so on. ", 200)))
		synctest.Wait()
		if out := c.Write([]byte("and so on.")); len(out) > 0 || !c.Blocked() {
			t.Errorf("after the detector noticed, %q left", out)
		}
	})
}
