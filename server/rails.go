package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/guardapi"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/judge"
)

// rails are the guardrails of one world that callers may choose from who ask the
// guard and no model: those of the configuration and their published versions,
// those that were made over an API, and those that belong to APIs. Each is built
// when it is asked for first.
type rails struct {
	config  *config.Config
	made    *guardrail.Made // nil: none
	own     map[string]*guardrail.Spec
	hears   judge.Observer
	declare func(*guardrail.Spec) // told of each that is built; nil: nobody

	mu    sync.Mutex
	built map[railKey]*built
}

// railKey names what was built. Drafts that were edited differ by edit.
type railKey struct {
	name, version string
	edit          int
}

type built struct {
	once sync.Once
	rail gateway.Guardrail
	err  error
}

// Find implements gateway.Guardrails.
func (s *rails) Find(_ context.Context, ref gateway.Ref) (gateway.Guardrail, error) {
	if ref == (gateway.Ref{}) {
		ref.Name, ref.Version, _ = strings.Cut(cmp.Or(s.config.Guardrail, "default"), "@")
	}
	key := railKey{name: ref.Name, version: cmp.Or(ref.Version, guardrail.Draft)}
	find := func() (*guardrail.Spec, error) {
		_, _, spec, err := FindGuardrail(s.config, key.name+"@"+key.version)
		return spec, err
	}
	_, configured := s.config.Guardrails[key.name]
	if own, ok := s.own[key.name]; ok && !configured && key.version == guardrail.Draft {
		find = func() (*guardrail.Spec, error) { return own, nil }
	} else if r, ok := s.rail(key.name); ok && !configured {
		switch {
		case key.version == guardrail.Draft:
			key.edit = r.Edit
			find = func() (*guardrail.Spec, error) { return r.Spec, nil }
		case !slices.ContainsFunc(r.Versions, func(v guardrail.RailVersion) bool { return v.Version == key.version }):
			return gateway.Guardrail{}, fmt.Errorf("%w: %s", gateway.ErrNoGuardrail, ref)
		}
	}
	return s.build(key, find)
}

func (s *rails) rail(id string) (guardrail.Rail, bool) {
	if s.made == nil {
		return guardrail.Rail{}, false
	}
	return s.made.Get(id)
}

// build returns what was built under key, or builds it of what find returns.
func (s *rails) build(key railKey, find func() (*guardrail.Spec, error)) (gateway.Guardrail, error) {
	s.mu.Lock()
	b := s.built[key]
	if b == nil {
		b = &built{}
		s.built[key] = b
	}
	s.mu.Unlock()
	b.once.Do(func() {
		b.rail = gateway.Guardrail{Name: key.name, Version: key.version}
		if b.rail.Spec, b.err = find(); b.err == nil {
			b.rail.Guard, b.err = guardOf(key.name, key.version, b.rail.Spec, s.hears)
		}
		if b.err == nil && s.declare != nil {
			s.declare(b.rail.Spec)
		}
	})
	if b.err == nil {
		return b.rail, nil
	}
	s.mu.Lock()
	if s.built[key] == b {
		delete(s.built, key) // it may be there, or work, next time
	}
	s.mu.Unlock()
	if errors.Is(b.err, guardrail.ErrNoVersion) || errors.Is(b.err, errNoGuardrail) {
		return gateway.Guardrail{}, fmt.Errorf("%w: %w", gateway.ErrNoGuardrail, b.err)
	}
	return gateway.Guardrail{}, b.err
}

// drop forgets what was built of a guardrail, or of one version of it. Requests
// that use it go on: what was made over an API asks nobody outside, so that there
// is nothing to close.
func (s *rails) drop(name, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.built, func(k railKey, _ *built) bool {
		return k.name == name && (version == "" || k.version == version)
	})
}

// close ends all that was built. No request uses any of it.
func (s *rails) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.built {
		if b.rail.Guard != nil {
			b.rail.Close()
		}
	}
	clear(s.built)
}

// world builds the world of a configuration.
func (s *Server) world(c *config.Config) (*gateway.World, error) {
	firewall := loadFirewall(c, s.log)
	w, err := world(c, &rails{
		config: c, made: s.made, own: guardapi.Own(), hears: s.judged, built: map[railKey]*built{},
		declare: func(spec *guardrail.Spec) { s.judged.declare(s.metrics.Metrics, spec) },
	}, s.routed)
	if err == nil {
		if err = s.tools(c, w); err != nil {
			w.Close()
		}
	}
	return firewall.before(w, err)
}

// shelf is what the API by which guardrails are made knows of the others.
type shelf struct{ *Server }

// Configured implements guardapi.Shelf.
func (s shelf) Configured() map[string]*guardrail.Spec {
	out := map[string]*guardrail.Spec{}
	c := s.rails.Load().config
	for name, spec := range c.Guardrails {
		out[name] = &spec
	}
	if out["default"] == nil {
		spec := guardrail.Default()
		out["default"] = &spec
	}
	return out
}

// Version implements guardapi.Shelf.
func (s shelf) Version(name, version string) (*guardrail.Spec, error) {
	return Versions(s.rails.Load().config).Version(name, version)
}

// Try implements guardapi.Shelf.
func (shelf) Try(name string, spec *guardrail.Spec) error {
	g, err := builtin.Guard(name, guardrail.Draft, spec)
	if err != nil {
		return err
	}
	g.Close()
	return nil
}

// Dropped implements guardapi.Shelf.
func (s shelf) Dropped(name, version string) { s.rails.Load().drop(name, version) }

// InForce implements guardapi.Shelf.
func (s shelf) InForce(name, version string) bool {
	return s.rails.Load().config.Guardrail == name+"@"+version
}
