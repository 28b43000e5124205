package pattern

import (
	"regexp/syntax"
	"slices"
	"unicode"
)

// op is what an instruction does.
type op uint8

const (
	opNever op = iota
	opRune     // takes a character of a set and goes to out
	opAlt      // goes to out and to alt
	opJump     // goes to out
	opCond     // goes to out where its condition holds
	opMatch    // a pattern has matched
)

// inst is one instruction.
type inst struct {
	op       op
	owner    uint8          // bit of the recogniser that it belongs to
	cond     syntax.EmptyOp // of opCond
	out, alt int32          // pc
	arg      int32          // number of the set of opRune; rank of opMatch
}

// Conditions of our own beside those of package syntax: \b of all scripts.
const (
	notAfterLetter  syntax.EmptyOp = 1 << 6
	notBeforeLetter syntax.EmptyOp = 1 << 7
)

// Conditions that are settled by what stands before a place, and all.
const (
	condsBehind = syntax.EmptyBeginLine | syntax.EmptyBeginText | notAfterLetter
	condsAll    = syntax.EmptyOp(0xFF)
)

// prog is a program: the patterns of one recogniser or of several, side by side.
type prog struct {
	insts  []inst
	starts []int32
	sets   [][]rune // pairs of first and last
	setNo  map[string]int32
	look   kind // what conditions ask for

	classes *classes
	in      [][]bool // by set and class
}

// add adds a compiled pattern; rank orders the patterns of a recogniser, the
// best first.
func (p *prog) add(s *syntax.Prog, rank int) {
	base := int32(len(p.insts))
	for i := range s.Inst {
		in := &s.Inst[i]
		x := inst{out: base + int32(in.Out)}
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			x.op, x.alt = opAlt, base+int32(in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			x.op = opJump
		case syntax.InstEmptyWidth:
			x.op, x.cond = opCond, syntax.EmptyOp(in.Arg)
			p.look |= edge
			if x.cond&(syntax.EmptyBeginLine|syntax.EmptyEndLine) != 0 {
				p.look |= newline
			}
			if x.cond&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 {
				p.look |= wordy
			}
		case syntax.InstMatch:
			x.op, x.arg = opMatch, int32(rank)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			x.op, x.arg = opRune, p.set(runesOf(in))
		case syntax.InstFail:
			x.op = opNever
		}
		p.insts = append(p.insts, x)
	}
	p.starts = append(p.starts, base+int32(s.Start))
}

// addWords adds terms that stand for themselves in any case, as whole words; a
// space in one stands for any number of them. The terms are sorted, and each is
// there once: what they begin with they share.
func (p *prog) addWords(terms [][]rune, rank int) {
	p.look |= lettery
	p.branches(terms, func(r rune, rest [][]rune) {
		p.starts = append(p.starts, int32(len(p.insts)))
		if inWord(r) {
			p.insts = append(p.insts, inst{op: opCond, cond: notAfterLetter, out: int32(len(p.insts)) + 1})
		}
		p.grow(r, rest, rank)
	})
}

// branches calls f with each character that terms begin with, and their rests.
func (p *prog) branches(terms [][]rune, f func(r rune, rest [][]rune)) {
	for len(terms) > 0 {
		r := terms[0][0]
		var rest [][]rune
		for len(terms) > 0 && terms[0][0] == r {
			rest = append(rest, terms[0][1:])
			terms = terms[1:]
		}
		f(r, rest)
	}
}

// grow adds what reads r, and then one of the rests.
func (p *prog) grow(r rune, rests [][]rune, rank int) (pc int32) {
	pc = int32(len(p.insts))
	if r == ' ' {
		p.insts = append(p.insts, inst{op: opRune, arg: p.set([]rune{'\t', '\r', ' ', ' '}), out: pc + 1}, inst{op: opAlt, out: pc})
	} else {
		p.insts = append(p.insts, inst{op: opRune, arg: p.set(orbit(r))})
	}
	next := int32(-1) // the ways on, so far
	way := func(to int32) {
		if next >= 0 {
			p.insts = append(p.insts, inst{op: opAlt, out: to, alt: next})
			to = int32(len(p.insts)) - 1
		}
		next = to
	}
	if len(rests[0]) == 0 {
		way(int32(len(p.insts)))
		if inWord(r) {
			p.insts = append(p.insts, inst{op: opCond, cond: notBeforeLetter, out: int32(len(p.insts)) + 1})
		}
		p.insts = append(p.insts, inst{op: opMatch, arg: int32(rank)})
		rests = rests[1:]
	}
	p.branches(rests, func(r rune, rest [][]rune) { way(p.grow(r, rest, rank)) })
	if r == ' ' {
		p.insts[pc+1].alt = next
	} else {
		p.insts[pc].out = next
	}
	return pc
}

// join adds another program as that of the recogniser with the given bit.
func (p *prog) join(q *prog, owner int) {
	base := int32(len(p.insts))
	for _, x := range q.insts {
		x.owner = uint8(owner)
		x.out += base
		x.alt += base
		if x.op == opRune {
			x.arg = p.set(q.sets[x.arg])
		}
		p.insts = append(p.insts, x)
	}
	for _, s := range q.starts {
		p.starts = append(p.starts, base+s)
	}
	p.look |= q.look
}

// finish makes the classes; nothing may be added afterwards.
func (p *prog) finish() {
	p.classes, p.in = newClasses(p.sets, p.look)
	p.setNo = nil
}

// set returns the number of a set.
func (p *prog) set(pairs []rune) int32 {
	if p.setNo == nil {
		p.setNo = map[string]int32{}
	}
	key := string(pairs)
	if slices.Contains(pairs, 0xD800) || slices.Contains(pairs, 0xDFFF) { // not to be told apart in UTF-8
		key = ""
		for _, r := range pairs {
			key += string([]byte{byte(r >> 16), byte(r >> 8), byte(r)})
		}
		key += "\xff"
	}
	no, ok := p.setNo[key]
	if !ok {
		no = int32(len(p.sets))
		p.sets = append(p.sets, pairs)
		p.setNo[key] = no
	}
	return no
}

// runesOf returns what an instruction takes, as pairs.
func runesOf(in *syntax.Inst) []rune {
	switch {
	case in.Op == syntax.InstRuneAny:
		return []rune{0, unicode.MaxRune}
	case in.Op == syntax.InstRuneAnyNotNL:
		return []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
	case len(in.Rune) == 1 && syntax.Flags(in.Arg)&syntax.FoldCase != 0:
		return orbit(in.Rune[0])
	case len(in.Rune) == 1:
		return []rune{in.Rune[0], in.Rune[0]}
	}
	return in.Rune
}

// orbit returns the runes that differ from r in case only, as pairs.
func orbit(r rune) []rune {
	list := []rune{r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		list = append(list, f)
	}
	return pairs(list)
}
