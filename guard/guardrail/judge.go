package guardrail

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Judge is an outside judge: who is asked, about what, and how much.
type Judge struct {
	Name     string            `yaml:"name" doc:"in records and metrics, in kebab-case" example:"llama"`
	Kind     string            `yaml:"kind" doc:"what it speaks" enum:"llama-guard|qwen3guard|gpt-oss-safeguard|chat|yes-no|openai-moderation|bedrock|presidio|webhook" example:"llama-guard"`
	URL      string            `yaml:"url" doc:"the base URL of its API; of a webhook the whole; of bedrock only where it is not AWS's own" example:"http://127.0.0.1:8000/v1"`
	Model    string            `yaml:"model" doc:"the model, of chat APIs and of openai-moderation" example:"meta-llama/Llama-Guard-3-8B"`
	Key      strictyaml.Secret `yaml:"key" doc:"its API key, or what requests to a webhook are signed with, such as env:JUDGE_KEY; bedrock finds its credentials where AWS's tools do" example:"env:JUDGE_KEY"`
	CAFile   string            `yaml:"ca_file" doc:"certificates to trust beside those of the system, PEM" example:""`
	Controls []string          `yaml:"controls" doc:"what it judges, by the names of this file. It looks where these look" example:"[content]"`
	Labels   map[string]string `yaml:"labels" doc:"what its categories mean here, where the usual is not meant: a control and a reason, or ignore" example:"{S6: ignore, S13: content/misconduct}"`

	Policy     string `yaml:"policy" doc:"what gpt-oss-safeguard, chat and yes-no are to judge by, beside the controls and topics of this file" example:""`
	Risk       string `yaml:"risk" doc:"of yes-no: the risk that Granite Guardian's own template asks for" example:""`
	NoLogprobs bool   `yaml:"no_logprobs" doc:"the server cannot say how likely its tokens were" default:"false"`
	Region     string `yaml:"region" doc:"of bedrock; default: that of the environment" example:""`
	Guardrail  string `yaml:"guardrail" doc:"of bedrock: id or ARN of the guardrail" example:""`
	Version    string `yaml:"version" doc:"of bedrock: the version of the guardrail" default:"DRAFT"`
	Language   string `yaml:"language" doc:"of presidio: the language of the texts" default:"en"`

	Ways    []string `yaml:"ways" doc:"it looks at texts that go these ways only: input, output; none: both" enum:"input|output" example:"[input]"`
	Origins []string `yaml:"origins" doc:"and at texts of these origins only; none: all but system" enum:"user|assistant|tool|retrieved|unverified|system" example:"[user, tool]"`
	Grey    Grey     `yaml:"grey" doc:"it is asked only where the program's own detectors are in doubt: where their score of a control that it judges is from one number to the other" default:"{from: 0, to: 1}"`

	Timeout     time.Duration `yaml:"timeout" doc:"how long a text waits for it, with all of its calls" default:"5s"`
	PerMinute   int           `yaml:"calls_per_minute" doc:"most calls in any minute; what is beyond could not be looked at" default:"600"`
	Concurrency int           `yaml:"concurrency" doc:"most calls at once" default:"16"`
	Window      int           `yaml:"window" doc:"most bytes of a text sent in one call; longer texts are cut into windows that overlap, and all of them judged. Some servers silently leave out what is beyond a model's context: keep it below. 0: 4096 for models, 16384 for services" default:"0"`
	Longest     int           `yaml:"longest" doc:"most bytes of a text; a longer one could not be looked at" default:"1048576"`
	CacheTTL    time.Duration `yaml:"cache_ttl" doc:"how long what it said of a text is kept, in memory; 0s: not at all" default:"10m"`
	FailOpen    bool          `yaml:"fail_open" doc:"let texts pass that it could not look at, and say so in the record; weakens protection and is shown everywhere" default:"false"`
}

// Grey is where a judge is asked: at scores from From to To, both included.
type Grey struct {
	From float64 `yaml:"from" doc:"the least score" default:"0"`
	To   float64 `yaml:"to" doc:"the highest" default:"1"`
}

// Everywhere reports whether no score keeps the judge from being asked.
func (g Grey) Everywhere() bool { return g.From <= 0 && g.To >= 1 }

// Ignore is the label of what a judge says and nobody hears.
const Ignore = "ignore"

// Label returns the control, by its key, and the reason that a label names;
// neither of Ignore.
func Label(text string) (key, reason string, ok bool) {
	if text == Ignore {
		return "", "", true
	}
	key, reason, ok = strings.Cut(text, "/")
	return key, reason, ok && kebab.MatchString(reason)
}

// judged are the controls that outside judges may serve.
var judged = []string{"pii", "secret", "word", "prompt_attack", "content", "topic", "grounding", "link", "output_code"}

// needs says which fields a kind of judge cannot do without.
var needs = map[string][]string{
	"llama-guard": {"url", "model"}, "qwen3guard": {"url", "model"}, "gpt-oss-safeguard": {"url", "model"}, "chat": {"url", "model"}, "yes-no": {"url", "model"},
	"openai-moderation": {"url"}, "bedrock": {"guardrail"}, "presidio": {"url"}, "webhook": {"url", "key"},
}

// checkJudges reports what cannot be meant of the judges.
func (s *Spec) checkJudges(path string, fail func(path, format string, args ...any)) {
	rules := map[string]*Rule{}
	for _, n := range s.Rules() {
		rules[n.Key] = n.Rule
	}
	names := map[string]bool{}
	for i := range s.Judges {
		j, at := &s.Judges[i], strictyaml.Index(path, i)
		switch {
		case !kebab.MatchString(j.Name) || len(j.Name) > 60:
			fail(at+".name", "want a name in kebab-case, such as llama, found %q", j.Name)
		case names[j.Name]:
			fail(at+".name", "there is a judge %q already", j.Name)
		}
		names[j.Name] = true
		given := map[string]bool{"url": j.URL != "", "model": j.Model != "", "guardrail": j.Guardrail != "", "key": !j.Key.IsZero()}
		if _, known := needs[j.Kind]; !known {
			fail(at+".kind", "want one of %s", strings.Join(slices.Sorted(maps.Keys(needs)), ", "))
		}
		if u, err := url.Parse(j.URL); j.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
			fail(at+".url", "want http(s)://host[:port]/path, without user, query and fragment") // not repeated: there may be a key in it
		}
		for _, key := range needs[j.Kind] {
			if !given[key] {
				fail(at+"."+key, "a judge of kind %s needs it", j.Kind)
			}
		}
		if j.Kind == "yes-no" && (j.Policy == "") == (j.Risk == "") {
			fail(at+".policy", "a judge of kind yes-no needs a policy or a risk, one of them")
		}
		if len(j.Controls) == 0 {
			fail(at+".controls", "what is it to judge?")
		}
		for k, key := range j.Controls {
			switch rule := rules[key]; {
			case !slices.Contains(judged, key):
				fail(strictyaml.Index(at+".controls", k), "no judge looks for %q: there are %v", key, judged)
			case slices.Contains(j.Controls[:k], key):
				fail(strictyaml.Index(at+".controls", k), "%q is there already", key)
			case !rule.Looks():
				fail(strictyaml.Index(at+".controls", k), "%s looks at no text: set %s.input or %s.output, which say what comes of it", key, key, key)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(j.Labels)) {
			key, _, ok := Label(j.Labels[name])
			switch {
			case !ok:
				fail(strictyaml.Key(at+".labels", name), "want a control and a reason, such as content/hate, or ignore")
			case key != "" && !slices.Contains(j.Controls, key):
				fail(strictyaml.Key(at+".labels", name), "the judge does not serve %q", key)
			}
		}
		for k, o := range j.Origins {
			var origin ringwall.Origin
			if err := origin.UnmarshalText([]byte(o)); err != nil {
				fail(strictyaml.Index(at+".origins", k), "%v", err)
			}
		}
		share(at+".grey.from", j.Grey.From, fail)
		share(at+".grey.to", j.Grey.To, fail)
		if j.Grey.From > j.Grey.To {
			fail(at+".grey.from", "the least score is above the highest")
		}
		j.checkBounds(at, fail)
	}
}

func (j *Judge) checkBounds(at string, fail func(path, format string, args ...any)) {
	for _, b := range []struct {
		key         string
		value       int
		least, most int
	}{
		{"calls_per_minute", j.PerMinute, 1, 1_000_000},
		{"concurrency", j.Concurrency, 1, 1024},
		{"window", j.Window, 512, 1 << 20},
		{"longest", j.Longest, 512, 16 << 20},
	} {
		if (b.value < b.least || b.value > b.most) && (b.key != "window" || b.value != 0) {
			fail(at+"."+b.key, "want a number from %d to %d", b.least, b.most)
		}
	}
	if j.Timeout < 10*time.Millisecond || j.Timeout > 2*time.Minute {
		fail(at+".timeout", "want a time from 10ms to 2m")
	}
	if j.CacheTTL < 0 || j.CacheTTL > 24*time.Hour {
		fail(at+".cache_ttl", "want a time from 0s to 24h")
	}
}
