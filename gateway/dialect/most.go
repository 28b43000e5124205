package dialect

import "github.com/ringwall/ringwall/internal/jsonedit"

// Most returns the most tokens that an answer may have, of the members of a request
// that say so, times as many answers as are asked for; -1 when none says it, as
// gateway.Bounded has it. What is no number that makes sense says nothing.
func Most(times jsonedit.Value, most ...jsonedit.Value) int64 {
	out := int64(-1)
	for _, v := range most {
		if n, ok := v.Int(); ok && n >= 0 {
			out = max(out, n)
		}
	}
	if n, ok := times.Int(); ok && n > 1 && out > 0 {
		const limit = 1 << 40
		if out > limit/n {
			return limit
		}
		out *= n
	}
	return min(out, 1<<40)
}
