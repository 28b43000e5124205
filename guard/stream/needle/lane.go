package needle

// longestEscape bounds the escapes.
const longestEscape = 16

// maxGap is how many bytes of separators may stand between two characters.
const maxGap = 24

// lane is a text in the form of the needles, as far as it is still looked at,
// with the places in the view that its characters come from. Indices of
// characters are counted from the beginning of the lane.
type lane struct {
	canon []byte
	raw   []byte // the characters as decoded; none in the plain lane
	from  []int  // where each begins in the view
	to    []int  // and where it ends; none in the plain lane
	base  int    // index of canon[0]
	pos   int    // the next gram to look up
	floor int    // no match begins before it
	live  int    // place in Set.text where a reported match goes on; 0: none does
	part  Hit    // that match
}

func (l *lane) reset() {
	*l = lane{canon: l.canon[:0], raw: l.raw[:0], from: l.from[:0], to: l.to[:0]}
}

func (l *lane) end() int { return l.base + len(l.canon) }

// push adds a decoded byte that stands for the bytes [from, to) of the view.
func (l *lane) push(b byte, from, to int) {
	if kept[b] == 0 {
		return
	}
	l.canon = append(l.canon, canon[b])
	l.raw = append(l.raw, b)
	l.from = append(l.from, from)
	l.to = append(l.to, to)
}

// squeeze adds plain text whose first byte is at the offset off.
func (l *lane) squeeze(folded []byte, off int) {
	n := len(l.canon)
	if m := n + len(folded); m > cap(l.canon) || m > cap(l.from) {
		l.canon = append(make([]byte, 0, m+m/2), l.canon...)
		l.from = append(make([]int, 0, m+m/2), l.from...)
	}
	cs, fs := l.canon[:n+len(folded)], l.from[:n+len(folded)]
	for i := 0; i < len(folded); i++ {
		c := folded[i]
		if c >= 0x80 {
			if k := separator(folded[i:]); k > 0 {
				i += k - 1
				continue
			}
		}
		cs[n], fs[n] = canon[c], off+i
		n += int(kept[c])
	}
	l.canon, l.from = cs[:n], fs[:n]
}

// stop returns where the character i ends in the view.
func (l *lane) stop(i int) int {
	if len(l.to) > 0 {
		return l.to[i-l.base]
	}
	return l.from[i-l.base] + 1
}

// joined reports whether the characters i-1 and i stand close enough.
func (l *lane) joined(i int) bool {
	return i > l.base && l.from[i-l.base]-l.stop(i-1) <= maxGap
}

// trim forgets what is no longer looked at.
func (l *lane) trim(s *Set) {
	n := min(l.pos+s.gram, l.end()-longestEscape) - s.need - l.base
	if n < 1024 && (n <= 0 || len(l.canon) < 2048) {
		return
	}
	l.canon = append(l.canon[:0], l.canon[n:]...)
	l.from = append(l.from[:0], l.from[n:]...)
	if len(l.to) > 0 {
		l.to = append(l.to[:0], l.to[n:]...)
		l.raw = append(l.raw[:0], l.raw[n:]...)
	}
	l.base += n
}

// hold returns where in the view the characters begin that can still become a
// match when more follows those before the index end, or none if there are none;
// none of them is before the index floor.
func (l *lane) hold(s *Set, end, floor, none int) int {
	i := end
	for i > floor && end-i < s.need-1 {
		if i < end && !l.joined(i) {
			break
		}
		if n := min(end-i+1, s.short); n > 1 {
			h := s.shortHash(l.canon[i-1-l.base : i-1-l.base+n])
			if s.alive[h/64]>>(h%64)&1 == 0 {
				break
			}
		}
		i--
	}
	if i == end {
		return none
	}
	return l.from[i-l.base]
}

// search looks up the grams that came. Undecided is where in the view the first
// match begins that may go on, -1 if there is none.
func (c *Cursor) search(l *lane, final bool) (undecided int) {
	s, stride := c.set, c.set.stride
	escaped := l == &c.escaped.lane
	if escaped {
		stride = 1
	}
	for {
		if l.live > 0 {
			if c.goOn(l); l.live > 0 && !final {
				return -1
			}
			l.live = 0
		}
		if l.pos+s.gram > l.end() {
			return -1
		}
		x := s.load(l.canon[l.pos-l.base:])
		h := x * factor
		if f := h >> (64 - s.size - finer); s.filter[f/64]>>(f%64)&1 == 0 || escaped && !c.escaped.within(l.pos, l.pos+s.gram) {
			l.pos += stride
			continue
		}
		if at := c.verify(l, x, h>>(64-s.size), stride, final); at >= 0 {
			return l.from[at-l.base]
		}
	}
}

// verify compares the gram x at l.pos and what stands beside it to the needles
// and reports the longest match. It returns the index of the first character of
// one that is undecided, and -1 when all are, having moved on.
func (c *Cursor) verify(l *lane, x, h uint64, stride int, final bool) int {
	s, p := c.set, l.pos
	best, bestAt, undecided := Hit{}, 0, -1
	var bestEnd, bestNext int
	for _, place := range s.places[s.bucket[h]:s.bucket[h+1]] {
		t := int(place)
		if s.load(s.text[t:]) != x {
			continue
		}
		from, lo := p, max(l.base, l.floor, p+s.gram-s.need)
		for from > lo && s.text[t-1] != 0 && s.text[t-1] == l.canon[from-1-l.base] && l.joined(from) {
			from, t = from-1, t-1
		}
		to, u := from+1, t+1
		for to < l.end() && to-from < s.bound && s.text[u] != 0 && s.text[u] == l.canon[to-l.base] && l.joined(to) {
			to, u = to+1, u+1
		}
		if to-p < s.gram {
			continue // parted by a gap
		}
		if to == l.end() && !final && s.text[u] != 0 && to-from < s.bound {
			if undecided < 0 || from < undecided {
				undecided = from
			}
			continue
		}
		if hit, ok := c.judge(l, from, to, t, u); ok && to-from > bestEnd-bestAt {
			best, bestAt, bestEnd, bestNext = hit, from, to, u
		}
	}
	if undecided >= 0 {
		return undecided
	}
	if bestEnd == 0 {
		l.pos += stride
		return -1
	}
	added := c.add(l, bestAt, bestEnd, best)
	l.floor = bestEnd
	l.pos = (bestEnd + stride - 1) / stride * stride
	if added && bestEnd-bestAt == s.bound && s.text[bestNext] != 0 {
		l.live, l.part = bestNext, best
		l.part.End = c.up(best.End)
	}
	return -1
}

// judge says whether the characters [from, to) of l, which are text[t:u], are a
// match, and what it is.
func (c *Cursor) judge(l *lane, from, to, t, u int) (h Hit, ok bool) {
	s := c.set
	f := s.formAt(t)
	whole := t == f.start && u == f.end
	h = Hit{
		Start: l.from[from-l.base], End: l.stop(to - 1), Needle: f.needle,
		Run: to - from, Of: f.end - f.start, Via: f.via,
	}
	if f.exact != nil {
		return h, whole && c.same(l, from, to, f)
	}
	if !whole && (f.run == 0 || to-from < f.run) {
		return h, false
	}
	if l.raw != nil {
		h.Via = Encoded
	} else if f.via == Plain {
		h.Via = c.written(l, from, to, t)
	}
	if whole {
		return h, true
	}
	var seen [256]bool
	counted, distinct := 0, 0
	for k := t; k < u; k++ {
		if !s.idle[k] {
			counted++
		}
		if !seen[s.text[k]] {
			seen[s.text[k]] = true
			distinct++
		}
	}
	return h, counted >= f.run && distinct >= 5
}

// same reports whether the characters are those of f in their case, and in the
// plain lane with no separator but its own.
func (c *Cursor) same(l *lane, from, to int, f *form) bool {
	if l.raw != nil {
		return string(l.raw[from-l.base:to-l.base]) == string(f.exact)
	}
	if l.stop(to-1)-l.from[from-l.base] > f.length {
		return false
	}
	for i, want := range f.exact {
		if c.clean[l.from[from+i-l.base]-c.base] != want {
			return false
		}
	}
	return true
}

// written tells how the plain characters [from, to) are written, beside the
// needle at text[t].
func (c *Cursor) written(l *lane, from, to, t int) Via {
	leet := 0
	for i := from; i < to; i++ {
		b := c.clean[l.from[i-l.base]-c.base]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != c.set.lower[t+i-from] {
			leet++
		}
	}
	switch n := to - from; {
	case leet > 1:
		return Leet
	case (l.stop(to-1)-l.from[from-l.base])*10 >= n*16:
		return Spaced
	}
	return Plain
}

// goOn follows a match that was reported before it ended.
func (c *Cursor) goOn(l *lane) {
	s := c.set
	i := l.floor
	for i < l.end() && s.text[l.live] != 0 && s.text[l.live] == l.canon[i-l.base] && l.joined(i) {
		i++
		l.live++
	}
	if i > l.floor {
		h := l.part
		h.Start, h.End = h.End, c.up(l.stop(i-1))
		l.part.End = h.End
		c.pending = append(c.pending, h)
		l.floor = i
		l.pos = max(l.pos, (i+s.stride-1)/s.stride*s.stride)
	}
	if i < l.end() || s.text[l.live] == 0 {
		l.live = 0
	}
}
