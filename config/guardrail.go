package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Guardrail says what is done about what is noticed. A control that is not
// written is in force with its defaults; to go without one, write off.
type Guardrail struct {
	InputMessage  string `yaml:"blocked_input_message" doc:"what a client reads whose prompt was blocked" default:"This request was declined by policy."`
	OutputMessage string `yaml:"blocked_output_message" doc:"what a client reads instead of an answer that was blocked" default:"The answer was withheld by policy."`
	Secret        Secret `yaml:"secret" doc:"credentials"`
	PII           PII    `yaml:"pii" doc:"personal data"`
	Word          Word   `yaml:"word" doc:"listed words and phrases"`
	Attack        Attack `yaml:"prompt_attack" doc:"attempts to take the model over"`
	Leak          Leak   `yaml:"prompt_leak" doc:"the operator's instructions in an answer"`
	Link          Link   `yaml:"link" doc:"images in an answer that carry data out"`
}

// Secret configures inference/secret.
type Secret struct {
	Input    Act            `yaml:"input" doc:"on the way to the model: block, hold, mask, flag, allow, or off" default:"mask"`
	Output   Act            `yaml:"output" doc:"on the way from it" default:"mask"`
	Reasons  map[string]Act `yaml:"reasons" doc:"other actions for single kinds, both ways; reasons as findings name them" example:"private-key"`
	FailOpen bool           `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// PII configures inference/pii.
type PII struct {
	Input    Act            `yaml:"input" doc:"on the way to the model: block, hold, mask, flag, allow, or off" default:"mask"`
	Output   Act            `yaml:"output" doc:"on the way from it" default:"mask"`
	Reasons  map[string]Act `yaml:"reasons" doc:"other actions for single types, both ways; types as findings name them. An age alone is only flagged unless it is named here" example:"ip-address"`
	FailOpen bool           `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// Word configures inference/word.
type Word struct {
	Input    Act      `yaml:"input" doc:"on the way to the model: block, hold, mask, flag, allow, or off" default:"block"`
	Output   Act      `yaml:"output" doc:"on the way from it" default:"block"`
	Words    []string `yaml:"words" doc:"words and phrases, in any case; at most 100,000" example:"project bluebird"`
	FailOpen bool     `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// Attack configures inference/prompt-attack.
type Attack struct {
	Input    Act            `yaml:"input" doc:"on the way to the model: block, hold, mask, flag, allow, or off" default:"block"`
	Output   Act            `yaml:"output" doc:"on the way from it" default:"off"`
	Reasons  map[string]Act `yaml:"reasons" doc:"other actions for single kinds, both ways; reasons as findings name them" example:"instruction-in-data"`
	FailOpen bool           `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// Leak configures inference/prompt-leak.
type Leak struct {
	Output   Act  `yaml:"output" doc:"on the way from the model: block, hold, mask, flag, allow, or off" default:"block"`
	FailOpen bool `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// Link configures inference/link.
type Link struct {
	Output   Act      `yaml:"output" doc:"on the way from the model: block, hold, mask, flag, allow, or off" default:"mask"`
	Hosts    []string `yaml:"hosts" doc:"hosts whose images may be shown; *.example.com for all below" example:"cdn.example.com"`
	FailOpen bool     `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// Act is an action, or off: not to look at all. The zero Act is strict: block.
type Act struct {
	Off    bool
	Action ringwall.Action
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Act) UnmarshalText(b []byte) error {
	*a = Act{}
	if string(b) == "off" {
		a.Off = true
		return nil
	}
	if a.Action.UnmarshalText(b) != nil {
		return fmt.Errorf("want one of %s, or off", strings.Join(ringwall.ActionNames(), ", "))
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (a Act) MarshalText() ([]byte, error) {
	if a.Off {
		return []byte("off"), nil
	}
	return a.Action.MarshalText()
}

// DefaultGuardrail returns the guardrail that is in force where none is named.
func DefaultGuardrail() Guardrail {
	var g Guardrail
	strictyaml.Defaults(&g)
	return g
}

func (g *Guardrail) check(path string, fail func(path, format string, args ...any)) {
	for _, c := range []struct {
		name    string
		reasons map[string]Act
	}{{"secret", g.Secret.Reasons}, {"pii", g.PII.Reasons}, {"prompt_attack", g.Attack.Reasons}} {
		for _, r := range slices.Sorted(maps.Keys(c.reasons)) {
			if c.reasons[r].Off {
				fail(strictyaml.Key(path+"."+c.name+".reasons", r), "a single kind cannot be off: write allow")
			}
		}
	}
	looks := false
	for _, a := range []Act{g.Secret.Input, g.Secret.Output, g.PII.Input, g.PII.Output, g.Word.Input, g.Word.Output, g.Attack.Input, g.Attack.Output, g.Leak.Output, g.Link.Output} {
		looks = looks || !a.Off
	}
	if !looks {
		fail(path, "with everything off, nothing would be looked at")
	}
}
