package prices_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider/prices"
)

func TestOf(t *testing.T) {
	if _, err := time.Parse(time.DateOnly, prices.Date()); err != nil {
		t.Errorf("the list has no date: %v", err)
	}
	for model, want := range map[string]float64{
		"gpt-5-mini": 0.25, "gpt-4o-2024-08-06": 2.5, "openai/gpt-4.1-mini": 0.4, "GPT-4o-mini": 0.15, "o3-mini-2025-01-31": 1.1,
		"us.anthropic.claude-sonnet-4-20250514-v1:0": 3, "anthropic.claude-3-5-sonnet-20241022-v2:0": 3, "claude-opus-4-1@20250805": 15,
		"claude-3-5-haiku-latest": 0.8, "claude-sonnet-4-5-20250929": 3, "claude-opus-4-20250514": 15, "models/gemini-2.0-flash-001": 0.1, "amazon.nova-pro-v1:0": 0.8,
		"mistral-large-2411": 2, "global.anthropic.claude-sonnet-4-5-20250929-v1:0": 3,
		"gpt-5-codex-of-somebody": -1, "llama3": -1, "": -1, "gpt": -1, "claude-sonnet-9": -1, "ft:gpt-4o-mini:acme": -1,
	} {
		p, ok := prices.Of(model)
		if ok != (want >= 0) || ok && p.Input != want {
			t.Errorf("Of(%q) = %+v, %v, want %v", model, p, ok, want)
		}
		if ok && (p.Context <= 0 || p.Cached > p.Input || p.Output != 0 && p.Output < p.Input || p.Longest > p.Context) {
			t.Errorf("Of(%q) = %+v, which cannot be", model, p)
		}
	}
}

func TestCost(t *testing.T) {
	p, _ := prices.Of("claude-sonnet-4")
	for _, tt := range []struct {
		u    ringwall.Usage
		want float64
	}{
		{ringwall.Usage{InputTokens: 1e6, OutputTokens: 1e6}, 18},
		{ringwall.Usage{InputTokens: 1e6, CachedTokens: 1e6}, 0.3},
		{ringwall.Usage{InputTokens: 1e6, CachingTokens: 500e3}, 1.5 + 1.875},
		{ringwall.Usage{InputTokens: -1, CachedTokens: 10, OutputTokens: -5}, 0.000003},
		{ringwall.Usage{OutputTokens: 1e6, ReasoningTokens: 1e6}, 15},
	} {
		if got := p.Cost(tt.u); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("Cost(%+v) = %v, want %v", tt.u, got, tt.want)
		}
	}
	if got := (prices.Price{Input: 2}).Cost(ringwall.Usage{InputTokens: 1e6, CachedTokens: 1e6}); got != 2 {
		t.Errorf("what is cached at no price of its own costs %v, want 2", got)
	}
}

func TestOwnList(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "prices.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	l, err := prices.Load(write("date: 2026-10-01\nsource: contract\nmodels:\n  gpt-4o: {input: 2, output: 8}\n  llama3: {input: 0, date: 2026-09-01, source: own machines}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]prices.Price{
		"gpt-4o-2024-08-06": {Input: 2, Output: 8, Date: "2026-10-01", Source: "contract"},
		"llama3":            {Date: "2026-09-01", Source: "own machines"},
		"nova-pro":          {Input: 0.8, Output: 3.2, Context: 300000, Date: prices.Date(), Source: "aws.amazon.com/bedrock/pricing, unverified"},
	} {
		if got, ok := l.Of(model); !ok || got != want {
			t.Errorf("Of(%q) = %+v, %v, want %+v", model, got, ok, want)
		}
	}
	if _, ok := l.Of("nobody's"); ok {
		t.Error("a model that is on no list has a price")
	}
	for text, want := range map[string]string{
		"models: {a: {input: -1}}":                 "not negative",
		"models: {a: {input: 1, discount: 5}}":     "discount",
		"date: yesterday\nmodels: {a: {input: 1}}": "want a day",
		"models: {a: {input: .nan}}":               "finite",
		"models: {a: {input: 1}, a: {input: 2}}":   "a",
	} {
		if _, err := prices.Load(write(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "prices.yaml:") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := prices.Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file is no error")
	}
}

// Every entry says where its figures are from, and that nobody has verified them.
func TestEveryPriceHasASource(t *testing.T) {
	for _, model := range []string{"gpt-5", "o3", "text-embedding-3-small", "claude-opus-4-5", "gemini-2.5-pro", "nova-lite", "mistral-large", "grok-4"} {
		if p, ok := prices.Of(model); !ok || !strings.HasSuffix(p.Source, ", unverified") || p.Date != prices.Date() {
			t.Errorf("%s: %+v", model, p)
		}
	}
}
