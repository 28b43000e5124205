package openai

import (
	"net/http"
	"strconv"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/quota"
)

var _ gateway.Leveled = Common{}

// SetLevels implements gateway.Leveled: the headers x-ratelimit-*, of the limit of which
// the least is left.
func (Common) SetLevels(h http.Header, levels []quota.Level, _ time.Time) {
	for name, measures := range map[string][]quota.Measure{"requests": {quota.Requests}, "tokens": {quota.Tokens, quota.Input, quota.Output}} {
		v, ok := gateway.Tightest(levels, measures...)
		if !ok {
			continue
		}
		h.Set("X-Ratelimit-Limit-"+name, strconv.FormatInt(v.Limit.Most, 10))
		h.Set("X-Ratelimit-Remaining-"+name, strconv.FormatInt(v.Left(), 10))
		h.Set("X-Ratelimit-Reset-"+name, v.Reset.Round(time.Millisecond).String())
	}
}
