package person

import (
	"math"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds, in tokens and bytes of the view.
const (
	ring        = 16  // tokens that are remembered
	ahead       = 6   // tokens that a decision may see behind its own
	aheadBytes  = 128 // and how far they may reach
	back        = 6   // tokens that it may see before it
	longestName = 96  // bytes
	longest     = 256 // bytes of an address
)

// least is the score below which nothing is reported.
const least = 0.5

// alone is that score of a single word that neither is known as a name nor has
// anything about it that announces one.
const alone = 0.95

// placed is that score of an address without a word for a street or one that
// announces it: a postcode and a town must make it one.
const placed = 0.97

// announces are the classes of words that announce a name.
const announces = Intro | Role | Greet | Sign | Title

// cursor looks through one text. It cuts tokens off the text and decides about
// them in order; c.tokens remembers the last of them.
type cursor struct {
	model *model
	home  *Scanner
	learn func(*Decision) Tag // decides instead of the model

	pos      int  // where the next token begins
	gap      bool // space before it
	cutN     int  // tokens cut
	decidedN int  // and decided
	tokens   [ring]token

	open   entity
	beside bool // the token before is strange: it belongs to a name right behind it
	view   view
}

// entity is a name or an address that goes on.
type entity struct {
	tag        Tag // its first; Out: there is none
	start, end int
	known      bool // the gazetteer has a word of it as a name
	bare       bool // nothing near it announces a name
	short      bool // it ends with a word that a full stop may shorten
	tokens     int
	sure       float64 // sum of its tokens' probabilities
	number     bool    // it has a number
	street     bool    // or the word of a street
	place      bool    // or that of a town, and a code
	post       bool
	commas     int
}

func (c *cursor) prev() *token {
	if c.cutN == 0 {
		return &none
	}
	return &c.tokens[(c.cutN-1)%ring]
}

var none token

// possessive is the hash of what stands behind the apostrophe of "Anna's".
var possessive = hash([]byte("s"))

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	for more := true; more; {
		more = c.cut(w)
		if c.open.tag == Out && c.decidedN == c.cutN-1 && more && c.plain(&c.tokens[c.decidedN%ring]) {
			c.decidedN++ // most words of prose
			c.beside = false
			continue
		}
		for c.decidedN < c.cutN && c.decide(!more && w.Final, found) {
			c.decidedN++
		}
	}
	if w.Final {
		c.close(found)
		return w.End()
	}
	safe := c.pos
	if c.decidedN < c.cutN {
		safe = c.tokens[c.decidedN%ring].start
	}
	if c.open.tag != Out {
		safe = min(safe, c.open.start)
	} else if c.beside {
		safe = min(safe, c.tokens[(c.decidedN-1)%ring].start)
	}
	return safe
}

// plain reports whether a token is a common word and nothing else, or a sign:
// what nothing can begin with.
func (c *cursor) plain(k *token) bool {
	return k.shape == lower && k.class&Common != 0 && k.class&(named|Before|Particle) == 0 || k.shape > code
}

// decide decides about the next token; false says that it must see more.
func (c *cursor) decide(final bool, found func(stream.Match)) bool {
	k := &c.tokens[c.decidedN%ring]
	if c.open.tag == Out {
		switch c.quick(k) {
		case stream.No:
			k.tag, c.beside = Out, false
			return true
		case stream.Yes:
			if c.cutN-1-c.decidedN < ahead && !final && c.pos < k.end+aheadBytes {
				return false
			}
			c.see(k)
		case stream.More:
			if c.cutN-1-c.decidedN < ahead && !final && c.pos < k.end+aheadBytes {
				return false
			}
			c.see(k)
			if !c.near() {
				k.tag, c.beside = Out, false
				return true
			}
		}
	} else {
		if c.cutN-1-c.decidedN < ahead && !final && c.pos < k.end+aheadBytes {
			return false
		}
		c.see(k)
	}
	tag, sure := c.ask(k)
	k.tag = tag
	c.put(k, sure, found)
	c.beside = k.tag == Out && k.strange()
	return true
}

// strange reports whether a token is a word with a capital of which nothing is
// known, or that it is a place: the model may not see that it begins a name, and
// see the rest of it.
func (k *token) strange() bool {
	return k.shape == capital && k.class&^(City|named) == 0
}

// goesOn reports whether a token belongs to the one word of a name before it,
// whatever the model says: a second name, or a word with a capital of which
// nothing is known.
func (c *cursor) goesOn(k *token) bool {
	return c.open.tag == BeginName && c.open.tokens == 1 && k.gap && k.shape == capital &&
		c.view.at(-1).shape == capital && k.class&^(City|named) == 0
}

// notation are the signs of code and placeholders, which neither names nor
// addresses have.
func (s shape) notation() bool { return s == '_' || s == '{' || s == '}' }

// names reports whether a token is the word of a street, a part of a town or a
// building. In lower case many of these are ordinary words, which count where an
// address was announced.
func (k *token) names(announced bool, next shape) bool {
	switch {
	case k.class&(street|Area|Unit) == 0 || k.shape.number():
		return false
	case announced:
		return true
	case k.end-k.start == 1: // an abbreviation, or grams and degrees
		return next == '.' || next == '/'
	}
	return k.shape != lower || k.class&Common == 0 || streets[k.hash]
}

// streets are words in lower case that hardly stand behind a number otherwise.
var streets = func() map[uint32]bool {
	m := map[uint32]bool{}
	for word := range strings.FieldsSeq("street road straße str rd calle ulica platz улица straat") {
		m[hash([]byte(normalize.Fold(word)))] = true
	}
	return m
}()

// templated reports whether the token stands alone, or before an underscore, behind
// a brace: it names what is to be put there.
func (c *cursor) templated() bool {
	next := c.view.at(1)
	return c.view.at(-1).shape == '{' && !next.gap && (next.shape == '_' || next.shape == '}')
}

// put adds the token to what is open, or ends that.
func (c *cursor) put(k *token, sure float64, found func(stream.Match)) {
	e := &c.open
	if k.shape.notation() || !k.gap && (c.view.at(-1).shape == '_' || c.templated()) {
		k.tag = Out
	}
	switch k.tag {
	case Out:
		c.close(found)
		return
	case BeginName, BeginAddress:
		c.close(found)
		*e = entity{tag: k.tag, start: k.start, end: k.end, bare: !c.cued(announces)}
		if k.tag == BeginAddress {
			e.bare = !c.cued(Cue)
		} else if c.beside && k.gap {
			e.start = c.tokens[(c.decidedN-1)%ring].start
			e.bare = false
			e.tokens++
			e.sure += sure
		}
	default:
		limit := longestName
		if e.tag == BeginAddress {
			limit = longest
		}
		if k.end-e.start > limit {
			k.tag = Out
			c.close(found)
			return
		}
	}
	if k.shape.word() || k.shape.number() || k.shape == code || k.shape == '.' && k.start == e.end && e.short {
		e.end = k.end
		e.short = k.end-k.start < 5 && k.shape != '.' && !k.shape.number()
	}
	e.tokens++
	e.sure += sure
	e.known = e.known || c.view.class(0)&(named|Sur|Given) != 0 && (k.shape != upper || k.end-k.start > 4)
	e.number = e.number || k.shape.number() || k.shape == code
	e.street = e.street || k.names(!e.bare, c.view.at(1).shape)
	e.post = e.post || k.shape == digit4 || k.shape == digit5 || k.shape == digits
	e.place = e.place || e.post && c.view.class(0)&(City|Region|Country) != 0
	if k.shape == ',' || k.shape == newline {
		e.commas++
	}
}

// close reports what is open.
func (c *cursor) close(found func(stream.Match)) {
	e := c.open
	c.open = entity{}
	if e.tag == Out {
		return
	}
	score := e.sure / float64(e.tokens)
	switch {
	case score < least,
		e.tag == BeginAddress && !e.number,
		e.tag == BeginAddress && !e.street && e.bare && (!e.place || score < placed),
		e.tag == BeginName && e.tokens == 1 && !e.known && e.bare && score < alone:
		return
	}
	m := stream.Match{Start: e.start, End: e.end, Reason: Name, Severity: ringwall.Low, Score: score}
	if e.tag == BeginAddress {
		m.Reason, m.Severity = Address, ringwall.Medium
	}
	found(m)
}

// quick reports whether a token may begin something, by itself and what stands
// before it. stream.More says: if there is the right thing near it.
func (c *cursor) quick(k *token) stream.Look {
	switch s := k.shape; {
	case s == lower:
		switch {
		case k.class&Common == 0 && k.class&named != 0:
			return stream.Yes
		case k.class&Common != 0 && k.class&(named|Before|Particle) == 0:
			return stream.No
		case k.class&named != 0 && c.cued(announces), c.told():
			return stream.Yes
		case k.class&(Before|Glued) != 0:
			return stream.More
		}
		return stream.No
	case s.capital():
		if k.first && k.class&(Common|named|Title|street|Unit|City) == Common {
			return stream.No
		}
		return stream.Yes
	case s == initial:
		return stream.Yes
	case s.number(), s == code:
		return stream.More
	case s == caseless:
		if k.class&(named|street|City) != 0 || c.cued(Intro|Greet|Title|Role|Cue) {
			return stream.Yes
		}
	case s == han, s == hangul:
		return stream.More
	case s == katakana, s == hiragana:
		if c.cued(Intro|Role|Greet) && k.tag == Out {
			return stream.Yes
		}
	}
	return stream.No
}

// told reports whether one of the last two words or signs announces a name, and
// is not just what somebody is: a word in lower case of which nothing is known
// may be one then.
func (c *cursor) told() bool {
	for i := c.decidedN - 1; i >= max(0, c.decidedN-2); i-- {
		if c.tokens[i%ring].class&(announces&^Role) != 0 {
			return true
		}
	}
	return false
}

// cued reports whether one of the last few tokens has one of the classes.
func (c *cursor) cued(cs Class) bool {
	for i := c.decidedN - 1; i >= max(0, c.decidedN-4); i-- {
		k := &c.tokens[i%ring]
		if k.class&cs != 0 {
			return true
		}
		if k.shape == blank {
			return false
		}
	}
	return false
}

// near reports whether what may begin an address, or a name in Han or Hangul, has
// something about it that makes that likely. The view is set.
func (c *cursor) near() bool {
	v := &c.view
	k := v.at(0)
	switch {
	case k.shape.char():
		if v.class(0)&(Sur|City|Region) != 0 || c.cued(Intro|Cue|Role) {
			return true
		}
		return false
	case k.shape == lower: // calle, via
		for j := 1; j <= 5; j++ {
			if v.at(j).shape.number() {
				return true
			}
		}
		return c.cued(Cue)
	}
	for j := 1; j <= 5; j++ {
		t := v.at(j)
		if v.class(j)&street != 0 && (t.shape != lower || v.class(j)&Common == 0 || j <= 3) {
			return true
		}
		if t.shape == newline || t.shape == blank || t.shape == '.' && j > 2 {
			break
		}
	}
	return c.cued(Cue | Unit | Before | Intro)
}

// ask asks the model, or who teaches it. The second result is how likely the
// token belongs to an entity.
func (c *cursor) ask(k *token) (Tag, float64) {
	if c.view.never() {
		return Out, 0
	}
	c.view.features(c)
	if c.learn != nil {
		tag := c.learn(&Decision{Start: k.start, End: k.end, Before: c.view.tag(-1), Features: c.view.list[:c.view.n], Word: k.class, again: func() { c.view.features(c) }, token: k})
		return tag, 1
	}
	var sum [8]int32
	for _, f := range c.view.list[:c.view.n] {
		w := &c.model.weights[f]
		sum[0] += int32(w[0])
		sum[1] += int32(w[1])
		sum[2] += int32(w[2])
		sum[3] += int32(w[3])
		sum[4] += int32(w[4])
	}
	allowed := [Tags]bool{true, true, c.open.tag == BeginName, true, c.open.tag == BeginAddress}
	best := Out
	for t := range Tag(Tags) {
		if allowed[t] && sum[t] > sum[best] {
			best = t
		}
	}
	if best == Out {
		if c.goesOn(k) {
			return InName, least
		}
		return Out, 0
	}
	total := 0.0
	for t := range Tag(Tags) {
		if allowed[t] {
			total += math.Exp(float64(sum[t]-sum[Out]) * float64(c.model.scale))
		}
	}
	return best, 1 - 1/total
}
