package judge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/judge"
)

// What a text costs of which the judge's opinion is known: a hash, and a look
// into the cache.
func BenchmarkKnown(b *testing.B) {
	url := says(b, http.StatusOK, completion("safe", nil))
	j := made(b, judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: url, Model: "m"})
	text := input(strings.Repeat("It is a fine day. ", 57)) // 1 KB
	b.ReportAllocs()
	b.SetBytes(int64(len(text.Value)))
	for b.Loop() {
		if _, err := j.Judge(b.Context(), ringwall.Input, text); err != nil {
			b.Fatal(err)
		}
	}
}

// What a call costs without the judge's own time, over the loopback.
func BenchmarkAsked(b *testing.B) {
	url := says(b, http.StatusOK, completion("safe", nil))
	j := made(b, judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: url, Model: "m", CacheTTL: -1, PerMinute: 1 << 20})
	text := input(strings.Repeat("It is a fine day. ", 57))
	b.ReportAllocs()
	b.SetBytes(int64(len(text.Value)))
	for b.Loop() {
		if _, err := j.Judge(b.Context(), ringwall.Input, text); err != nil {
			b.Fatal(err)
		}
	}
}
