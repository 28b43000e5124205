package guard_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
)

// looking is a guardrail of the detectors that look for what anybody may send.
func looking(t testing.TB) *guard.Guard {
	g, err := guard.New(guard.Config{Name: "looking", Rules: []guard.Rule{
		{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Input: mask},
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: mask},
		{Control: attack.Control, Scanners: []stream.Scanner{attack.Scanner{}}, Input: block},
		{Control: guard.Sanitize, Input: &guard.Actions{Default: ringwall.Flag, By: map[string]ringwall.Action{guard.ReasonBounds: ringwall.Block}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// An attack in the middle of a text of some 100,000 tokens is seen as if it
// stood alone, in the clear and in disguise.
func TestAttackInTheMiddleOfALongText(t *testing.T) {
	g := looking(t)
	half := strings.Repeat(prose, 26)[:208<<10]
	for name, middle := range map[string]string{
		"in the clear":    order,
		"in base64":       b64(order),
		"in tags":         tags(order),
		"letters apart":   apart(order, " ", "   "),
		"a card number":   "4111 1111 1111 1111",
		"a hidden secret": b64("gh" + "p_" + strings.Repeat("aB3d", 9)),
	} {
		t.Run(name, func(t *testing.T) {
			text := half + " " + middle + " " + half
			res := check(t, g, ringwall.Input, text)
			if res.Verdict.Action > ringwall.Mask {
				t.Fatalf("%+v", res.Verdict)
			}
			for _, f := range res.Findings {
				if f.Where.Start < len(half) || f.Where.End > len(half)+2+len(middle) {
					t.Errorf("finding %+v is not about the middle", f)
				}
			}
			for _, l := range res.Looks {
				if l.State != ringwall.Ran {
					t.Errorf("look %+v", l)
				}
			}
		})
	}
}

func packed(t testing.TB, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Texts that grow when they are undone are bounded in time, and a text that was
// not seen whole is never let pass in silence.
func TestBombs(t *testing.T) {
	g := looking(t)
	nested := order
	for range 20 {
		nested = b64(nested)
	}
	many := ""
	for i := range 2000 {
		many += b64(strings.Repeat(string(rune('a'+i%26)), 40)+" harmless words "+string(rune('a'+i%17))) + " "
	}
	for name, text := range map[string]string{
		"a gzip bomb":                  packed(t, strings.Repeat("a", 64<<20)),
		"a gzip bomb of words":         packed(t, strings.Repeat("some words ", 4<<20)),
		"base64, twenty times":         nested,
		"a thousand runs":              many,
		"entities of entities":         strings.Repeat("&amp;", 1) + strings.Repeat("amp;", 100_000),
		"percent signs of percents":    "%" + strings.Repeat("25", 200_000) + "41",
		"a megabyte of one character":  strings.Repeat("a", 1<<20),
		"a megabyte of one digit":      strings.Repeat("0", 1<<20),
		"a megabyte of nothing":        strings.Repeat("\u200b", 350_000),
		"bytes that are no characters": strings.Repeat("\xff\xfe\x80", 350_000),
		"half characters":              strings.Repeat("\xe2\x82", 500_000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			res := check(t, g, ringwall.Input, text)
			if took, most := time.Since(start), 5*time.Second; took > most {
				t.Errorf("%d bytes took %v", len(text), took)
			}
			failed := slices.ContainsFunc(res.Looks, func(l ringwall.Look) bool { return l.State == ringwall.Failed })
			if failed && res.Verdict.Action > ringwall.Hold {
				t.Errorf("it was not seen whole, and was let pass: %+v", res.Verdict)
			}
		})
	}
}
