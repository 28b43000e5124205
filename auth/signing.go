package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringwall/ringwall"
)

// SigningFile is the name of the signing root in the data directory.
const SigningFile = "signing.key"

// ErrNoRoot reports that no key of this installation can sign.
var ErrNoRoot = errors.New("auth: there is no signing root")

// Root is that from which the secrets of keys are derived by which callers sign
// requests, so that none is kept. Who has it can sign as anybody.
type Root struct{ key [32]byte }

// String returns "***".
func (*Root) String() string { return "***" }

// GoString returns "***".
func (*Root) GoString() string { return "***" }

// ParseRoot reads a signing root: 64 hexadecimal digits. The error repeats nothing
// of the text.
func ParseRoot(text string) (*Root, error) {
	var r Root
	if n, err := hex.Decode(r.key[:], []byte(clip(strings.TrimSpace(text)))); err != nil || n != len(r.key) || r.key == [32]byte{} {
		return nil, fmt.Errorf("reading the signing root: want %d hexadecimal digits, not all zero", 2*len(r.key))
	}
	return &r, nil
}

// clip keeps what is too long from being decoded beyond its place.
func clip(text string) string {
	if len(text) > 64 {
		return ""
	}
	return text
}

// OpenRoot reads the signing root from signing.key in dir and makes it, mode 0600,
// where there is none. One that others may read is refused. Several processes may
// call it at once.
func OpenRoot(dir string) (*Root, error) {
	path := filepath.Join(dir, SigningFile)
	r, err := readRoot(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if err := createRoot(path); err != nil {
		return nil, fmt.Errorf("making the signing root: %w", err)
	}
	return readRoot(path)
}

func readRoot(path string) (*Root, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the signing root: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("reading the signing root: %s has mode %v: others can read it, want 0600", path, info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the signing root: %w", err)
	}
	defer clear(text)
	return ParseRoot(string(text))
}

// createRoot makes a file that is whole from its first moment.
func createRoot(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), SigningFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // a name of it that is left over does no harm
	var key [32]byte
	rand.Read(key[:]) // never fails: it ends the program instead
	text := append(hex.AppendEncode(nil, key[:]), '\n')
	_, err = f.Write(text)
	clear(key[:])
	clear(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	} // another process that was faster made the root of both
	return nil
}

// secret is the secret of the key with that prefix: 40 characters, as AWS's have.
func (r *Root) secret(prefix string) string {
	h := hmac.New(sha256.New, r.key[:])
	h.Write([]byte("ringwall sigv4 secret\x00" + prefix))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:40]
}

// Secret returns the secret by which the holder of a key, named by its prefix,
// signs requests. The error wraps [ErrNoRoot] when no key can.
func (k *Keys) Secret(prefix string) (string, error) {
	if k.root == nil {
		return "", ErrNoRoot
	}
	return k.root.secret(prefix), nil
}

// Signing returns the secret of a valid key, named by its prefix, and the principal
// that a signature by it proves. Nothing is proved yet. Every error wraps
// [ringwall.ErrUnauthenticated].
func (k *Keys) Signing(ctx context.Context, prefix string) (ringwall.Principal, string, error) {
	refuse := func(err error) (ringwall.Principal, string, error) {
		return ringwall.Principal{}, "", fmt.Errorf("%w: %w", ringwall.ErrUnauthenticated, err)
	}
	if k.root == nil {
		return refuse(ErrNoRoot)
	}
	if len(prefix) != idEnd || prefix[:len(mark)] != mark {
		return refuse(errNotAKey)
	}
	for _, c := range []byte(prefix[len(mark):]) {
		if !idByte[c] {
			return refuse(errNotAKey)
		}
	}
	e, ok := (*k.table.Load())[prefix[len(mark):]]
	if !ok {
		var err error
		if e, err = k.lookUp(ctx, prefix); err != nil {
			return refuse(fmt.Errorf("key %s: %w", prefix, err))
		}
	}
	now := k.now().UnixMilli()
	if !e.valid(now) || now-k.synced.Load() > k.maxStale {
		return refuse(fmt.Errorf("key %s: %s", prefix, k.cause(e, e.hash, now)))
	}
	if err := e.near(ctx); err != nil {
		return refuse(fmt.Errorf("key %s: %w", prefix, err))
	}
	if now-e.use.at.Load() >= 1000 {
		e.use.at.Store(now)
	}
	p := e.principal
	p.Via = "signature"
	return p, k.root.secret(prefix), nil
}
