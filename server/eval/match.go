package eval

import (
	"slices"
	"sort"

	"github.com/ringwall/ringwall"
)

// Match pairs labels with findings that overlap them and fit: one to one, and as
// many as can be paired. Of findings that would do, the one with the most in
// common goes first. It returns for each label the index of its finding, or -1.
func Match(labels, findings []ringwall.Span, fits func(label, finding int) bool) []int {
	m := matcher{of: make([]int, len(labels)), by: make([]int, len(findings)), seen: make([]int, len(findings))}
	candidates(labels, findings, func(label int, near []int) {
		near = slices.DeleteFunc(near, func(f int) bool { return !fits(label, f) })
		slices.SortStableFunc(near, func(a, b int) int {
			return overlap(labels[label], findings[b]) - overlap(labels[label], findings[a])
		})
		m.near = append(m.near, near)
	})
	for i := range m.of {
		m.of[i] = -1
	}
	for i := range m.by {
		m.by[i] = -1
	}
	for i := range labels {
		m.round++
		m.place(i)
	}
	return m.of
}

// matcher finds a matching of the greatest size by augmenting paths (H. W. Kuhn,
// 1955).
type matcher struct {
	near  [][]int // by label
	of    []int   // finding by label
	by    []int   // label by finding
	seen  []int   // the round in which a finding was tried
	round int
}

func (m *matcher) place(label int) bool {
	for _, f := range m.near[label] {
		if m.by[f] < 0 {
			m.of[label], m.by[f] = f, label
			return true
		}
	}
	for _, f := range m.near[label] {
		if m.seen[f] == m.round {
			continue
		}
		m.seen[f] = m.round
		if m.place(m.by[f]) {
			m.of[label], m.by[f] = f, label
			return true
		}
	}
	return false
}

// candidates calls each for the spans in turn, with the indexes of the findings
// that overlap it.
func candidates(spans, findings []ringwall.Span, each func(span int, near []int)) {
	order := make([]int, len(findings))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return findings[a].Start - findings[b].Start })
	reach := make([]int, len(order)) // the furthest end so far
	for i, f := range order {
		reach[i] = findings[f].End
		if i > 0 {
			reach[i] = max(reach[i], reach[i-1])
		}
	}
	for i, s := range spans {
		var near []int
		from := sort.Search(len(reach), func(k int) bool { return reach[k] > s.Start })
		for _, f := range order[from:] {
			if findings[f].Start >= s.End {
				break
			}
			if overlap(s, findings[f]) > 0 {
				near = append(near, f)
			}
		}
		each(i, near)
	}
}

func overlap(a, b ringwall.Span) int { return min(a.End, b.End) - max(a.Start, b.Start) }

// union returns the spans sorted and melted together.
func union(spans []ringwall.Span) []ringwall.Span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b ringwall.Span) int { return a.Start - b.Start })
	out := spans[:0]
	for _, s := range spans {
		switch n := len(out); {
		case s.Empty():
		case n > 0 && s.Start <= out[n-1].End:
			out[n-1].End = max(out[n-1].End, s.End)
		default:
			out = append(out, s)
		}
	}
	return out
}

// covered counts the bytes of s that a union covers.
func covered(s ringwall.Span, by []ringwall.Span) (n int) {
	from := sort.Search(len(by), func(i int) bool { return by[i].End > s.Start })
	for _, b := range by[from:] {
		if b.Start >= s.End {
			break
		}
		n += max(0, overlap(s, b))
	}
	return n
}

func size(spans []ringwall.Span) (n int) {
	for _, s := range spans {
		n += s.End - s.Start
	}
	return n
}
