package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/ringwall/ringwall"
)

// keys are what is derived from audit.key, one for each use.
type keys struct {
	digest []byte // hashes of texts
	head   []byte // the head file
	id     string // names the log in an index that several logs share
}

const keyBytes = 32

func deriveKeys(master []byte) keys {
	derive := func(use string) []byte { return mac(master, []byte("ringwall audit "+use)) }
	return keys{digest: derive("digest"), head: derive("head"), id: hex.EncodeToString(derive("id")[:8])}
}

func mac(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// readKeys reads audit.key. A key that others may read is refused: it would
// authenticate nothing.
func readKeys(dir string) (keys, error) {
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if err != nil {
		return keys{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return keys{}, fmt.Errorf("%s has mode %04o: others can read it, want 0600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return keys{}, err
	}
	master, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(master) != keyBytes {
		return keys{}, fmt.Errorf("%s is damaged: want %d hexadecimal digits", path, 2*keyBytes)
	}
	return deriveKeys(master), nil
}

// createKeys makes audit.key for a new log.
func createKeys(dir string) (keys, error) {
	master := make([]byte, keyBytes)
	rand.Read(master) // never fails: it ends the program instead
	if err := replaceFile(dir, keyFile, []byte(hex.EncodeToString(master)+"\n"), true); err != nil {
		return keys{}, err
	}
	return deriveKeys(master), syncDir(dir)
}

// head says where the log ends. It is written now and then, and authenticated,
// because the chain cannot show that its own end was cut off.
type head struct {
	Seq   uint64 `json:"seq"` // of an entry that is on disk; 0: none yet
	Hash  Sum    `json:"hash"`
	Clean bool   `json:"clean"` // the log was closed here, in good order
}

var (
	errHeadForged = errors.New("its authentication code does not fit")
	errHeadForm   = errors.New("it is not in the form of a head")
)

const headMAC = `,"mac":"`

// encode returns the file's content: JSON whose last member authenticates the
// bytes before it.
func (h head) encode(key []byte) []byte {
	b := strconv.AppendUint([]byte(`{"seq":`), h.Seq, 10)
	b = append(b, `,"hash":"`...)
	b = hex.AppendEncode(b, h.Hash[:])
	b = strconv.AppendBool(append(b, `","clean":`...), h.Clean)
	code := mac(key, b)
	b = append(b, headMAC...)
	b = hex.AppendEncode(b, code)
	return append(b, "\"}\n"...)
}

func decodeHead(text, key []byte) (head, error) {
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return h, errHeadForm
	}
	// There is one way to write a head, so that comparing the whole will do.
	if !hmac.Equal(h.encode(key), text) {
		return head{}, errHeadForged
	}
	return h, nil
}

// readHead reads the head file; an error that is fs.ErrNotExist says that there
// is none.
func readHead(dir string, k keys) (head, error) {
	text, err := os.ReadFile(filepath.Join(dir, headFile))
	if err != nil {
		return head{}, err
	}
	return decodeHead(text, k.head)
}

// digester hashes texts.
type digester struct {
	key  []byte
	pool sync.Pool // of *digestState
}

type digestState struct {
	h   hash.Hash
	buf [4096]byte
}

// digestBytes is how much of the HMAC is kept: equal hashes by chance stay out
// of reach.
const digestBytes = 16

func (d *digester) hash(text string) string {
	s, ok := d.pool.Get().(*digestState)
	if !ok {
		s = &digestState{h: hmac.New(sha256.New, d.key)}
	}
	s.h.Reset()
	for len(text) > 0 {
		n := copy(s.buf[:], text)
		s.h.Write(s.buf[:n])
		text = text[n:]
	}
	sum := s.h.Sum(s.buf[:0])[:digestBytes]
	out := hex.EncodeToString(sum)
	clear(s.buf[:]) // no text is kept
	d.pool.Put(s)
	return out
}

// Digest returns what stands for a text in a record: its length and keyed hash,
// and the text itself only if Config.KeepText is set. It is safe for concurrent
// use.
func (l *Log) Digest(path string, way ringwall.Direction, origin ringwall.Origin, text string) ringwall.Digest {
	d := ringwall.Digest{Path: path, Way: way, Origin: origin, Length: len(text), Hash: l.digester.hash(text)}
	if l.cfg.KeepText {
		d.Text = text
	}
	return d
}

// openKeys reads the keys of the log in dir, and makes them where there is no
// log yet. A log that has lost its key is refused: with a new one, nobody could
// tell whether its end is missing.
func openKeys(dir string, segs []segment) (keys, error) {
	k, err := readKeys(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	_, headErr := os.Stat(filepath.Join(dir, headFile))
	if len(segs) > 0 || headErr == nil {
		return keys{}, fmt.Errorf("%w: put %s back, or move the log away to begin a new one", ErrNoKey, filepath.Join(dir, keyFile))
	}
	return createKeys(dir)
}
