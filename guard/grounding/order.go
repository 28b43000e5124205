package grounding

import (
	"slices"
	"strings"
)

// put reports whether the i-th word of a claim, which no source has, stands where
// the sentence has another that the claim has not: as far behind, or before, a
// word that both share.
func put(c, s *said, i int) bool {
	const far = 3
	w := c.words[i]
	for _, side := range []int{-1, 1} {
		if i+side < 0 || i+side >= len(c.words) {
			continue
		}
		beside := c.words[i+side]
		d := w.at - beside.at
		if d < -far || d > far {
			continue
		}
		for k, o := range s.words {
			if o.stem != beside.stem || k-side < 0 || k-side >= len(s.words) {
				continue
			}
			if there := s.words[k-side]; there.at-o.at == d && !has(c, there.stem) && there.weight >= 0.5 {
				return !(strings.HasSuffix(w.form, "s") && strings.HasSuffix(there.form, "s")) // verbs, perhaps
			}
		}
	}
	return false
}

// flipped reports whether one of a claim and a sentence negates what both say,
// and the other does not; agree, whether both do.
func flipped(c, s *said) (flip, agree bool) {
	var both, ours, theirs int
	for _, w := range c.words {
		there, negated, plain := false, false, false
		for _, o := range s.words {
			if o.stem == w.stem {
				there = true
				negated = negated || o.negated
				plain = plain || !o.negated
			}
		}
		switch {
		case !there, w.weight < 0.4 && !w.negated:
		case w.negated && negated:
			both++
		case w.negated && !negated:
			ours++
		case !w.negated && negated && !plain:
			theirs++
		}
	}
	return both == 0 && (ours > 0) != (theirs > 0), both > 0
}

// roles reports whether a claim has another do what a sentence says that
// somebody did, or to whom: names have changed places around a verb that both
// have.
func roles(c, s *said) bool {
	for i, w := range c.words {
		if !w.act(c, i) {
			continue
		}
		for k, o := range s.words {
			if o.stem != w.stem || !o.act(s, k) {
				continue
			}
			who, whom := actors(c, i)
			did, to := actors(s, k)
			switch {
			case meet(who, did):
			case meet(who, to), meet(whom, did), len(who) > 0 && len(did) > 0:
				return true
			}
			break
		}
	}
	return false
}

// actors returns the names of who does what the i-th word says, and to whom.
func actors(s *said, i int) (who, whom []string) {
	by := s.words[i].by
	if by == 0 {
		return names(s, i, -1), names(s, i, 1)
	}
	for k := i; k < len(s.words); k++ {
		if k+1 == len(s.words) || s.words[k+1].at > by {
			return names(s, k, 1), names(s, i, -1)
		}
	}
	return nil, nil
}

// act reports whether the i-th word says what somebody does, or compares.
func (w word) act(s *said, i int) bool {
	switch {
	case w.name, w.opens:
		return false
	case w.than, acts[w.form], strings.HasSuffix(w.form, "ed"):
		return true
	}
	before := i > 0 && s.words[i-1].at == w.at-1 && s.words[i-1].name
	return before && strings.HasSuffix(w.form, "s")
}

// verb reports whether the i-th word looks like one that says what is done.
func (s *said) verb(i int) bool {
	w := s.words[i]
	if w.act(s, i) || strings.HasSuffix(w.form, "ing") {
		return true
	}
	return strings.HasSuffix(w.form, "s") && i == 1 && s.words[0].at == w.at-1
}

// names returns the words of the name that stands nearest before (-1) or behind
// (1) the i-th word, not more than eight words away.
func names(s *said, i, way int) (out []string) {
	at := s.words[i].at
	for k := i + way; k >= 0 && k < len(s.words); k += way {
		w := &s.words[k]
		switch d := (w.at - at) * way; {
		case w.name && !w.calm && !(way < 0 && w.inside):
			if len(out) > 0 && d > 1 {
				return out
			}
			if len(out) == 0 && d > 8 {
				return nil
			}
			out = append(out, w.stem)
			at = w.at
		case len(out) > 0, way < 0 && w.weight > 0.4:
			return out // "the Belmont dam, salmon returned"
		}
	}
	return out
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// elsewhere reports whether a number stands beside other words in the sentence
// than in the claim, where those of the claim stand beside another number.
func elsewhere(c, s *said, n counted) bool {
	ours := owner(c, n.at)
	if ours == "" || !has(s, ours) {
		return false
	}
	there := false
	for _, o := range s.numbers {
		mine := owner(s, o.at)
		if n.agrees(o.number) {
			if mine == ours || mine == "" {
				return false
			}
			continue
		}
		there = there || mine == ours && o.kind == n.kind
	}
	return there
}

// owner returns the stem of the name, or else the content word, that stands
// nearest before the number, "" if there is none.
func owner(s *said, at int) (stem string) {
	for _, w := range s.words {
		if w.at >= at {
			break
		}
		if w.name || w.opens {
			stem = w.stem
		}
	}
	return stem
}
