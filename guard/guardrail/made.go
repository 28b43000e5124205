package guardrail

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Made keeps the guardrails that were made over Bedrock's API, in the directory
// of a [Store]: DIR/ID/draft.json is the draft as it was given and what is known
// of its versions, which are files of the Store. It is safe for concurrent use by
// one process.
type Made struct {
	store Store
	mu    sync.RWMutex
	rails map[string]*Rail
	edits int
}

// Rail is a guardrail that was made over Bedrock's API.
type Rail struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Token    string          `json:"token,omitempty"` // of the request that made it
	Created  time.Time       `json:"created"`
	Updated  time.Time       `json:"updated"`
	Document json.RawMessage `json:"document"` // as CreateGuardrail or UpdateGuardrail gave it
	Versions []RailVersion   `json:"versions,omitempty"`

	Spec  *Spec    `json:"-"` // what Document means
	Notes []string `json:"-"` // what of it is left out
	Edit  int      `json:"-"` // differs between two drafts of one process
}

// RailVersion is a version of a Rail.
type RailVersion struct {
	Version     string          `json:"version"`
	Token       string          `json:"token,omitempty"`
	Description string          `json:"description,omitempty"`
	Created     time.Time       `json:"created"`
	Document    json.RawMessage `json:"document"`
}

// Conditions of Made.
var (
	ErrNoRail   = errors.New("guardrail: there is no such guardrail")
	ErrTaken    = errors.New("guardrail: the name is taken")
	ErrTooMany  = errors.New("guardrail: there are too many")
	ErrNotKnown = errors.New("guardrail: there is no such version")
)

// Bounds on what is kept.
const (
	MostRails    = 1000
	MostVersions = 100 // of each
)

// OpenMade reads what is in the directory of store. A file that cannot be read is
// an error: a guardrail that callers count on must not be gone without a word.
func OpenMade(store Store) (*Made, error) {
	m := &Made{store: store, rails: map[string]*Rail{}}
	files, err := filepath.Glob(filepath.Join(store.Dir, "*", draftFile))
	if err != nil {
		return nil, fmt.Errorf("listing guardrails: %w", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a guardrail: %w", err)
		}
		r := &Rail{}
		if err := json.Unmarshal(src, r); err != nil {
			return nil, fmt.Errorf("reading the guardrail %s: %w", file, err)
		}
		if r.ID != filepath.Base(filepath.Dir(file)) {
			return nil, fmt.Errorf("reading the guardrail %s: it says that it is %q", file, r.ID)
		}
		if err := m.means(r); err != nil {
			return nil, fmt.Errorf("reading the guardrail %s: %w", file, err)
		}
		m.rails[r.ID] = r
	}
	return m, nil
}

const draftFile = "draft.json"

// means reads the document of r.
func (m *Made) means(r *Rail) (err error) {
	r.Name, r.Spec, r.Notes, err = FromBedrock(r.Document)
	m.edits++
	r.Edit = m.edits
	return err
}

// write keeps r, whole or not at all.
func (m *Made) write(r *Rail) error {
	out, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keeping guardrail %s: %w", r.ID, err)
	}
	dir := filepath.Join(m.store.Dir, r.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keeping guardrail %s: %w", r.ID, err)
	}
	tmp, err := os.CreateTemp(dir, ".draft-*")
	if err != nil {
		return fmt.Errorf("keeping guardrail %s: %w", r.ID, err)
	}
	_, err = tmp.Write(out)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, draftFile))
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // of no use
		return fmt.Errorf("keeping guardrail %s: %w", r.ID, err)
	}
	m.rails[r.ID] = r
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Create keeps a guardrail that is new. One that the same token made before is
// returned as it is.
func (m *Made) Create(document []byte, token string, now time.Time) (Rail, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.byToken(token); r != nil {
		return *r, nil
	}
	r := &Rail{ID: newRailID(), Token: token, Created: now.UTC(), Updated: now.UTC(), Document: slices.Clone(document)}
	if err := m.means(r); err != nil {
		return Rail{}, err
	}
	if len(m.rails) >= MostRails {
		return Rail{}, ErrTooMany
	}
	if m.taken(r) {
		return Rail{}, ErrTaken
	}
	return *r, m.write(r)
}

func (m *Made) byToken(token string) *Rail {
	for _, r := range m.rails {
		if token != "" && r.Token == token {
			return r
		}
	}
	return nil
}

func (m *Made) taken(r *Rail) bool {
	for _, o := range m.rails {
		if o.Name == r.Name && o.ID != r.ID {
			return true
		}
	}
	return false
}

// newRailID returns an id as Bedrock's look.
func newRailID() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, 12)
	rand.Read(b) // never fails (crypto/rand)
	for i, c := range b {
		b[i] = letters[int(c)%len(letters)]
	}
	return string(b)
}

// Get returns a guardrail.
func (m *Made) Get(id string) (Rail, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r, ok := m.rails[id]
	if !ok {
		return Rail{}, false
	}
	return *r, true
}

// List returns all guardrails, the oldest first.
func (m *Made) List() (out []Rail) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.rails {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Rail) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out
}

// change writes a changed copy of a guardrail.
func (m *Made) change(id string, change func(*Rail) error) (Rail, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, ok := m.rails[id]
	if !ok {
		return Rail{}, ErrNoRail
	}
	r := *was
	r.Versions = slices.Clone(was.Versions)
	if err := change(&r); err != nil {
		return Rail{}, err
	}
	return r, m.write(&r)
}

// Update makes document the draft of a guardrail.
func (m *Made) Update(id string, document []byte, now time.Time) (Rail, error) {
	return m.change(id, func(r *Rail) error {
		r.Document, r.Updated = slices.Clone(document), now.UTC()
		if err := m.means(r); err != nil {
			return err
		}
		if m.taken(r) {
			return ErrTaken
		}
		return nil
	})
}

// Publish makes a version of the draft of a guardrail. One that the same token
// made before is returned as it is, as is the last version where the draft says
// nothing else.
func (m *Made) Publish(id, token, description string, now time.Time) (version string, err error) {
	_, err = m.change(id, func(r *Rail) error {
		for _, v := range r.Versions {
			if token != "" && v.Token == token {
				version = v.Version
				return nil
			}
		}
		if len(r.Versions) >= MostVersions {
			return ErrTooMany
		}
		if version, err = m.store.Publish(id, r.Spec); err != nil {
			return err
		}
		if n := len(r.Versions); n > 0 && r.Versions[n-1].Version == version {
			return nil
		}
		r.Versions = append(r.Versions, RailVersion{version, token, description, now.UTC(), r.Document})
		return nil
	})
	return version, err
}

// Delete forgets a guardrail and its versions.
func (m *Made) Delete(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.rails[id]; !ok {
		return ErrNoRail
	}
	dir := filepath.Join(m.store.Dir, id)
	// The draft first: what is left of a deletion that was cut off is no guardrail.
	if err := os.Remove(filepath.Join(dir, draftFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting guardrail %s: %w", id, err)
	}
	delete(m.rails, id)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("deleting guardrail %s: %w", id, err)
	}
	return nil
}

// DeleteVersion forgets a version of a guardrail. Its number is not given again.
func (m *Made) DeleteVersion(id, version string) error {
	_, err := m.change(id, func(r *Rail) error {
		at := slices.IndexFunc(r.Versions, func(v RailVersion) bool { return v.Version == version })
		if at < 0 {
			return ErrNotKnown
		}
		r.Versions = slices.Delete(r.Versions, at, at+1)
		return m.store.retire(id, version)
	})
	return err
}

// retired ends the names of files of versions that were deleted.
const retired = ".deleted"

// retire takes a version out of use and keeps its number.
func (st Store) retire(name, version string) error {
	if _, err := strconv.Atoi(version); err != nil || !storable.MatchString(name) {
		return fmt.Errorf("%w: %s@%s", ErrNoVersion, name, version)
	}
	file := filepath.Join(st.Dir, name, version+".yaml")
	if err := os.Rename(file, file+retired); err != nil {
		return fmt.Errorf("deleting guardrail %s@%s: %w", name, version, err)
	}
	return syncDir(filepath.Dir(file))
}

// lastRetired returns the highest number of a version that was deleted.
func (st Store) lastRetired(name string) (last int) {
	files, _ := filepath.Glob(filepath.Join(st.Dir, name, "*.yaml"+retired)) // the pattern is well formed
	for _, f := range files {
		base := filepath.Base(f)
		if n, err := strconv.Atoi(base[:len(base)-len(".yaml"+retired)]); err == nil {
			last = max(last, n)
		}
	}
	return last
}
