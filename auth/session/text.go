package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"github.com/ringwall/ringwall/auth"
)

const (
	secretLen = 32 // characters
	tagLen    = 16
	textLen   = len(auth.SessionMark) + secretLen + tagLen
	idPrefix  = "s_"
	idDigits  = 20
)

// What may be wrong with a text. It is never repeated.
var errText = errors.New("this is no session of ours")

// key derives a key for one purpose from the seal.
func (s *Store) key(purpose string) [32]byte {
	m := hmac.New(sha256.New, s.seal[:])
	m.Write([]byte("ringwall session\x00" + purpose))
	return [32]byte(m.Sum(nil))
}

// newText makes a text by the randomness of the system, which never fails.
func (s *Store) newText() string {
	var secret [24]byte
	rand.Read(secret[:])
	text := auth.SessionMark + base64.RawURLEncoding.EncodeToString(secret[:])
	return text + s.tag(text)
}

func (s *Store) tag(text string) string {
	m := hmac.New(sha256.New, s.tagKey[:])
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:tagLen/4*3])
}

// parse returns the hash of a text that one of us gave out.
func (s *Store) parse(text string) (hash [sha256.Size]byte, err error) {
	if len(text) != textLen || text[:len(auth.SessionMark)] != auth.SessionMark {
		return hash, errText
	}
	at := textLen - tagLen
	if !hmac.Equal([]byte(s.tag(text[:at])), []byte(text[at:])) {
		return hash, errText
	}
	return sha256.Sum256([]byte(text)), nil
}

// idOf is the public id of the session with that hash.
func idOf(hash [sha256.Size]byte) string { return idPrefix + hex.EncodeToString(hash[:])[:idDigits] }
