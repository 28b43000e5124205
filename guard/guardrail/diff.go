package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ringwall/ringwall/internal/calibrate"
)

// Change is one difference between two guardrails.
type Change struct {
	Path     string `json:"path"`            // "pii.input", "word.words"
	Old      string `json:"old,omitempty"`   // "" where it is new
	New      string `json:"new,omitempty"`   // "" where it is gone
	Protects string `json:"means,omitempty"` // "stricter" or "weaker", where that is plain
}

func (c Change) String() string {
	means := ""
	if c.Protects != "" {
		means = " (" + c.Protects + ")"
	}
	switch {
	case c.Old == "":
		return fmt.Sprintf("+ %s: %s%s", c.Path, c.New, means)
	case c.New == "":
		return fmt.Sprintf("- %s: %s%s", c.Path, c.Old, means)
	}
	return fmt.Sprintf("~ %s: %s → %s%s", c.Path, c.Old, c.New, means)
}

// Diff returns what changes from a to b, in the order of the file.
func Diff(a, b *Spec) (changes []Change) {
	before, after := flatten(a), flatten(b)
	old, now, seen := map[string][]string{}, map[string][]string{}, map[string]bool{}
	for _, l := range before {
		old[l.path] = append(old[l.path], l.value)
	}
	for _, l := range after {
		now[l.path] = append(now[l.path], l.value)
	}
	add := func(path, was, is string) {
		changes = append(changes, Change{path, was, is, meaning(path, was, is)})
	}
	for _, l := range slices.Concat(after, before) {
		if seen[l.path] {
			continue
		}
		seen[l.path] = true
		was, is := without(old[l.path], now[l.path]), without(now[l.path], old[l.path])
		if !l.item && len(was) == 1 && len(is) == 1 {
			add(l.path, was[0], is[0])
			continue
		}
		for _, v := range was {
			add(l.path, v, "")
		}
		for _, v := range is {
			add(l.path, "", v)
		}
	}
	return changes
}

// leaf is one value of a guardrail.
type leaf struct {
	path, value string
	item        bool // of a list
}

// flatten lists the values of s. Elements of a list share its path; those that
// have a name are told apart by it.
func flatten(s *Spec) (out []leaf) {
	var doc yaml.Node
	if err := yaml.Unmarshal(s.YAML(true), &doc); err != nil {
		panic(err) // bug: what was encoded can be read
	}
	var walk func(n *yaml.Node, path string, item bool)
	walk = func(n *yaml.Node, path string, item bool) {
		switch n.Kind {
		case yaml.ScalarNode:
			if n.Tag != "!!null" && n.Value != "" {
				out = append(out, leaf{path, n.Value, item})
			}
		case yaml.SequenceNode:
			for _, item := range n.Content {
				if name := member(item, "name"); name != "" {
					at := path + "[" + name + "]"
					out = append(out, leaf{at, "there", true})
					walk(item, at, true)
				} else {
					walk(item, path, true)
				}
			}
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if key := n.Content[i].Value; !item || key != "name" {
					walk(n.Content[i+1], strings.TrimPrefix(path+"."+key, "."), false)
				}
			}
		}
	}
	walk(doc.Content[0], "", false)
	return out
}

// member returns the text of a member of a map, "" if it has none.
func member(n *yaml.Node, key string) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1].Value
		}
	}
	return ""
}

// without returns the elements of a that b does not have.
func without(a, b []string) (out []string) {
	left := map[string]int{}
	for _, v := range b {
		left[v]++
	}
	for _, v := range a {
		if left[v] > 0 {
			left[v]--
			continue
		}
		out = append(out, v)
	}
	return out
}

// meaning says whether a change protects more or less, where that is plain: of
// actions, modes, strengths and thresholds, of judges and of exceptions.
func meaning(path, was, is string) string {
	which := func(stricter, weaker bool) string {
		switch {
		case stricter:
			return "stricter"
		case weaker:
			return "weaker"
		}
		return ""
	}
	if strings.HasPrefix(path, "exceptions[") && strings.HasSuffix(path, "]") {
		return which(is == "", was == "")
	}
	if strings.HasPrefix(path, "judges[") && strings.HasSuffix(path, "]") {
		return which(was == "", is == "")
	}
	var a, b Act
	if a.UnmarshalText([]byte(was)) == nil && b.UnmarshalText([]byte(is)) == nil {
		return which(b.strictness() < a.strictness(), b.strictness() > a.strictness())
	}
	var s, t Strength
	if strings.Contains(path, "strength") && s.UnmarshalText([]byte(was)) == nil && t.UnmarshalText([]byte(is)) == nil {
		return which(t < s, t > s)
	}
	var p, q calibrate.Budget
	if strings.HasSuffix(path, ".fpr") || strings.Contains(path, ".fprs.") {
		if p.UnmarshalText([]byte(was)) == nil && q.UnmarshalText([]byte(is)) == nil && p != 0 && q != 0 {
			return which(q > p, q < p)
		}
		return ""
	}
	switch {
	case strings.HasSuffix(path, "mode"):
		return which(is == "enforce", is == "shadow")
	case strings.HasSuffix(path, "fail_open"):
		return which(is == "false", is == "true")
	}
	return ""
}
