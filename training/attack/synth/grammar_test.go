package synth_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall/training/attack/synth"
)

func TestGrammar(t *testing.T) {
	tests := []struct{ name, text, want, fault string }{
		{"a plain text", "@ benign a user_prompt\nhello", "hello", ""},
		{"a rule fills a slot", "@ benign a user_prompt\nsay {x}\n:x\nyes", "say yes", ""},
		{"a slot with a capital", "@ benign a user_prompt\n{X} it\n:x\nécrire", "Écrire it", ""},
		{"an empty slot with a capital", "@ benign a user_prompt\na{X}b\n:x\n[|]", "ab", ""},
		{"a slot in capitals", "@ benign a user_prompt\n{XY}\n:xy\nstop", "STOP", ""},
		{"a slot in a code", "@ benign a user_prompt\n{rot13:x}\n:x\nuryyb", "hello", ""},
		{"nested brackets with one way out", "@ benign a user_prompt\n[a[b[c]]]", "abc", ""},
		{"an empty part leaves one space", "@ benign a user_prompt\nplease [|] go", "please go", ""},
		{"marks lose their meaning", `@ benign a user_prompt` + "\n" + `\{x\} \[y\] \\ a\nb`, "{x} [y] \\ a\nb", ""},
		{"comments and empty lines", "# note\n\n@ benign a user_prompt\n# more\nx", "x", ""},
		{"indentation stays", `@ benign a user_prompt` + "\n" + `if x:\n    y`, "if x:\n    y", ""},
		{"an unknown rule", "@ benign a user_prompt\n{x}", "", `no rule "x"`},
		{"an unknown code", "@ benign a user_prompt\n{wat:x}\n:x\ny", "", "not a code"},
		{"a slot without an end", "@ benign a user_prompt\n{x", "", "without an end"},
		{"a bracket without an end", "@ benign a user_prompt\n[x", "", "without an end"},
		{"a bracket that was not begun", "@ benign a user_prompt\nx]", "", "not begun"},
		{"a rule in itself", "@ benign a user_prompt\n{x}\n:x\n{y}\n:y\n{x}", "", "comes back"},
		{"a rule that is there twice", ":x\na\n:x\nb", "", "twice"},
		{"an unknown kind", "@ benign a video\nx", "", "not a kind"},
		{"an unknown label", "@ maybe a email\nx", "", "not a label"},
		{"a text before any rule", "x", "", "no rule"},
		{"a root without texts", "@ attack a email", "", "no alternatives"},
		{"brackets too deep", "@ benign a email\n" + strings.Repeat("[", 99), "", "brackets in brackets"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := synth.Expand(test.text, 1)
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Fatalf("error %v, want one with %q", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0] != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestTagsSayTheSameAgain(t *testing.T) {
	const text = "@ benign a user_prompt\n{x#1} {x#1} {x#1} {x#1}\n:x\n[a|b|c|d|e|f]"
	for seed := range uint64(50) {
		got, err := synth.Expand(text, seed)
		if err != nil {
			t.Fatal(err)
		}
		if w := strings.Fields(got[0]); w[0] != w[1] || w[0] != w[2] || w[0] != w[3] {
			t.Fatalf("%q: a tagged slot changed its words", got[0])
		}
	}
}

func FuzzGrammar(f *testing.F) {
	f.Add("@ attack a user_prompt 3\n[a|b{x}|]\\n {X#1} {base64:x}\n:x\n1\n[2|3]", uint64(1))
	f.Add("@ benign a payload\n{x}\n:x\n{y}\n:y\n{x}", uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if synth.Check(text) != nil {
			return
		}
		texts, err := synth.Expand(text, seed)
		if err != nil {
			t.Fatalf("a grammar was checked and did not expand: %v", err)
		}
		again, err := synth.Expand(text, seed)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range texts {
			if s != again[i] {
				t.Errorf("the same seed gave %q and %q", s, again[i])
			}
			if utf8.ValidString(text) && !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
		}
	})
}
