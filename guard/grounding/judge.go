package grounding

import (
	"slices"
	"strings"
)

// judge says how well sources bear out sentences of an answer. It is owned by
// one goroutine.
type judge struct {
	x       *index
	near    *likeness
	weights []float32
	covered []float32
}

// What is left of a claim's support by what is wrong with it.
const (
	leftOfNumber      = 0.12 // a number that no source has
	leftOfPlace       = 0.45 // one that a source has elsewhere
	leftOfName        = 0.15 // a name that no source has
	leftOfNegation    = 0.15
	leftOfOpposite    = 0.2
	leftOfRelation    = 0.35 // "after" for "before"
	leftOfAmount      = 0.3  // "all" for "some"
	leftOfCertainty   = 0.75 // "will" for "may"
	leftOfReplaced    = 0.4  // another word where the source has one
	leftOfOnly        = 0.7
	leftOfRoles       = 0.3 // who did it to whom
	leftOfUnlikeOrder = 0.4 // whose number it is
)

// support returns how well the sources bear out the claim, 0 to 1.
func (j *judge) support(c *said) float64 {
	if len(c.words) == 0 && len(c.numbers) == 0 {
		return 1
	}
	j.weigh(c)
	near := j.x.nearest(c, j.weights)
	if len(near) == 0 {
		return j.alone(c)
	}
	best := 0.0
	for k, m := range near {
		if k > 2 || m.weight < 0.9*near[0].weight-0.01 {
			break
		}
		best = max(best, j.against(c, near, k))
	}
	return best
}

// alone judges a claim of which no source has a word.
func (j *judge) alone(c *said) float64 {
	if len(c.words) > 0 {
		return 0.05
	}
	for _, n := range c.numbers {
		if !j.x.says(n.number) {
			return leftOfNumber
		}
	}
	return 1
}

func (j *judge) weigh(c *said) {
	j.weights = j.weights[:0]
	for _, w := range c.words {
		j.weights = append(j.weights, w.weight*j.x.rarity(w.stem))
	}
}

// against judges a claim by the k-th of the sentences that are near it, with
// others that have what this one has not.
func (j *judge) against(c *said, near []match, k int) float64 {
	first := &j.x.said[near[k].id]
	evidence := j.evidence(c, near, k)
	left := 1.0
	cover := j.cover(c, evidence, &left)
	left *= j.numbers(c, first, evidence)
	left *= j.names(c)
	if j.negated(c, evidence) {
		left *= leftOfNegation
	}
	if roles(c, first) {
		left *= leftOfRoles
	}
	switch from := largest(evidence); {
	case c.amount > from && from > 0, c.amount == 1 && from != 1:
		left *= leftOfAmount
	case c.amount == 5 && from == 0:
		left *= leftOfCertainty
	}
	if first.modal && !c.modal {
		left *= leftOfCertainty
	}
	if c.only && !slices.ContainsFunc(evidence, func(s *said) bool { return s.only }) {
		left *= leftOfOnly
	}
	return cover * left
}

// negated reports whether the evidence says that what is claimed is not so.
func (j *judge) negated(c *said, evidence []*said) bool {
	flip, agree := flipped(c, evidence[0])
	if flip || agree {
		return flip
	}
	for _, s := range evidence[1:] {
		if j.needed(c, s, evidence) {
			if flip, _ := flipped(c, s); flip {
				return true
			}
		}
	}
	return false
}

func largest(evidence []*said) (most int) {
	for _, s := range evidence {
		most = max(most, s.amount)
	}
	return most
}

// evidence chooses the sentences that together have most of the claim: the k-th,
// those beside it, and those that have what is missing.
func (j *judge) evidence(c *said, near []match, k int) []*said {
	ids := []int32{near[k].id}
	j.covered = append(j.covered[:0], make([]float32, len(c.words))...)
	mark := func(id int32) {
		for i, w := range c.words {
			if has(&j.x.said[id], w.stem) {
				j.covered[i] = 1
			}
		}
	}
	mark(near[k].id)
	for len(ids) < mostEvidence {
		best, gain := int32(-1), float32(0.3)
		for _, m := range near {
			if slices.Contains(ids, m.id) {
				continue
			}
			g := float32(0)
			for i, w := range c.words {
				if j.covered[i] == 0 && has(&j.x.said[m.id], w.stem) {
					g += j.weights[i]
				}
			}
			if d := m.id - near[k].id; d >= -2 && d <= 2 {
				g *= 1.3
			}
			if g > gain {
				best, gain = m.id, g
			}
		}
		if best < 0 {
			break
		}
		mark(best)
		ids = append(ids, best)
	}
	out := make([]*said, 0, len(ids)+1)
	for _, id := range ids {
		out = append(out, &j.x.said[id])
	}
	if before := ids[0] - 1; before >= 0 && !slices.Contains(ids, before) {
		out = append(out, &j.x.said[before]) // what "it" is
	}
	return out
}

func has(s *said, stem string) bool {
	return slices.ContainsFunc(s.words, func(w word) bool { return w.stem == stem })
}

// cover returns the share of the claim's words that the evidence has, or has
// something like; it leaves of left what opposites leave.
func (j *judge) cover(c *said, evidence []*said, left *float64) float64 {
	var sum, all, run, longest float32
	unlike := 0
	opposed, loosely, replaced := false, false, 1.0
	var telling []*said
	for i, s := range evidence {
		if i == 0 || j.needed(c, s, evidence) {
			telling = append(telling, s)
		}
	}
	for i, w := range c.words {
		weight := j.weights[i]
		all += weight
		got := float32(0)
		against := false
		for _, s := range telling {
			if has(s, w.stem) {
				continue
			}
			o := opposite(s, c, &w)
			if o == nil || together(c, i, evidence, s) {
				continue
			}
			if against = o.negated == w.negated; against {
				opposed = opposed || w.weight >= 0.5
				loosely = true
				break
			}
			got = 0.9 // not open is closed
		}
		switch {
		case against:
			got = 0.3
		case got > 0:
		case slices.ContainsFunc(evidence, func(s *said) bool { return has(s, w.stem) }):
			got = 1
		case j.x.initial[w.form] && len(w.form) > 1:
			got = 1
		default:
			if unlike++; unlike <= mostUnlike {
				got = j.near.best(w, evidence)
			}
			if j.x.asked[w.stem] {
				got = max(got, 0.8)
			}
			if len(j.x.at[w.stem]) > 0 {
				got = max(got, 0.35)
			} else if w.weight >= 0.9 && !w.name && slices.ContainsFunc(evidence, func(s *said) bool { return put(c, s, i) }) {
				switch {
				case got >= 0.6: // another word for the same
				case c.verb(i):
					replaced = min(replaced, leftOfCertainty)
				default:
					replaced = min(replaced, leftOfReplaced)
				}
			}
		}
		sum += weight * got
		if got < 0.4 && weight > 0.2 {
			run += weight
			longest = max(longest, run)
		} else if weight > 0.2 {
			run = 0
		}
	}
	if opposed {
		*left *= leftOfOpposite
	} else if loosely {
		*left *= leftOfRelation
	}
	if all == 0 {
		return 1
	}
	// Several new words in a row are something that was added.
	share := float64(sum / all)
	if share >= 0.6 { // otherwise it is said in other words
		*left *= replaced
	}
	if longest > 1.5 {
		share -= 0.12 * float64(longest-1.5)
	}
	return min(max((share-0.15)/0.55, 0), 1)
}

// together reports whether another sentence than s has the i-th word of the claim
// and the one beside it.
func together(c *said, i int, evidence []*said, s *said) bool {
	beside := i + 1
	if beside == len(c.words) {
		beside = i - 1
	}
	return beside >= 0 && slices.ContainsFunc(evidence, func(o *said) bool {
		return o != s && has(o, c.words[i].stem) && has(o, c.words[beside].stem)
	})
}

// needed reports whether a sentence has a word of the claim that no other of the
// evidence has.
func (j *judge) needed(c, s *said, evidence []*said) bool {
	for i, w := range c.words {
		if j.weights[i] >= 0.3 && has(s, w.stem) && !slices.ContainsFunc(evidence, func(o *said) bool { return o != s && has(o, w.stem) }) {
			return true
		}
	}
	return false
}

// opposite returns the word of a source's sentence that contradicts w, unless
// the claim has it too.
func opposite(s, c *said, w *word) *word {
	find := func(stem string) *word {
		if i := slices.IndexFunc(s.words, func(o word) bool { return o.stem == stem || o.form == stem }); i >= 0 && !has(c, s.words[i].stem) {
			return &s.words[i]
		}
		return nil
	}
	for _, o := range opposites[w.form] {
		if f := find(o); f != nil {
			return f
		}
	}
	if w.form != w.stem {
		for _, o := range opposites[w.stem] {
			if f := find(o); f != nil {
				return f
			}
		}
	}
	for _, p := range prefixes {
		if f := find(p + w.stem); f != nil {
			return f
		}
		if rest, ok := strings.CutPrefix(w.stem, p); ok && len(rest) >= 4 {
			if f := find(rest); f != nil {
				return f
			}
		}
	}
	return nil
}

// numbers says what is left for the numbers of the claim.
func (j *judge) numbers(c, first *said, evidence []*said) float64 {
	left := 1.0
	for _, n := range c.numbers {
		at := func(s *said) int {
			return slices.IndexFunc(s.numbers, func(o counted) bool { return n.agrees(o.number) })
		}
		switch {
		case at(first) >= 0:
			if len(first.numbers) > 1 && elsewhere(c, first, n) {
				left *= leftOfUnlikeOrder
			}
		case slices.ContainsFunc(evidence, func(s *said) bool { return at(s) >= 0 }):
			left *= 0.9
		case n.kind != ordinal && slices.ContainsFunc(j.x.told, n.agrees):
			left *= 0.9
		case j.x.says(n.number):
			left *= leftOfPlace
		case n.kind == ordinal && n.value <= 3:
			left *= leftOfPlace
		default:
			left *= leftOfNumber
		}
	}
	return left
}

// names says what is left for names that no source has.
func (j *judge) names(c *said) float64 {
	left := 1.0
	for _, w := range c.words {
		if !w.name || len(j.x.at[w.stem]) > 0 || j.x.asked[w.stem] || j.x.initial[w.form] {
			continue
		}
		left *= leftOfName
	}
	return left
}
