package gateway

import (
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/quota"
)

// loopsTold are what callers read of a loop.
var loopsTold = map[string]string{
	quota.LoopRepeats: "The same call with the same result was sent too often: the agent seems to go round in circles. Say something new, or wait.",
	quota.LoopDepth:   "Too many rounds of tools came without a word of a person.",
	quota.LoopFanOut:  "Too many requests of one conversation came in a short time. Wait before you go on.",
}

// loops refuses a request that is part of a loop.
func (x *exchange) loops() error {
	l := x.world.Loops
	if l == nil || x.req == nil || x.Model == "" {
		return nil
	}
	kind := l.Look(Owner(x.Principal), x.Prompt)
	if kind == "" {
		return nil
	}
	r := &ringwall.Refusal{
		Status: http.StatusTooManyRequests, Code: "loop_detected", Public: loopsTold[kind], After: l.Config().Window,
		Err: fmt.Errorf("%w: %s", ringwall.ErrQuotaExceeded, kind),
	}
	if kind == quota.LoopDepth {
		r.After = -1
	}
	x.w.Header().Set("X-Should-Retry", "false")
	return r
}
