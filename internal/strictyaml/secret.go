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

// ErrElsewhere says that a [Secret] was to be revealed that a service keeps, and
// that nobody said how to ask it: see [Bind].
var ErrElsewhere = errors.New("strictyaml: a service keeps the secret, and is not asked here")

// longestRef is the size in bytes of the longest reference to what a service keeps.
const longestRef = 2048

const (
	redacted      = "***"
	awsPattern    = `aws-secret:(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]{1,64}:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}(#[^#\s]{1,256})?`
	vaultPattern  = `vault:[A-Za-z0-9_.@=+-]+(/[A-Za-z0-9_.@=+-]+)+#[^#\s]{1,256}`
	secretPattern = `^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.*|` + awsPattern + `|` + vaultPattern + `)$`
)

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	remote  = regexp.MustCompile(`^(` + awsPattern + `|` + vaultPattern + `)$`)
)

// Keeper reveals the secrets that services keep. Implementations are safe for
// concurrent use and bound how long they take; their errors name ref and never
// the secret.
type Keeper interface {
	Reveal(ref string) (string, error)
}

// Secret names where a secret is kept: "env:NAME", a variable of the
// environment, "file:/path", a file, "aws-secret:NAME#key", AWS Secrets Manager,
// or "vault:path#key", HashiCorp Vault. It never holds the secret itself, so that
// no copy of the configuration does, and everything that prints it prints "***".
// The zero Secret is unset.
type Secret struct {
	ref    string
	keeper Keeper // of what a service keeps; nil: nobody is asked
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
	case len(ref) <= longestRef && remote.MatchString(ref) && !dotted(name):
	default:
		return Secret{}, errors.New("want a reference, env:NAME, file:/path, aws-secret:NAME#key or vault:path#key, never the secret itself (not shown)")
	}
	return Secret{ref: ref}, nil
}

// dotted reports whether a part of a path is one that URLs leave out.
func dotted(path string) bool {
	path, _, _ = strings.Cut(path, "#")
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// IsZero reports whether s is unset.
func (s Secret) IsZero() bool { return s.ref == "" }

// Same reports whether s and t name the same place.
func (s Secret) Same(t Secret) bool { return s.ref == t.ref }

// Elsewhere reports whether a service keeps the secret.
func (s Secret) Elsewhere() bool {
	kind, _, _ := strings.Cut(s.ref, ":")
	return kind == "aws-secret" || kind == "vault"
}

// Reveal reads the secret, without the line break that ends a file, each time
// anew: one that is rotated in place is found. What a service keeps is asked of
// the [Keeper]. An empty secret is an error, and so is one larger than
// [MaxSecret]. Errors name the reference.
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
	case "aws-secret", "vault":
		if s.keeper == nil {
			return "", fmt.Errorf("reading a secret: %s: %w", s.ref, ErrElsewhere)
		}
		var err error
		if text, err = s.keeper.Reveal(s.ref); err != nil {
			return "", fmt.Errorf("reading a secret: %w", err)
		}
		text = strings.TrimRight(text, "\r\n") // of a file, from which it was made
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
