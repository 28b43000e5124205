package waf

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
)

// Control is the id of the control that findings are of.
const Control = "inference/waf"

// Group says how requests to a route are looked at. The zero Group is the strict
// one.
type Group uint8

// Groups.
const (
	Inner Group = iota // console, log-in, control: looked at whole
	Model              // models and the guard: looked at from outside
	groups
)

var groupNames = [groups]string{"control", "model"}

func (g Group) String() string {
	if g < groups {
		return groupNames[g]
	}
	return fmt.Sprintf("unknown(%d)", uint8(g))
}

// Mode says what is done about what a look notices. The zero Mode refuses.
type Mode uint8

// Modes.
const (
	Enforce Mode = iota // refuse
	Detect              // let pass, and say so
	Off                 // do not look
)

var modeNames = map[Mode]string{Enforce: "enforce", Detect: "detect", Off: "off"}

func (m Mode) String() string {
	if s, ok := modeNames[m]; ok {
		return s
	}
	return fmt.Sprintf("unknown(%d)", uint8(m))
}

// ParseMode reads the name of a mode; "" is enforce.
func ParseMode(name string) (Mode, error) {
	for m, s := range modeNames {
		if s == name || name == "" && m == Enforce {
			return m, nil
		}
	}
	return Enforce, fmt.Errorf("unknown mode %q: want enforce, detect or off", name)
}

// Defaults of Config.
const (
	DefaultThreshold = 5         // one critical rule
	DefaultBody      = 128 << 10 // some 0.5 s of one core for the whole Core Rule Set
	DefaultKept      = 4096      // looks at doors that are kept, of some 0.3 KiB each
)

// Config configures a Firewall. Zero fields mean the defaults, which refuse.
type Config struct {
	Modes      [2]Mode     // by Group
	Paranoia   int         // of the Core Rule Set, 1 to 4; default 1
	Threshold  int         // anomaly score from which a request is refused; default 5
	Body       int64       // bytes of a body that is looked at whole; default 128 KiB
	Kept       int         // looks at doors that are kept; default 4096, below 0: none
	Exceptions []Exception // what is excused
	Log        *slog.Logger
	Now        func() time.Time // default: time.Now
}

// Firewall looks at requests. It is safe for concurrent use. It is closed when no
// request uses it any more.
type Firewall struct {
	cfg    Config
	secret [32]byte // of the keys of what is kept
	door   *engine
	whole  func() (*engine, error) // loaded when it is asked for first
	kept   *kept
	slots  chan struct{} // looks at whole requests, which are dear
	loaded time.Duration

	mu      sync.Mutex
	closers []*engine
	closed  bool
}

// New returns a Firewall, with the rules for doors loaded: those for whole requests
// are loaded when the first comes.
func New(cfg Config) (*Firewall, error) {
	if cfg.Paranoia == 0 {
		cfg.Paranoia = 1
	}
	if cfg.Threshold == 0 {
		cfg.Threshold = DefaultThreshold
	}
	if cfg.Body == 0 {
		cfg.Body = DefaultBody
	}
	if cfg.Kept == 0 {
		cfg.Kept = DefaultKept
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Paranoia < 1 || cfg.Paranoia > 4 || cfg.Threshold < 1 || cfg.Body < 1 {
		return nil, errors.New("waf: want a paranoia of 1 to 4, a threshold of 1 or more, and a largest body")
	}
	for i, e := range cfg.Exceptions {
		if err := e.Check(); err != nil {
			return nil, fmt.Errorf("waf: exception %d: %w", i+1, err)
		}
	}
	f := &Firewall{cfg: cfg, kept: newKept(cfg.Kept, nextEnd(cfg.Exceptions, cfg.Now()), cfg.Now), slots: make(chan struct{}, atATime())}
	rand.Read(f.secret[:]) // never fails (crypto/rand)
	f.whole = sync.OnceValues(func() (*engine, error) { return f.load(true) })
	if cfg.Modes[Model] == Off {
		return f, nil
	}
	start := time.Now()
	var err error
	if f.door, err = f.load(false); err != nil {
		return nil, err
	}
	f.loaded = time.Since(start)
	return f, nil
}

// load loads rules, to be closed with f.
func (f *Firewall) load(whole bool) (*engine, error) {
	e, err := newEngine(f.cfg, whole)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errors.Join(errors.New("waf: the firewall is closed"), e.Close())
	}
	f.closers = append(f.closers, e)
	return e, nil
}

// Preload loads the rules for whole requests now, so that what is wrong with them is
// known, and the first request need not wait.
func (f *Firewall) Preload() error {
	_, err := f.whole()
	return err
}

// Loaded is how long loading the rules for doors took.
func (f *Firewall) Loaded() time.Duration { return f.loaded }

// Mode is what is done about what is noticed in a group.
func (f *Firewall) Mode(g Group) Mode {
	if int(g) < len(f.cfg.Modes) {
		return f.cfg.Modes[g]
	}
	return Enforce
}

// Close gives back what the rules use.
func (f *Firewall) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	var errs []error
	for _, e := range f.closers {
		errs = append(errs, e.Close())
	}
	f.closers = nil
	return errors.Join(errs...)
}

// Match is one rule that matched.
type Match struct {
	Rule     string            `json:"rule"`   // "942100", "ai-ssrf"
	Reason   string            `json:"reason"` // as in findings
	Message  string            `json:"message"`
	Where    string            `json:"where,omitempty"` // "REQUEST_HEADERS:User-Agent"
	Score    int               `json:"score"`           // what it adds to the anomaly score; a rule of ours: the threshold
	Severity ringwall.Severity `json:"severity"`
	Excepted string            `json:"excepted,omitempty"` // why it is excused
}

// Judgement is what a look at a request came to. It is not changed once it is made.
type Judgement struct {
	Refuse  bool // the request goes no further
	Failed  bool // could not look, which refuses unless the mode is detect
	Off     bool // did not look, for the mode is off
	TooLong bool // the body is longer than what is looked at
	Kept    bool // it was looked at before
	Score   int  // anomaly score
	Matches []Match
	// Findings are Matches in the words of the house.
	Findings []ringwall.Finding
}

// Reasons are those of the findings that count, each once, sorted.
func (j *Judgement) Reasons() []string {
	var reasons []string
	for _, f := range j.Findings {
		if f.Excepted == "" {
			reasons = append(reasons, f.Reason)
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// judge makes a Judgement of matches. The Core Rule Set weighs: what it matched
// counts when the scores reach the threshold; each rule of ours counts alone.
func (f *Firewall) judge(g Group, matches []Match, blocked bool) *Judgement {
	mode := f.Mode(g)
	j := &Judgement{Matches: matches}
	for i := range matches {
		m := &matches[i]
		if m.Excepted != "" {
			continue
		}
		j.Score += m.Score
		blocked = blocked || ours(m.Rule)
	}
	j.Refuse = blocked && mode == Enforce
	for _, m := range matches {
		fd := ringwall.Finding{
			Control: Control, Reason: m.Reason, Severity: m.Severity, Score: min(1, float64(m.Score)/float64(f.cfg.Threshold)),
			Path: m.Where, Excepted: m.Excepted,
		}
		if blocked && m.Excepted == "" && mode == Detect {
			fd.Shadow = ringwall.Block.String()
		}
		j.Findings = append(j.Findings, fd)
	}
	return j
}

// failed is the Judgement of a look that could not be had.
func (f *Firewall) failed(g Group) *Judgement {
	return &Judgement{
		Failed: true, Refuse: f.Mode(g) == Enforce,
		Findings: []ringwall.Finding{{Control: Control, Reason: ringwall.ReasonUnavailable, Severity: ringwall.High, Score: 1}},
	}
}
