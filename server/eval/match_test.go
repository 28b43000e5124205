package eval_test

import (
	"slices"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/server/eval"
)

func TestMatch(t *testing.T) {
	type spans = [][2]int
	tests := []struct {
		name             string
		labels, findings spans
		not              [][2]int // label and finding that do not fit
		want             []int
	}{
		{"nothing", nil, nil, nil, []int{}},
		{"the same", spans{{2, 5}}, spans{{2, 5}}, nil, []int{0}},
		{"an overlap of a byte", spans{{2, 5}}, spans{{4, 9}}, nil, []int{0}},
		{"side by side is no overlap", spans{{2, 5}}, spans{{5, 9}}, nil, []int{-1}},
		{"one finding is for one label", spans{{0, 4}, {5, 9}}, spans{{0, 9}}, nil, []int{0, -1}},
		{"one label has one finding, that with the most in common", spans{{0, 9}}, spans{{0, 3}, {4, 9}}, nil, []int{1}},
		{"as many as can be: the first label leaves what the second needs", spans{{0, 9}, {8, 12}}, spans{{4, 12}, {0, 3}}, nil, []int{1, 0}},
		{"a chain moves up", spans{{0, 5}, {4, 9}, {8, 12}}, spans{{4, 5}, {8, 9}, {0, 1}}, nil, []int{2, 0, 1}},
		{"types that do not fit", spans{{0, 5}, {0, 5}}, spans{{0, 5}, {0, 5}}, [][2]int{{0, 0}, {1, 1}}, []int{1, 0}},
		{"nothing fits", spans{{0, 5}}, spans{{0, 5}}, [][2]int{{0, 0}}, []int{-1}},
		{"a long finding before does not hide others", spans{{50, 60}}, spans{{0, 100}, {55, 58}, {70, 80}}, [][2]int{{0, 0}}, []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := eval.Match(between(test.labels), between(test.findings), func(l, f int) bool { return !slices.Contains(test.not, [2]int{l, f}) })
			if !slices.Equal(got, test.want) {
				t.Errorf("labels have findings %v, want %v", got, test.want)
			}
		})
	}
}

func between(pairs [][2]int) (spans []ringwall.Span) {
	for _, p := range pairs {
		spans = append(spans, ringwall.Span{Start: p[0], End: p[1]})
	}
	return spans
}
