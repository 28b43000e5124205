package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// apis are the APIs that a provider may be said to speak.
var apis = []string{"openai", "openai-responses", "openai-completions", "openai-embeddings"}

// failing takes down a problem of the field at path.
type failing func(path, format string, args ...any)

// check finds what no field can know alone.
func (c *Config) check(pos *strictyaml.Positions) error {
	var errs []error
	fail := func(path, format string, args ...any) { errs = append(errs, pos.Errorf(path, format, args...)) }
	loopback := c.checkListener(fail)
	if len(c.Providers) == 0 {
		fail("providers", "at least one provider is needed")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		p := c.Providers[name]
		p.check(strictyaml.Key("providers", name), loopback, fail)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		m := c.Models[name]
		c.checkModel(&m, strictyaml.Key("models", name), fail)
	}
	if _, ok := c.Providers[c.Default]; c.Default != "" && !ok {
		fail("default_provider", "there is no provider %q%s", c.Default, among(c.Providers))
	}
	if c.Default == "" && len(c.Models) == 0 && len(c.Providers) > 0 {
		fail("default_provider", "no model can be asked: name models, or a default_provider")
	}
	for i, u := range c.Unguarded {
		c.checkBypass(&u, strictyaml.Index("unguarded", i), fail)
	}
	c.checkGuardrails(fail)
	c.checkVault(fail)
	c.checkHistory(fail)
	c.checkHooks(fail)
	c.checkNetwork(fail)
	c.checkPolicy(fail)
	c.checkLogin(fail)
	c.checkApprovals(fail)
	c.checkQuota(fail)
	c.WAF.check(fail)
	if c.Cache.Enabled && (c.Cache.Bytes < 1<<20 || c.Cache.TTL < time.Second) {
		fail("cache", "want at least 1MiB, and a ttl of 1s")
	}
	if c.Limits.Concurrent < 0 || c.Limits.Body < 0 {
		fail("limits", "limits are not negative")
	}
	c.checkOverload(fail)
	if c.Secrets.Refresh < time.Second || c.Secrets.Timeout < time.Second {
		fail("secrets", "want a refresh and a timeout of at least 1s")
	}
	if c.Tracing.Sample < 0 || c.Tracing.Sample > 1 {
		fail("tracing.sample", "want a share from 0 to 1")
	}
	return strictyaml.Join(errs...)
}

// checkListener finds what is wrong with where is listened, and reports whether that
// is reached from this machine only.
func (c *Config) checkListener(fail failing) (loopback bool) {
	loopback, err := Loopback(c.Listen)
	if err != nil {
		fail("listen", "%v", err)
	}
	if c.Anonymous && !loopback && err == nil {
		fail("anonymous", "only a loopback listener may let callers in without a key, and %s is none: listen on 127.0.0.1, or make keys", c.Listen)
	}
	c.checkTLS(fail)
	c.checkAdmin(fail)
	return loopback
}

func (p *Provider) check(path string, loopback bool, fail failing) {
	for i, api := range p.APIs {
		if !slices.Contains(apis, api) {
			fail(fmt.Sprintf("%s.apis[%d]", path, i), "there is no API %q: there are %s", api, strings.Join(apis, ", "))
		}
	}
	if p.Type != "azure" && (p.Version != "" || p.Bearer) {
		fail(path+".type", "api_version and bearer are for providers of type azure")
	}
	switch p.Type {
	case "openai", "anthropic":
		if p.Type == "anthropic" && p.BaseURL == "" {
			break
		}
		if !isURL(p.BaseURL) {
			fail(path+".base_url", "want http(s)://host[:port]/v1")
		}
	case "bedrock", "gemini", "ollama":
		if p.BaseURL != "" && !isURL(p.BaseURL) {
			fail(path+".base_url", "want http(s)://host[:port], or nothing for the usual one")
		}
	case "azure":
		if u, err := url.Parse(p.BaseURL); err != nil || !isURL(p.BaseURL) || strings.Trim(u.Path, "/") != "" {
			fail(path+".base_url", "want the resource, https://NAME.openai.azure.com, without a path")
		}
	case "builtin":
		if p.BaseURL != "" || !p.Key.IsZero() || len(p.APIs) > 0 {
			fail(path+".type", "the built-in model has no base_url, no api_key and no apis")
		}
		if !loopback {
			fail(path+".type", "the built-in model obeys anybody, so it is only to be had behind a loopback listener")
		}
	}
}

// isURL reports whether s is a URL of HTTP.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

func (c *Config) checkBypass(u *Bypass, at string, fail failing) {
	p, ok := c.Providers[u.Provider]
	switch {
	case !ok:
		fail(at+".provider", "there is no provider %q%s", u.Provider, among(c.Providers))
	case p.Type != "openai" && p.Type != "azure":
		fail(at+".provider", "want one of type openai or azure, whose API this is")
	}
	if !strings.HasPrefix(u.Path, "/v1/") || strings.ContainsAny(u.Path, "%?#") || strings.Contains(u.Path, "..") {
		fail(at+".path", "want a path such as /v1/audio/")
	}
}

func (c *Config) checkGuardrails(fail failing) {
	if name, version, _ := strings.Cut(c.Guardrail, "@"); version == "" || version == guardrail.Draft {
		if _, ok := c.Guardrails[name]; name != "" && name != "default" && !ok {
			fail("guardrail", "there is no guardrail %q%s", name, among(c.Guardrails))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Guardrails)) {
		g := c.Guardrails[name]
		g.Check(strictyaml.Key("guardrails", name), fail)
	}
}

// checkVault finds what is wrong with how values and answers are kept.
func (c *Config) checkVault(fail failing) {
	if c.Restore.TTL < time.Minute || c.Restore.TTL > 366*24*time.Hour {
		fail("restore.ttl", "want one minute to 366 days")
	}
	if c.Restore.Enabled && c.Restore.Key.IsZero() && !c.Database.IsZero() {
		fail("restore.key", "replicas that share a database must share the vault's key: make one with openssl rand -hex 32, and name it here by a reference, such as env:NAME, on each of them")
	}
	if c.Responses.TTL < time.Minute || c.Responses.TTL > 366*24*time.Hour {
		fail("responses.ttl", "want one minute to 366 days")
	}
	if c.Responses.Durable() && c.Restore.Key.IsZero() && !c.Database.IsZero() {
		fail("restore.key", "replicas that share a database must share the key that answers are sealed with: make one with openssl rand -hex 32, and name it here as env:NAME or file:/path on each of them")
	}
}

func (c *Config) checkHooks(fail failing) {
	hooks := map[string]bool{}
	for i, h := range c.Hooks {
		path := strictyaml.Index("hooks", i)
		if h.Name == "" || hooks[h.Name] {
			fail(path+".name", "each hook needs a name of its own")
		}
		hooks[h.Name] = true
		if u, err := url.Parse(h.URL); err != nil || !isURL(h.URL) || u.User != nil {
			fail(path+".url", "want http(s)://host[:port]/path")
		}
		if h.Secret.IsZero() {
			fail(path+".secret", "a secret is needed, so that the service can tell whose questions they are")
		}
		if len(h.Stages) == 0 {
			fail(path+".stages", "when is it asked?")
		}
		if h.Timeout <= 0 {
			fail(path+".timeout", "times are more than nothing")
		}
	}
}

// checkModel finds what is wrong with who serves m.
func (c *Config) checkModel(m *Model, path string, fail failing) {
	if !m.Routed() && m.Provider == "" {
		fail(path+".provider", "which provider serves it?")
	}
	if m.Provider == "" && m.Model != "" {
		fail(path+".model", "whose model? Write it in the targets")
	}
	if !m.Routed() && (m.Try != 0 || m.Hedge != 0) {
		fail(path, "try and hedge need targets or a fallback")
	}
	if m.Try < 0 || m.Hedge < 0 {
		fail(path, "times are not negative")
	}
	all, share := m.All()
	if share == 0 && len(all) > 0 {
		fail(path+".fallback", "a fallback needs a provider or targets before it")
	}
	seen := map[Target]bool{}
	for i, t := range all {
		at := strictyaml.Index(path+".targets", i)
		switch {
		case m.Provider != "" && i == 0:
			at = path
		case i < share && m.Provider != "":
			at = strictyaml.Index(path+".targets", i-1)
		case i >= share:
			at = strictyaml.Index(path+".fallback", i-share)
		}
		if _, ok := c.Providers[t.Provider]; !ok {
			fail(at+".provider", "there is no provider %q%s", t.Provider, among(c.Providers))
		}
		if t.Weight < 1 {
			fail(at+".weight", "want 1 or more: leave a target away that gets nothing")
		}
		if t.Weight = 1; seen[t] {
			fail(at, "it is named already: give it more weight")
		}
		seen[t] = true
	}
}

// among lists the names that there are, for errors.
func among[T any](m map[string]T) string {
	if len(m) == 0 || len(m) > 12 {
		return ""
	}
	return fmt.Sprintf(": there are %v", slices.Sorted(maps.Keys(m)))
}

// Loopback reports whether addr, host:port, is reached from this machine only.
func Loopback(addr string) (bool, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return false, fmt.Errorf("%q is no address: want host:port, as in 127.0.0.1:8080", addr)
	}
	if host == "localhost" {
		return true, nil
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback(), nil
}
