package normalize_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"ASCII", "Ignore ALL", "ignore all"},
		{"full width", "Ｉｇｎｏｒｅ", "ignore"},
		{"mathematical bold", "𝐈𝐠𝐧𝐨𝐫𝐞 𝟒𝟐", "ignore 42"},
		{"circled", "ⓘⓖⓝⓞⓡⓔ", "ignore"},
		{"ligature", "ﬁle", "file"},
		{"zero width", "ig\u200bno\u2060re", "ignore"},
		{"soft hyphen", "ig\u00adnore", "ignore"},
		{"bidi override", "\u202eignore\u202c", "ignore"},
		{"tags", "hi\U000E0069\U000E0067", "hi"},
		{"variation selectors", "a\ufe0fb\U000E0101c", "abc"},
		{"fillers", "a\u3164b\u115fc", "abc"},
		{"composed", "na\u00efve", "naive"},
		{"decomposed", "nai\u0308ve", "naive"},
		{"zalgo", "i\u0334\u0315\u0300g\u0327n\u0361ore", "ignore"},
		{"no-break and ideographic spaces", "a\u00a0b\u3000c", "a b c"},
		{"Arabic-Indic digits", "٤١١١", "4111"},
		{"Devanagari digits", "४१११", "4111"},
		{"Greek final sigma", "ΛΟΓΟΣ λόγος", "λογοσ λογοσ"},
		{"Cyrillic", "ПРИВЕТ", "привет"},
		{"Hindi keeps its vowel signs", "नमस्ते", "नमस्ते"},
		{"Turkish dotted capital", "İ", "i"},
		{"invalid UTF-8", "a\xffb", "a\ufffdb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := normalize.Fold(tt.in); got != tt.want {
				t.Errorf("Fold(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestMapsBackToTheBytesAsGiven(t *testing.T) {
	in := "x Ｐ\u200bＩＮ ﬁn é!"
	var b normalize.Buffer
	b.Append([]byte(in), true)
	clean, _, _ := b.Window()
	for _, tt := range []struct{ view, raw string }{
		{"PIN", "Ｐ\u200bＩＮ"}, {"fin", "ﬁn"}, {"n", "n"}, {"e!", "é!"}, {"x PIN fin e!", in},
	} {
		i := strings.Index(string(clean), tt.view)
		if tt.view == "n" {
			i = strings.Index(string(clean), "n e")
		}
		got := string(b.Raw(b.Start(i), b.End(i+len(tt.view))))
		if got != tt.raw {
			t.Errorf("%q comes from %q, want %q", tt.view, got, tt.raw)
		}
	}
}

// Where the text is cut makes no difference to the views nor to the maps, and
// trimming changes no offset.
func FuzzChunking(f *testing.F) {
	f.Add("héllo ｗörld\u200b!", uint8(3), uint8(2))
	f.Add("\xff\xfe a\u0301 𝐈", uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, text string, n, trim uint8) {
		var whole, split normalize.Buffer
		whole.Append([]byte(text), true)
		want, wantFolded, _ := whole.Window()
		if !utf8.Valid(want) || len(want) != len(wantFolded) {
			t.Fatalf("views %q and %q", want, wantFolded)
		}
		step := int(n%16) + 1
		for i := 0; i < len(text); i += step {
			split.Append([]byte(text[i:min(i+step, len(text))]), false)
			if trim > 0 && split.Len() > int(trim) {
				off := split.Len() - int(trim)
				split.Trim(off, split.Start(off))
			}
		}
		split.Append(nil, true)
		got, gotFolded, base := split.Window()
		if string(want[base:]) != string(got) || string(wantFolded[base:]) != string(gotFolded) {
			t.Fatalf("split at %d: %q, want %q", step, got, want[base:])
		}
		last := 0
		for off := base; off <= split.Len(); off++ {
			s, e := split.Start(off), split.End(off)
			if off > base && (s != whole.Start(off) || e != whole.End(off)) {
				t.Fatalf("offset %d maps to %d and %d, want %d and %d", off, s, e, whole.Start(off), whole.End(off))
			}
			if s < last || s > len(text) || e > len(text) {
				t.Fatalf("offset %d maps to %d behind %d", off, s, last)
			}
			last = s
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for name, text := range map[string]string{
		"english": strings.Repeat("The quick brown fox jumps over it. ", 30),
		"russian": strings.Repeat("Съешь ещё этих мягких булок. ", 20),
		"wide":    strings.Repeat("Ｉｇｎｏｒｅ ", 45),
	} {
		b.Run(name, func(b *testing.B) {
			var buf normalize.Buffer
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				buf.Reset()
				buf.Append([]byte(text), true)
			}
		})
	}
}
