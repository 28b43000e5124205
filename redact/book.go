package redact

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// maxWanted bounds what one request can have looked up because it looks like a
// placeholder.
const maxWanted = 1000

// Book is the view that one exchange has of its conversation. It is owned by one
// goroutine.
//
// Its life has three parts: Token and Seen while the request is looked at, once
// Settle, and then Restore and Restorer while the answer goes out.
type Book struct {
	v      *Vault
	p      ringwall.Principal
	c      Conversation
	policy Policy

	keys  *scopeKeys // made when the first value or placeholder comes
	owner string
	mac   hash.Hash

	entries map[string]*entry // by inner form
	wanted  map[string]bool   // inner forms in the request that the vault may know
	taken   map[string]sum    // inner forms that the vault has, of whatever value
	known   *known            // of entries, for restorers

	report Report
}

// entry is what a placeholder stands for.
type entry struct {
	reason string
	value  string // "" where the caller may not read it
	sum    sum
	made   bool // of a value in this request
	may    bool // the caller may read it
}

// sum is the keyed hash of a value and its reason.
type sum [sha256.Size]byte

// Report says what became of values in an exchange, for its record. It holds no
// values.
type Report struct {
	Restored map[string]int // placeholders that were replaced by their values, by reason
	Withheld map[string]int // placeholders whose value the caller may not read
	// Vault is what was wrong with the vault: "unavailable", "full" (values are not
	// kept), "damaged" (rows were changed), "crowded" (not all that looks like a
	// placeholder was looked up).
	Vault []string
}

// String is the report in one line, "" when there is nothing to say:
// "restored email 2, phone 1; withheld name 1; vault unavailable".
func (r Report) String() string {
	var parts []string
	for _, c := range []struct {
		name   string
		counts map[string]int
	}{{"restored", r.Restored}, {"withheld", r.Withheld}} {
		var list []string
		for _, reason := range slices.Sorted(maps.Keys(c.counts)) {
			list = append(list, fmt.Sprintf("%s %d", reason, c.counts[reason]))
		}
		if len(list) > 0 {
			parts = append(parts, c.name+" "+strings.Join(list, ", "))
		}
	}
	if len(r.Vault) > 0 {
		parts = append(parts, "vault "+strings.Join(r.Vault, ", "))
	}
	return strings.Join(parts, "; ")
}

// Report returns what became of values so far.
func (b *Book) Report() Report { return b.report }

func (b *Book) say(what string) {
	if !slices.Contains(b.report.Vault, what) {
		b.report.Vault = append(b.report.Vault, what)
	}
}

// lasting reports whether the exchange has a vault. Callers without a key have
// none: nobody can tell one from another.
func (b *Book) lasting() bool {
	return b.v.store.db != nil && b.c.bound != nil && b.p.ID != "" && b.p.Trust > ringwall.Anonymous
}

func (b *Book) begin() {
	if b.keys != nil {
		return
	}
	if b.c.bound == nil {
		b.c = alone()
	}
	b.keys = newScope(b.v.prk, b.c.bound)
	b.owner = b.keys.ownerID(b.p.ID)
	b.mac = hmac.New(sha256.New, b.keys.token)
	b.entries = map[string]*entry{}
}

// Token returns the placeholder for a text that a finding is about; it is a
// guard.Session's Token. What is too long for the vault, or beyond the bound of
// values, is masked for good.
func (b *Book) Token(f ringwall.Finding, text []byte) string {
	kind := kindOf(f.Reason)
	if kind == "" || len(text) > maxValue || len(text) == 0 {
		return stream.Token(f.Reason)
	}
	b.begin()
	e := &entry{reason: f.Reason, made: true, may: b.policy.Own.Allows(b.p.Trust)}
	e.sum = b.sum(f.Reason, text)
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], e.sum[:])
	for _, n := range b.v.sizes {
		p := "{" + kind + "_" + string(digits[:n]) + "}"
		in := inner(p)
		if old := b.entries[in]; old != nil {
			if old.sum != e.sum {
				continue
			}
			return p
		}
		if of, taken := b.taken[in]; taken && of != e.sum {
			continue
		}
		if len(b.entries) >= b.v.most {
			b.say("full")
			return stream.Token(f.Reason)
		}
		e.value = string(text)
		b.entries[in] = e
		return p
	}
	return stream.Token(f.Reason)
}

func (b *Book) sum(reason string, text []byte) (s sum) {
	b.mac.Reset()
	b.mac.Write([]byte(reason))
	b.mac.Write([]byte{0}) // which no reason has
	b.mac.Write(text)
	b.mac.Sum(s[:0])
	return s
}

// Seen notes the placeholders in a text of the request: those that earlier
// exchanges of the conversation put in may come back in the answer.
func (b *Book) Seen(text string) {
	if !b.lasting() {
		return
	}
	seen(text, func(in string) {
		if b.wanted == nil {
			b.wanted = map[string]bool{}
		}
		if len(b.wanted) >= maxWanted && !b.wanted[in] {
			b.say("crowded")
			return
		}
		b.wanted[in] = true
	})
}

// Settle asks the vault once for what the request's placeholders stand for, and
// keeps there what the request put in. A vault that is away costs what earlier
// exchanges put in, and is in the report; that is no error.
//
// It returns true when a placeholder stands for another value already: the
// request must then be looked at again, for Token now gives longer ones, and
// settled again.
func (b *Book) Settle(ctx context.Context) (again bool) {
	if !b.lasting() || len(b.entries)+len(b.wanted) == 0 {
		return false
	}
	b.begin()
	now := b.v.now().UnixMilli()
	fresh := map[string]*entry{} // made here, and not known to be kept
	var ask []string
	for in, e := range b.entries {
		if e.made && !b.v.isStored(b.mark(in, e), now) {
			fresh[in] = e
			ask = append(ask, in)
		}
	}
	for in := range b.wanted {
		if b.entries[in] == nil {
			ask = append(ask, in)
		}
	}
	if len(ask) == 0 {
		return false
	}
	if now < b.v.away.Load() {
		b.say("unavailable")
		return false
	}
	slices.Sort(ask)
	rows, err := b.load(ctx, ask, now)
	if err != nil {
		b.v.failed(ctx, err)
		b.say("unavailable")
		return false
	}
	there := b.take(rows, fresh, now)
	if b.collided(fresh) {
		return true
	}
	b.save(ctx, fresh, there, now)
	return false
}

func (b *Book) load(ctx context.Context, ask []string, now int64) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return b.v.store.load(ctx, b.keys.id, ask, now)
}

// take takes in what the vault has. It strikes from fresh what is kept long
// enough, and returns which of the others have a row of the caller's already.
func (b *Book) take(rows []row, fresh map[string]*entry, now int64) (there map[string]bool) {
	there = map[string]bool{}
	ttl := b.policy.ttl().Milliseconds()
	var kept [][sha256.Size]byte
	for _, r := range rows {
		own := r.owner == b.owner
		if own && fresh[r.inner] != nil {
			there[r.inner] = true
		}
		value, err := r.open(b.keys)
		if err != nil || r.expires <= now {
			b.say("damaged")
			continue
		}
		if e := fresh[r.inner]; e != nil {
			switch {
			case e.value != value || e.reason != r.reason:
				if b.taken == nil {
					b.taken = map[string]sum{}
				}
				b.taken[r.inner] = b.sum(r.reason, []byte(value))
			case own && r.expires-now > ttl*7/8:
				kept = append(kept, b.mark(r.inner, e))
				delete(fresh, r.inner)
			}
			continue
		}
		if old := b.entries[r.inner]; old != nil && (old.made || old.may || !own) {
			continue // of several owners, the caller comes first
		}
		e := &entry{reason: r.reason, may: own && b.policy.Own.Allows(b.p.Trust) || !own && b.policy.Others.Allows(b.p.Trust)}
		if e.may {
			e.value = value
		}
		b.entries[r.inner] = e
	}
	b.remember(kept, now)
	return there
}

// collided reports whether a placeholder is taken; the request's values are then
// forgotten, to be given theirs anew.
func (b *Book) collided(fresh map[string]*entry) bool {
	for in, e := range fresh {
		if of, taken := b.taken[in]; taken && of != e.sum {
			maps.DeleteFunc(b.entries, func(_ string, e *entry) bool { return e.made })
			return true
		}
	}
	return false
}

// save keeps what is fresh.
func (b *Book) save(ctx context.Context, fresh map[string]*entry, there map[string]bool, now int64) {
	if len(fresh) == 0 {
		return
	}
	// In the order of their names, so that of two writers one waits.
	names := slices.Sorted(maps.Keys(fresh))
	expires := now + b.policy.ttl().Milliseconds()
	rows := make([]row, len(names))
	size := b.keys.seal.NonceSize()
	nonces := make([]byte, size*len(names))
	rand.Read(nonces) // never fails: it ends the program instead
	for i, in := range names {
		e := fresh[in]
		rows[i] = row{inner: in, owner: b.owner, reason: e.reason, created: now, expires: expires, there: there[in]}
		rows[i].close(b.keys, nonces[i*size:(i+1)*size:(i+1)*size], e.value)
	}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	wrote, err := b.v.store.save(ctx, b.keys.id, rows, b.v.most)
	if err != nil {
		b.v.failed(ctx, err)
		b.say("unavailable")
		return
	}
	if len(wrote) < len(rows) {
		b.say("full")
	}
	marks := make([][sha256.Size]byte, len(wrote))
	for i, r := range wrote {
		marks[i] = b.mark(r.inner, fresh[r.inner])
	}
	b.remember(marks, now)
}

// remember says that values need not be written again for a while.
func (b *Book) remember(marks [][sha256.Size]byte, now int64) {
	if len(marks) > 0 {
		b.v.setStored(marks, now+min(rememberFor, b.policy.ttl()/8).Milliseconds())
	}
}

// mark names a value of the caller in the conversation, under its placeholder.
func (b *Book) mark(in string, e *entry) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(b.keys.id))
	h.Write([]byte(b.owner))
	h.Write(e.sum[:])
	h.Write([]byte(in))
	return [sha256.Size]byte(h.Sum(nil))
}
