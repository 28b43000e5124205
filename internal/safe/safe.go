// Package safe reads the secrets that services keep, AWS Secrets Manager and
// HashiCorp Vault, and holds on to them while it may be asked for them.
//
// The data's way: [Store.Load] reads documents, a document being what a service
// keeps under one name, and picks the values that references name; [Store.Reveal]
// answers from memory; [Store.Refresh] reads all of them again and says which
// values changed. A service that is away takes no value away that was read
// before: the last one stays, and [Store.Stale] names it.
//
// When to load, to refresh, and what a changed value means are the caller's
// business. Start reading at [Store].
package safe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MaxSecret is the size in bytes of the largest secret.
const MaxSecret = 64 << 10

// Source reads the document that a service keeps under a name. It bounds what it
// reads. Its errors never repeat a part of a document. It must be safe for
// concurrent use.
type Source interface {
	Read(ctx context.Context, name string) (string, error)
}

// Config configures a Store.
type Config struct {
	// Sources by the kind that references begin with; default: "aws-secret" and
	// "vault", as the environment says where they are.
	Sources map[string]Source
	Timeout time.Duration // to read a document; default 10s
}

// Store keeps values in memory. It is safe for concurrent use.
type Store struct {
	cfg    Config
	mu     sync.RWMutex
	values map[string]*value // by reference
	named  []string          // that the last Load was given
	work   sync.Mutex        // held while services are asked for all
}

type value struct {
	text  string
	stale bool
	used  atomic.Bool // since the last Refresh
}

// New returns a Store. It asks nobody yet.
func New(cfg Config) *Store {
	if cfg.Sources == nil {
		cfg.Sources = map[string]Source{"aws-secret": &AWS{}, "vault": &Vault{}}
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	return &Store{cfg: cfg, values: map[string]*value{}}
}

// Load reads the values of refs anew. The error names what has no value; one that
// was read before and cannot be read now keeps it. What is changed is told.
func (s *Store) Load(ctx context.Context, refs []string) (changed []string, err error) {
	s.work.Lock()
	defer s.work.Unlock()
	changed, errs := s.read(ctx, refs)
	for _, ref := range refs {
		if s.get(ref) == nil {
			err = errors.Join(err, errs[ref])
		}
	}
	if err == nil {
		s.named = slices.Clone(refs)
	}
	return changed, err
}

// Refresh reads all values anew that the last Load was given, or that were asked
// for since the last Refresh, and forgets the others. The error is of those that
// keep their old value.
func (s *Store) Refresh(ctx context.Context) (changed []string, err error) {
	s.work.Lock()
	defer s.work.Unlock()
	var refs []string
	s.mu.Lock()
	for ref, v := range s.values {
		if used := v.used.Swap(false); used || slices.Contains(s.named, ref) {
			refs = append(refs, ref)
		} else {
			delete(s.values, ref)
		}
	}
	s.mu.Unlock()
	slices.Sort(refs)
	changed, errs := s.read(ctx, refs)
	for _, ref := range refs {
		err = errors.Join(err, errs[ref])
	}
	return changed, err
}

// Reveal returns the value of a reference, from memory where it is there.
func (s *Store) Reveal(ref string) (string, error) {
	v := s.get(ref)
	if v == nil {
		if _, errs := s.read(context.Background(), []string{ref}); errs[ref] != nil {
			return "", errs[ref]
		}
		if v = s.get(ref); v == nil {
			return "", fmt.Errorf("%s was forgotten while it was read", ref)
		}
	}
	if !v.used.Load() {
		v.used.Store(true)
	}
	return v.text, nil
}

// Stale returns the references whose service did not answer when it was asked
// last, sorted.
func (s *Store) Stale() (refs []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for ref, v := range s.values {
		if v.stale {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return refs
}

// Len returns how many values there are.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.values)
}

func (s *Store) get(ref string) *value {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.values[ref]
}

// atOnce is how many documents are read side by side.
const atOnce = 8

// read asks for the documents of refs, each once, and keeps their values.
func (s *Store) read(ctx context.Context, refs []string) (changed []string, errs map[string]error) {
	type document struct {
		text string
		err  error
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	seats := make(chan struct{}, atOnce)
	documents, asked := map[string]document{}, map[string]bool{}
	for _, ref := range refs {
		from, _ := split(ref)
		if asked[from] {
			continue
		}
		asked[from] = true
		seats <- struct{}{}
		group.Go(func() {
			defer func() { <-seats }()
			text, err := s.document(ctx, from)
			mu.Lock()
			documents[from] = document{text, err}
			mu.Unlock()
		})
	}
	group.Wait()
	errs = map[string]error{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range refs {
		from, key := split(ref)
		d := documents[from]
		text, err := d.text, d.err
		if err == nil {
			text, err = pick(text, key)
		}
		old := s.values[ref]
		switch {
		case err != nil:
			errs[ref] = fmt.Errorf("%s: %w", ref, err)
			if old != nil {
				s.values[ref] = old.with(old.text, true)
			}
		case old == nil:
			s.values[ref] = (&value{}).with(text, false)
		default:
			if old.text != text {
				changed = append(changed, ref)
			}
			s.values[ref] = old.with(text, false)
		}
	}
	return changed, errs
}

// with returns what v becomes: values that are read are not written.
func (v *value) with(text string, stale bool) *value {
	out := &value{text: text, stale: stale}
	out.used.Store(v.used.Load())
	return out
}

func (s *Store) document(ctx context.Context, from string) (string, error) {
	kind, name, _ := strings.Cut(from, ":")
	source := s.cfg.Sources[kind]
	if source == nil {
		return "", fmt.Errorf("there is no %q to ask", kind)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	return source.Read(ctx, name)
}

// split parts a reference into where its document is, and the key in it, "" for
// all of it.
func split(ref string) (from, key string) {
	from, key, _ = strings.Cut(ref, "#")
	return from, key
}

// pick returns the value of a document that is under a key.
func pick(document, key string) (string, error) {
	text := document
	if key != "" {
		var fields map[string]json.RawMessage
		if json.Unmarshal([]byte(document), &fields) != nil || fields == nil {
			return "", errors.New("it is no JSON object, so that there are no keys in it") // the cause may repeat a part of it
		}
		raw, ok := fields[key]
		if !ok {
			return "", errors.New("there is no such key in it")
		}
		if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
			return "", errors.New("what is under the key is no text")
		}
	}
	switch {
	case text == "":
		return "", errors.New("it is empty")
	case len(text) > MaxSecret:
		return "", fmt.Errorf("it has more than %d bytes", MaxSecret)
	}
	return text, nil
}
