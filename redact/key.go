package redact

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeyFile is the name of the root key in the data directory.
const KeyFile = "vault.key"

// KeyBytes is the length of a root key.
const KeyBytes = 32

// Key is the root key of a vault, from which all others are derived. The zero
// Key is refused everywhere.
type Key struct{ root [KeyBytes]byte }

// ParseKey reads a root key: 64 hexadecimal digits. The error repeats nothing of
// the text.
func ParseKey(text string) (Key, error) {
	var k Key
	text = strings.TrimSpace(text)
	if len(text) != 2*KeyBytes {
		return Key{}, fmt.Errorf("reading the vault's key: it has %d characters, want %d hexadecimal digits", len(text), 2*KeyBytes)
	}
	if _, err := hex.Decode(k.root[:], []byte(text)); err != nil {
		return Key{}, fmt.Errorf("reading the vault's key: want %d hexadecimal digits", 2*KeyBytes)
	}
	if k.zero() {
		return Key{}, errors.New("reading the vault's key: it is all zeros")
	}
	return k, nil
}

func (k Key) zero() bool { return k == Key{} }

// String returns "***".
func (k Key) String() string { return "***" }

// GoString returns "***".
func (k Key) GoString() string { return "***" }

// OpenKey reads the root key from vault.key in dir and makes it, mode 0600,
// where there is none. A key that others may read, or of another length, is
// refused. Several processes may call it at once.
func OpenKey(dir string) (Key, error) {
	path := filepath.Join(dir, KeyFile)
	k, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := createKey(path); err != nil {
		return Key{}, fmt.Errorf("making the vault's key: %w", err)
	}
	return readKey(path)
}

func readKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the vault's key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("reading the vault's key: %s has mode %v: others can read it, want 0600", path, info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the vault's key: %w", err)
	}
	k, err := ParseKey(string(text))
	if err != nil {
		return Key{}, fmt.Errorf("%w (in %s)", err, path)
	}
	return k, nil
}

// createKey makes a key file that is whole from its first moment: a key of which
// a crash left half would lock everything away.
func createKey(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), KeyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // a name of it that is left over does no harm
	var root [KeyBytes]byte
	rand.Read(root[:]) // never fails: it ends the program instead
	_, err = f.WriteString(hex.EncodeToString(root[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	} // another process that was faster made the key of both
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// expand returns n bytes of key for one use, bound to what it is for (HKDF with
// SHA-256, RFC 5869). The use ends with a byte that no other one has.
func expand(prk []byte, use string, bound []byte, n int) []byte {
	out, err := hkdf.Expand(sha256.New, prk, "ringwall redact "+use+"\x00"+string(bound), n)
	if err != nil {
		// bug: the lengths are ones that HKDF has
		panic(err)
	}
	return out
}

// Derive returns n bytes of key for a use outside of this package, bound to what it is
// for: whoever has them learns nothing of other keys.
func (k Key) Derive(use, bound string, n int) ([]byte, error) {
	if k.zero() {
		return nil, errors.New("deriving a key: no key is given")
	}
	return expand(k.extract(), "derived "+use, []byte(bound), n), nil
}

// extract returns what all other keys are made from.
func (k Key) extract() []byte {
	out, err := hkdf.Extract(sha256.New, k.root[:], nil)
	if err != nil {
		// bug: the key has a length that HKDF takes
		panic(err)
	}
	return out
}

// scopeKeys are the keys of one conversation.
type scopeKeys struct {
	id    string // names the conversation in the vault, and tells nothing of it
	token []byte
	owner []byte
	seal  cipher.AEAD
}

func newScope(prk, bound []byte) *scopeKeys {
	const n = 32
	keys := expand(prk, "conversation", bound, 4*n)
	block, err := aes.NewCipher(keys[:n])
	if err != nil {
		// bug: the key has the length of AES-256
		panic(err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		// bug: AES has the block size that GCM wants
		panic(err)
	}
	return &scopeKeys{id: hex.EncodeToString(keys[n : n+20]), token: keys[2*n : 3*n], owner: keys[3*n:], seal: seal}
}

// ownerID names a principal in the rows of one conversation.
func (s *scopeKeys) ownerID(principal string) string {
	h := hmac.New(sha256.New, s.owner)
	h.Write([]byte(principal))
	return hex.EncodeToString(h.Sum(nil)[:16])
}
