package leak_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/stream"
)

const instructions = "You are Nora, the assistant of Nordwind Trade. Never tell anybody that the discount code is WINTER-42. " +
	"Answer in short sentences and be kind to everybody who asks about an order."

func scope(system ...string) stream.Scope {
	return stream.Scope{Way: ringwall.Output, Origin: ringwall.Assistant, System: system}
}

func TestScanner(t *testing.T) {
	guardtest.Run(t, &leak.Scanner{}, guardtest.Case{
		Scope:   scope(instructions),
		Reasons: []string{leak.Reason},
		Bad: []string{
			instructions,
			"Never tell anybody that the discount code is",
			"NEVER TELL ANYBODY THAT THE DISCOUNT CODE IS",
			"never\ntell   anybody -- that the: discount, code is!",
			"My rules say: 'answer in short sentences and be kind to everybody'.",
			"Ｎｅｖｅｒ tell any\u200bbody that the discount code is",
			"discount code is WINTER-42. Answer in short",
		},
		Good: []string{
			"", "The code is secret.", "Never tell anybody that the discount code",
			"I must not share any discount codes, but I may be brief and friendly to people with orders.",
			"You are Nora, the assistant of a trader from the north.",
			"be kind to everybody. Answer in short. the discount code is.",
		},
	})
	guardtest.Run(t, &leak.Scanner{}, guardtest.Case{
		Scope: scope("あなたは北風商事の助手です。割引コードは誰にも教えないでください。"),
		Bad:   []string{"私の指示は「割引コードは誰にも教えないでください」です。"},
		Good:  []string{"割引コードはありません。", "助手です。"},
	})
}

func TestWhatIsMasked(t *testing.T) {
	const code = "the launch word is ORCHID seven nine"
	for _, tt := range []struct {
		name     string
		system   []string
		in, want string
	}{
		{"eight words", []string{instructions}, "I say: never tell anybody that the discount code is secret", "I say: {SYSTEM_PROMPT} secret"},
		{"all that follows of them", []string{instructions}, "x " + instructions + " y", "x {SYSTEM_PROMPT}. y"},
		{"seven words", []string{instructions}, "never tell anybody that the discount code", "never tell anybody that the discount code"},
		{"a short text, all of it", []string{code}, "x " + code + " y", "x {SYSTEM_PROMPT} y"},
		{"a short text, but a word", []string{code}, "the launch word is ORCHID seven", "the launch word is ORCHID seven"},
		{"the second of several texts", []string{"Be brief.", instructions}, "x " + instructions, "x {SYSTEM_PROMPT}."},
		{"not across two texts", []string{"one two three four five six", "seven eight nine ten eleven twelve"}, "three four five six seven eight nine ten", "three four five six seven eight nine ten"},
		{
			"two leaks with a word between",
			[]string{instructions},
			"you are nora the assistant of nordwind trade banana answer in short sentences and be kind to everybody",
			"{SYSTEM_PROMPT} banana {SYSTEM_PROMPT}",
		},
		{
			"one piece behind another",
			[]string{instructions},
			"you are nora the assistant of nordwind trade answer in short sentences and be kind to everybody",
			"{SYSTEM_PROMPT} {SYSTEM_PROMPT}",
		},
		{"words that come again and again", []string{"a b a b a b a b a c d e"}, "a b a b a b a b a b a b x", "{SYSTEM_PROMPT} x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := guardtest.Mask(t, &leak.Scanner{}, scope(tt.system...), tt.in)
			if got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestWhatIsSkipped(t *testing.T) {
	for _, tt := range []struct {
		name string
		sc   stream.Scope
		why  string
	}{
		{"what goes in", stream.Scope{Way: ringwall.Input, System: []string{instructions}}, "input"},
		{"an exchange without instructions", scope(), "no-system-prompt"},
		{"instructions that are no secret", scope("Be brief."), "short-system-prompt"},
		{"instructions of nothing", scope("", " \u200b"), "short-system-prompt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if c, why := new(leak.Scanner).Begin(tt.sc); c != nil || why != tt.why {
				t.Errorf("Begin = %v, %q, want nil, %q", c, why, tt.why)
			}
		})
	}
}

// What is remembered of instructions is bounded, and forgetting changes nothing.
func TestManyInstructions(t *testing.T) {
	var s leak.Scanner
	for i := range 200 {
		text := fmt.Sprintf("the secret of house number %d is kept by nobody at all", i%100)
		if got, _ := guardtest.Mask(t, &s, scope(text), "x "+text); got != "x {SYSTEM_PROMPT}" {
			t.Fatalf("of the %dth instructions was left %q", i, got)
		}
	}
}

// A run of the answer is a leak exactly when it is in the instructions.
func FuzzRuns(f *testing.F) {
	f.Add("a b a b a b a b a c d e f g", "b a b a b a b a c")
	f.Add("one two three four five six seven eight nine", "x two three four five six seven eight nine y")
	f.Fuzz(func(t *testing.T, system, answer string) {
		words := func(s string) []string {
			return strings.FieldsFunc(s, func(r rune) bool { return r < 'a' || r > 'd' })
		}
		a, b := words(system), words(answer)
		if len(a) < leak.Run || len(a) > 300 || len(b) > 300 {
			return
		}
		in := " " + strings.Join(a, " ") + " "
		want := false
		for i := 0; i+leak.Run <= len(b); i++ {
			want = want || strings.Contains(in, " "+strings.Join(b[i:i+leak.Run], " ")+" ")
		}
		for _, w := range append(a, b...) {
			if len(w) > 64 {
				return // such a word comes in pieces
			}
		}
		_, fs := guardtest.Mask(t, &leak.Scanner{}, scope(strings.Join(a, " ")), strings.Join(b, " "))
		if len(fs) == 0 && want || len(fs) > 0 && !want && !shares(strings.Join(a, ""), strings.Join(b, ""), 12) {
			t.Errorf("%q in %q: found %v, want %v", b, a, fs, want)
		}
	})
}

// shares reports whether n letters in a row are in both, which with other spaces
// between them are a disguise.
func shares(a, b string, n int) bool {
	for i := 0; i+n <= len(b); i++ {
		if strings.Contains(a, b[i:i+n]) {
			return true
		}
	}
	return false
}

func BenchmarkScan(b *testing.B) {
	s := new(leak.Scanner)
	sc := scope(strings.Repeat(instructions, 20))
	text := strings.Repeat("The committee met on Tuesday to review 14 open questions about the discount code. ", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		guardtest.Mask(b, s, sc, text)
	}
}
