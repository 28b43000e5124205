package guardrail

import (
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
)

const (
	mask = ringwall.Mask
	flag = ringwall.Flag
)

// Act is an action, or off: not to look at all. The zero Act is strict: block.
type Act struct {
	Off    bool
	Action ringwall.Action
	// Tokenize makes of a mask a placeholder that can be undone.
	Tokenize bool
}

// UnmarshalText reads the name of an action, tokenize, detect, which is another
// name of flag, or off.
func (a *Act) UnmarshalText(b []byte) error {
	*a = Act{}
	switch string(b) {
	case "off":
		a.Off = true
		return nil
	case "tokenize", "tokenise":
		*a = Act{Action: ringwall.Mask, Tokenize: true}
		return nil
	case "detect":
		a.Action = ringwall.Flag
		return nil
	}
	if a.Action.UnmarshalText(b) != nil {
		return fmt.Errorf("want one of %s, tokenize, or off", strings.Join(ringwall.ActionNames(), ", "))
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (a Act) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

func (a Act) String() string {
	switch {
	case a.Off:
		return "off"
	case a.Tokenize:
		return "tokenize"
	}
	return a.Action.String()
}

// strictness orders acts: the least is the strictest.
func (a Act) strictness() int {
	if a.Off {
		return int(ringwall.Allow) + 1
	}
	return int(a.Action)
}

// Mode says whether what is noticed has consequences. The zero Mode is Enforce.
type Mode uint8

// Modes.
const (
	Enforce Mode = iota
	Shadow       // only recorded
)

func (m Mode) String() string {
	if m == Shadow {
		return "shadow"
	}
	return "enforce"
}

// MarshalText writes what UnmarshalText reads.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads enforce or shadow.
func (m *Mode) UnmarshalText(b []byte) error {
	switch string(b) {
	case "enforce":
		*m = Enforce
	case "shadow":
		*m = Shadow
	default:
		return fmt.Errorf("want enforce or shadow; a control is switched off by input: off and output: off")
	}
	return nil
}

// Strength says from which confidence on a judgement counts, as Bedrock's filter
// strengths do: High takes what is hardly likely for it too. The zero Strength
// is High.
type Strength uint8

// Strengths, strictest first.
const (
	High   Strength = iota // confidence low and above
	Medium                 // medium and above
	Low                    // high only
	None                   // nothing counts
)

var strengthNames = [...]string{"high", "medium", "low", "none"}

func (s Strength) String() string { return strengthNames[min(int(s), len(strengthNames)-1)] }

// MarshalText writes what UnmarshalText reads.
func (s Strength) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads high, medium, low or none.
func (s *Strength) UnmarshalText(b []byte) error {
	for i, name := range strengthNames {
		if name == string(b) {
			*s = Strength(i)
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(strengthNames[:], ", "))
}

// Least returns the score from which on a judgement counts.
func (s Strength) Least() float64 { return [...]float64{0.3, 0.5, 0.8, 2}[min(s, None)] }
