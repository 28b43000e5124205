// Package history tells turns of a submitted conversation that went through the
// gateway from those that a client made up or changed.
//
// Clients carry their conversations themselves and send them whole with each
// request: what stands there as the model's words may be anybody's. So when an
// answer goes out, [Past.Sign] makes a record of the conversation up to it: a tag of
// each turn and whether it had passed, under a MAC with a key that is bound to the
// owner and the session. With the next request [History.Look] finds the record of
// the last answer in it, and believes the turns that stand before that answer as
// they stood then, back to the first that does not. Behind it nothing is believed but
// the results of the calls that the answer asks for.
//
// The record is in a [Store], under a name that only this conversation has; or a
// client that says so carries it as a token, and nothing is kept here. Tags are of a
// canonical form ([canon]): clients write JSON anew, merge parts, drop reasoning.
//
// What it proves and what it does not stands in docs/history.md.
package history

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/redact"
)

// Key names a record in a Store.
type Key [20]byte

// Store keeps records until they expire. It is safe for concurrent use and may
// forget. What it returns proves itself.
type Store interface {
	// Find returns the record of the first of keys under which there is one, nil where
	// there is none. The error says that nobody can tell now.
	Find(ctx context.Context, keys []Key) ([]byte, error)
	// Keep keeps a record under each of keys.
	Keep(ctx context.Context, keys []Key, record []byte, until time.Time) error
}

// DefaultTTL is how long a conversation is known after its last answer.
const DefaultTTL = 7 * 24 * time.Hour

// Config configures a History. Zero fields mean the defaults.
type Config struct {
	Key   redact.Key       // required; the same for all gateways that know each other's conversations
	Store Store            // required
	TTL   time.Duration    // since the last answer; default DefaultTTL
	Now   func() time.Time // default time.Now
}

// History implements gateway.History.
type History struct {
	cfg Config
	key []byte
}

// New returns a History.
func New(cfg Config) (*History, error) {
	if cfg.Store == nil {
		return nil, errors.New("opening the history: no store is given")
	}
	if cfg.TTL <= 0 {
		cfg.TTL = DefaultTTL
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	key, err := cfg.Key.Derive("history", "", 32)
	if err != nil {
		return nil, err
	}
	return &History{cfg, key}, nil
}

var _ gateway.History = (*History)(nil)

// Bounds on what one conversation costs beside being read.
const (
	tries = 32 // answers that are looked up, the last first
	ends  = 3  // groups by which a conversation is found whose beginning is gone
	// Groups that are read: no record knows those before. Looks at tries answers back see
	// as much of what is before as one at the last.
	mostGroups = storeTurns + 2*tries + 2
)

// Past is what is known of a conversation. It is owned by one goroutine.
type Past struct {
	h      *History
	s      *signer
	c      *canon
	groups []group
	of     []int // group of each turn, from the first that is read; -1 of those that say nothing
	gone   int   // turns before
	tags   []entry
	turns  []ringwall.Turn
}

// Look implements gateway.History.
func (h *History) Look(ctx context.Context, owner, session string, c *ringwall.Conversation, token string) (gateway.Past, error) {
	return h.look(ctx, owner, session, c, token)
}

func (h *History) look(ctx context.Context, owner, session string, c *ringwall.Conversation, token string) (*Past, error) {
	p := &Past{h: h, s: newSigner(h.key, owner, session), c: newCanon(), turns: c.Turns}
	p.groups, p.of = groupsOf(c.Turns)
	if cut := len(p.groups) - mostGroups; cut > 0 {
		p.groups = p.groups[cut:]
		for i, g := range p.of {
			if g >= 0 && g < cut {
				p.gone = i + 1
			}
			p.of[i] = max(-1, g-cut)
		}
	}
	p.tags = make([]entry, 0, len(p.groups)+1)
	answers := 0
	for i := range p.groups {
		g := &p.groups[i]
		p.tag(g)
		if g.assistant {
			answers++
		}
	}
	if answers == 0 {
		p.rest(-1)
		return p, nil
	}
	last, err := p.find(ctx, token)
	p.rest(last)
	return p, err
}

// tag adds the tag of g, which comes behind all that have theirs.
func (p *Past) tag(g *group) {
	var before *group
	if n := len(p.tags); n > 0 {
		before = &p.groups[n-1]
	}
	p.c.group(g, before)
	e := entry{tag: p.s.tag(&g.says)}
	if g.thinks {
		e.thought = p.s.tag(&g.thought)
	}
	p.tags = append(p.tags, e)
}

// find finds what is known of the conversation, and returns the last group that is,
// -1 where none is.
func (p *Past) find(ctx context.Context, token string) (int, error) {
	if token != "" {
		if sealed, err := untoken(token); err == nil {
			if r, err := p.s.open(sealed, p.h.cfg.Now()); err == nil {
				if at := p.believe(r); at >= 0 {
					return at, nil
				}
			}
		}
	}
	// Almost always the last answer is known, and looked up alone.
	var keys []Key
	tried := 0
	for at := len(p.groups) - 1; at >= 0 && tried < tries; at-- {
		if !p.groups[at].assistant {
			continue
		}
		keys = p.keys(keys, at)
		if tried++; tried > 1 {
			continue
		}
		if last, err := p.lookUp(ctx, keys); last >= 0 || err != nil {
			return last, err
		}
		keys = keys[:0]
	}
	if len(keys) == 0 {
		return -1, nil
	}
	return p.lookUp(ctx, keys)
}

// lookUp believes the record of the first of keys under which there is one.
func (p *Past) lookUp(ctx context.Context, keys []Key) (int, error) {
	sealed, err := p.h.cfg.Store.Find(ctx, keys)
	if err != nil || sealed == nil {
		return -1, err
	}
	r, err := p.s.open(sealed, p.h.cfg.Now())
	if err != nil {
		return -1, nil //nolint:nilerr // somebody changed the store: nothing is known
	}
	return p.believe(r), nil
}

// keys appends the names of the record of the answer at a group: that of all that was
// said up to there, and that of its end, by which it is found when a client has left
// the beginning away.
func (p *Past) keys(keys []Key, at int) []Key {
	whole := p.s.sign(useWhole, p.joined(max(0, at+1-storeTurns), at))
	keys = append(keys, Key(whole[:]))
	if at+1 < ends {
		return keys
	}
	end := p.s.sign(useEnd, p.joined(at+1-ends, at))
	return append(keys, Key(end[:]))
}

// joined returns the tags of the groups from one to another.
func (p *Past) joined(from, to int) []byte {
	out := make([]byte, 0, (to-from+1)*tagBytes)
	for _, e := range p.tags[from : to+1] {
		out = append(out, e.tag[:]...)
	}
	return out
}

// place lays a record on the conversation: it returns the last answer that stands as
// the record has it, with the ends groups up to it or with all that was said before,
// and the entry of it. Both are -1 where there is none.
func (p *Past) place(r *record) (at, entry int) {
	tried := 0
	for at := len(p.groups) - 1; at >= 0 && tried < tries; at-- {
		if !p.groups[at].assistant {
			continue
		}
		tried++
		best, most := -1, 0
		for e := len(r.entries) - 1; e >= 0; e-- {
			n := p.run(r, at, e)
			if whole := n > at && n > e; n > most && (n >= ends || whole) {
				best, most = e, n
			}
		}
		if best >= 0 {
			return at, best
		}
	}
	return -1, -1
}

// run returns how many groups up to at stand as a record has them up to an entry.
func (p *Past) run(r *record, at, entry int) (n int) {
	for n <= entry && n <= at && r.entries[entry-n].tag == p.tags[at-n].tag {
		n++
	}
	return n
}

// believe takes over from a record what passed, and returns the last group that it
// knows, -1 where that is none.
func (p *Past) believe(r *record) int {
	at, entry := p.place(r)
	if at < 0 {
		return -1
	}
	for i := range p.run(r, at, entry) {
		was, is := r.entries[entry-i], &p.tags[at-i]
		// Reasoning may be left away, not changed.
		is.passed = was.passed && (is.thought == tag{} || is.thought == was.thought)
	}
	return at
}

// rest judges what stands behind the last group that is known.
func (p *Past) rest(last int) {
	for i := range p.groups {
		g, e := &p.groups[i], &p.tags[i]
		switch {
		case g.assistant:
		case !g.results:
			e.passed = true // the caller's own words
		case i == last+1 && i == len(p.groups)-1 && last >= 0:
			e.passed = g.answered && p.tags[last].passed
		}
	}
}

// Passed implements gateway.Past.
func (p *Past) Passed() []bool {
	out := make([]bool, len(p.of))
	for i, g := range p.of {
		t := &p.turns[i]
		words := t.Role != ringwall.RoleAssistant && !slices.ContainsFunc(t.Parts, func(part ringwall.Part) bool { return part.Kind == ringwall.PartResult })
		out[i] = words || i >= p.gone && (g < 0 || p.tags[g].passed)
	}
	return out
}

// Sign implements gateway.Past. It is called once.
func (p *Past) Sign(ctx context.Context, answer []ringwall.Part, carried bool) (string, error) {
	if !slices.ContainsFunc(answer, func(part ringwall.Part) bool { return !empty(&part) }) {
		return "", nil // clients leave it away
	}
	n := len(p.groups)
	p.groups = add(p.groups, true, answer)
	passed := true
	if len(p.groups) == n { // the answer goes on with what the client began
		passed = p.tags[n-1].passed
		p.tags = p.tags[:n-1]
		p.groups[n-1].thinks = false
	}
	last := len(p.groups) - 1
	p.tag(&p.groups[last])
	p.tags[last].passed = passed
	until := p.h.cfg.Now().Add(p.h.cfg.TTL)
	if carried {
		return token(p.s.seal(p.record(tokenTurns, until))), nil
	}
	return "", p.h.cfg.Store.Keep(ctx, p.keys(nil, last), p.s.seal(p.record(storeTurns, until)), until)
}

func (p *Past) record(most int, until time.Time) *record {
	return &record{until, p.tags[max(0, len(p.tags)-most):]}
}
