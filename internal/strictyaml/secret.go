package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNoSecret says that a [Secret] was to be revealed that nobody set.
var ErrNoSecret = errors.New("strictyaml: no secret set")

// MaxSecret is the size in bytes of the largest secret.
const MaxSecret = 64 << 10

const (
	redacted      = "***"
	secretPattern = `^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.*)$`
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Secret names where a secret is kept: "env:NAME", a variable of the
// environment, or "file:/path", a file. It never holds the secret itself, so
// that no copy of the configuration does, and everything that prints it prints
// "***". The zero Secret is unset.
type Secret struct {
	ref string
}

// NewSecret returns the secret that ref names. It does not look there: [Reveal]
// does. Its error never repeats ref, which may be the secret itself, written
// where its reference belongs.
//
// [Reveal]: Secret.Reveal
func NewSecret(ref string) (Secret, error) {
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case kind == "env" && envName.MatchString(name):
	case kind == "file" && filepath.IsAbs(name) && !strings.ContainsRune(name, 0):
	default:
		return Secret{}, errors.New("want a reference, env:NAME or file:/path, never the secret itself (not shown)")
	}
	return Secret{ref: ref}, nil
}

// IsZero reports whether s is unset.
func (s Secret) IsZero() bool { return s.ref == "" }

// Reveal reads the secret, without the line break that ends a file, each time
// anew: one that is rotated in place is found. An empty secret is an error, and
// so is one larger than [MaxSecret]. Errors name the reference.
func (s Secret) Reveal() (string, error) {
	kind, name, _ := strings.Cut(s.ref, ":")
	var text string
	switch kind {
	case "env":
		text = os.Getenv(name)
	case "file":
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("reading a secret: %w", err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, MaxSecret+1))
		if err != nil {
			return "", fmt.Errorf("reading a secret: %w", err)
		}
		text = strings.TrimRight(string(b), "\r\n")
	default:
		return "", ErrNoSecret
	}
	switch {
	case text == "":
		return "", fmt.Errorf("reading a secret: %s is empty", s.ref)
	case len(text) > MaxSecret:
		return "", fmt.Errorf("reading a secret: %s has more than %d bytes", s.ref, MaxSecret)
	}
	return text, nil
}

// UnmarshalText accepts what [NewSecret] does.
func (s *Secret) UnmarshalText(b []byte) error {
	out, err := NewSecret(string(b))
	if err != nil {
		return err
	}
	*s = out
	return nil
}

// String returns "***".
func (s Secret) String() string { return redacted }

// MarshalText returns "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format writes "***" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
