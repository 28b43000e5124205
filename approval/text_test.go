package approval_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
)

func TestShow(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain text", "Hello, world: ä ß 東京 🙂", "Hello, world: ä ß 東京 🙂"},
		{"nothing", "", ""},
		{"text that runs backwards", "DE\u202e98\u202c1", "DE⟦U+202E right-to-left override⟧98⟦U+202C pop directional formatting⟧1"},
		{"nothing between letters", "pay\u200bpal", "pay⟦U+200B zero width space⟧pal"},
		{"lines", "a\nb\tc", "a⟦U+000A line break⟧b⟦U+0009 tab⟧c"},
		{"a terminal's commands", "a\x1b[2Jb\x7f", "a⟦U+001B escape⟧[2Jb⟦U+007F delete⟧"},
		{"tags", "x\U000e0068\U000e0069", "x⟦U+E0068 tag h⟧⟦U+E0069 tag i⟧"},
		{"spaces that are none", "a\u00a0b\u3000c", "a⟦U+00A0 no-break space⟧b⟦U+3000 ideographic space⟧c"},
		{"bytes that are no text", "a\xffb", "a⟦byte FF⟧b"},
		{"blank letters", "a\u3164b\u2800", "a⟦U+3164 hangul filler⟧b⟦U+2800 braille blank⟧"},
		{"variations", "a\ufe0f", "a⟦U+FE0F variation selector⟧"},
		{"accents", "e\u0301", "e\u0301"},
		{"towers of accents", "e\u0301\u0301\u0301", "e\u0301\u0301⟦U+0301 combining mark⟧"},
		{"letters for private use", "a\ue000", "a⟦U+E000⟧"},
		{"letters that are assigned to nothing", "a\u0378", "a⟦U+0378⟧"},
	} {
		if got := approval.Plain(approval.Show(tt.text)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHosts(t *testing.T) {
	for _, tt := range []struct{ name, text, ascii, why string }{
		{"a mixed word", "billing@pаypal.com", "xn--pypal-4ve.com", "Latin and Cyrillic"},
		{"a whole word of another alphabet", "https://аррӏе.com/x", "xn--80ak6aa92e.com", "Cyrillic"},
		{"punycode", "go to xn--pypal-4ve.com now", "xn--pypal-4ve.com", "Latin and Cyrillic"},
		{"punycode that is none", "xn--a-\u200b.com xn--99999999.com", "xn--99999999.com", "punycode"},
		{"letters with accents", "www.exämple.org", "www.xn--exmple-cua.org", "beyond ASCII"},
		{"a dot that is none", "paypal。com", "paypal.com", "beyond ASCII"},
		{"wide letters", "ｐaypal.com", "paypal.com", "ASCII"},
		{"an honest host", "https://www.example.com/a.b?c=d", "", ""},
		{"numbers", "1.5 and 2.75", "", ""},
		{"no host", "Grüße aus Köln", "", ""},
	} {
		got := approval.Hosts(tt.text)
		if tt.ascii == "" {
			if len(got) > 0 {
				t.Errorf("%s: %+v", tt.name, got)
			}
			continue
		}
		if !slices.ContainsFunc(got, func(h approval.Host) bool { return h.ASCII == tt.ascii && strings.Contains(h.Why, tt.why) }) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestCard(t *testing.T) {
	v := approval.Seen{First: []string{"/to/0"}}
	v.Arguments = `{"note":"` + strings.Repeat("n", 400) + `","to":["a@b.example","c@d.example"],"cc":[],"n":1.50,"deep":{"x~/y":true}}`
	v.Effect, v.Tool = "external", "send"
	v.Provenance = []ringwall.ArgumentUse{
		{Path: "/note", Source: ringwall.SourceUser},
		{Path: "/to", Sensitive: true, Source: ringwall.SourceUser},
		{Path: "/to/1", Sensitive: true, Source: ringwall.SourceUntrusted, From: "turn 2, \u202ex", How: "verbatim"},
	}
	c := approval.CardOf(&v)
	var paths []string
	for _, f := range c.Fields {
		paths = append(paths, approval.Plain(f.Path))
	}
	if want := []string{"/to/1", "/to/0", "/note", "/cc", "/n", "/deep/x~0~1y"}; !slices.Equal(paths, want) {
		t.Errorf("paths %q, want %q", paths, want)
	}
	if f := c.Fields[0]; !f.Sensitive || f.Source != ringwall.SourceUntrusted || f.First || approval.Plain(f.From) != "turn 2, ⟦U+202E right-to-left override⟧x" {
		t.Errorf("%+v", f)
	}
	if f := c.Fields[1]; !f.First || f.Source != ringwall.SourceUser {
		t.Errorf("%+v", f)
	}
	if f := c.Fields[2]; f.Length != 400 || len(approval.Plain(f.Head)) != 300 || len(approval.Plain(f.Rest)) != 100 {
		t.Errorf("%+v", f)
	}
	if f := c.Fields[4]; approval.Plain(f.Head) != "1.50" || f.Kind != "number" {
		t.Errorf("%+v", f)
	}
	said := strings.Join(c.Notices, " ")
	for _, want := range []string{"1 value that says who", "1 value was never approved", "1 value is long"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %q", want, said)
		}
	}
	bad := approval.Seen{}
	bad.Arguments = `{"a":`
	if c := approval.CardOf(&bad); len(c.Fields) != 0 || len(c.Notices) != 1 || approval.Plain(c.Raw) != bad.Arguments {
		t.Errorf("%+v", c)
	}
}

// What is shown is all of the text, and nothing of it hides.
func FuzzShow(f *testing.F) {
	for _, s := range []string{"", "a\u202eb", "\xff\xfe", "e\u0301\u0301\u0301\u0301", "a\nb", "\U000e0041", "⟦U+202E⟧", "\u0378\ue000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var shown, kept int
		for _, p := range approval.Show(text) {
			if (p.Text == "") == (p.Token == "") {
				t.Fatalf("%q: a piece of both or neither: %+v", text, p)
			}
			if p.Token != "" {
				shown++
				continue
			}
			kept += len(p.Text)
			if !utf8.ValidString(p.Text) || !strings.Contains(text, p.Text) {
				t.Fatalf("%q: %q is not in it", text, p.Text)
			}
			for _, r := range p.Text {
				if r != ' ' && !unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Cc, unicode.Zl, unicode.Zp) {
					t.Fatalf("%q: %U is shown as it is", text, r)
				}
			}
		}
		if kept > len(text) || kept < len(text) && shown == 0 {
			t.Fatalf("%q: %d bytes and %d tokens", text, kept, shown)
		}
		plain := approval.Plain(approval.Show(text))
		if strings.ContainsFunc(plain, func(r rune) bool { return unicode.IsControl(r) }) {
			t.Fatalf("%q becomes %q", text, plain)
		}
		for _, h := range approval.Hosts(text) {
			if h.Why == "" || strings.ContainsFunc(h.ASCII, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
				t.Fatalf("%q: %+v", text, h)
			}
		}
	})
}

// Each value of the arguments is on the card, whole, whatever they are.
func FuzzCard(f *testing.F) {
	f.Add(`{"to":"x","amount":1}`, "/to")
	f.Add(`{"a":[{"b":[[]]},null,true,"\u202e"]}`, "/a")
	f.Add(`{"":{"/":"~"}}`, "")
	f.Add(`[`, "/")
	f.Fuzz(func(t *testing.T, arguments, path string) {
		v := approval.Seen{First: []string{path}}
		v.Arguments, v.Tool, v.Effect = arguments, arguments, "external"
		v.Provenance = []ringwall.ArgumentUse{{Path: path, Sensitive: true, Source: ringwall.SourceUntrusted, From: arguments}}
		c := approval.CardOf(&v)
		if arguments != "" && len(c.Raw) == 0 || c.Bytes != len(arguments) {
			t.Fatal("the arguments are not on the card")
		}
		if c.Confirm.Text != "" && !c.Confirm.Typed(c.Confirm.Text) {
			t.Fatalf("%q cannot be typed", c.Confirm.Text)
		}
		rank := 0
		for _, field := range c.Fields {
			now := 20
			if field.Sensitive {
				now = int(field.Source)
			}
			if now < rank {
				t.Fatal("what is sensitive does not stand first")
			}
			rank = now
			shown := 0
			for _, p := range slices.Concat(field.Head, field.Rest) {
				if p.Token != "" {
					shown++
				} else {
					shown += utf8.RuneCountInString(p.Text)
				}
			}
			if shown != field.Length {
				t.Fatalf("%d characters of %d are shown", shown, field.Length)
			}
		}
		if json.Valid([]byte(arguments)) && len(c.Fields) == 0 && len(c.Notices) == 0 && arguments != "" {
			t.Fatal("nothing is said of arguments that are not shown")
		}
	})
}

// A token is good for nobody and nothing but what it was given for.
func FuzzToken(f *testing.F) {
	w := newWorld(f, f.TempDir()+"/a.db", approval.Rules{})
	a := ask(f, w.here, call(nil), approval.Pending)
	seen, err := w.here.Look(f.Context(), a.ID, alice)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seen.Token[:31])
	f.Add(strings.Repeat("A", 32))
	f.Add(seen.Token + "\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if token == seen.Token {
			return
		}
		w.clock.move(10)
		if got, err := w.here.Approve(t.Context(), a.ID, approval.Decision{By: alice, Token: token, Typed: "250.00"}); err == nil || got.State == approval.Approved {
			t.Fatalf("%q approves", token)
		}
	})
}
