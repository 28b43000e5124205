package synth_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/training/content/synth"
)

func TestGrammarMakes(t *testing.T) {
	tests := []struct {
		name, grammar, want string
	}{
		{"words as they are", "@@ a\nhello", "hello"},
		{"a line feed", "@@ a\nhello\\nthere", "hello\nthere"},
		{"a bracket that is meant", "@@ a\n\\(a\\|b\\) \\{c\\}", "(a|b) {c}"},
		{"a phrase of a list", "@@ a\n{x}!\n@x\nhello", "hello!"},
		{"a list in a later piece and a comment", "# none\n@@ a\n{x}\n\n@x\n# none\nhello", "hello"},
		{"alternatives in alternatives", "@@ a\n(a(b|b)|ab)c", "abc"},
		{"an alternative that is empty", "@@ a\na(|)b", "ab"},
		{"a capital", "@@ a\n{x:cap}\n@x\nélan vital", "Élan vital"},
		{"a verb in another form", "@@ a\n{x:ing}\n@x\nrob a bank", "robbing a bank"},
		{"that form with a capital", "@@ a\n{x:Ing}\n@x\nlie", "Lying"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, err := synth.ParseGrammar(test.grammar)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Make(rand.New(rand.NewPCG(1, 2)), g.Groups[0].Texts[0]); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestGrammarForms(t *testing.T) {
	for verb, want := range map[string]string{
		"make": "making", "get": "getting", "beat": "beating", "die": "dying", "see": "seeing", "flee": "fleeing", "traffic": "trafficking",
		"commit": "committing", "poison": "poisoning", "hack": "hacking", "buy": "buying", "fix": "fixing", "run": "running", "rig": "rigging",
		"impersonate": "impersonating", "quit": "quitting", "dye": "dyeing", "be": "being", "spy": "spying", "con": "conning", "secretly film": "secretly filming", "bully": "bullying",
	} {
		g, err := synth.ParseGrammar("@@ a\n{x:ing}\n@x\n" + verb + " it")
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Make(rand.New(rand.NewPCG(1, 2)), g.Groups[0].Texts[0]); got != want+" it" {
			t.Errorf("%s: %q, want %q", verb, got, want)
		}
	}
}

func TestGrammarRefuses(t *testing.T) {
	tests := []struct {
		name, grammar, want string
	}{
		{"a phrase of no list", "hello", "line 1: a phrase that belongs to no list"},
		{"a list that is not there", "@@ a\n{x}", `no list "x"`},
		{"a list twice", "@x\na\n@x\nb", `another list "x"`},
		{"a list without phrases", "@x\n", `list "x" is empty`},
		{"a list without name", "@\na", "no name"},
		{"a list in itself", "@x\na{y}\n@y\nb{x}", "leads back to itself"},
		{"a bracket that stays open", "@@ a\n(a|b", "bracket"},
		{"a bracket that was not open", "@@ a\na|b)", "bracket"},
		{"a brace that stays open", "@@ a\n{a", "bracket"},
		{"a brace that was not open", "@@ a\na}", "bracket"},
		{"a backslash before nothing", "@@ a\na\\", "backslash"},
		{"a form that is not known", "@@ a\n{x:ed}\n@x\na", "form"},
		{"texts that grow without measure", "@a\n" + strings.Repeat("x", 100) + "\n@b\n" + strings.Repeat("{a}", 100) + "\n@c\n" + strings.Repeat("{b}", 100), "more than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := synth.ParseGrammar(test.grammar); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestGrammarCounts(t *testing.T) {
	g, err := synth.ParseGrammar("@@ a\n(a|b|) {x} {x}\n@x\na\n(b|c)")
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Count(g.Groups[0].Texts[0]); got != 27 {
		t.Errorf("%v texts, want 27", got)
	}
}

// Whatever is read can be made, and nothing that is made is longer than allowed.
func FuzzGrammar(f *testing.F) {
	f.Add("# a\n@x\na (b|c)\\n\n@@ post en none\n{x:ing} {x:cap} {x:Ing}")
	f.Add("@a\n{b}\n@b\n{a}")
	f.Add("@@ a\n((|)|)")
	f.Add("@a\naaaa\n@b\n{a}{a}\n@c\n{b}{b}\n@@\n{c}\\")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := synth.ParseGrammar(text)
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(1, 2))
		for _, group := range g.Groups {
			for _, text := range group.Texts {
				if made := g.Make(r, text); len(made) > 1<<17 {
					t.Errorf("a text of %d bytes", len(made))
				}
				if n := g.Count(text); n < 1 {
					t.Errorf("%v texts", n)
				}
			}
		}
	})
}
