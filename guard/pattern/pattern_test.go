package pattern_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/stream"
)

func maskAll(ringwall.Finding) ringwall.Action { return ringwall.Mask }

func mask(t testing.TB, s *pattern.Scanner, text string) string {
	t.Helper()
	got, _ := guardtest.Mask(t, s, stream.Scope{}, text)
	return got
}

func TestScanner(t *testing.T) {
	guardtest.Run(t, scanner(t,
		pattern.Recogniser{Name: "order", Patterns: []pattern.Pattern{{Regex: `\bORD-\d{6}\b`}}},
		pattern.Recogniser{Name: "card", Patterns: []pattern.Pattern{{Regex: `\b(?:\d[ -]?){12,18}\d\b`}}, Checksum: "luhn", Allow: []string{"4242 4242 4242 4242"}},
		pattern.Recogniser{Name: "badge", Patterns: []pattern.Pattern{{Regex: `\b\d{5}\b`, Score: 0.1}}, Context: []string{"badge", "ausweis", "employee card"}, ContextRequired: true},
		pattern.Recogniser{Name: "codename", Words: []string{"Bluebird", "blue moon", "c++", "Übergabe", "秘密", "проект заря"}, Severity: ringwall.High},
	), guardtest.Case{
		Reasons: []string{"order", "card", "badge", "codename"},
		Bad: []string{
			"ORD-123456", "x ORD-123456.", "ＯＲＤ-１２３４５６", "O\u200bRD-123456", "ORD-١٢٣٤٥٦",
			"4111 1111 1111 1111", "4111-1111-1111-1111 ok", "badge 12345", "12345 is the badge", "Badges: 12345", "my employee card says 12345", "12345, Ausweis",
			"bluebird", "BLUEBIRD!", "(Blue  Moon)", "we use C++ here", "übergabe", "ubergabe", "这是秘密吗", "Проект\nЗаря", "blue-bird bluebird",
		},
		Good: []string{
			"", "ORD-12345", "ORD-1234567", "xORD-123456", "ord-123456", "4111 1111 1111 1112", "4242 4242 4242 4242", "12345", "the badger saw 12345",
			"bluebirds", "bluemoon", "blue moons", "秘 密", "проект зарянка", "badge" + strings.Repeat(" ", 70) + "12345",
		},
	})
}

// Expressions as users write them, with what they find by package regexp.
func TestRealLife(t *testing.T) {
	text := texts[1].text[:900] + ` mail: "A.B+c@mail.example.co.uk"; tel (020) 7946-0958, SW1A 1AA, 23/11/2026, Straße STRASSE strasse, ` +
		"[doc](http://x.example/a?b=c) !\n[x]()\nERROR: disk full\nINFO ok\nKlasse 5b, x1x22x333, аб1 вг22, ΣΊΣΥΦΟΣ σίσυφος 秘密文書 aaaaaabaaab cab abab c\n"
	text = strings.NewReplacer("ß", "ss", "Ί", "Ι", "ί", "ι").Replace(text) // as the clean view has it
	for _, expr := range append([]string{
		`(a|b)*c`, `(a*)*b`, `a{1,64}`, `(?:a{1,3}){2,}b?`, `(?i)strasse`, `(?m)^ERROR:.*$`, `(?m)^\w+`, `(?s)<.*>`, `\p{Cyrillic}+\d*`, `\p{Han}{2}`, `(?i)σισυφοσ`, `[^\x00-\x7F]+`,
		`\bx\d+x`, `\Bx\B`, `\d+$`, `^.`, `.$`, `\z`, `(?U)\[.*\]`, `[[:upper:]]{2,}`, `[^[:space:]]+@\S+`, `(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}`,
		`(?i)[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}`, `"[^"]*"`, `\w+(?:-\w+)*`, `(?:ab|a)(?:c|bcd)?`, `\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}`, `\Qexample.com\E`, `(?P<year>\d{4})-(?:\d\d)`, `x*`, `|a`, `a??b`,
	}, typical...) {
		re := regexp.MustCompile(expr)
		re.Longest()
		want := fmt.Sprint(oracle(re, text))
		s, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one(expr)}})
		if err != nil {
			if expr != `\z` {
				t.Errorf("%q: %v", expr, err)
			}
			continue
		}
		for _, size := range []int{0, 1, 7, 100} {
			next := func() int { return size }
			if size == 0 {
				next = nil
			}
			if got := fmt.Sprint(spansOf(look(t, s, text, next))); got != want {
				t.Errorf("%q in pieces of %d: got %s, want %s", expr, size, got, want)
			}
		}
	}
}

// Of terms that begin alike the longest that ends where a word does counts.
func TestWords(t *testing.T) {
	s := scanner(t, pattern.Recogniser{Name: "w", Words: []string{"blue", "Blue Moon", "blue moon rising", "new york", "york city", "c", "c++", "a b", "a  b", "ß", "日本"}})
	for _, tt := range []struct{ in, want string }{
		{"a blue moon rising here", "a {W} here"},
		{"a blue moon rises", "a {W} rises"},
		{"a blue mood, bluer", "a {W} mood, bluer"},
		{"new york city", "{W} city"},
		{"c c++ c+", "{W} {W} {W}+"},
		{"A\n B", "{W}"},
		{"ab", "ab"},
		{"ß ßa", "{W} ßa"},
		{"在日本人", "在{W}人"},
		{"3blue _blue_", "3blue _{W}_"},
	} {
		if got := mask(t, s, tt.in); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
}

// What a pattern says literally is meant as the views show it.
func TestPatternsMeanWhatTheViewsShow(t *testing.T) {
	for _, tt := range []struct{ name, expr, in, want string }{
		{"accents in a pattern", `Müller`, "Herr Müller und Frau Muller", "Herr {ONE} und Frau {ONE}"},
		{"accents in a class", `\b[äöü]l\b`, "öl", "{ONE}"},
		{"a range of accented letters", `N[a-zà-ÿ]+s`, "Nicolás, Ñandús", "{ONE}, {ONE}"},
		{"what is excluded stays excluded", `<[^a>]*>`, "<bç> <bà>", "{ONE} <bà>"},
		{"full width", `ＡＢ-\d`, "AB-1 ＡＢ-２", "{ONE} {ONE}"},
		{"a ligature", `oﬃce`, "office oﬃce", "{ONE} {ONE}"},
		{"Arabic digits", `[٠-٩]{3}`, "١٢٣ 456", "{ONE} {ONE}"},
		{"Hangul literally", `비밀번호`, "이 비밀번호는", "이 {ONE}는"},
		{"a range of Hangul", `[가-힣]{2,3}님`, "김민수님 안녕", "{ONE} 안녕"},
		{"a few syllables of Hangul", `[김이박]씨`, "박씨와 최씨", "{ONE}와 최씨"},
		{"letters of any script", `\b?\p{L}{3}#`, "김민수# abc#", "{ONE} {ONE}"},
		{"case folding", `(?i)élan`, "ÉLAN Elan", "{ONE} {ONE}"},
		{"case folding of a class", `(?i)[é]x`, "Ex éX", "{ONE} {ONE}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mask(t, scanner(t, one(tt.expr)), tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestWhatCounts(t *testing.T) {
	s := scanner(t,
		pattern.Recogniser{Name: "id", Patterns: []pattern.Pattern{{Regex: `ID\d+`, Score: 0.5}, {Regex: `ID\d{4}`, Score: 0.9}, {Regex: `ID9\d*\b`, Score: 0.7}, {Regex: `IDX\d`, Score: 0.8}, {Regex: `IDX\d\b`, Score: 0.4}}},
		pattern.Recogniser{Name: "near", Patterns: []pattern.Pattern{{Regex: `N\d+`, Score: 0.02}}, Context: []string{"visit"}},
		pattern.Recogniser{Name: "boost", Patterns: []pattern.Pattern{{Regex: `B\d+`}}, Context: []string{"visit"}, ContextBoost: 0.9, Score: 0.3},
		pattern.Recogniser{Name: "term", Words: []string{"tulip"}, Severity: ringwall.Critical},
		pattern.Recogniser{Name: "weak-term", Words: []string{"rose"}, Score: 0.2},
	)
	for _, tt := range []struct {
		name, in, reason string
		score            float64
		severity         ringwall.Severity
	}{
		{"the pattern of the longest match", "ID12345", "id", 0.5, ringwall.Medium},
		{"of two that match the same, the surer", "ID1234", "id", 0.9, ringwall.Medium},
		{"also when it needs to see what follows", "ID91.", "id", 0.7, ringwall.Medium},
		{"and when the other one does", "IDX1.", "id", 0.8, ringwall.Medium},
		{"no context", "N123 and more", "near", 0.02, ringwall.Medium},
		{"context before lifts to the floor", "a visit of N123", "near", 0.4, ringwall.Medium},
		{"context behind", "N123 visits", "near", 0.4, ringwall.Medium},
		{"a boost of one's own, up to certain", "visit B1", "boost", 1, ringwall.Medium},
		{"a score of one's own", "B1", "boost", 0.3, ringwall.Medium},
		{"terms are certain", "a TULIP.", "term", 1, ringwall.Critical},
		{"unless said otherwise", "a rose", "weak-term", 0.2, ringwall.Medium},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 3} {
				next := func() int { return size }
				if size == 0 {
					next = nil
				}
				ms := look(t, s, tt.in, next)
				if len(ms) != 1 || ms[0].Reason != tt.reason || ms[0].Score != tt.score || ms[0].Severity != tt.severity {
					t.Errorf("%q in pieces of %d: %+v, want %s with %v, %v", tt.in, size, ms, tt.reason, tt.score, tt.severity)
				}
			}
		})
	}
}

// Context counts within 64 bytes on either side, to the byte, however the text is
// cut.
func TestHowFarContextReaches(t *testing.T) {
	s := scanner(t, pattern.Recogniser{Name: "n", Patterns: []pattern.Pattern{{Regex: `#\d+`}}, Context: []string{"key"}, ContextRequired: true})
	for gap := 50; gap < 75; gap++ {
		for _, text := range []string{"of key" + strings.Repeat(".", gap) + "#12 end", "see #12" + strings.Repeat(".", gap) + "key " + strings.Repeat("x", 99), "#1" + strings.Repeat(".", gap) + "keyx", "#1" + strings.Repeat(".", gap) + "keys"} {
			want := fmt.Sprint(look(t, s, text, nil))
			if found := want != "[]"; strings.Contains(text, "keyx") && found || !strings.Contains(text, "keyx") && !strings.Contains(text, "keys") && found != (gap <= 61) && gap != 61 {
				t.Errorf("%q: found %v", text, want)
			}
			for _, size := range []int{1, 2, 64} {
				if got := fmt.Sprint(look(t, s, text, func() int { return size })); got != want {
					t.Errorf("%q in pieces of %d: %s, want %s", text, size, got, want)
				}
			}
		}
	}
}

func TestNothingToLookFor(t *testing.T) {
	if c, why := scanner(t).Begin(stream.Scope{}); c != nil || why != "empty-list" {
		t.Errorf("Begin = %v, %q", c, why)
	}
}

func TestFaults(t *testing.T) {
	fine := pattern.Recogniser{Name: "fine", Patterns: []pattern.Pattern{{Regex: "a"}}}
	with := func(change func(*pattern.Recogniser)) []pattern.Recogniser {
		r := fine
		change(&r)
		return []pattern.Recogniser{r}
	}
	for _, tt := range []struct {
		name string
		rs   []pattern.Recogniser
		want string // a part of the error; "" when there is none
	}{
		{"a fine one", []pattern.Recogniser{fine}, ""},
		{"no name", with(func(r *pattern.Recogniser) { r.Name = "" }), "recogniser 0 (): name:"},
		{"a name in capitals", with(func(r *pattern.Recogniser) { r.Name = "Order ID" }), `name: "Order ID": want`},
		{"a name twice", []pattern.Recogniser{fine, fine}, "recogniser 1 (fine): name: recogniser 0 has it"},
		{"nothing to look for", with(func(r *pattern.Recogniser) { r.Patterns = nil }), "neither patterns nor words"},
		{"a score above 1", with(func(r *pattern.Recogniser) { r.Score = 1.5 }), "score: 1.5"},
		{"a score that is no number", with(func(r *pattern.Recogniser) { r.Score = math.NaN() }), "score: NaN"},
		{"a pattern's score below 0", with(func(r *pattern.Recogniser) { r.Patterns = []pattern.Pattern{{Regex: "a", Score: -1}} }), "pattern 0: score -1"},
		{"a boost above 1", with(func(r *pattern.Recogniser) { r.ContextBoost = 2 }), "context boost: 2"},
		{"a severity that nobody knows", with(func(r *pattern.Recogniser) { r.Severity = 99 }), "severity:"},
		{"context required, and none given", with(func(r *pattern.Recogniser) { r.ContextRequired = true }), "context: it is required"},
		{"an empty word of context", with(func(r *pattern.Recogniser) { r.Context = []string{"a", " "} }), "context: word 1"},
		{"context that cannot stand in its place", with(func(r *pattern.Recogniser) { r.Context = []string{strings.Repeat("a", 65)} }), "context: word 0"},
		{"an empty exception", with(func(r *pattern.Recogniser) { r.Allow = []string{""} }), "allow: text 0"},
		{"an unknown checksum", with(func(r *pattern.Recogniser) { r.Checksum = "lunh" }), `checksum: there is none named "lunh": use one of aba, damm`},
		{"an empty word", with(func(r *pattern.Recogniser) { r.Words = []string{"x", "\u200b"} }), "word 1"},
		{"a long word", with(func(r *pattern.Recogniser) { r.Words = []string{strings.Repeat("x", 201)} }), "word 0"},
		{"too many words", with(func(r *pattern.Recogniser) { r.Words = make([]string, pattern.MaxWords+1) }), "words: there are 1001"},
		{"words that are too much", with(func(r *pattern.Recogniser) {
			for i := range 400 {
				r.Words = append(r.Words, fmt.Sprint(1000+i)+strings.Repeat("x", 80))
			}
		}), "words: they are too long together"},
		{"patterns that are too much", with(func(r *pattern.Recogniser) {
			for range 10 {
				r.Patterns = append(r.Patterns, pattern.Pattern{Regex: strings.Repeat("[a-y]{1000}", 8)})
			}
		}), "patterns: they come to 80"},
		{"recognisers that are too much", func() (rs []pattern.Recogniser) {
			for i := range 30 {
				rs = append(rs, pattern.Recogniser{Name: fmt.Sprintf("r%d", i), Patterns: []pattern.Pattern{{Regex: strings.Repeat("[a-y]{1000}", 8)}}})
			}
			return rs
		}(), "the recognisers come to 240"},
		{"too many patterns", with(func(r *pattern.Recogniser) { r.Patterns = make([]pattern.Pattern, pattern.MaxPatterns+1) }), "patterns: there are 51"},
		{"too many exceptions", with(func(r *pattern.Recogniser) { r.Allow = make([]string, pattern.MaxAllow+1) }), "allow: there are 10001"},
		{"too much context", with(func(r *pattern.Recogniser) { r.Context = make([]string, pattern.MaxContext+1) }), "context: there are 101"},
		{"too many recognisers", make([]pattern.Recogniser, pattern.MaxRecognisers+1), "501 recognisers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pattern.New(pattern.Config{Recognisers: tt.rs})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New: %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("all faults are said at once", func(t *testing.T) {
		_, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{{Name: "A", Checksum: "x", Patterns: []pattern.Pattern{{Regex: "("}, {Regex: "a++"}}}, {Name: "b"}}})
		for _, want := range []string{"recogniser 0 (A): name", "recogniser 0 (A): checksum", "recogniser 0 (A): pattern 0", "recogniser 0 (A): pattern 1", "recogniser 1 (b): patterns"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("New: %v\nwant %q in it", err, want)
			}
		}
	})
}

func TestFaultsOfPatterns(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{`a(?=b)`, "character 2: lookahead"},
		{`a(?!b)`, "negative lookahead"},
		{`é(?<=b)`, "character 2: lookbehind"},
		{`(?<!b)c`, "negative lookbehind"},
		{`(?>a)`, "atomic"},
		{`(?|a|b)`, "branch reset"},
		{`(?#x)a`, "comments"},
		{`(a)?(?(1)b|c)`, "conditional"},
		{`a(?R)?b`, "recursion"},
		{`a(?1)?b`, "recursion"},
		{`(?&x)`, "subroutine"},
		{`(?P<q>'|")x(?P=q)`, "backreferences (?P=…)"},
		{`('|")x\1`, `character 7: backreferences \1`},
		{`(?<q>a)\k<q>`, `backreferences \k`},
		{`(a)\g{1}`, `\g`},
		{`(*UTF8)a`, "verbs"},
		{`(?'q'a)`, "quoted group names"},
		{`a*+b`, "possessive"},
		{`a++`, "possessive"},
		{`a?+`, "possessive"},
		{`a{2,3}+`, "possessive"},
		{`a{,5}`, "write {0,5}"},
		{`(?x) a b`, "flag x"},
		{`(?i-x)a`, "flag x"},
		{`a\Kb`, `\K`},
		{`\Ga`, `\G`},
		{`a\Z`, `\Z`},
		{`a\R`, `\R`},
		{`\h+`, `\h`},
		{`\X`, `\X`},
		{`\u00e9`, `\u`},
		{`\cA`, `\c`},
		{`[a-z&&[^b]]`, "intersections"},
		{`a(b`, "missing closing )"},
		{`a)`, "unexpected )"},
		{`[a`, "missing closing ]"},
		{`*a`, "missing argument"},
		{`a{1001}`, "1000 times"},
		{`(a{500}){3}`, "1000 times"},
		{`[z-a]`, "character 2"},
		{`\p{Klingon}`, `\p{Klingon}`},
		{`a\`, "trailing backslash"},
		{`^$`, "no text but the empty one"},
		{``, "no text but the empty one"},
		{`\b`, "no text but the empty one"},
		{"a\u200bb", "U+200B is invisible"},
		{"a\xff", "not valid UTF-8"},
		{strings.Repeat("a", pattern.MaxLength+1), "it has 2001 bytes"},
		{strings.Repeat(`(?:[a-z]{20}\d?){40}|`, 13) + "x", "instructions, at most 10000"},
	} {
		_, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one(tt.expr)}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "recogniser 0 (one): pattern 0: regular expression") {
			t.Errorf("%.60q: %v\nwant %q in it", tt.expr, err, tt.want)
		}
	}
	for _, fine := range []string{`\(\*a\)`, `[(?=]a`, `a\+\+`, `[+*]+`, `x}+`, `(?P<a>b)`, `(?<a>b)`, `(?i:a)`, `(?ims-U)a`, `(?:a)`, `[]a]+`, `[^]a]+`, `[[:alpha:]&]`, `\Q(?=a++\E`, `\\1`, `a{`, `a{x}`, `{`, `\pL`, `\x{e9}`, `[\]&&a]`, `\x{41}+`, `\p{L}+`, `\x41{2}`, `[\x{41}+]+`, `a{2}?`, `\$\{1\}`} {
		if _, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one(fine)}}); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
		regexp.MustCompile(fine)
	}
}

func FuzzFaults(f *testing.F) {
	for _, expr := range []string{`(?=a)`, `[^]a]`, `\Qa`, `a{,5}`, `(?i-x)`, `\`, `[`, `(?`, `[[:`, `a++`} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		_, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one(expr)}})
		if _, std := regexp.Compile(expr); err == nil && std != nil {
			t.Errorf("%q is accepted, and by package regexp it is not: %v", expr, std)
		}
	})
}
