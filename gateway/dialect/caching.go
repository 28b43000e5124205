package dialect

import (
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// CacheFor reads how long a prompt may be kept: Anthropic's cache_control and
// Bedrock's cachePoint say it alike, {"ttl":"1h"} or nothing.
func CacheFor(v jsonedit.Value) ringwall.Cache {
	switch {
	case v.Kind() != jsonedit.Object:
		return ringwall.CacheUnsaid
	case v.Get("ttl").Is("1h"):
		return ringwall.CacheLong
	}
	return ringwall.CacheShort
}

// CacheOf returns how long the prompt may be kept up to the end of p, with what p is
// made of. Reasoning is no place to say so: Anthropic refuses it.
func CacheOf(p ringwall.Part) ringwall.Cache {
	if p.Kind == ringwall.PartReasoning || p.Kind == ringwall.PartRedacted {
		return ringwall.CacheUnsaid
	}
	keep := p.Cache
	if p.Kind == ringwall.PartResult && p.Result != nil {
		for _, inside := range p.Result.Parts {
			keep = max(keep, CacheOf(inside))
		}
	}
	return keep
}

// Uncached returns parts without how long they may be kept.
func Uncached(parts []ringwall.Part) []ringwall.Part {
	parts = slices.Clone(parts)
	for i := range parts {
		parts[i].Cache = ringwall.CacheUnsaid
	}
	return parts
}
