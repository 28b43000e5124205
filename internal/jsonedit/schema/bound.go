package schema

import "github.com/ringwall/ringwall/internal/jsonedit"

// maxLooks bounds how many schemas may look at values of one document, those with many
// values or patterns counted as more: some tenths of a second.
const maxLooks = 3_000_000

// bounded reports whether looking at v costs no more than maxLooks.
func (n *node) bounded(v jsonedit.Value) bool {
	left := maxLooks
	return n.spend(v, &left)
}

func (n *node) spend(v jsonedit.Value, left *int) bool {
	*left -= 1 + n.weight
	if n.regexps > 0 && v.Kind() == jsonedit.String {
		*left -= len(v.Raw()) / 16
	}
	if *left < 0 {
		return false
	}
	for _, list := range [2][]*node{n.here, n.not} {
		for _, m := range list {
			if !m.spend(v, left) {
				return false
			}
		}
	}
	switch v.Kind() {
	case jsonedit.Object:
		if n.props != nil || n.patterns != nil || n.others != nil {
			return n.spendMembers(v, left)
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			if i < len(n.prefix) && !n.prefix[i].spend(e, left) {
				return false
			}
			for _, m := range n.items {
				if !m.spend(e, left) {
					return false
				}
			}
			if *left--; *left < 0 {
				return false
			}
		}
	case jsonedit.String, jsonedit.Number, jsonedit.Bool, jsonedit.Null, jsonedit.Missing:
	}
	return true
}

func (n *node) spendMembers(v jsonedit.Value, left *int) bool {
	for key, e := range v.Members() {
		if m := n.props[key]; m != nil && !m.spend(e, left) {
			return false
		}
		for _, list := range [2][]*node{n.patterns, n.others} {
			for _, m := range list {
				if *left -= len(key) / 16; !m.spend(e, left) {
					return false
				}
			}
		}
		if *left--; *left < 0 {
			return false
		}
	}
	return true
}

// withoutNulls returns v as plain does, without the members that are null and that a
// schema declares and none requires, and reports whether there are some.
func (n *node) withoutNulls(v jsonedit.Value) (out any, some bool) {
	left := maxLooks / 10
	out = bare([]*node{n}, v, &some, &left)
	return out, some && left > 0
}

// bare does so for a value at which several schemas look.
func bare(at []*node, v jsonedit.Value, some *bool, left *int) any {
	if *left -= 1 + len(at); *left < 0 {
		return nil
	}
	for i := 0; i < len(at); i++ { // those beside them, as they come
		for _, m := range at[i].here {
			at = append(at, m)
			*left--
		}
		if *left < 0 {
			return nil
		}
	}
	switch v.Kind() {
	case jsonedit.Object:
		out := map[string]any{}
		for key, e := range v.Members() {
			var below []*node
			required := false
			for _, n := range at {
				if m := n.props[key]; m != nil {
					below = append(below, m)
				}
				for _, name := range n.required {
					required = required || name == key
				}
			}
			if e.Kind() == jsonedit.Null && len(below) > 0 && !required {
				*some = true
				continue
			}
			out[key] = bare(below, e, some, left)
		}
		return out
	case jsonedit.Array:
		out := []any{}
		for i, e := range v.Elems() {
			var below []*node
			for _, n := range at {
				below = append(below, n.items...)
				if i < len(n.prefix) {
					below = append(below, n.prefix[i])
				}
			}
			out = append(out, bare(below, e, some, left))
		}
		return out
	case jsonedit.String, jsonedit.Number, jsonedit.Bool, jsonedit.Null, jsonedit.Missing:
	}
	return plain(v)
}

// Declares reports whether the schema of arguments says something of what a path leads
// to: names of members, in which * is any member or element. It is true where members are
// taken that nobody declared.
func (s *Schema) Declares(path []string) bool {
	if s.root == nil {
		return true
	}
	at := []*node{s.root}
	left := maxLooks / 10
	for _, name := range path {
		var below []*node
		any := true // nothing is said of members or elements
		for i := 0; i < len(at); i++ {
			n := at[i]
			at = append(at, n.here...)
			if left -= 1 + len(n.here); left < 0 {
				return true
			}
			any = any && n.props == nil && n.patterns == nil && n.items == nil && n.prefix == nil
			if m := n.props[name]; m != nil {
				below = append(below, m)
			}
			below = append(below, n.patterns...)
			for _, m := range n.others {
				if m.out != nil || m.always {
					below = append(below, m)
				}
			}
			if name == "*" {
				below = append(append(below, n.items...), n.prefix...)
				for _, m := range n.props {
					below = append(below, m)
				}
			}
		}
		if any {
			return true
		}
		if at = below; len(at) == 0 {
			return false
		}
	}
	return true
}
