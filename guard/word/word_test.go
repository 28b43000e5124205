package word_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

func scanner(t testing.TB, phrases ...string) *word.Scanner {
	t.Helper()
	s, err := word.New(word.List{Words: phrases})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScanner(t *testing.T) {
	guardtest.Run(t, scanner(t, "project bluebird", "blue", "übergabe", "秘密計画", "c++", "naïve", "สวัสดี", "don't"), guardtest.Case{
		Reasons: []string{word.Reason},
		Bad: []string{
			"blue", "BLUE", "a blue sky", "(blue)", "blue.", "ｂｌｕｅ", "b\u200blue", "blu\u0301e", "project bluebird", "Project   Bluebird", "ÜBERGABE", "U\u0308bergabe", "ubergabe",
			"これは秘密計画です", "秘密計画", "naive", "NAÏVE", "พูดสวัสดีครับ", "Don't", "𝐛𝐥𝐮𝐞", "blue-green", "sky_blue",
		},
		Good: []string{"", "bluebird", "blues", "ablue", "project", "project blue1bird", "bluebird project", "秘密", "計画", "uber gabe", "don t", "b l u e"},
	})
}

func TestWhatIsMasked(t *testing.T) {
	s := scanner(t, "blue", "blue moon", "blue moon rising", "moon", "new york", "york city")
	for _, tt := range []struct{ name, in, want string }{
		{"the longest phrase", "a blue moon rising here", "a {LISTED_WORD} here"},
		{"the longest that is complete", "a blue moon rises", "a {LISTED_WORD} rises"},
		{"the shortest, where no longer one fits", "a blue mood", "a {LISTED_WORD} mood"},
		{"the first of two that overlap", "new york city", "{LISTED_WORD} city"},
		{"each of several", "blue, moon", "{LISTED_WORD}, {LISTED_WORD}"},
		{"several spaces", "new   york", "{LISTED_WORD}"},
		{"what is hidden in it", "bl\u200bue\u200b moon", "{LISTED_WORD}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := guardtest.Mask(t, s, stream.Scope{}, tt.in); strings.ReplaceAll(got, "\u200b", "") != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name    string
		phrases []string
		fault   string // a part of it; "" when the list is fine
	}{
		{"an empty list", nil, ""},
		{"a phrase twice", []string{"a b", "A  B"}, ""},
		{"a longest phrase", []string{strings.Repeat("x", word.MaxLength)}, ""},
		{"an empty phrase", []string{"a", ""}, "phrase 1"},
		{"spaces alone", []string{"  "}, "phrase 0"},
		{"invisible characters alone", []string{"\u200b\u2060"}, "phrase 0"},
		{"a phrase that is too long", []string{strings.Repeat("x", word.MaxLength+1)}, "phrase 0"},
		{"too many phrases", make([]string, word.MaxWords+1), "at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := word.New(word.List{Words: tt.phrases})
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("New: %v, want %q", err, tt.fault)
			}
		})
	}
}

func TestEmptyListIsSkipped(t *testing.T) {
	if c, why := scanner(t).Begin(stream.Scope{}); c != nil || why != "empty-list" {
		t.Errorf("Begin = %v, %q", c, why)
	}
}

func manyWords() []string {
	list := make([]string, word.MaxWords)
	for i := range list {
		list[i] = fmt.Sprintf("phrase number %x of %d", i*2654435761, i)
	}
	return list
}

func TestLongestList(t *testing.T) {
	list := manyWords()
	s := scanner(t, list...)
	if got, _ := guardtest.Mask(t, s, stream.Scope{}, "say "+list[77_777]+"."); got != "say {LISTED_WORD}." {
		t.Errorf("masked: %q", got)
	}
}

func BenchmarkNew(b *testing.B) {
	list := manyWords()
	b.ReportAllocs()
	for b.Loop() {
		scanner(b, list...)
	}
}

func BenchmarkScan(b *testing.B) {
	s := scanner(b, manyWords()...)
	text := strings.Repeat("The committee met on Tuesday to review 14 open questions about phrase number 12. ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		guardtest.Mask(b, s, stream.Scope{}, text)
	}
}
