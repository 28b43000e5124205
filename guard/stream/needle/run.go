package needle

import "github.com/ringwall/ringwall/guard/stream"

// Values of characters that are no digits of an encoding.
const (
	ends  = -1 // ends a run
	skips = -2 // stands between digits
	marks = -3 // the x of 0x41 and of \x41
)

// digits are the values of the characters of an encoding.
type digits [256]int8

func digitsOf(alphabet string, fold bool) (t digits) {
	for c := range t {
		t[c] = ends
	}
	for v, c := range []byte(alphabet) {
		t[c] = int8(v)
		if fold && 'A' <= c && c <= 'Z' {
			t[c+'a'-'A'] = int8(v)
		}
	}
	return t
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

var (
	base64Values = func() digits { // RFC 4648 §4 and §5 in one
		t := digitsOf(letters+"abcdefghijklmnopqrstuvwxyz0123456789+/", false)
		t['-'], t['_'] = t['+'], t['/']
		return t
	}()
	base32Values = digitsOf(letters+"234567", true) // RFC 4648 §6
	hexValues    = func() digits {
		t := digitsOf("0123456789ABCDEF", true)
		for _, c := range []byte(" :,-_.;\n\r\t\\\"'") {
			t[c] = skips
		}
		t['x'], t['X'] = marks, marks
		return t
	}()
)

// wrapped is the length from which on a run of base64 may go on in the next line.
const wrapped = 40

// run decodes the runs of one encoding's digits, from each digit with which a
// byte may begin.
type run struct {
	values *digits
	bits   int
	least  int // characters of a run that holds the shortest match
	from   int // offset from which on the text is read next
	on     bool
	count  int    // digits of this run so far
	gap    int    // characters since the last one
	zero   int    // offset of a 0 that may be that of 0x, -1 if there is none
	src    [8]int // offsets of the last digits, by their number
	phases []phase
}

// phase decodes from one of the places where a byte may begin.
type phase struct {
	lane      lane
	acc       uint32
	n         int // bits in acc that are of no byte yet
	first     int // number of the digit in which they begin
	undecided int
}

func (r *run) begin(s *Set, values *digits, bits, phases int) {
	r.values, r.bits, r.zero = values, bits, -1
	r.least = (s.least*8 + bits - 1) / bits
	if r.phases == nil {
		r.phases = make([]phase, phases)
	}
}

func (r *run) reset() {
	r.close()
	r.from = 0
}

func (r *run) close() {
	r.on, r.count, r.gap, r.zero = false, 0, 0, -1
	for p := range r.phases {
		f := &r.phases[p]
		f.lane.reset()
		f.acc, f.n, f.first, f.undecided = 0, 0, 0, -1
	}
}

// scan reads what came. It returns the offset from which on a match may still
// begin.
func (r *run) scan(c *Cursor, w stream.Window) (safe int) {
	t, i := w.Clean, r.from-w.Base
	for i < len(t) || r.on {
		if !r.on {
			next, ok := r.open(t, i, w.Final)
			if !ok {
				r.from = w.Base + next
				return r.from
			}
			if i = next; i == len(t) {
				break
			}
			r.on = true
		}
		for ; i < len(t); i++ {
			if !r.take(t[i], w.Base+i) {
				break
			}
			if r.count%2048 == 2047 {
				r.search(c, 0, false)
			}
		}
		if i == len(t) && !w.Final {
			r.from = w.End()
			r.search(c, r.from, false)
			return r.held(c, w)
		}
		if r.zero >= 0 {
			r.digit(0, r.zero)
		}
		r.search(c, 0, true)
		r.close()
	}
	r.from = w.End()
	return w.End()
}

// open finds the next run of enough characters in t, from i on: the first index
// of it, len(t) if there is none. It reports false when one may begin at next
// that is still too short to tell.
func (r *run) open(t []byte, i int, final bool) (next int, ok bool) {
	for {
		probe := i + r.least - 1 // a long run shows at each of these places
		if probe >= len(t) {
			k := len(t)
			for k > i && r.values[t[k-1]] != ends {
				k--
			}
			return k, final || k == len(t)
		}
		if r.values[t[probe]] == ends {
			i = probe + 1
			continue
		}
		k := probe
		for k > i && r.values[t[k-1]] != ends {
			k--
		}
		end := probe + 1
		for end < len(t) && end-k < r.least && r.values[t[end]] != ends {
			end++
		}
		switch {
		case end-k >= r.least:
			return k, true
		case end == len(t) && !final:
			return k, false
		}
		i = end
	}
}

// take reads one character and reports whether the run goes on with it.
func (r *run) take(b byte, off int) bool {
	v := r.values[b]
	if r.zero >= 0 {
		if v != marks {
			r.digit(0, r.zero)
		}
		r.zero = -1
	}
	switch {
	case v >= 0 && r.count > 0 && off-r.src[(r.count-1)&7] > maxGap:
		return false
	case v >= 0:
		r.gap = 0
		if v == 0 && r.bits == 4 {
			r.zero = off
			return true
		}
		r.digit(uint32(v), off)
	case v == skips || v == marks:
	case r.bits == 6 && r.count >= wrapped && r.gap < 8 && b <= ' ':
		r.gap++
	default:
		return false
	}
	return true
}

// digit adds a digit to all phases.
func (r *run) digit(v uint32, off int) {
	at := r.count
	r.src[at&7] = off
	r.count++
	for p := range r.phases[:min(at+1, len(r.phases))] {
		f := &r.phases[p]
		if f.n == 0 {
			f.first = at
		}
		f.acc = f.acc<<r.bits | v
		if f.n += r.bits; f.n < 8 {
			continue
		}
		f.n -= 8
		f.lane.push(byte(f.acc>>f.n), r.src[f.first&7], off+1)
		f.first = at
	}
}

// search searches all phases, which were read up to the offset at.
func (r *run) search(c *Cursor, at int, final bool) {
	for p := range r.phases {
		f := &r.phases[p]
		f.undecided = c.search(&f.lane, c.closed(&f.lane, at, final))
		f.lane.trim(c.set)
	}
}

func (r *run) held(c *Cursor, w stream.Window) int {
	safe := w.End()
	if r.zero >= 0 {
		safe = r.zero
	}
	for p := range r.phases {
		f := &r.phases[p]
		if f.n > 0 && w.End()-r.src[f.first&7] <= maxGap {
			safe = min(safe, r.src[f.first&7])
		}
		safe = min(safe, c.held(&f.lane, f.undecided, w.End()))
	}
	return safe
}
