// Package config is the one configuration file: what it may say, what it means
// when it says nothing, and whether it holds together.
//
// The fields carry their own documentation in tags; `ringwall config example`
// and the JSON Schema are printed from them. Reading is strict (package
// internal/strictyaml); [Load] then checks what one field says of another. What
// is not written takes the value that protects.
//
// Turning a Config into things that run is package server's business.
package config

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/provider/prices"
	"github.com/ringwall/ringwall/redact"
)

// Config is the whole configuration.
type Config struct {
	Listen     string                    `yaml:"listen" doc:"address and port of the gateway; beyond loopback, callers need keys" default:"127.0.0.1:8080"`
	TLS        TLS                       `yaml:"tls" doc:"certificates of the gateway, 1.3 is the least version; without one it speaks plain HTTP"`
	HTTP       HTTP                      `yaml:"http" doc:"what connections may do"`
	Admin      Admin                     `yaml:"admin" doc:"a second listener, for those who run the gateway"`
	CORS       []CORS                    `yaml:"cors" doc:"web pages of other origins that may ask from a browser; no others may"`
	Data       string                    `yaml:"data" doc:"directory of keys, records and indexes" default:"ringwall-data"`
	Database   strictyaml.Secret         `yaml:"database" doc:"PostgreSQL DSN for keys and the index of records; default: SQLite in the data directory" example:"env:RINGWALL_DATABASE"`
	Signing    strictyaml.Secret         `yaml:"signing_key" doc:"root of the secrets by which callers sign as AWS's clients do, 64 hexadecimal digits (openssl rand -hex 32), the same for all replicas; default: signing.key in the data directory, with a database none, and then nobody can sign" example:"env:RINGWALL_SIGNING_KEY"`
	Anonymous  bool                      `yaml:"anonymous" doc:"let callers in that show no key; they are of trust anonymous. Only on a loopback listener" default:"false"`
	OIDC       []OIDC                    `yaml:"oidc" doc:"OpenID providers whose tokens (JSON Web Tokens) callers may show instead of keys"`
	Login      Login                     `yaml:"login" doc:"browsers log in at one of these providers; without an issuer they do not"`
	Sessions   Sessions                  `yaml:"sessions" doc:"how long people stay logged in"`
	Limits     Limits                    `yaml:"limits" doc:"what callers can make the gateway do"`
	Overload   Overload                  `yaml:"overload" doc:"what is done when more comes than can be served; the defaults need no tuning"`
	Providers  map[string]Provider       `yaml:"providers" doc:"where models are asked, by a name of your choice" example:"openai"`
	Models     map[string]Model          `yaml:"models" doc:"names that clients use, and who serves them" example:"assistant"`
	Default    string                    `yaml:"default_provider" doc:"the provider that is asked for models not named above; empty: there are no others" example:"openai"`
	Unguarded  []Bypass                  `yaml:"unguarded" doc:"parts of OpenAI's API that nobody looks at here (audio, images, files, batches …) and that are passed on all the same, to be weighed well: what goes there and comes back is not looked at, and its records say so. All others are refused"`
	Guardrail  string                    `yaml:"guardrail" doc:"the guardrail in force: a name, or name@2 for its published version 2; default: the built-in one, which is the same as an entry without fields" example:"strict"`
	Guardrails map[string]guardrail.Spec `yaml:"guardrails" doc:"what is done about what is noticed, by a name of your choice" example:"strict"`
	Files      map[string]string         `yaml:"guardrail_files" doc:"further guardrails by name, each in a file of its own, relative to this one: YAML as under guardrails, or the JSON of a guardrail exported from Amazon Bedrock" example:"{}"`
	Restore    Restore                   `yaml:"restore" doc:"placeholders instead of masks for the model, and values put back into the answer for those who may read them" instead:"write restore: {enabled: true}"`
	Responses  Responses                 `yaml:"responses" doc:"what is kept of answers of OpenAI's responses API, for requests that go on from one by its id"`
	History    History                   `yaml:"history" doc:"which turns of a conversation that a client sends went through here, and which it made up or changed"`
	Requests   Requests                  `yaml:"requests" doc:"what requests must meet beside what their APIs demand: types of bodies, limits, JSON Schemas, the order of roles"`
	Cache      Cache                     `yaml:"cache" doc:"answers that are given again to requests that are asked again word for word, by the same caller; the guard looks at them again"`
	WAF        WAF                       `yaml:"waf" doc:"the web application firewall: what looks at requests before their caller is known"`
	Prices     string                    `yaml:"prices" doc:"file of your own prices of models, relative to this one, in the form of provider/prices/prices.json; they go before the list of the program" example:""`
	Quota      Quota                     `yaml:"quota" doc:"how much callers may use"`
	Valkey     Valkey                    `yaml:"valkey" doc:"Valkey or Redis, where replicas share what they count"`
	Hooks      []Hook                    `yaml:"hooks" doc:"services of yours that are asked about texts, in order; they are sent the texts"`
	Tools      Tools                     `yaml:"tools" doc:"the tools that models may ask for, and what is decided about their calls"`
	Policy     Policy                    `yaml:"policy" doc:"who may do what, by policies in Cedar: begin with ringwall policy example"`
	Approvals  Approvals                 `yaml:"approvals" doc:"people who let go what is held: who, for how long, and how often they are asked"`
	Audit      Audit                     `yaml:"audit" doc:"the records"`
	Network    Network                   `yaml:"network" doc:"where requests may come from, and who is believed about it"`
	Secrets    Secrets                   `yaml:"secrets" doc:"the secrets that services keep, aws-secret:NAME#key and vault:path#key: read at start, at each reload and now and then"`
	Log        Log                       `yaml:"log" doc:"what the program says about itself, on standard error"`
	Tracing    Tracing                   `yaml:"tracing" doc:"OpenTelemetry traces"`

	Sum  [sha256.Size]byte // of the files; zero when there was none
	Read []string          // the files that were read beside it, and directories: see Content

	PriceList *prices.List // of Prices; nil: the program's own
	// Policies are those of Policy; nil: none are written.
	Policies *policy.Bundle

	Keeper strictyaml.Keeper // of secrets that services keep: see Bind
}

// Bind returns c with k asked for the secrets that services keep, those of
// published guardrails included. Without it they cannot be revealed.
func (c *Config) Bind(k strictyaml.Keeper) *Config {
	c = strictyaml.Bind(c, k)
	c.Keeper = k
	return c
}

// Secrets configures how secrets are read that services keep.
type Secrets struct {
	Refresh time.Duration `yaml:"refresh" doc:"how often they are read again, so that one that was rotated is found" default:"5m"`
	Timeout time.Duration `yaml:"timeout" doc:"how long a service may take to give one" default:"10s"`
}

// Limits bound what callers can make the gateway do.
type Limits struct {
	Body       strictyaml.Size `yaml:"body" doc:"largest request body" default:"4MiB"`
	Concurrent int             `yaml:"concurrent" doc:"requests served at a time; more are refused with 503" default:"2048"`
	Header     time.Duration   `yaml:"header" doc:"how long a client may take to send its headers" default:"10s"`
	Read       time.Duration   `yaml:"read" doc:"how long a client may take to send a request" default:"60s"`
	Write      time.Duration   `yaml:"write" doc:"how long a client may take to accept a piece of an answer" default:"30s"`
	Idle       time.Duration   `yaml:"idle" doc:"how long an unused connection is kept" default:"120s"`
	Request    time.Duration   `yaml:"request" doc:"how long an exchange may take in all" default:"10m"`
	Drain      time.Duration   `yaml:"drain" doc:"how long requests may go on after the program was told to stop" default:"30s"`
}

// Provider says where models are asked.
type Provider struct {
	Type    string            `yaml:"type" doc:"openai: any API like OpenAI's; azure: Azure OpenAI; anthropic: Anthropic's Messages API; bedrock: Amazon Bedrock; gemini: Google's Gemini API; ollama: Ollama's own API; builtin: the gullible model for tests, on this machine" enum:"openai|azure|anthropic|bedrock|gemini|ollama|builtin" default:"openai"`
	BaseURL string            `yaml:"base_url" doc:"of openai up to and with /v1; of azure the resource, https://NAME.openai.azure.com; default of anthropic: https://api.anthropic.com, of bedrock: the Region's, else a private endpoint's, of gemini: https://generativelanguage.googleapis.com, of ollama: http://127.0.0.1:11434" example:"https://api.openai.com/v1"`
	Region  string            `yaml:"region" doc:"of bedrock; default: where AWS's tools find it, as they find credentials when there is no api_key" example:"eu-central-1"`
	APIs    []string          `yaml:"apis" doc:"the APIs that it speaks, of openai (chat completions), openai-responses, openai-completions and openai-embeddings; requests in others are translated, or refused where that cannot be. Default: all at OpenAI and Azure, elsewhere all but openai-responses" example:"[openai, openai-embeddings]"`
	Version string            `yaml:"api_version" doc:"azure: version of the API, by which models are deployments (2024-10-21); empty: the v1 API" example:""`
	Bearer  bool              `yaml:"bearer" doc:"azure: the key is a token of Microsoft Entra ID, and not a key of the resource" default:"false"`
	Key     strictyaml.Secret `yaml:"api_key" doc:"the provider's key; clients never see it" example:"env:OPENAI_API_KEY"`
	Connect time.Duration     `yaml:"connect" doc:"how long a connection may take" default:"10s"`
	First   time.Duration     `yaml:"first" doc:"how long the beginning of an answer may take" default:"120s"`
	Idle    time.Duration     `yaml:"idle" doc:"how long nothing may come of a stream" default:"60s"`
	Retries int               `yaml:"retries" doc:"times that a request is sent again when nothing of an answer came; -1: never" default:"2"`

	Failures int           `yaml:"failures" doc:"failures in a row after which a model of it is left alone for a while, where another can be asked" default:"5"`
	Pause    time.Duration `yaml:"pause" doc:"how long it is left alone, before one request tries it again" default:"10s"`
}

// Model says who serves a model.
type Model struct {
	Provider string        `yaml:"provider" doc:"name of the provider" example:"openai"`
	Model    string        `yaml:"model" doc:"what the provider calls the model; default: as the client does" example:"gpt-5-mini"`
	Targets  []Target      `yaml:"targets" doc:"more that serve it: requests are balanced among them, and one that does not answer is stood in for by the others"`
	Fallback []Fallback    `yaml:"fallback" doc:"who is asked, in order, when those above do not begin to answer: on 429, 5xx, time-outs and broken connections"`
	Try      time.Duration `yaml:"try" doc:"until when one must begin to answer (or have answered whole, where no stream is asked for) while others can be asked; 0: its share of what limits.request leaves" default:"0s"`
	Hedge    time.Duration `yaml:"hedge" doc:"when another is asked, too, while one is still silent: the first that answers counts, and both cost; 0: never" default:"0s"`
}

// Target is a model of a provider that takes a share of the requests.
type Target struct {
	Provider string `yaml:"provider" doc:"name of the provider" example:"openai"`
	Model    string `yaml:"model" doc:"what the provider calls the model; default: as the client does" example:"gpt-5"`
	Weight   int    `yaml:"weight" doc:"share of the requests, beside those of the others; that of the provider above is 1" default:"1"`
}

// Fallback is a model of a provider that is asked when others do not answer.
type Fallback struct {
	Provider string `yaml:"provider" doc:"name of the provider" example:"openai"`
	Model    string `yaml:"model" doc:"what the provider calls the model; default: as the client does" example:"gpt-5-nano"`
}

// Routed reports whether there is a choice of who serves the model.
func (m *Model) Routed() bool { return len(m.Targets)+len(m.Fallback) > 0 }

// All returns the targets of the model, and how many of them, the first, share the
// requests; behind them are the fallbacks.
func (m *Model) All() (all []Target, share int) {
	all = slices.Clone(m.Targets)
	if m.Provider != "" {
		all = append([]Target{{Provider: m.Provider, Model: m.Model, Weight: 1}}, all...)
	}
	share = len(all)
	for _, f := range m.Fallback {
		all = append(all, Target{f.Provider, f.Model, 1})
	}
	return all, share
}

// Bypass is a part of an API that is passed on although nobody looks at it.
type Bypass struct {
	Path     string          `yaml:"path" doc:"of the API; one that ends in a slash means all below it" example:"/v1/audio/"`
	Provider string          `yaml:"provider" doc:"name of the provider, of type openai or azure, to which it is passed" example:"openai"`
	Trust    redact.Right    `yaml:"trust" doc:"least trust of the callers who may: anonymous, verified, customer, staff or operator" default:"staff"`
	Body     strictyaml.Size `yaml:"body" doc:"largest request body" default:"32MiB"`
}

// Restore configures placeholders and the vault of what they stand for.
type Restore struct {
	Enabled bool              `yaml:"enabled" doc:"send placeholders to the model instead of masks, and put values back into the answer" default:"false"`
	TTL     time.Duration     `yaml:"ttl" doc:"for how long a value is kept after it was last sent" default:"24h"`
	Key     strictyaml.Secret `yaml:"key" doc:"root key of the vault, 64 hexadecimal digits (openssl rand -hex 32), the same for all replicas; required with a database, default: vault.key in the data directory" example:"env:RINGWALL_VAULT_KEY"`
	Trust   redact.Right      `yaml:"trust" doc:"least trust that may read back what it sent itself: anonymous, verified, customer, staff, operator, or nobody" default:"anonymous"`
	Others  redact.Right      `yaml:"others" doc:"least trust that may read what other callers of its tenant sent in the same conversation" default:"nobody"`
	Tools   bool              `yaml:"tools" doc:"put values into the arguments of tool calls, too" default:"true"`
}

// Responses configures the memory of answers that requests go on from.
type Responses struct {
	Store string        `yaml:"store" doc:"where answers are kept: in memory, 10,000 of them in 64 MiB, which a restart forgets; or in the database, 100,000 in 1 GiB, sealed with a key that is made of that of restore, so that other gateways on it know them, too" enum:"memory|database" default:"memory"`
	TTL   time.Duration `yaml:"ttl" doc:"how long an answer is kept" default:"24h"`
}

// Durable reports whether answers are kept in the database.
func (r Responses) Durable() bool { return r.Store == "database" }

// Hook is a service that is asked about texts.
type Hook struct {
	Name     string            `yaml:"name" doc:"in records" example:"our-rules"`
	URL      string            `yaml:"url" doc:"where it is asked, by a POST of JSON" example:"https://rules.internal.example/v1/look"`
	Secret   strictyaml.Secret `yaml:"secret" doc:"signs the questions: Ringwall-Signature is v1=HMAC-SHA256 in hexadecimal digits of Ringwall-Timestamp, a dot and the body" example:"env:RINGWALL_HOOK_SECRET"`
	Stages   []string          `yaml:"stages" doc:"when it is asked: before_input, with what the client says; after_input, with what the model will read; before_output, with what the client will read (of a stream at its end, which is held so long)" enum:"before_input|after_input|before_output" example:"before_input"`
	Timeout  time.Duration     `yaml:"timeout" doc:"how long it may take" default:"2s"`
	FailOpen bool              `yaml:"fail_open" doc:"go on when it gives no answer; otherwise the exchange is refused" default:"false"`
}

// Cache configures the answers that are kept.
type Cache struct {
	Enabled bool            `yaml:"enabled" doc:"keep answers, in memory" default:"false"`
	Bytes   strictyaml.Size `yaml:"bytes" doc:"most bytes that are kept" default:"64MiB"`
	TTL     time.Duration   `yaml:"ttl" doc:"how long an answer is kept" default:"10m"`
	Any     bool            `yaml:"any_temperature" doc:"keep answers that were drawn by chance, too; otherwise those alone to requests that say temperature 0" default:"false"`
}

// Audit configures the records.
type Audit struct {
	Fsync    string          `yaml:"fsync" doc:"when records are forced to disk, which matters when the machine stops: before each call, every interval, or whenever the system pleases" enum:"always|interval|never" default:"interval"`
	Interval time.Duration   `yaml:"interval" doc:"how often, with fsync: interval" default:"1s"`
	Segment  strictyaml.Size `yaml:"segment" doc:"size from which a new file is begun" default:"64MiB"`
	Address  string          `yaml:"keep_address" doc:"keep the addresses of clients: true, false, or truncated to their /24 of IPv4 and /48 of IPv6" enum:"true|false|truncated" default:"true"`
	KeepText bool            `yaml:"keep_text" doc:"keep the texts of prompts and answers; otherwise their length and a keyed hash" default:"false"`
}

// Log configures the program's own log.
type Log struct {
	Level  string `yaml:"level" doc:"least level that is written" enum:"debug|info|warn|error" default:"info"`
	Format string `yaml:"format" doc:"how" enum:"json|text" default:"json"`
}

// Tracing configures OpenTelemetry.
type Tracing struct {
	Endpoint string            `yaml:"endpoint" doc:"OTLP/HTTP endpoint; empty: no traces are made" example:"http://127.0.0.1:4318"`
	Headers  map[string]string `yaml:"headers" doc:"sent to the endpoint" example:"x-team"`
	Sample   float64           `yaml:"sample" doc:"share of exchanges that are traced, 0 to 1" default:"1"`
}

// Default returns the configuration of an empty file.
func Default() *Config {
	c := &Config{}
	strictyaml.Defaults(c)
	return c
}

// Load reads and checks a file. All its problems are reported together, each
// with file, line and column.
func Load(file string) (*Config, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(file, src)
}

// Parse reads and checks src; file is its name in errors.
func Parse(file string, src []byte) (*Config, error) {
	var c Config
	pos, err := strictyaml.Decode(file, src, &c)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(file)
	c.Network.locate(dir)
	errs := append(c.loadGuardrails(pos, dir), c.checkRequests(pos, dir)...)
	errs = append(errs, c.checkTools(pos, dir)...)
	if err := strictyaml.Join(append(errs, c.loadPrices(pos, dir), c.loadPolicy(pos, dir), c.check(pos))...); err != nil {
		return nil, err
	}
	c.Read = append(c.Read, c.TLS.Files()...)
	c.Sum = SumOf(src, c.Read)
	return &c, nil
}

// SumOf returns the checksum of a configuration and of the files that it names, of
// which those that cannot be read count as empty. Nothing of what it reads stays in
// memory: there are private keys among them.
func SumOf(src []byte, files []string) [sha256.Size]byte {
	h := sha256.New()
	part := sha256.Sum256(src)
	h.Write(part[:])
	for _, f := range files {
		b, _ := Content(f) // one that is gone has changed
		part = sha256.Sum256(b)
		clear(b)
		h.Write(part[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// loadPrices reads the list of prices that c names.
func (c *Config) loadPrices(pos *strictyaml.Positions, dir string) error {
	if c.Prices == "" {
		return nil
	}
	file := c.Prices
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	c.Read = append(c.Read, file)
	list, err := prices.Load(file)
	if err != nil {
		return pos.Errorf("prices", "%w", err)
	}
	c.PriceList = list
	return nil
}

// loadGuardrails adds the guardrails that have files of their own.
func (c *Config) loadGuardrails(pos *strictyaml.Positions, dir string) (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		path := strictyaml.Key("guardrail_files", name)
		if _, twice := c.Guardrails[name]; twice {
			errs = append(errs, pos.Errorf(path, "there is a guardrail %q already", name))
			continue
		}
		file := c.Files[name]
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		c.Read = append(c.Read, file)
		s, err := guardrail.Load(file)
		if err != nil {
			errs = append(errs, pos.Errorf(path, "%w", err))
			continue
		}
		if c.Guardrails == nil {
			c.Guardrails = map[string]guardrail.Spec{}
		}
		c.Guardrails[name] = *s
	}
	return errs
}

// Check checks a Config that was made without a file.
func (c *Config) Check() error { return c.check(nil) }

// Example returns the annotated example file.
func Example() []byte { return strictyaml.Example(&Config{}) }

// Schema returns the JSON Schema of the file.
func Schema() []byte { return strictyaml.Schema(&Config{}) }

// Upstream returns the provider that stands for one base URL without a file.
// With key, its key is that of the environment variable OPENAI_API_KEY.
func Upstream(baseURL string, key bool) Provider {
	var p Provider
	strictyaml.Defaults(&p)
	p.BaseURL = baseURL
	if key {
		p.Key, _ = strictyaml.NewSecret("env:OPENAI_API_KEY") // a reference that is well formed
	}
	return p
}
