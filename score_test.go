package ringwall_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/ringwall/ringwall"
)

func TestScores(t *testing.T) {
	const in, out = ringwall.Input, ringwall.Output
	for _, tt := range []struct {
		name string
		add  []ringwall.Score
		want ringwall.Scores
	}{
		{"none", nil, nil},
		{"in the order of names and directions", []ringwall.Score{{"hate", out, 0.5}, {"hate", in, 0.25}, {"b", in, 1}}, ringwall.Scores{{"b", in, 1}, {"hate", in, 0.25}, {"hate", out, 0.5}}},
		{"the higher stays", []ringwall.Score{{"hate", in, 0.5}, {"hate", in, 0.25}, {"hate", in, 0.75}}, ringwall.Scores{{"hate", in, 0.75}}},
		{"the lower of grounding", []ringwall.Score{{"grounding", out, 0.5}, {"grounding", out, 0.25}, {"relevance", out, 0.5}, {"relevance", out, 1}}, ringwall.Scores{{"grounding", out, 0.25}, {"relevance", out, 0.5}}},
		{"what is no number is not taken", []ringwall.Score{{"hate", in, math.NaN()}}, nil},
		{"what lies beyond is the end", []ringwall.Score{{"a", in, math.Inf(1)}, {"b", in, -3}}, ringwall.Scores{{"a", in, 1}, {"b", in, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got ringwall.Scores
			for _, s := range tt.add {
				got = got.Add(s.Way, s.Name, s.Value)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if again := got.Merge(got); !reflect.DeepEqual(again, got) {
				t.Errorf("merged with itself it is %+v", again)
			}
		})
	}
}

func TestScoresAreRoundedInACopy(t *testing.T) {
	s := ringwall.Scores{}.Add(ringwall.Input, "hate", 0.98765)
	r := s.Rounded(3)
	if got, _ := r.Of(ringwall.Input, "hate"); got != 0.988 {
		t.Errorf("rounded to %v", got)
	}
	if got, _ := s.Of(ringwall.Input, "hate"); got != 0.98765 {
		t.Errorf("the given one is %v now", got)
	}
	if _, ok := s.Of(ringwall.Output, "hate"); ok {
		t.Error("there is one for the other direction")
	}
}
