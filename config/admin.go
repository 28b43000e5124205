package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Admin configures a listener for those who run the gateway.
type Admin struct {
	Listen    string         `yaml:"listen" doc:"address and port at which metrics, details of readiness and the administration are served, and no longer beside the models; beyond loopback only with tls; empty: there is no such listener" example:"127.0.0.1:9090"`
	Anonymous bool           `yaml:"anonymous" doc:"give metrics and readiness to callers that show no key; on a loopback listener only" default:"false"`
	Trust     ringwall.Trust `yaml:"trust" doc:"least trust of those who may read metrics and readiness there; administering takes operator" default:"staff"`
	Origins   []string       `yaml:"origins" doc:"origins of other web pages that may do so from a browser" example:"[]"`
}

// CORS lets web pages of other origins ask a group of routes from a browser.
type CORS struct {
	Paths   []string      `yaml:"paths" doc:"what the paths of the group begin with" example:"[/v1/]"`
	Origins []string      `yaml:"origins" doc:"origins that may, as browsers write them" example:"[https://app.example.org]"`
	MaxAge  time.Duration `yaml:"max_age" doc:"how long a browser may remember the answer" default:"10m"`
}

// checkAdmin finds what is wrong with the admin listener, and with what browsers are
// told.
func (c *Config) checkAdmin(fail failing) {
	a := &c.Admin
	if a.Trust <= ringwall.Anonymous {
		fail("admin.trust", "want verified, customer, staff or operator; anonymous: true lets callers in without a key")
	}
	for i, o := range a.Origins {
		if !isOrigin(o) {
			fail(strictyaml.Index("admin.origins", i), "want https://host[:port], without a path and without stars")
		}
	}
	for i, g := range c.CORS {
		at := strictyaml.Index("cors", i)
		if len(g.Paths) == 0 || len(g.Origins) == 0 {
			fail(at, "want paths and origins")
		}
		for j, p := range g.Paths {
			if !strings.HasPrefix(p, "/") {
				fail(strictyaml.Index(at+".paths", j), "want a path such as /v1/")
			}
		}
		for j, o := range g.Origins {
			if !isOrigin(o) {
				fail(strictyaml.Index(at+".origins", j), "want https://host[:port], without a path and without stars")
			}
		}
		if g.MaxAge < 0 || g.MaxAge > 24*time.Hour {
			fail(at+".max_age", "want 0 to 24h")
		}
	}
	if a.Listen == "" {
		return
	}
	loopback, err := Loopback(a.Listen)
	switch {
	case err != nil:
		fail("admin.listen", "%v", err)
	case a.Listen == c.Listen && !strings.HasSuffix(a.Listen, ":0"):
		fail("admin.listen", "the gateway listens there already")
	case !loopback && !c.TLS.On():
		fail("admin.listen", "%s is reached from other machines: that takes tls, for keys are shown there", a.Listen)
	case !loopback && a.Anonymous:
		fail("admin.anonymous", "only a loopback listener may let callers in without a key, and %s is none", a.Listen)
	}
}

// isOrigin reports whether s is an origin as browsers write it (RFC 6454 §6.2).
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && s == u.Scheme+"://"+strings.ToLower(u.Host) && !strings.ContainsAny(s, "*@")
}
