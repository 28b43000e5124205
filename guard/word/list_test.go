package word_test

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

func lists(t testing.TB, lists ...word.List) *word.Scanner {
	t.Helper()
	s, err := word.New(lists...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProfanity(t *testing.T) {
	s := lists(t, word.Profanity()...)
	guardtest.Run(t, s, guardtest.Case{
		Reasons: []string{word.ReasonProfanity, word.ReasonMildProfanity},
		Bad: []string{
			"what the fuck", "Fucking hell", "bull\u200bshit", "fuuuck you", "f.u.c.k", "f-u-c-k", "f u c k y o u", "a f u c k", "f**k", "f*ck", "sh*t!", "**f**k**", "sh1t", "5hit", "$hit", "b!tch", "b1tches",
			"assssshole", "@sshole", "mother-fucker", "fvck", "bullsh*t", "f_u_c_k", "\u201cf*ck\u201d", "c**t", "fuсk", "F.U.C.K.", "ＦＵＣＫ", "fück",
			"du Arschloch", "verdammte Scheiße", "putain de merde", "hijo de puta", "vaffanculo", "puta que pariu", "godverdomme", "kurwa mać", "какая хуйня", "пи3дец", "xуйня", "хуууйня", "п и з д е ц", "orospu çocuğu", "perkele",
			"こいつはクソ野郎だ", "你他妈的", "씨발", "มันเหี้ยมาก",
		},
		Good: []string{
			"", "Scunthorpe", "class", "assess", "cocktail", "Dickens", "shiitake", "Arsenal", "Penistone", "a classic assassin", "Essex and Sussex", "analysis", "therapist", "Hancock", "Moby Dick", "cocker spaniel", "pass.hit()", "grape", "push it",
			"a b c d e f", "S c u n t h o r p e", "x**k + 2", "f(x) = a*b*c", "**bold** and *italic* text", "v1.2.3", "B2B", "3D", "a55f00d1", "user@example.com", "http://pen.island.example/class", "assets/img", "U.S.A.", "e.g. this",
			"ファックスとパチンコ", "ヒューマンコンピュータ", "แต่ห่างไกล หีบ", "牲畜生产", "보지 마세요", "uçtan uca got it, a pic", "Troia fu distrutta", "cut the lon", "hora de comer", "pedales", "cum laude", "tit for tat", "shitake? no: shittim wood",
			"the push-up, the co-ordinator, the passw0rd", "we use c++ and c#", "$a$$b$", "Kloten, Lund and Pula",
		},
	})
	for _, tt := range []struct{ in, reason string }{{"shit", word.ReasonProfanity}, {"crap", word.ReasonMildProfanity}} {
		if _, fs := guardtest.Mask(t, s, stream.Scope{}, tt.in); len(fs) != 1 || fs[0].Reason != tt.reason {
			t.Errorf("%q: found %+v, want %s", tt.in, fs, tt.reason)
		}
	}
}

func TestInflect(t *testing.T) {
	guardtest.Run(t, lists(t, word.List{Words: []string{"invoice", "stop", "Vertrag", "company", "проект", "секретная", "비밀계획", "amigo", "cat", "Rechnung", "proje", "trabajador"}, Inflect: true}), guardtest.Case{
		Bad: []string{
			"invoices", "invoiced", "invoicing", "stopped", "stopping", "stops", "Vertrags", "Vertrages", "companies", "проекты", "проектами", "секретную", "секретной", "비밀계획을", "비밀계획입니다", "amigos", "amigas", "cats",
			"Rechnungen", "projeler", "projelerin", "trabajadores", "the invoice", "cat's",
		},
		Good: []string{"", "card", "cattle", "invoicexyz", "stopgap", "accompany", "проектирование", "비밀계획표", "amigdala", "cated"},
	})
}

func TestWithin(t *testing.T) {
	guardtest.Run(t, lists(t, word.List{Words: []string{"blue", "x9"}, Within: true}), guardtest.Case{
		Bad:  []string{"bluebird", "ablue", "true-blue", "ax9b"},
		Good: []string{"", "b l u e", "blu", "x 9"},
	})
}

// What a list says about its findings is what they have, and of several lists
// the longest phrase counts, then the earlier list.
func TestListsAreApart(t *testing.T) {
	s := lists(t, word.List{Name: "codenames", Words: []string{"blue moon", "red"}, Severity: ringwall.High}, word.List{Name: "colours", Words: []string{"blue", "red"}})
	for _, tt := range []struct{ name, in, want string }{
		{"the longer phrase", "a blue moon", "a {CODENAMES}"},
		{"the shorter where the longer does not stand", "a blue sky", "a {COLOURS} sky"},
		{"the earlier list", "red", "{CODENAMES}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, fs := guardtest.Mask(t, s, stream.Scope{}, tt.in)
			if got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
			if high := strings.Contains(got, "CODE"); (fs[0].Severity == ringwall.High) != high {
				t.Errorf("severity %v", fs[0].Severity)
			}
		})
	}
}

func TestNewNamesListAndPhrase(t *testing.T) {
	_, err := word.New(word.List{Words: []string{"a"}}, word.List{Name: "codenames", Words: []string{"b", " "}})
	if err == nil || !strings.Contains(err.Error(), "codenames") || !strings.Contains(err.Error(), "phrase 1") {
		t.Errorf("New: %v", err)
	}
	for _, name := range []string{"Code Names", "-a", "a-", "a--b", "ä"} {
		if _, err := word.New(word.List{Name: name}); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	if _, err := word.New(word.List{Words: make([]string, word.MaxWords)}); err == nil {
		t.Error("empty phrases were taken")
	}
	if _, err := word.New(word.List{Words: manyWords()[:word.MaxDisguised+1], Disguise: true}); err == nil {
		t.Error("too many disguised words were taken")
	}
}

func mixed(t testing.TB) *word.Scanner {
	return lists(t, append(word.Profanity(), word.List{Words: []string{"project bluebird", "blue", "übergabe", "秘密計画", "invoice"}, Inflect: true, Disguise: true}, word.List{Name: "codes", Words: []string{"x9", "ab"}, Within: true})...)
}

var parts = []string{
	"fuck", "f**k", "sh1t", "f u c k", "f.u.c.k", "f-u-c-k ", "fuuu", "ck", " ", "  ", "a", "f", "u", "c", "k", "*", "**", "-", ".", "blue", "bird", "project ", "秘密", "計画", "х", "у", "й", "xуй", "1", "\u200b", "\u0301", "“", "invoic", "ing", "es", "ab", "x9", "a ", "i ",
	strings.Repeat("ab", 30), strings.Repeat("q", 48), strings.Repeat("q", 49), "assess ", "\n", ",", "\xff", "비밀", "ü",
}

func TestCutsMakeNoDifference(t *testing.T) {
	s := mixed(t)
	for seed := range uint64(4000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var b strings.Builder
		for range 1 + rng.IntN(14) {
			b.WriteString(parts[rng.IntN(len(parts))])
		}
		same(t, s, b.String(), rng)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func same(t *testing.T, s stream.Scanner, text string, rng *rand.Rand) {
	t.Helper()
	guardtest.Cuts(t, s, stream.Scope{}, text, rng, 1, 4, 30)
}

func FuzzCutsMakeNoDifference(f *testing.F) {
	for i, p := range parts {
		f.Add("see "+p+" there", uint64(i))
	}
	s := mixed(f)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) < 1<<12 {
			same(t, s, text, rand.New(rand.NewPCG(seed, 1)))
		}
	})
}

// 100,000 phrases take at most 15 MB.
func TestLongestListIsSmall(t *testing.T) {
	list := manyWords()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := scanner(t, list...)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if size := int64(after.HeapAlloc) - int64(before.HeapAlloc); size > 15<<20 {
		t.Errorf("%d phrases take %d KB", len(list), size>>10)
	}
	runtime.KeepAlive(s)
}

func BenchmarkProse(b *testing.B) {
	text := strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. ", 80)[:8<<10]
	for _, bb := range []struct {
		name  string
		lists []word.List
	}{
		{"three words", []word.List{{Words: []string{"project bluebird", "blue", "moon"}}}},
		{"profanity", word.Profanity()},
		{"100,000 words", []word.List{{Words: manyWords()}}},
		{"100,000 near words", []word.List{{Words: nearWords()}}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := lists(b, bb.lists...)
			folded := []byte(strings.ToLower(text))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c, _ := s.Begin(stream.Scope{})
				c.Scan(stream.Window{Clean: folded, Folded: folded, Final: true}, func(stream.Match) {})
			}
		})
	}
}

// nearWords are words that the prose comes near to.
func nearWords() []string {
	heads := strings.Fields("the committee met on tuesday to review open questions about shipping zurich and agreed most")
	list := manyWords()
	for i := range list {
		list[i] = heads[i%len(heads)] + string(rune('a'+i%26)) + list[i][14:]
	}
	return list
}
