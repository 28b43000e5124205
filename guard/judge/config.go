package judge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
)

// Kinds of judges.
const (
	LlamaGuard = "llama-guard"       // Llama Guard 3 and 4, by a chat API
	Qwen3Guard = "qwen3guard"        // Qwen3Guard-Gen, by a chat API
	Safeguard  = "gpt-oss-safeguard" // gpt-oss-safeguard with a policy, by a chat API
	Chat       = "chat"              // any chat model with a policy
	YesNo      = "yes-no"            // models that answer yes or no: Granite Guardian, ShieldGemma
	Moderation = "openai-moderation" // OpenAI's moderation API
	Bedrock    = "bedrock"           // Amazon Bedrock's ApplyGuardrail
	Presidio   = "presidio"          // Presidio's analyzer
	Webhook    = "webhook"           // a service of one's own
)

// kind is what a kind of judge needs, and how it is made.
type kind struct {
	needsURL, needsModel bool
	make                 func(*Config, *labels) (asker, error)
	also                 []string // controls of which it finds something, beside those of its table
	any                  bool     // it may find something of all
	window               int      // the usual size
}

// Usual windows. Servers of models have contexts of a few thousand tokens, and
// some leave out silently what does not fit: a byte may be a token.
const (
	ofModels   = 4 << 10
	ofServices = 16 << 10
)

var kinds = map[string]kind{
	LlamaGuard: {needsURL: true, needsModel: true, window: ofModels, make: newLlama},
	Qwen3Guard: {needsURL: true, needsModel: true, window: ofModels, make: newQwen},
	Safeguard:  {needsURL: true, needsModel: true, window: ofModels, make: newPolicy, also: []string{content, attack, topic}},
	Chat:       {needsURL: true, needsModel: true, window: ofModels, make: newPolicy, also: []string{content, attack, topic}},
	YesNo:      {needsURL: true, needsModel: true, window: ofModels, make: newYesNo, any: true},
	Moderation: {needsURL: true, window: ofServices, make: newModeration},
	Bedrock:    {window: ofServices, make: newBedrock, also: []string{topic, word, personal}},
	Presidio:   {needsURL: true, window: ofServices, make: newPresidio, also: []string{personal}},
	Webhook:    {needsURL: true, window: ofServices, make: newWebhook, any: true},
}

// Kinds lists the kinds of judges.
func Kinds() []string {
	return []string{LlamaGuard, Qwen3Guard, Safeguard, Chat, YesNo, Moderation, Bedrock, Presidio, Webhook}
}

// Config configures a Judge. Zero fields mean the defaults.
type Config struct {
	Name     string   // in records and metrics; required
	Kind     string   // required
	Controls []string // ids of the controls that it serves; required
	URL      string   // of the API, "https://host/v1"; of the service itself for a webhook
	Model    string
	Key      func() (string, error) // a bearer token, or what a webhook is signed with; nil: none
	CAFile   string                 // certificates to trust beside those of the system, PEM

	Policy     string            // what a model is to judge by, for Safeguard, Chat and YesNo
	Topics     []Topic           // those of the guardrail, for Safeguard and Chat
	Risk       string            // guardian_config.risk_name, for Granite Guardian
	NoLogprobs bool              // the server cannot give them
	Labels     map[string]Target // what names of the judge mean; where it differs from the tables

	Region                      string // of Bedrock; default: that of the environment
	Guardrail, GuardrailVersion string // of Bedrock
	Language                    string // of texts, for Presidio; default en

	Version string          // of the guardrail that the judge is part of
	Zones   map[string]Zone // by control: where it is in doubt; none: everywhere

	Timeout      time.Duration // for a text with all of its windows; default 5s
	PerMinute    int           // most calls in any 60 seconds; default 600
	AtOnce       int           // most calls at once; default 16
	Window       int           // most bytes of a text sent in one call; default 4 KiB to models, 16 KiB to services; at least 512
	Overlap      int           // bytes that a window shares with the one before; default an eighth of it, at most 1 KiB
	Longest      int           // most bytes of a text; default 1 MiB
	Answer       int64         // most bytes of an answer; default 1 MiB
	Retries      int           // default 1, -1: none
	CacheTTL     time.Duration // how long an answer is kept; default 10m, less than 0: not at all
	CacheEntries int           // most answers that are kept; default 4096
	Failures     int           // after so many failures in a row the breaker opens; default 5
	Pause        time.Duration // until it lets one call try; default 10s

	Observer Observer                                                          // may be nil
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // default: that of package net
}

// Topic is a topic that a model judges by its definition.
type Topic struct{ Name, Definition string }

// Target is what a name of a judge means here. The zero Target is nothing: what
// the judge says under that name is not heard.
type Target struct{ Control, Reason string }

// Zone is where the detectors of the program are in doubt about a control: where
// their score is between From and To, both included.
type Zone struct {
	From, To float64
	Score    func(ringwall.Direction, ringwall.Text) float64
}

// NotInGreyZone is why a judge was not asked.
const NotInGreyZone = "not-in-grey-zone"

func (c *Config) check() error {
	k, ok := kinds[c.Kind]
	switch {
	case c.Name == "":
		return errors.New("a name is required")
	case !ok:
		return fmt.Errorf("unknown kind %q: want one of %s", c.Kind, strings.Join(Kinds(), ", "))
	case len(c.Controls) == 0:
		return errors.New("controls are required: what is it to judge?")
	case k.needsURL && c.URL == "":
		return errors.New("a URL is required")
	case k.needsModel && c.Model == "":
		return errors.New("a model is required")
	case c.Kind == Bedrock && c.Guardrail == "":
		return errors.New("the id of the Bedrock guardrail is required")
	case c.Kind == Webhook && c.Key == nil:
		return errors.New("a key is required: requests are signed with it")
	}
	if c.URL != "" {
		if err := CheckURL(c.URL); err != nil {
			return err
		}
	}
	for name, t := range c.Labels {
		if t != (Target{}) && !slices.Contains(c.Controls, t.Control) {
			return fmt.Errorf("label %s: the judge does not serve %s", name, t.Control)
		}
	}
	for _, control := range c.Controls {
		if !c.finds(control) {
			return fmt.Errorf("a judge of kind %s finds nothing of %s: give it labels, or strike the control", c.Kind, control)
		}
	}
	return nil
}

// finds reports whether anything that the judge may say is of control. One that
// cannot find anything must not look as if it had.
func (c *Config) finds(control string) bool {
	of := func(t Target) bool { return t.Control == control }
	return slices.ContainsFunc(slices.Collect(maps.Values(c.Labels)), of) ||
		slices.ContainsFunc(slices.Collect(maps.Values(tables[c.Kind])), of) || slices.Contains(kinds[c.Kind].also, control) || kinds[c.Kind].any
}

// CheckURL reports a URL that no judge can have. The error does not repeat it:
// there may be a key in it.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("want a URL http(s)://host[:port]/path without user, query and fragment")
	}
	return nil
}

func (c *Config) defaults() {
	or := func(v *int, usual int) {
		if *v == 0 {
			*v = usual
		}
	}
	wait := func(d *time.Duration, usual time.Duration) {
		if *d == 0 {
			*d = usual
		}
	}
	wait(&c.Timeout, 5*time.Second)
	wait(&c.Pause, 10*time.Second)
	wait(&c.CacheTTL, 10*time.Minute)
	or(&c.PerMinute, 600)
	or(&c.AtOnce, 16)
	or(&c.Window, kinds[c.Kind].window)
	c.Window = max(c.Window, 512)
	or(&c.Overlap, min(c.Window/8, 1<<10))
	c.Overlap = min(c.Overlap, c.Window/2)
	or(&c.Longest, 1<<20)
	or(&c.Retries, 1)
	or(&c.CacheEntries, 4096)
	or(&c.Failures, 5)
	if c.Answer == 0 {
		c.Answer = 1 << 20
	}
	if c.GuardrailVersion == "" {
		c.GuardrailVersion = "DRAFT"
	}
	if c.Language == "" {
		c.Language = "en"
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
}
