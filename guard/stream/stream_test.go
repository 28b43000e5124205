package stream_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// words is a Cursor that notices its words wherever they stand.
type words struct {
	reason string
	list   []string
	stream.Starts
}

func watch(reason string, list ...string) stream.Watch {
	c := &words{reason: reason, list: list}
	c.Try = c.try
	return stream.Watch{Control: "inference/" + reason, Cursor: c}
}

func (c *words) try(w stream.Window, i int, found func(stream.Match)) int {
	for _, word := range c.list {
		rest := string(w.Folded[i:])
		switch {
		case strings.HasPrefix(rest, word):
			found(stream.Match{Start: w.Base + i, End: w.Base + i + len(word), Reason: c.reason, Severity: ringwall.Low, Score: 1})
			return i + len(word)
		case strings.HasPrefix(word, rest) && !w.Final:
			return i
		}
	}
	return i + 1
}

func mask(ringwall.Finding) ringwall.Action { return ringwall.Mask }

// send sends text in pieces of the given size and returns what comes out.
func send(r *stream.Redactor, text string, size int) string {
	var out strings.Builder
	for i := 0; i < len(text); i += size {
		out.Write(r.Write([]byte(text[i:min(i+size, len(text))])))
	}
	out.Write(r.Close())
	return out.String()
}

func known(start, end int) ringwall.Finding {
	return ringwall.Finding{Control: "inference/known", Reason: "known", Where: ringwall.Span{Start: start, End: end}}
}

func TestRedactor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		watches func() []stream.Watch
		known   []ringwall.Finding
		in      string
		want    string
	}{
		{"nothing to look for", nil, nil, "abc", "abc"},
		{"nothing at all", nil, nil, "", ""},
		{"a match", func() []stream.Watch { return []stream.Watch{watch("one", "bcd")} }, nil, "abcde", "a{ONE}e"},
		{"one match behind another", func() []stream.Watch { return []stream.Watch{watch("one", "bc")} }, nil, "abcbcd", "a{ONE}{ONE}d"},
		{"two that overlap: the earlier start", func() []stream.Watch { return []stream.Watch{watch("two", "cde"), watch("one", "bcd")} }, nil, "abcdef", "a{ONE}f"},
		{"one within another", func() []stream.Watch { return []stream.Watch{watch("two", "cd"), watch("one", "bcdef")} }, nil, "abcdefg", "a{ONE}g"},
		{"the same start: the earlier watch", func() []stream.Watch { return []stream.Watch{watch("one", "bc"), watch("two", "bcde")} }, nil, "abcdef", "a{ONE}f"},
		{"a chain of overlaps", func() []stream.Watch {
			return []stream.Watch{watch("one", "bcd"), watch("two", "def"), watch("three", "fgh")}
		}, nil, "abcdefghi", "a{ONE}i"},
		{"a known finding", nil, []ringwall.Finding{known(1, 3)}, "abcd", "a{KNOWN}d"},
		{"a known finding at the end", nil, []ringwall.Finding{known(2, 4)}, "abcd", "ab{KNOWN}"},
		{"known findings that overlap", nil, []ringwall.Finding{known(1, 3), known(2, 4)}, "abcde", "a{KNOWN}e"},
		{
			"a known finding and a match at one start", func() []stream.Watch { return []stream.Watch{watch("one", "bcd")} },
			[]ringwall.Finding{known(1, 3)},
			"abcde", "a{KNOWN}e",
		},
		{
			"a match that a known finding overlaps", func() []stream.Watch { return []stream.Watch{watch("one", "cde")} },
			[]ringwall.Finding{known(1, 3)},
			"abcdef", "a{KNOWN}f",
		},
		{"invisible characters within", func() []stream.Watch { return []stream.Watch{watch("one", "bcd")} }, nil, "ab\u200bc\u200bd\u200be", "a{ONE}\u200be"},
		{"wide characters", func() []stream.Watch { return []stream.Watch{watch("one", "bcd")} }, nil, "ａｂｃｄｅ", "ａ{ONE}ｅ"},
		{"half a character at the end", func() []stream.Watch { return []stream.Watch{watch("one", "bcd")} }, nil, "abcd\xe2\x82", "a{ONE}\xe2\x82"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := func() stream.Config {
				cfg := stream.Config{Known: tt.known, Decide: mask}
				if tt.watches != nil {
					cfg.Watches = tt.watches()
				}
				return cfg
			}
			r := stream.New(config())
			if got := string(r.Text(tt.in)); got != tt.want {
				t.Errorf("whole: %q, want %q", got, tt.want)
			}
			for size := 1; size <= 4; size++ {
				r.Reset(config())
				if got := send(r, tt.in, size); got != tt.want {
					t.Errorf("in pieces of %d: %q, want %q", size, got, tt.want)
				}
				if r.Held() != 0 || r.Released() != len(tt.in) || r.Masked() != (tt.in != tt.want) {
					t.Errorf("in pieces of %d: held %d, released %d, masked %v", size, r.Held(), r.Released(), r.Masked())
				}
			}
		})
	}
}

func TestWhatEndsAText(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cfg    stream.Config
		want   string // in pieces of one byte
		reason string
	}{
		{"a finding, when nobody decides", stream.Config{Watches: []stream.Watch{watch("one", "cd")}}, "ab", "one"},
		{"an action that nobody knows", stream.Config{Watches: []stream.Watch{watch("one", "cd")}, Decide: func(ringwall.Finding) ringwall.Action { return 99 }}, "ab", "one"},
		{"holding for approval", stream.Config{Watches: []stream.Watch{watch("one", "cd")}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Hold }}, "ab", "one"},
		{"a mask of nothing", stream.Config{Known: []ringwall.Finding{known(0, 0)}, Decide: mask}, "", "known"},
		{"a watch that panics", stream.Config{Watches: []stream.Watch{{Control: "inference/one", Cursor: panics{}}}}, "", ringwall.ReasonUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := stream.New(tt.cfg)
			got := send(r, "abcdef", 1)
			if got != tt.want || !r.Blocked() {
				t.Errorf("sent %q, blocked %v, want %q and blocked", got, r.Blocked(), tt.want)
			}
			if fs := r.Findings(); len(fs) != 1 || fs[0].Reason != tt.reason {
				t.Errorf("findings %+v, want one for %s", fs, tt.reason)
			}
			if out := r.Write([]byte("more")); out != nil {
				t.Errorf("afterwards %q went out", out)
			}
		})
	}
}

type panics struct{}

func (panics) Scan(stream.Window, func(stream.Match)) int { panic("a bug") }

func TestFlaggedTextIsLeftAlone(t *testing.T) {
	r := stream.New(stream.Config{Watches: []stream.Watch{watch("one", "cd")}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Flag }})
	if got := string(r.Text("abcdef")); got != "abcdef" || r.Masked() || r.Blocked() {
		t.Errorf("sent %q, masked %v, blocked %v", got, r.Masked(), r.Blocked())
	}
	if fs := r.Findings(); len(fs) != 1 || fs[0].Where != (ringwall.Span{Start: 2, End: 4}) {
		t.Errorf("findings %+v", fs)
	}
}

func TestTokenIsGivenWhatItStandsFor(t *testing.T) {
	var given []string
	r := stream.New(stream.Config{
		Watches: []stream.Watch{watch("one", "bcd"), watch("two", "def")},
		Decide:  mask,
		Token: func(f ringwall.Finding, text []byte) string {
			given = append(given, f.Reason+":"+string(text))
			return "#"
		},
	})
	if got := string(r.Text("abCDefg")); got != "a#g" || !slices.Equal(given, []string{"one:bCDef"}) {
		t.Errorf("sent %q, tokens asked for %q", got, given)
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     string // joined by |
	}{
		{"spaces and signs", " one, two--three! ", "one|two|three"},
		{"digits", "a1 2b 345", "a1|2b|345"},
		{"accents and Cyrillic", "naive привет", "naive|привет"},
		{"characters without spaces", "ab秘密cd", "ab|秘|密|cd"},
		{"nothing", " .,- ", ""},
		{"a long word comes in pieces", strings.Repeat("a", 150), strings.Repeat("a", 64) + "|" + strings.Repeat("a", 64) + "|" + strings.Repeat("a", 22)},
		{"longer than a block", strings.Repeat("ab cd ", 40), strings.TrimSuffix(strings.Repeat("ab|cd|", 40), "|")},
		{"a word at the end of a block", strings.Repeat(" ", 60) + "abcdefgh x", "abcdefgh|x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for size := 1; size <= 200; size += 7 {
				var ws stream.Words
				var got []string
				text := []byte(tt.in)
				for n := 0; ; n = min(n+size, len(text)) {
					for n < len(text) && !utf8.RuneStart(text[n]) {
						n++ // the views never show half a character
					}
					w := stream.Window{Clean: text[:n], Folded: text[:n], Final: n == len(text)}
					for {
						word, ok := ws.Next(w)
						if !ok {
							break
						}
						got = append(got, string(word.Text))
					}
					if w.Final {
						break
					}
				}
				if s := strings.Join(got, "|"); s != tt.want {
					t.Fatalf("in pieces of %d: %s, want %s", size, s, tt.want)
				}
			}
		})
	}
}

func TestToken(t *testing.T) {
	if got := stream.Token("us-social-security-number"); got != "{US_SOCIAL_SECURITY_NUMBER}" {
		t.Errorf("Token = %s", got)
	}
}
