package person

// view is what a decision may see: tokens about the one that it is about.
type view struct {
	tokens [back + 1 + ahead]*token
	from   int // offset of the first that is there, from the token
	to     int // and of the last
	list   [maxFeatures]uint32
	n      int
}

const maxFeatures = 96

// see sets the view to the token k, which is the next to be decided.
func (c *cursor) see(k *token) {
	v := &c.view
	v.from, v.to = -min(back, c.decidedN), 0
	for j := v.from; j <= 0; j++ {
		v.tokens[back+j] = &c.tokens[(c.decidedN+j)%ring]
	}
	for j := 1; j <= ahead && c.decidedN+j < c.cutN; j++ {
		t := &c.tokens[(c.decidedN+j)%ring]
		if t.end > k.end+aheadBytes {
			break
		}
		v.tokens[back+j] = t
		v.to = j
	}
}

func (v *view) at(j int) *token {
	if j < v.from || j > v.to {
		return &none
	}
	return v.tokens[back+j]
}

// class returns the classes of the token at j, with those that are known by the
// next, if that may be seen.
func (v *view) class(j int) Class {
	t := v.at(j)
	if j < v.to {
		return t.class | t.late
	}
	return t.class
}

func (v *view) tag(j int) Tag {
	if j >= 0 {
		return Out
	}
	return v.at(j).tag
}

// never reports whether the token belongs to what is neither a name nor an
// address: the s of "Anna's", an e-mail address, the name of a host.
func (v *view) never() bool {
	k, next, last := v.at(0), v.at(1), v.at(-1)
	switch {
	case k.shape == '\'':
		return next.hash == possessive
	case next.shape == '@' && !next.gap:
		return k.shape.word() || k.shape.number()
	case last.shape == '@' && !k.gap:
		return v.at(-2).shape.word() && !last.gap
	case k.shape == lower && next.shape == '.' && !next.gap:
		after := v.at(2)
		return after.shape == lower && !after.gap
	}
	return false
}

// word returns the offset of the nth word from the token in direction d; what
// are no words are passed over. 0 says that there is none near.
func (v *view) word(d, n int) int {
	for j := d; j >= -back && j <= ahead; j += d {
		if s := v.at(j).shape; s.word() || s.number() || s == code {
			if n--; n == 0 {
				return j
			}
		}
	}
	return 0
}

// add adds the feature that value a, and b, have in the template.
func (v *view) add(template, a, b uint32) {
	h := (uint64(template)<<40 ^ uint64(a)) * 0x9E3779B97F4A7C15
	h ^= h >> 31
	h = (h ^ uint64(b)) * 0xD6E8FEB86659FD93
	v.list[v.n] = uint32(h >> (64 - bucketBits))
	v.n++
}

// known returns the word of a token, or that it is one which means nothing but a
// name, if that: what is learnt from it must not be about that name.
func (k *token) known() uint32 {
	if k.shape >= lower && k.shape <= caseless && k.class&^(named|City|Glued|Region|Country) == 0 {
		return uint32(k.shape)<<8 | uint32(k.class&named)
	}
	return k.hash
}

func join(a, b uint32) uint32 { return (a*0x85EBCA6B ^ b) * 0xC2B2AE35 >> 3 }

// features lists what is seen of the token.
func (v *view) features(c *cursor) {
	v.n = 0
	var s, w, k [7]uint32 // shapes, words, classes at -3 .. 3
	for j := -3; j <= 3; j++ {
		t := v.at(j)
		s[j+3], w[j+3], k[j+3] = uint32(t.shape), t.known(), uint32(v.class(j))
		if t.gap {
			s[j+3] |= 0x100
		}
	}
	const o = 3
	self := v.at(0)
	y1 := uint32(v.tag(-1))
	y2 := uint32(v.tag(-2))
	y := y1 | y2<<3
	first := uint32(0)
	if self.first {
		first = 1
	}
	const nameish = uint32(named | Common | Particle | Title | City | Sur | Given)
	var m [7]uint32
	for j := range m {
		m[j] = k[j]&nameish | s[j]<<24
	}
	state := uint32(0)
	switch {
	case c.open.tag == BeginName:
		state = 1 + uint32(min(c.open.tokens, 6))
	case c.open.tag == BeginAddress:
		state = 16 + uint32(min(c.open.commas, 4))
		if c.open.number {
			state |= 32
		}
		if c.open.street {
			state |= 64
		}
	}

	v.add(0, y, state)
	v.add(1, self.hash, y1)
	v.add(2, w[o-1], y1)
	v.add(3, w[o+1], y1)
	v.add(4, w[o-2], s[o])
	v.add(5, w[o+2], s[o])
	v.add(6, join(w[o-1], w[o]), 0)
	v.add(7, join(w[o], w[o+1]), 0)
	v.add(8, join(w[o-2], w[o-1]), s[o]&0xFF)
	v.add(9, join(w[o+1], w[o+2]), s[o]&0xFF)
	v.add(10, join(join(s[o-1], s[o]), s[o+1]), y1)
	v.add(11, join(join(s[o-2], s[o-1]), s[o]), y1)
	v.add(12, join(join(s[o], s[o+1]), s[o+2]), y1)
	v.add(13, k[o], y1|s[o]<<8)
	v.add(14, join(k[o-1], k[o]), y1)
	v.add(15, join(k[o], k[o+1]), y1)
	v.add(16, k[o-1], y1|s[o]<<8)
	v.add(17, k[o+1], y1|s[o]<<8)
	v.add(18, k[o-2], s[o])
	v.add(19, k[o+2], s[o])
	v.add(20, join(m[o-1], m[o]), m[o+1])
	v.add(21, join(m[o], m[o+1]), join(m[o+2], y1))
	v.add(22, join(m[o-2], m[o-1]), join(m[o], y1))
	v.add(23, self.ending, s[o])
	v.add(24, v.at(1).ending, join(s[o+1], m[o]))
	v.add(25, self.ending, join(k[o]&nameish, y1))
	v.add(26, m[o], first)
	v.add(27, join(m[o], m[o+1]), join(first, s[o+2]))
	v.add(28, join(state, s[o]), join(s[o-1], s[o+1]))
	v.add(29, join(state, k[o]), s[o])
	v.add(30, join(y, m[o]), 0)
	v.add(31, join(state, w[o]), s[o+1])
	v.add(32, join(state, m[o]), m[o+1])
	v.add(33, join(y, w[o-1]), s[o])

	// The words about it, over signs.
	p1, p2, n1 := v.word(-1, 1), v.word(-1, 2), v.word(1, 1)
	pt1, pt2, nt1 := none, none, none
	if p1 != 0 {
		pt1 = *v.at(p1)
	}
	if p2 != 0 {
		pt2 = *v.at(p2)
	}
	if n1 != 0 {
		nt1 = *v.at(n1)
	}
	signs := uint32(0) // between the last word and it
	for j := p1 + 1; j < 0 && p1 != 0; j++ {
		signs = join(signs, uint32(v.at(j).shape))
	}
	v.add(34, pt1.known(), join(signs, s[o]))
	v.add(35, uint32(pt1.class), join(signs, m[o]))
	v.add(36, uint32(pt1.class), m[o])
	v.add(37, uint32(pt2.class), join(m[o], signs))
	v.add(38, pt2.known(), join(pt1.known(), s[o]&0xFF))
	v.add(39, uint32(nt1.class), m[o])
	v.add(40, nt1.known(), s[o])
	v.add(41, join(uint32(pt1.class), uint32(nt1.class)), m[o])
	v.add(42, join(uint32(pt1.class)&^uint32(Common), uint32(pt2.class)&^uint32(Common)), s[o])

	// Capitals about it, and what makes an address.
	caps, lowers := uint32(0), uint32(0)
	cues := uint32(0)
	for j := -4; j <= 4; j++ {
		if j == 0 {
			continue
		}
		t := v.at(j)
		if t.shape == lower {
			lowers++
		} else if t.shape.capital() {
			caps++
		}
		if j < 0 {
			cues |= uint32(v.class(j) & (Intro | Role | Greet | Sign | Title | Cue | Org))
		}
	}
	v.add(43, caps, join(lowers, m[o]))
	v.add(44, cues, m[o])
	v.add(45, cues, join(s[o], y1))
	road, figure := uint32(0), uint32(0)
	for j := 1; j <= 5; j++ {
		if road == 0 && v.class(j)&street != 0 {
			road = uint32(j)
		}
		if s := v.at(j).shape; figure == 0 && (s.number() || s == code) {
			figure = uint32(j)
		}
		if s := v.at(j).shape; s == newline || s == blank {
			break
		}
	}
	v.add(46, road, join(s[o], y1))
	v.add(47, figure, join(s[o], y1))
	v.add(48, join(road, figure), join(k[o]&uint32(street|Unit|City|Region|Country), state))
	v.add(49, join(figure, cues), join(s[o], state))
	if !self.shape.char() {
		for _, g := range self.grams {
			if g == 0 {
				break
			}
			v.add(60, g, s[o]&0xFF)
		}
		next := v.at(1)
		for _, g := range next.grams {
			if g == 0 || next.shape.char() {
				break
			}
			v.add(61, g, 0)
		}
	}
	if self.shape.char() {
		v.add(50, join(w[o-1], w[o]), w[o+1])
		v.add(51, join(w[o-3], w[o-2]), w[o-1])
		v.add(52, join(w[o+1], w[o+2]), state)
		v.add(53, join(w[o+2], w[o+3]), state)
		v.add(54, join(state, s[o+1]), join(s[o+2], s[o+3]))
		v.add(55, join(state, k[o+1]), k[o+2])
		v.add(56, join(s[o-1], k[o]), join(k[o+1], k[o+2]))
		v.add(57, w[o+3], state)
	}
}
