package waf

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
)

// Look looks at a request as its group wants it, before h is asked: at a door, or
// whole, for which it reads the body. Who reads the body behind it reads all of it.
func (f *Firewall) Look(r *http.Request, g Group) *Judgement {
	if g == Model {
		return f.Door(r)
	}
	if f.Mode(g) == Off || r.Body == nil || r.Body == http.NoBody {
		return f.Whole(r.Context(), r, nil)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, f.cfg.Body+1))
	r.Body = &again{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	if err != nil {
		return f.failed(g) // the client is slow, or gone
	}
	return f.Whole(r.Context(), r, body)
}

// again is a body of which a part was read and is read again.
type again struct {
	io.Reader
	io.Closer
}

// atATime is how many whole requests are looked at side by side: half of the
// machine, so that a flood at the log-in page leaves models the other half.
func atATime() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// MaxBody is the longest body that Whole looks at.
func (f *Firewall) MaxBody() int64 { return f.cfg.Body }

// Whole looks at a request to the console, to log-in or to a control API, with its
// body, by the whole Core Rule Set. It waits for its turn, and could not look when
// ctx ends before. A body that is longer than [Firewall.MaxBody] is not looked at.
func (f *Firewall) Whole(ctx context.Context, r *http.Request, body []byte) *Judgement {
	if f.Mode(Inner) == Off {
		return offJudgement
	}
	if int64(len(body)) > f.cfg.Body {
		return &Judgement{Refuse: f.Mode(Inner) == Enforce, TooLong: true, Findings: f.judge(Inner, []Match{f.hit(RuleOversized, "REQUEST_BODY")}, true).Findings}
	}
	e, err := f.whole()
	if err != nil {
		f.cfg.Log.Error("the firewall could not look at a request", "control", Control, "error", err.Error())
		return f.failed(Inner)
	}
	select {
	case f.slots <- struct{}{}: // also for a client that has said all, and says that it will say no more
	default:
		select {
		case f.slots <- struct{}{}:
		case <-ctx.Done():
			return f.failed(Inner)
		}
	}
	defer func() { <-f.slots }()
	q := normals.Get().(*normal)
	defer q.release()
	q.set(r)
	q.lengthIs(len(body))
	if over := f.oversized(q); len(over) > 0 {
		if f.excuse(over, q.path); over[0].Excepted == "" {
			return f.judge(Inner, over, true)
		}
	}
	matches, blocked, err := e.look(q, body)
	if err != nil {
		f.cfg.Log.Error("the firewall could not look at a request", "control", Control, "error", err.Error())
		return f.failed(Inner)
	}
	return f.judge(Inner, once(matches), blocked)
}
