package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/waf"
)

// outer is what the firewall said of a request.
type outer struct {
	findings []ringwall.Finding
	look     ringwall.Look
}

type outerKey struct{}

// WithDoor returns a context of a request that the firewall let pass, and of which
// it said j. Of a request to a model or the guard in which it noticed nothing, that
// need not be said.
func WithDoor(ctx context.Context, j *waf.Judgement) context.Context {
	return context.WithValue(ctx, outerKey{}, j)
}

// heed takes down what was said of the request at the door.
func (x *exchange) heed(ctx context.Context) {
	f := x.world.Firewall
	if f == nil {
		return
	}
	x.outer.look = ringwall.Look{Control: waf.Control, Way: ringwall.Input, State: ringwall.Ran}
	j, said := ctx.Value(outerKey{}).(*waf.Judgement)
	if said {
		x.outer.findings = j.Findings
	}
	switch {
	case said && j.Failed:
		x.outer.look.State, x.outer.look.Why = ringwall.Failed, ringwall.ReasonUnavailable
	case said && j.Off, !said && f.Mode(waf.Model) == waf.Off:
		x.outer.look.State, x.outer.look.Why = ringwall.Skipped, "off"
	}
}

// shaped refuses a body that is made to cost much, or hides what is no prompt, before
// anybody reads it.
func (x *exchange) shaped(body []byte) error {
	f := x.world.Firewall
	if f == nil {
		return nil
	}
	j := f.Body(x.r.URL.Path, body)
	if len(j.Findings) == 0 {
		return nil
	}
	x.outer.findings = slices.Concat(x.outer.findings, j.Findings)
	if !j.Refuse {
		return nil
	}
	reasons := j.Reasons()
	x.Verdict = ringwall.Verdict{Action: ringwall.Block, Reasons: reasons}
	return &ringwall.Refusal{
		Status: http.StatusForbidden, Code: "request_refused", Public: "The request was refused. Who runs this gateway can tell why.",
		Err: fmt.Errorf("%w: %s", ringwall.ErrRefused, strings.Join(reasons, ", ")),
	}
}

// leave adds what the firewall said to what the guard did, which decides without it.
func (x *exchange) leave() {
	if x.outer.look.Control == "" {
		return
	}
	x.Looks = append(x.Looks, x.outer.look)
	x.Findings = append(x.Findings, x.outer.findings...)
}
