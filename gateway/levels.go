package gateway

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/quota"
)

// Tightest returns the level of a limit of one of measures of which the smallest share
// is left.
func Tightest(levels []quota.Level, measures ...quota.Measure) (tightest quota.Level, ok bool) {
	least := math.Inf(1)
	for _, v := range levels {
		if !slices.Contains(measures, v.Limit.Measure) {
			continue
		}
		if share := float64(v.Left()) / float64(max(1, v.Limit.Most)); share < least {
			tightest, least, ok = v, share, true
		}
	}
	return tightest, ok
}

// levels says in headers how much of the caller's limits is left
// (draft-ietf-httpapi-ratelimit-headers-10), and in those of the dialect.
func (x *exchange) levels(levels []quota.Level) {
	if len(levels) == 0 {
		return
	}
	h := x.w.Header()
	var policy, left, warning strings.Builder
	for i := range levels {
		v := &levels[i]
		if policy.Len() > 0 {
			policy.WriteString(", ")
			left.WriteString(", ")
		}
		most, rest := v.Limit.Most, v.Left()
		unit := string(v.Limit.Measure)
		if v.Limit.Measure == quota.Money { // a structured field has 15 digits
			unit, most, rest = "microdollars", most/1000, rest/1000
		}
		if v.Limit.Measure == quota.Concurrent {
			unit = "concurrent-requests"
		}
		fmt.Fprintf(&policy, "%q;q=%d;qu=%q", v.Limit.Name, most, unit)
		if v.Limit.Window.Length > 0 {
			fmt.Fprintf(&policy, ";w=%d", int64(math.Ceil(v.Limit.Window.Length.Seconds())))
		}
		fmt.Fprintf(&left, "%q;r=%d", v.Limit.Name, rest)
		if v.Limit.Measure != quota.Concurrent {
			fmt.Fprintf(&left, ";t=%d", max(0, int64(math.Ceil(v.Reset.Seconds()))))
		}
		if v.Warned && v.Limit.Measure != quota.Concurrent {
			if warning.Len() > 0 {
				warning.WriteString(", ")
			}
			fmt.Fprintf(&warning, "%s;used=%.2f", v.Limit.Name, float64(v.Used)/float64(max(1, v.Limit.Most)))
		}
	}
	h.Set("RateLimit-Policy", policy.String())
	h.Set("RateLimit", left.String())
	if warning.Len() > 0 {
		h.Set(WarningHeader, warning.String())
	}
	if d, ok := x.d.(Leveled); ok {
		d.SetLevels(h, levels, x.g.cfg.Now())
	}
}
