package history

import (
	"slices"

	"github.com/ringwall/ringwall"
)

// results writes the results of g in the order of the calls that they are for, which
// stand in the group before, and reports whether each is for one of them.
func (c *canon) results(g, before *group) (answered bool) {
	type result struct {
		at     int // of the call, in the order of calls
		result *ringwall.ToolResult
	}
	var calls []*ringwall.ToolCall // nil: answered
	if before != nil && before.assistant {
		for i := range before.parts {
			if p := &before.parts[i]; p.Kind == ringwall.PartCall && p.Call != nil {
				calls = append(calls, p.Call)
			}
		}
	}
	answered = true
	var all []result
	for i := range g.parts {
		p := &g.parts[i]
		if p.Kind != ringwall.PartResult || p.Result == nil {
			continue
		}
		at := slices.IndexFunc(calls, func(call *ringwall.ToolCall) bool {
			return call != nil && call.ID == p.Result.ID && (call.ID != "" || p.Result.Name == "" || call.Name == p.Result.Name)
		})
		if at < 0 {
			answered = false
			all = append(all, result{len(calls), p.Result})
			continue
		}
		calls[at] = nil
		all = append(all, result{at, p.Result})
	}
	slices.SortStableFunc(all, func(a, b result) int { return a.at - b.at })
	for _, r := range all {
		c.result(r.result, r.at, r.at == len(calls))
	}
	return answered
}

func (c *canon) result(r *ringwall.ToolResult, at int, stray bool) {
	if stray {
		c.write(r.ID)
		c.item(kindStray, len(r.ID))
	}
	failed := uint64(0)
	if r.Failed {
		failed = 1
	}
	for i := range r.Parts {
		if p := &r.Parts[i]; p.Kind == ringwall.PartText || p.Kind == ringwall.PartRefusal {
			c.texts = append(c.texts, p.Text)
		}
	}
	c.text(kindResult, uint64(at), failed)
	for i := range r.Parts {
		if p := &r.Parts[i]; p.Kind == ringwall.PartMedia && p.Media != nil {
			c.media(p.Media)
		}
	}
}
