package topic_test

import (
	"testing"

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
