package gemini

import (
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// offer is what of a request's tools is taken away, by their places.
type offer struct {
	tools    dialect.Places // among those that are offered
	allowed  dialect.Places // among the names that may be called
	unchosen bool           // nothing is left that may be called
}

// Offer implements gateway.Acting. Tools of the provider's own have their types for
// names: googleSearch.
func (r *request) Offer(keep func(name string) bool) (forced bool) {
	root := r.whole(r.doc.Root())
	tools, functions := offered(member(root, "tools"))
	r.offer.tools = dialect.Hide(tools, r.offer.tools, keep)
	if len(r.offer.tools) == 0 {
		return false
	}
	kept, gone := map[string]bool{}, map[string]bool{}
	for i, t := range tools {
		if r.offer.tools[i] {
			gone[t.Name] = true
		} else if functions[i] {
			kept[t.Name] = true
		}
	}
	config := callingConfig(root)
	names := dialect.Strings(member(config, "allowedfunctionnames"))
	r.offer.allowed = dialect.Places{}
	for i, name := range names {
		if gone[name] && !kept[name] {
			r.offer.allowed[i] = true
		}
	}
	r.offer.unchosen = len(kept) == 0 || len(names) > 0 && len(r.offer.allowed) == len(names)
	return r.offer.unchosen && member(config, "mode").Is("ANY")
}

// edits returns those that put an offer into force.
func (o *offer) edits(root jsonedit.Value) (edits []jsonedit.Edit) {
	list := member(root, "tools")
	n, left := 0, 0
	gone := dialect.Places{} // elements of the list
	at := -1
	for _, t := range each(list, "") {
		at++
		drop, keys := map[string]bool{}, 0
		var inside []jsonedit.Edit
		for key, v := range t.Members() {
			keys++
			if dialect.FoldProto(key) != "functiondeclarations" {
				if drop[key] = o.tools[n]; !drop[key] {
					left++
				}
				n++
				continue
			}
			places, some := dialect.Places{}, 0
			i := 0
			for range each(v, "") {
				if o.tools[n] {
					places[i] = true
				} else {
					some++
				}
				n, i = n+1, i+1
			}
			left += some
			if drop[key] = some == 0 && i > 0; !drop[key] {
				es, _ := places.Elems(v)
				inside = append(inside, es...)
			}
		}
		all := keys > 0
		for _, d := range drop {
			all = all && d
		}
		if all {
			gone[at] = true
			continue
		}
		edits = append(append(edits, inside...), t.Remove(func(key string) bool { return drop[key] })...)
	}
	config := callingConfig(root)
	switch {
	case o.unchosen:
		edits = append(edits, member(root, "toolconfig").Remove(func(key string) bool { return dialect.FoldProto(key) == "functioncallingconfig" })...)
	default:
		es, _ := o.allowed.Elems(member(config, "allowedfunctionnames"))
		edits = append(edits, es...)
	}
	if left == 0 {
		return append(root.Remove(func(key string) bool { return dialect.FoldProto(key) == "tools" }), afterTools(root, edits)...)
	}
	es, _ := gone.Elems(list)
	return append(edits, es...)
}

// afterTools are the edits that are not in the list of tools.
func afterTools(root jsonedit.Value, edits []jsonedit.Edit) (rest []jsonedit.Edit) {
	start, end := member(root, "tools").Span()
	for _, e := range edits {
		if e.Start < start || e.End > end {
			rest = append(rest, e)
		}
	}
	return rest
}
