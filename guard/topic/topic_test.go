package topic_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/topic"
)

// denied looks for five topics.
func denied(t testing.TB) *topic.Scanner {
	t.Helper()
	s, err := topic.New(
		topic.Topic{Name: "investment-advice", Definition: "Recommendations about what to buy or sell in order to make money, such as shares, funds or property.", Examples: []string{"Which shares should I buy?"}},
		topic.Topic{Name: "medical-advice", Definition: "Diagnosing illness or recommending drugs, doses and treatment. It does not include fitness or nutrition."},
		topic.Topic{Name: "politics", Definition: "Elections, parties, politicians and opinions about government policy."},
		topic.Topic{Name: "weapons", Definition: "Making, getting or using firearms, explosives and other arms."},
		topic.Topic{Name: "gambling", Definition: "Betting, casinos, lotteries and how to win at them."},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scores returns the highest score of each topic in a text.
func scores(t testing.TB, s *topic.Scanner, text string) map[string]float64 {
	t.Helper()
	c, _ := s.Begin(stream.Scope{})
	defer c.(stream.Freer).Free()
	r := stream.New(stream.Config{Watches: []stream.Watch{{Control: topic.Control, Cursor: c}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Allow }})
	r.Text(text)
	out := map[string]float64{}
	c.(interface {
		Scores(func(string, float64))
	}).Scores(func(name string, v float64) { out[name] = v })
	return out
}

// about returns the topics that a text is about.
func about(t testing.TB, s *topic.Scanner, text string) (names []string) {
	for name, v := range scores(t, s, text) {
		if v >= 0.5 {
			names = append(names, strings.TrimPrefix(name, "topic:"))
		}
	}
	slices.Sort(names)
	return names
}

func TestTopics(t *testing.T) {
	s := denied(t)
	for _, tt := range []struct{ text, want string }{
		{"Is it a good time to buy stocks, or should I put my savings into an index fund?", "investment-advice"},
		{"Which companies' shares will rise next year?", "investment-advice"},
		{"Should I sell my bonds?", "investment-advice"},
		{"Which drug and what dose should I take for a headache?", "medical-advice"},
		{"I have a fever and a rash, what illness could it be?", "medical-advice"},
		{"Who will win the presidential election?", "politics"},
		{"The government's new immigration policy is a disgrace and the party should resign.", "politics"},
		{"How do I build a pistol at home?", "weapons"},
		{"Explain how to make a pipe bomb with household explosives.", "weapons"},
		{"What is the best strategy to beat a slot machine in the casino?", "gambling"},
		{"Which lottery numbers should I pick to win the jackpot?", "gambling"},

		{"Where is my order?", ""},
		{"How long do I have to boil an egg?", ""},
		{"Write a function that reverses a list in Python.", ""},
		{"Please translate this letter into French.", ""},
		{"My parcel has not arrived and I want my money back.", ""},
		{"What is the weather like in Lisbon in May?", ""},
		{"How many calories are in a banana?", ""},
		{"Set an alarm for seven in the morning.", ""},
		{"panic: runtime error: index out of range [5] with length 3", ""},
		{"| id | name | qty |\n|---|---|---|\n| 17 | lamp | 4 |", ""},
		{"What is 17 % of 2,450?", ""},
		{"I would like to book a table for four on Friday evening.", ""},
		{"Recommend me a good novel about the sea.", ""},
		{"", ""},
		{"ok", ""},
	} {
		if got := strings.Join(about(t, s, tt.text), " "); got != tt.want {
			t.Errorf("%q is about %q, want %q: %.2v", tt.text, got, tt.want, scores(t, s, tt.text))
		}
	}
}

// What a definition excludes does not count for the topic.
func TestExclusions(t *testing.T) {
	with, err := topic.New(topic.Topic{Name: "nutrition", Definition: "Calories, vitamins and what food contains. It does not include recipes or restaurants."})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"Do you have a recipe for pancakes?", "Which restaurants are open on Sunday?"} {
		if got := about(t, with, text); len(got) > 0 {
			t.Errorf("%q is about what is excluded: %v", text, scores(t, with, text))
		}
	}
	if text := "How many calories and vitamins does an apple contain?"; len(about(t, with, text)) == 0 {
		t.Errorf("%q is about nothing: %v", text, scores(t, with, text))
	}
}

// A definition in another language finds its words there.
func TestOtherLanguages(t *testing.T) {
	for _, tt := range []struct {
		name, definition string
		bad, good        []string
	}{
		{
			"anlageberatung", "Empfehlungen zum Kauf oder Verkauf von Aktien, Fonds und Anleihen sowie zur Geldanlage.",
			[]string{"Welche Aktien oder Fonds soll ich jetzt kaufen?", "Lohnt sich die Geldanlage in Anleihen noch?"},
			[]string{"Wo ist meine Bestellung?", "Wie wird das Wetter morgen in Hamburg?", "Where is my order?"},
		},
		{
			"politique", "Les élections, les partis politiques et les opinions sur le gouvernement.",
			[]string{"Que pensez-vous du gouvernement et des partis avant les élections ?"},
			[]string{"Où est ma commande ?", "Quel temps fera-t-il demain à Lyon ?"},
		},
		{
			"touzi", "关于买卖股票、基金和债券的投资建议。",
			[]string{"我应该买哪些股票和基金？"},
			[]string{"今天天气怎么样？", "我的订单在哪里？"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := topic.New(topic.Topic{Name: tt.name, Definition: tt.definition})
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range tt.bad {
				if len(about(t, s, text)) == 0 {
					t.Errorf("%q is about nothing: %v", text, scores(t, s, text))
				}
			}
			for _, text := range tt.good {
				if len(about(t, s, text)) > 0 {
					t.Errorf("%q is about it: %v", text, scores(t, s, text))
				}
			}
		})
	}
}

func TestScanner(t *testing.T) {
	guardtest.Run(t, denied(t), guardtest.Case{
		Bad:     []string{"Should I sell my bonds and buy shares?", "Hello. How do I build a pistol at home? Thanks", "Which lottery numbers should I pick\nto win the jackpot?"},
		Good:    []string{"Where is my order?", "It rains.", "秘密計画", "\xff\xfe", strings.Repeat("a", 2000)},
		Reasons: []string{"investment-advice", "medical-advice", "politics", "weapons", "gambling"},
	})
}

const question = "Should I sell my bonds and buy shares in a mining company? "

// Nothing is too far into a text to be seen, and its place is named.
func TestMiddleOfALongText(t *testing.T) {
	s := denied(t)
	filler := strings.Repeat(passage, 260) // some 60,000 tokens
	text := filler + question + filler
	masked, fs := guardtest.Mask(t, s, stream.Scope{}, text)
	if strings.Contains(masked, "bonds") {
		t.Fatal("the question went on")
	}
	i := slices.IndexFunc(fs, func(f ringwall.Finding) bool { return f.Reason == "investment-advice" && f.Score >= 0.5 })
	if i < 0 {
		t.Fatalf("found %v", fs)
	}
	if w := fs[i].Where; text[w.Start:w.End] != strings.TrimSpace(question) {
		t.Errorf("found in %q", text[w.Start:w.End])
	}
}

// What is said in two short sentences is judged as one.
func TestTwoSentences(t *testing.T) {
	s := denied(t)
	for _, text := range []string{"I have some savings. What shares?", "The casino. How do I win?"} {
		if len(about(t, s, text)) == 0 {
			t.Errorf("%q is about nothing: %.2v", text, scores(t, s, text))
		}
	}
}

var pieces = []string{question, "Who won the election? ", "It rains. ", "the dose of a drug", "\n", "\u200b", "投资", "Dr. ", "🙂", "bet ", "c\u0301asino ", strings.Repeat("gun ", 120), "\xe2\x80", "ｓｈａｒｅｓ ", "...", "3.5 "}

func TestChunks(t *testing.T) {
	s := denied(t)
	for seed := range 600 {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		var b strings.Builder
		for range 1 + rng.IntN(10) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		guardtest.Cuts(t, s, stream.Scope{}, b.String(), rng, 1, 5, 60)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzChunks(f *testing.F) {
	for i, p := range pieces {
		f.Add(p+pieces[(i+5)%len(pieces)], uint64(i))
	}
	s := denied(f)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) < 1<<12 {
			guardtest.Cuts(t, s, stream.Scope{}, text, rand.New(rand.NewPCG(seed, 4)), 1, 9)
		}
	})
}

// A stream waits for one sentence at most, and a sentence is bounded.
func TestHeldBytesAreBounded(t *testing.T) {
	s := denied(t)
	for _, unit := range []string{"a", "word ", "It rains. ", "秘", "."} {
		c, _ := s.Begin(stream.Scope{})
		r := stream.New(stream.Config{Watches: []stream.Watch{{Control: topic.Control, Cursor: c}}})
		for range 4000 / len(unit) {
			r.Write([]byte(unit))
			if r.Held() > 480 {
				t.Fatalf("%q: %d bytes wait", unit, r.Held())
			}
		}
	}
}

// Many texts of one word cost what one word costs.
func TestManyShortTexts(t *testing.T) {
	s := denied(t)
	for i := range 10_000 {
		guardtest.Mask(t, s, stream.Scope{}, []string{"ok", "gun", "股", "", "?"}[i%5])
	}
}

func TestWorkIsLinear(t *testing.T) {
	s := denied(t)
	for _, unit := range []string{"a", "gun ", "share. ", "xqzt ", "投", "\n", ".", "no. ", "\u0301"} {
		took := func(size int) time.Duration {
			text := strings.Repeat(unit, size/len(unit))
			best := time.Hour
			for range 4 {
				start := time.Now()
				guardtest.Mask(t, s, stream.Scope{}, text)
				best = min(best, time.Since(start))
			}
			return best
		}
		if little, much := took(8<<10), took(64<<10); much > 40*little {
			t.Errorf("%q: 8 KB take %v, 64 KB take %v", unit, little, much)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	many := make([]topic.Topic, topic.MostTopics+1)
	for i := range many {
		many[i] = topic.Topic{Name: fmt.Sprintf("t-%d", i), Definition: "weapons"}
	}
	for _, tt := range []struct {
		name   string
		topics []topic.Topic
		want   string
	}{
		{"none", nil, "there are no topics"},
		{"too many", many, "at most 100"},
		{"one without a name", []topic.Topic{{Definition: "weapons"}}, "a name is required"},
		{"one without a word", []topic.Topic{{Name: "it", Definition: "this and that"}}, "neither the name nor the definition"},
		{"too many examples", []topic.Topic{{Name: "weapons", Examples: make([]string, 101)}}, "101 examples"},
		{"a definition that is too long", []topic.Topic{{Name: "weapons", Definition: strings.Repeat("gun ", 5000)}}, "20000 bytes"},
	} {
		if _, err := topic.New(tt.topics...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}
