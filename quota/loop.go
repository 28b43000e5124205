package quota

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
)

// LoopConfig says what is a loop. A bound of 0 is none.
type LoopConfig struct {
	Window  time.Duration // in which is counted; default 10 minutes
	Repeats int           // times that the same end of one conversation may be sent
	Depth   int           // rounds of tools since a person spoke
	FanOut  int           // requests of one conversation
	Now     func() time.Time
}

// Loops finds agents that go round in circles: conversations that end in the same call
// and the same result again and again, that go deeper and deeper into tools without a
// person saying a word, or that are asked about over and over. A conversation is told by
// its caller and how it begins. What is remembered is hashes, in bounded memory: what
// was counted is forgotten after one window to two, or when too much came since. It is
// safe for concurrent use.
type Loops struct {
	cfg  LoopConfig
	seed maphash.Seed

	mu       sync.Mutex
	now, old map[uint64]int
	since    time.Time
}

// mostSeen is how many counts are kept, twice.
const mostSeen = 1 << 16

// NewLoops returns a Loops; nil where cfg bounds nothing.
func NewLoops(cfg LoopConfig) *Loops {
	if cfg.Repeats <= 0 && cfg.Depth <= 0 && cfg.FanOut <= 0 {
		return nil
	}
	if cfg.Window <= 0 {
		cfg.Window = 10 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Loops{cfg: cfg, seed: maphash.MakeSeed(), now: map[uint64]int{}, since: cfg.Now()}
}

// Config returns what is a loop.
func (l *Loops) Config() LoopConfig { return l.cfg }

// Keeps reports whether l is what NewLoops would make of cfg.
func (l *Loops) Keeps(cfg LoopConfig) bool {
	return l.cfg.Window == cfg.Window && l.cfg.Repeats == cfg.Repeats && l.cfg.Depth == cfg.Depth && l.cfg.FanOut == cfg.FanOut
}

// Kinds of loops.
const (
	LoopRepeats = "repeated-call"
	LoopDepth   = "tool-depth"
	LoopFanOut  = "fan-out"
)

// Look returns what kind of loop a request with these texts of a caller is part of; ""
// where it is part of none. It counts the request. A nil Loops finds none.
func (l *Loops) Look(caller string, texts []ringwall.Text) string {
	if l == nil || len(texts) == 0 {
		return ""
	}
	tail, depth := len(texts)-1, 0
	last := ringwall.Assistant
	for i := range texts {
		switch o := texts[i].Origin; o {
		case ringwall.User:
			depth = 0
			last = o
		case ringwall.Tool:
			if last != ringwall.Tool {
				depth++
			}
			last = o
		case ringwall.Assistant:
			if last != ringwall.Assistant {
				tail = i // the turn that the request answers
			}
			last = o
		case ringwall.Unverified, ringwall.System, ringwall.Retrieved:
		}
	}
	if l.cfg.Depth > 0 && depth > l.cfg.Depth {
		return LoopDepth
	}
	var h maphash.Hash
	h.SetSeed(l.seed)
	add := func(s string) {
		_, _ = h.WriteString(s) // never fails
		_ = h.WriteByte(0)
	}
	add(caller)
	for i := range texts { // how it begins: up to what a person says first
		add(texts[i].Value)
		if texts[i].Origin == ringwall.User {
			break
		}
	}
	begins := h.Sum64()
	for i := tail; i < len(texts); i++ {
		add(texts[i].Value)
	}
	ends := h.Sum64()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	if l.cfg.FanOut > 0 && l.count(begins) > l.cfg.FanOut {
		return LoopFanOut
	}
	if l.cfg.Repeats > 0 && l.count(ends+1) > l.cfg.Repeats {
		return LoopRepeats
	}
	return ""
}

// count counts a hash, and returns how often it came.
func (l *Loops) count(h uint64) int {
	l.now[h]++
	return l.now[h] + l.old[h]
}

// turn forgets what is old.
func (l *Loops) turn() {
	t := l.cfg.Now()
	switch past := t.Sub(l.since); {
	case past < 0: // the clock was put back
		l.since = t
	case past >= 2*l.cfg.Window:
		l.old, l.now, l.since = nil, map[uint64]int{}, t
	case past >= l.cfg.Window:
		l.old, l.now, l.since = l.now, map[uint64]int{}, l.since.Add(l.cfg.Window)
	case len(l.now) >= mostSeen:
		l.old, l.now = l.now, map[uint64]int{}
	}
}
