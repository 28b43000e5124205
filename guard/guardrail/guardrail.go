// Package guardrail is the document that says what a guard looks for and what it
// does: the policy model, a superset of Amazon Bedrock's.
//
// A [Spec] holds, for each control, what to do on the way in and out, by whose
// words a text is and by what was found; thresholds, lists, patterns and topics;
// whether it acts or only watches; exceptions; and what people read instead of
// what was blocked. Its zero values are strict: block, look everywhere, act.
//
//	YAML ─▶ Spec ─▶ Check ─▶ builtin.Guard ─▶ *guard.Guard
//	Bedrock's JSON ─▶ FromBedrock ─▶ Spec ─▶ Bedrock ─▶ Bedrock's JSON
//
// A Spec in a configuration is a draft. [Store] keeps published versions, 1, 2
// and so on, which never change. [Diff] tells two of them apart.
//
// What detectors there are, and which reasons they report, is package builtin's
// business; this package only reads, writes and compares.
package guardrail

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/calibrate"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Spec is a guardrail. A control that is not written is in force with its
// defaults; to go without one, write off.
type Spec struct {
	Description   string `yaml:"description" doc:"what it is for" example:"the shop's assistant"`
	Mode          Mode   `yaml:"mode" doc:"enforce, or shadow: look at everything, record what would have been done, and let it pass" default:"enforce" example:"enforce"`
	InputMessage  string `yaml:"blocked_input_message" doc:"what a client reads whose prompt was blocked" default:"This request was declined by policy."`
	OutputMessage string `yaml:"blocked_output_message" doc:"what a client reads instead of an answer that was blocked" default:"The answer was withheld by policy."`

	Attack    Attack    `yaml:"prompt_attack" doc:"attempts to take the model over" default:"{input: block, output: off}"`
	Leak      Leak      `yaml:"prompt_leak" doc:"the operator's instructions in an answer" default:"{input: off, output: block}"`
	Secret    Secret    `yaml:"secret" doc:"credentials" default:"{input: tokenize, output: mask}"`
	PII       PII       `yaml:"pii" doc:"personal data; names of people are let pass and ages flagged unless reasons name them (name, age)" default:"{input: tokenize, output: mask}"`
	Word      Word      `yaml:"word" doc:"listed words and phrases" default:"{input: block, output: block}"`
	Link      Link      `yaml:"link" doc:"links and images that carry data out or people astray; abbreviated links are flagged unless reasons name them (shortener)" default:"{input: off, output: mask}"`
	Code      Code      `yaml:"output_code" doc:"injections in an answer against what reads it: SQL, shells, browsers, templates" default:"{input: off, output: flag}"`
	Limit     Limit     `yaml:"limit" doc:"length and language of texts" default:"{input: block, output: block}"`
	Disguise  Disguise  `yaml:"disguise" doc:"text that hides what it says: invisible characters, look-alikes, encodings" default:"{input: flag, output: off}"`
	Content   Content   `yaml:"content" doc:"hate, insult, sexual, violence, misconduct, self-harm; noted, and let pass, unless a guardrail says otherwise" default:"{input: flag, output: flag}"`
	Topic     Topic     `yaml:"topic" doc:"what is not to be talked about" default:"{input: block, output: block}"`
	Grounding Grounding `yaml:"grounding" doc:"answers that their sources do not bear out" default:"{input: off, output: block}"`

	Exceptions []Exception `yaml:"exceptions" doc:"what is let pass all the same"`
}

// Rule is what is said of every control.
type Rule struct {
	Input      Act                `yaml:"input" doc:"on the way to the model: block, hold, mask, tokenize (a placeholder where restore is on, else a mask), flag, allow, or off"`
	Output     Act                `yaml:"output" doc:"on the way from it"`
	Origins    map[string]Act     `yaml:"origins" doc:"other actions on the way in, by whose words a text is: system, user, assistant, tool, retrieved, unverified" example:"{tool: flag}"`
	Reasons    map[string]Act     `yaml:"reasons" doc:"other actions for single reasons, both ways; ringwall guardrail reasons lists them, as in {email: block}. Where the action for the rest is off, only these are looked for" example:"{}"`
	InReasons  map[string]Act     `yaml:"input_reasons" doc:"the same, on the way in only" example:"{}"`
	OutReasons map[string]Act     `yaml:"output_reasons" doc:"the same, on the way out only" example:"{}"`
	Least      float64            `yaml:"threshold" doc:"how sure a finding must be, 0 to 1" default:"0.5"`
	LeastBy    map[string]float64 `yaml:"thresholds" doc:"other thresholds for single reasons" example:"{}"`
	Mode       Mode               `yaml:"mode" doc:"enforce, or shadow for this control alone" default:"enforce" example:"enforce"`
	Stream     string             `yaml:"stream" doc:"how streamed answers wait: strict (nothing leaves unlooked; what waits for a whole text holds it back), window (looked at stretch by stretch), buffer (held back to the end), cut-off (leaves at once, ended by what is noticed later: weakens protection)" enum:"strict|window|buffer|cut-off" default:"strict"`
	FailOpen   bool               `yaml:"fail_open" doc:"let texts pass that could not be looked at; weakens protection and is shown everywhere" default:"false"`
}

// Attack configures inference/prompt-attack.
type Attack struct {
	Rule     `yaml:",inline"`
	Strength Strength         `yaml:"strength" doc:"how much is taken for an attack: low only what is certain, high also what is likely; none: nothing" default:"medium" example:"medium"`
	FPR      calibrate.Budget `yaml:"fpr" doc:"instead of strength and threshold: how much of what is no attack may be taken for one, as in 0.5% or 1/200; the threshold is that which the classifier's calibration gives" default:"none" example:"none"`
	Turns    Turns            `yaml:"turns" doc:"attacks that are spread over the turns of a conversation" default:"{half_life: 3, join: 3}"`
}

// Turns says how the turns of a conversation are looked at together.
type Turns struct {
	HalfLife float64 `yaml:"half_life" doc:"after how many turns a turn's score counts half; 0: each turn is judged alone" default:"3"`
	Join     int     `yaml:"join" doc:"how many of the last turns are also looked at as one text, 8 at most; 0: none" default:"3"`
}

// MostJoined bounds Turns.Join.
const MostJoined = 8

// Leak configures inference/prompt-leak.
type Leak struct {
	Rule     `yaml:",inline"`
	Canaries []strictyaml.Secret `yaml:"canaries" doc:"tokens that stand in instructions and must never leave, in any encoding, such as env:RINGWALL_CANARY" example:"[]"`
}

// Secret configures inference/secret.
type Secret struct {
	Rule  `yaml:",inline"`
	Known []strictyaml.Secret `yaml:"known" doc:"values that must not pass, in any encoding, such as file:/run/secrets/payment" example:"[]"`
}

// PII configures inference/pii.
type PII struct {
	Rule        `yaml:",inline"`
	Recognizers []Recognizer `yaml:"recognizers" doc:"kinds of data of your own"`
}

// Recognizer finds one kind of data of the user's own.
type Recognizer struct {
	Name        string    `yaml:"name" doc:"the reason of its findings, in kebab-case" example:"order-number"`
	Title       string    `yaml:"title" doc:"its name for people, where that is another" example:"Order number"`
	Description string    `yaml:"description" doc:"what it is" example:"numbers of orders"`
	Patterns    []Pattern `yaml:"patterns" doc:"regular expressions (RE2), any of which is enough"`
	Words       []string  `yaml:"words" doc:"words and phrases, in any case" example:"[project bluebird]"`
	Context     []string  `yaml:"context" doc:"words near a match that make it more likely" example:"[order, bestellung]"`
	NeedContext bool      `yaml:"context_required" doc:"without such a word it is none" default:"false"`
	Allow       []string  `yaml:"allow" doc:"texts that are none" example:"[ORD-00000000]"`
	Checksum    string    `yaml:"checksum" doc:"check digits that a match must have: luhn, verhoeff, iban-mod97, aba and others" example:"luhn"`
	Input       *Act      `yaml:"input" doc:"what to do on the way in, where it differs from the rest" example:"mask"`
	Output      *Act      `yaml:"output" doc:"and on the way out" example:"mask"`
	Mask        string    `yaml:"mask" doc:"what stands for a masked match; default: the name in braces" example:"{ORDER}"`
}

// Pattern is a regular expression and how sure a match of it is.
type Pattern struct {
	Regex string  `yaml:"regex" doc:"RE2; the longest match counts" example:"ORD-[0-9]{8}"`
	Score float64 `yaml:"score" doc:"how sure a match is, 0 to 1" default:"0.6"`
}

// Word configures inference/word.
type Word struct {
	Rule    `yaml:",inline"`
	Words   []string `yaml:"words" doc:"words and phrases, in any case; at most 100,000" example:"[project bluebird]"`
	Lists   []List   `yaml:"lists" doc:"further lists, each with its own reason"`
	Managed []string `yaml:"managed" doc:"lists that come with the program" enum:"profanity" example:"[profanity]"`
}

// List is a list of words.
type List struct {
	Name       string   `yaml:"name" doc:"the reason of its findings, in kebab-case" example:"competitors"`
	Words      []string `yaml:"words" doc:"words and phrases" example:"[acme]"`
	Inflection bool     `yaml:"inflection" doc:"also with the endings that words take" default:"false"`
	Obfuscated bool     `yaml:"obfuscation" doc:"also spelled with digits, signs and repeated letters" default:"false"`
	Within     bool     `yaml:"within" doc:"also inside other words" default:"false"`
	Input      *Act     `yaml:"input" doc:"what to do on the way in, where it differs from the rest" example:"flag"`
	Output     *Act     `yaml:"output" doc:"and on the way out" example:"block"`
}

// Link configures inference/link.
type Link struct {
	Rule  `yaml:",inline"`
	Hosts []string `yaml:"hosts" doc:"hosts that may be shown and linked to; *.example.com for all below" example:"[cdn.example.com]"`
	Deny  []string `yaml:"deny" doc:"hosts that may not" example:"[evil.example]"`
	Only  bool     `yaml:"only_hosts" doc:"links to all other hosts are findings too, not images alone" default:"false"`
}

// Code configures inference/output-code.
type Code struct {
	Rule `yaml:",inline"`
}

// Limit configures inference/limit.
type Limit struct {
	Rule       `yaml:",inline"`
	Characters int      `yaml:"characters" doc:"most characters of a text; 0: any number" default:"0"`
	Tokens     int      `yaml:"tokens" doc:"most tokens of a text, as estimated; 0: any number" default:"0"`
	Repeats    int      `yaml:"repeats" doc:"how often the same few characters may follow one another; -1: without end" default:"2000"`
	Languages  []string `yaml:"languages" doc:"languages that texts may be in, by ISO 639-1 code; none: any" example:"[en, de]"`
}

// Disguise configures inference/sanitize.
type Disguise struct {
	Rule `yaml:",inline"`
}

// Content configures inference/content.
type Content struct {
	Rule        `yaml:",inline"`
	InStrength  map[string]Strength         `yaml:"input_strengths" doc:"how much is taken for harm, by category, on the way in; default: medium" example:"{hate: high}"`
	OutStrength map[string]Strength         `yaml:"output_strengths" doc:"the same, on the way out" example:"{hate: high}"`
	FPR         calibrate.Budget            `yaml:"fpr" doc:"instead of strengths and thresholds: how much harmless text each category may take for harm, as in 0.5%" default:"none" example:"none"`
	FPRs        map[string]calibrate.Budget `yaml:"fprs" doc:"other budgets, by category" example:"{}"`
}

// Categories are the categories of Content.
var Categories = []string{"hate", "insult", "sexual", "violence", "misconduct", "self-harm"}

// Topic configures inference/topic.
type Topic struct {
	Rule   `yaml:",inline"`
	Topics []Denied `yaml:"topics" doc:"the topics"`
}

// Denied is a topic that is not to be talked about.
type Denied struct {
	Name       string   `yaml:"name" doc:"the reason of its findings, in kebab-case" example:"investment-advice"`
	Title      string   `yaml:"title" doc:"its name for people, where that is another" example:"Investment advice"`
	Definition string   `yaml:"definition" doc:"what belongs to it" example:"Recommendations of what to buy or sell to make money."`
	Examples   []string `yaml:"examples" doc:"texts that belong to it" example:"[Which shares should I buy?]"`
	Input      *Act     `yaml:"input" doc:"what to do on the way in, where it differs from the rest" example:"block"`
	Output     *Act     `yaml:"output" doc:"and on the way out" example:"block"`
}

// Grounding configures inference/grounding.
type Grounding struct {
	Rule      `yaml:",inline"`
	Grounding float64 `yaml:"grounding" doc:"least share of an answer that its sources bear out, 0 to 0.99; 0: not looked at" default:"0"`
	Relevance float64 `yaml:"relevance" doc:"least that an answer has to do with its question, 0 to 0.99; 0: not looked at" default:"0"`
}

// Exception lets pass what would be a finding. Every field that is written
// narrows it.
type Exception struct {
	Name       string   `yaml:"name" doc:"as the record shows it" example:"our-hotline"`
	Texts      []string `yaml:"texts" doc:"findings inside these words are excused, in any case" example:"[0800 123 4567]"`
	Patterns   []string `yaml:"patterns" doc:"findings inside matches of these regular expressions (RE2) are excused" example:"[]"`
	Principals []string `yaml:"principals" doc:"for these callers only" example:"[]"`
	Tenants    []string `yaml:"tenants" doc:"for callers of these tenants only" example:"[]"`
	Controls   []string `yaml:"controls" doc:"findings of these controls only, by the names of this file" example:"[pii]"`
	Reasons    []string `yaml:"reasons" doc:"findings for these reasons only" example:"[phone]"`
	Until      Date     `yaml:"until" doc:"the day, or the moment, from which on it counts no more; default: it stays" example:"2030-01-01"`
}

// Default returns the guardrail that is in force where none is named.
func Default() Spec {
	var s Spec
	strictyaml.Defaults(&s)
	return s
}

// Parse reads and checks a guardrail that is a file of its own; file is its name
// in errors. All problems are reported together, with line and column.
func Parse(file string, src []byte) (Spec, error) {
	var s Spec
	pos, err := strictyaml.Decode(file, src, &s)
	if err != nil {
		return Spec{}, err
	}
	var errs []error
	s.Check("", func(path, format string, args ...any) { errs = append(errs, pos.Errorf(path, format, args...)) })
	if err := strictyaml.Join(errs...); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// Load reads and checks a file: one that [Parse] reads, or if its name ends in
// .json one that [FromBedrock] does.
func Load(file string) (*Spec, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the guardrail: %w", err)
	}
	if strings.HasSuffix(file, ".json") {
		_, s, _, err := FromBedrock(src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return s, nil
	}
	s, err := Parse(file, src)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// YAML returns s as a file that [Parse] reads: with all, every field of it,
// otherwise those that differ from the defaults.
func (s *Spec) YAML(all bool) []byte { return strictyaml.Encode(s, all) }

// Equal reports whether s and o say the same.
func (s *Spec) Equal(o *Spec) bool { return bytes.Equal(s.YAML(true), o.YAML(true)) }

// Date is a day, which begins at midnight UTC, or a moment. The zero Date is
// none.
type Date struct{ time.Time }

// UnmarshalText reads 2006-01-02 or RFC 3339.
func (d *Date) UnmarshalText(b []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, string(b)); err == nil {
			d.Time = t.UTC()
			return nil
		}
	}
	return errors.New("want a day such as 2030-01-31, or a moment such as 2030-01-31T12:00:00Z")
}

// MarshalText writes what UnmarshalText reads; nothing for the zero Date.
func (d Date) MarshalText() ([]byte, error) {
	switch {
	case d.IsZero():
		return nil, nil
	case d.Truncate(24 * time.Hour).Equal(d.Time):
		return []byte(d.Format(time.DateOnly)), nil
	}
	return []byte(d.Format(time.RFC3339Nano)), nil
}
