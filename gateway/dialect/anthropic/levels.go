package anthropic

import (
	"net/http"
	"strconv"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/quota"
)

var _ gateway.Leveled = common{}

// SetLevels implements gateway.Leveled: the headers anthropic-ratelimit-*, of the limits
// of which the least is left.
func (common) SetLevels(h http.Header, levels []quota.Level, now time.Time) {
	for name, measure := range map[string]quota.Measure{
		"Requests": quota.Requests, "Tokens": quota.Tokens, "Input-Tokens": quota.Input, "Output-Tokens": quota.Output,
	} {
		v, ok := gateway.Tightest(levels, measure)
		if !ok {
			continue
		}
		h.Set("Anthropic-Ratelimit-"+name+"-Limit", strconv.FormatInt(v.Limit.Most, 10))
		h.Set("Anthropic-Ratelimit-"+name+"-Remaining", strconv.FormatInt(v.Left(), 10))
		h.Set("Anthropic-Ratelimit-"+name+"-Reset", now.Add(v.Reset).UTC().Format(time.RFC3339))
	}
}
