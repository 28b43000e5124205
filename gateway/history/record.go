package history

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"time"
)

// Sizes of a record.
const (
	tagBytes   = 8
	macBytes   = 16
	headBytes  = 1 + 4 + 2 // version, when it expires in Unix seconds, number of groups
	version    = 1
	tokenTurns = 128  // groups that a token knows: 1.4 KB where it is that long
	storeTurns = 1024 // groups that a stored record knows
	maxRecord  = headBytes + storeTurns*(2*tagBytes+1) + macBytes
	maxToken   = (headBytes + tokenTurns*(2*tagBytes+1) + macBytes + 2) / 3 * 4
)

// tag stands for what a group says, to those who have the key of the session.
type tag [tagBytes]byte

// entry is what a record says of a group.
type entry struct {
	tag     tag
	thought tag // of reasoning; zero: there was none
	passed  bool
}

// record is the end of a conversation, up to an answer, as it went out.
type record struct {
	expires time.Time
	entries []entry // the last is that of the answer
}

var errRecord = errors.New("no history of this caller and conversation, or one that was changed or has expired")

// signer signs what is said in one session of one owner. It is owned by one
// goroutine.
type signer struct {
	mac hash.Hash
	buf []byte
}

func newSigner(key []byte, owner, session string) *signer {
	m := hmac.New(sha256.New, key)
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], uint64(len(owner)))
	binary.BigEndian.PutUint64(head[8:], uint64(len(session)))
	m.Write(head[:])
	m.Write([]byte(owner))
	m.Write([]byte(session))
	return &signer{mac: hmac.New(sha256.New, m.Sum(nil))}
}

// Uses of a session's key.
const (
	useTag byte = iota + 1
	useRecord
	useWhole
	useEnd
)

func (s *signer) sign(use byte, what []byte) (out sum) {
	s.mac.Reset()
	s.buf = append(append(s.buf[:0], use), what...)
	s.mac.Write(s.buf)
	s.buf = s.mac.Sum(s.buf[:0])
	return sum(s.buf)
}

func (s *signer) tag(said *sum) tag {
	all := s.sign(useTag, said[:])
	return tag(all[:tagBytes])
}

// seal returns a record as bytes with their MAC.
func (s *signer) seal(r *record) []byte {
	n := len(r.entries)
	out := make([]byte, 0, headBytes+n*(2*tagBytes+1)+macBytes)
	out = append(out, version)
	out = binary.BigEndian.AppendUint32(out, uint32(r.expires.Unix()))
	out = binary.BigEndian.AppendUint16(out, uint16(n))
	passed, thinks := make([]byte, (n+7)/8), make([]byte, (n+7)/8)
	for i, e := range r.entries {
		if e.passed {
			passed[i/8] |= 1 << (i % 8)
		}
		if e.thought != (tag{}) {
			thinks[i/8] |= 1 << (i % 8)
		}
	}
	out = append(append(out, passed...), thinks...)
	for _, e := range r.entries {
		out = append(out, e.tag[:]...)
	}
	for _, e := range r.entries {
		if e.thought != (tag{}) {
			out = append(out, e.thought[:]...)
		}
	}
	mac := s.sign(useRecord, out)
	return append(out, mac[:macBytes]...)
}

// open reads what seal made, unless it has expired.
func (s *signer) open(b []byte, now time.Time) (*record, error) {
	if len(b) < headBytes+macBytes || len(b) > maxRecord || b[0] != version {
		return nil, errRecord
	}
	body, mac := b[:len(b)-macBytes], b[len(b)-macBytes:]
	want := s.sign(useRecord, body)
	if !hmac.Equal(mac, want[:macBytes]) {
		return nil, errRecord
	}
	r := &record{expires: time.Unix(int64(binary.BigEndian.Uint32(body[1:])), 0)}
	n := int(binary.BigEndian.Uint16(body[5:]))
	bits := (n + 7) / 8
	if !now.Before(r.expires) || n == 0 || len(body) < headBytes+2*bits+n*tagBytes {
		return nil, errRecord
	}
	passed, thinks := body[headBytes:headBytes+bits], body[headBytes+bits:headBytes+2*bits]
	tags := body[headBytes+2*bits:]
	thoughts := tags[n*tagBytes:]
	r.entries = make([]entry, n)
	for i := range r.entries {
		e := &r.entries[i]
		e.tag, e.passed = tag(tags[i*tagBytes:]), passed[i/8]>>(i%8)&1 == 1
		if thinks[i/8]>>(i%8)&1 == 0 {
			continue
		}
		if len(thoughts) < tagBytes {
			return nil, errRecord
		}
		e.thought, thoughts = tag(thoughts), thoughts[tagBytes:]
	}
	return r, nil
}

// token is a sealed record as a header carries it (RFC 4648 §5, without padding).
func token(sealed []byte) string { return base64.RawURLEncoding.EncodeToString(sealed) }

// untoken reads a token. It proves nothing.
func untoken(text string) ([]byte, error) {
	if len(text) > maxToken {
		return nil, errRecord
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errRecord
	}
	return b, nil
}
