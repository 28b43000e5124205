// Package pattern looks for what users describe: regular expressions, listed
// terms, and the context, check digits and exceptions that tell a match from
// something that only looks like it.
//
// A [Recogniser] is one thing to look for; [New] makes a [Scanner] of a list of
// them. Each is looked for by itself, and of it the leftmost match counts, of
// those that begin there the longest, and then what lies behind it: what package
// regexp calls leftmost-longest. It is the one rule that can be kept while a text
// comes. Which alternative a backtracking engine would have preferred may depend
// on text that is far away; that a thread which began earlier has ended does not.
//
// The programs are those of package regexp/syntax, so the syntax is Go's. They
// run over the clean view of package normalize, and what a pattern says literally
// is brought into that form: é is looked for as e, a Hangul syllable as its
// letters.
//
// The data's way: a [sentinel] is an automaton of all recognisers together, made
// while texts ask for its states ([automaton]). It reads every character once,
// one look into a table each, and knows which recognisers have threads or may have
// matched. Only there does the [tracker] of a recogniser read again, by an
// automaton of its own whose states keep threads in the order in which they began
// ([node]). What trackers find is judged ([Recogniser]) and reported in order
// ([outbox]).
//
// All of it is linear in the text. Automata that grow faster than they are used
// are given up for a while, and their steps made one by one. What waits for its
// decision is bounded by [MaxPending].
//
// Words by the thousand are package word's business; known credentials and
// identifiers have packages of their own.
package pattern

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds of a configuration.
const (
	MaxRecognisers  = 500
	MaxPatterns     = 50     // of a recogniser
	MaxWords        = 1_000  // of a recogniser
	MaxContext      = 100    // words of a recogniser
	MaxAllow        = 10_000 // of a recogniser
	MaxTerm         = 200    // bytes of a word
	MaxLength       = 2_000  // bytes of a regular expression
	MaxInstructions = 10_000 // of the program of a regular expression
	maxWordProgram  = 30_000 // the same of the words of a recogniser
	maxOwnProgram   = 60_000 // and of all of it: a trans numbers its groups by 16 bits
	maxProgram      = 200_000
)

// What a recogniser does that says nothing else.
const (
	DefaultScore = 0.6
	DefaultBoost = 0.35 // Presidio's, as is the floor
	contextFloor = 0.4
)

// Config configures a Scanner.
type Config struct {
	Recognisers []Recogniser
}

// Recogniser is one thing to look for. It needs a pattern or a word.
type Recogniser struct {
	// Name is the reason of its findings: kebab-case, and no other's.
	Name     string
	Patterns []Pattern
	// Words are terms that are looked for literally, in any case, as whole words.
	Words []string
	// Context are words that make a match more likely when one stands within 64
	// bytes before or behind it; they may have a plural s.
	Context []string
	// ContextRequired drops matches without context.
	ContextRequired bool
	// ContextBoost is added to the score of a match with context, which is then at
	// least 0.4; default 0.35.
	ContextBoost float64
	// Allow are texts that are never reported; the whole match is compared.
	Allow []string
	// Checksum names what the digits of a match must satisfy; see [Checksums].
	Checksum string
	// Severity is that of its findings; default medium.
	Severity ringwall.Severity
	// Score is that of patterns that have none; default 0.6. Words are sure, unless
	// it says otherwise.
	Score float64
}

// Pattern is a regular expression in the syntax of package regexp.
type Pattern struct {
	Regex string
	Score float64 // how sure a match is, up to 1; default the recogniser's
}

// Scanner looks for recognisers. It is safe for concurrent use.
type Scanner struct {
	recognisers []*recogniser
	sentinels   []sentinel
	idle        sync.Pool // of cursors
}

// Bounds of the automata: how many states are kept, how many recognisers share a
// sentinel, and how long their programs are together.
const (
	sentinelStates = 4 << 10
	trackerStates  = 1 << 10
	shareMost      = 64
	shareProgram   = 6_000
)

// New returns a Scanner, or an error that lists all that is wrong with cfg.
func New(cfg Config) (*Scanner, error) {
	var faults []error
	if n := len(cfg.Recognisers); n > MaxRecognisers {
		return nil, fmt.Errorf("pattern: %d recognisers: at most %d are allowed", n, MaxRecognisers)
	}
	s := &Scanner{}
	names := map[string]int{}
	size := 0
	for i, c := range cfg.Recognisers {
		if first, twice := names[c.Name]; twice && c.Name != "" {
			faults = append(faults, fmt.Errorf("recogniser %d (%s): name: recogniser %d has it already", i, c.Name, first))
		}
		names[c.Name] = i
		r, errs := build(c)
		for _, err := range errs {
			faults = append(faults, fmt.Errorf("recogniser %d (%s): %w", i, c.Name, err))
		}
		if len(errs) == 0 {
			r.no = len(s.recognisers)
			s.recognisers = append(s.recognisers, r)
			size += len(r.auto.prog.insts)
		}
	}
	if size > maxProgram {
		faults = append(faults, fmt.Errorf("the recognisers come to %d instructions together, at most %d are allowed: spread them over several guardrails, or move long lists of terms to the word filter", size, maxProgram))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("pattern: %w", errors.Join(faults...))
	}
	s.share()
	return s, nil
}

// share makes the sentinels.
func (s *Scanner) share() {
	for first := 0; first < len(s.recognisers); {
		p := &prog{}
		n := 0
		for first+n < len(s.recognisers) && n < shareMost {
			q := s.recognisers[first+n].loose
			if n > 0 && len(p.insts)+len(q.insts) > shareProgram {
				break
			}
			p.join(q, n)
			s.recognisers[first+n].loose = nil
			n++
		}
		p.finish()
		s.sentinels = append(s.sentinels, sentinel{newAutomaton(p, true, sentinelStates), first, n})
		first += n
	}
}

// Views implements stream.Viewer: numbers and codes do not survive that letters
// are put right.
func (*Scanner) Views() stream.Views { return stream.Decoded }

// Begin implements stream.Scanner.
func (s *Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	if len(s.recognisers) == 0 {
		return nil, "empty-list"
	}
	if c, ok := s.idle.Get().(*cursor); ok {
		return c, ""
	}
	c := &cursor{s: s, watches: make([]watch, len(s.sentinels)), trackers: make([]tracker, len(s.recognisers))}
	for i, r := range s.recognisers {
		c.trackers[i].r = r
	}
	return c, ""
}
