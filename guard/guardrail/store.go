package guardrail

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Draft is the version of a guardrail that was not published: the one that the
// configuration writes.
const Draft = "draft"

// Store keeps published versions of guardrails as files, DIR/NAME/N.yaml. A
// version never changes: it is written once, and begins with a checksum of what
// follows, so that a file that was edited is refused. It may be used by many at
// once, of which one publishes.
type Store struct{ Dir string }

// ErrNoVersion reports a version that was never published.
var ErrNoVersion = errors.New("guardrail: no such version")

var storable = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// Publish keeps s as the next version of the guardrail name and returns its
// number. If s is what the last version says, that is its version.
func (st Store) Publish(name string, s *Spec) (version string, err error) {
	if !storable.MatchString(name) {
		return "", fmt.Errorf("publishing guardrail %q: its name would be no file name: want letters, digits, - and _", name)
	}
	have, err := st.Versions(name)
	if err != nil {
		return "", err
	}
	next := 1
	if len(have) > 0 {
		last := have[len(have)-1]
		if was, err := st.Version(name, last); err == nil && was.Equal(s) {
			return last, nil
		}
		n, _ := strconv.Atoi(last) // as Versions made sure
		next = n + 1
	}
	next = max(next, st.lastRetired(name)+1)
	dir := filepath.Join(st.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("publishing guardrail %s: %w", name, err)
	}
	version = strconv.Itoa(next)
	body := s.YAML(true)
	sum := sha256.Sum256(body)
	out := append([]byte(seal+hex.EncodeToString(sum[:])+"\n"), body...)
	if err := writeOnce(filepath.Join(dir, version+".yaml"), out); err != nil {
		return "", fmt.Errorf("publishing guardrail %s: %w", name, err)
	}
	return version, nil
}

const seal = "# sha256 of what follows: "

// writeOnce makes a file that is there whole or not at all, and was not there
// before.
func writeOnce(name string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".publish-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // linked by then, or of no use
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Chmod(0o400), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Link(tmp.Name(), name) // fails if it is there
}

// Versions lists the numbers of the published versions of a guardrail, in
// ascending order.
func (st Store) Versions(name string) (versions []string, err error) {
	if !storable.MatchString(name) {
		return nil, nil
	}
	entries, err := os.ReadDir(filepath.Join(st.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing versions of guardrail %s: %w", name, err)
	}
	var numbers []int
	for _, e := range entries {
		base, yaml := strings.CutSuffix(e.Name(), ".yaml")
		if n, err := strconv.Atoi(base); yaml && err == nil && n > 0 && strconv.Itoa(n) == base {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		versions = append(versions, strconv.Itoa(n))
	}
	return versions, nil
}

// Version returns a published version. The error is ErrNoVersion if there is
// none of that number.
func (st Store) Version(name, version string) (*Spec, error) {
	have, err := st.Versions(name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(have, version) {
		hint := "none was published"
		if len(have) > 0 {
			hint = "there are " + strings.Join(have, ", ")
		}
		return nil, fmt.Errorf("%w: %s@%s: %s", ErrNoVersion, name, version, hint)
	}
	file := filepath.Join(st.Dir, name, version+".yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading guardrail %s@%s: %w", name, version, err)
	}
	first, body, _ := strings.Cut(string(src), "\n")
	sum := sha256.Sum256([]byte(body))
	if first != seal+hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("reading guardrail %s@%s: the file was changed after it was published: publish the change as a new version", name, version)
	}
	s, err := Parse(file, src)
	if err != nil {
		return nil, err
	}
	return &s, nil
}
