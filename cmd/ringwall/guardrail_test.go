package main

import (
	"testing"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/internal/calibrate"
)

func TestWhatABudgetMeans(t *testing.T) {
	point := calibrate.Point{Score: 0.8312, FPR: 0.0042, Recall: 0.617}
	for _, tt := range []struct {
		name string
		t    builtin.Threshold
		want string
	}{
		{
			"of attacks",
			builtin.Threshold{Key: "prompt_attack.fpr", Score: "prompt_attack", Point: point, Benign: 12000, Positive: 3000},
			"prompt_attack from 0.8312 on; catches 61.7 % of 3000 that ought to be caught, and flagged 0.42 % of 12000 that ought to pass",
		},
		{
			"of a category, and benign texts alone",
			builtin.Threshold{Key: "content.fprs.self-harm", Reason: "self-harm", Score: "self_harm", Point: point, Benign: 500},
			"self_harm from 0.8312 on; what it catches is not known, and flagged 0.42 % of 500 that ought to pass",
		},
	} {
		if got := budgetMeans(tt.t); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
