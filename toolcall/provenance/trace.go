package provenance

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// key is a value that was traced.
type key struct {
	value   string
	literal bool
}

// trace is [Index.Trace].
func (x *Index) trace(value string, literal bool) Origin {
	k := key{value, literal}
	if o, ok := x.known[k]; ok {
		return o
	}
	o := x.look(queryOf(value, literal, x.o.Now))
	if x.known == nil {
		x.known = map[key]Origin{}
	}
	x.known[k] = o
	return o
}

// look looks for a value, the most trusted texts first.
func (x *Index) look(q *query) Origin {
	if q.value == "" {
		return Origin{}
	}
	o := x.trusted(q)
	if o.Source == ringwall.SourceUnknown {
		o = x.parts(q)
	}
	if o.Source.Trusted() {
		return o
	}
	if found, ok := x.untrusted(q); ok {
		o = found
	}
	o.Confirmed = x.confirmed(q)
	return o
}

// trusted looks for a value, whole, in texts that are trusted.
func (x *Index) trusted(q *query) Origin {
	for _, source := range [...]ringwall.Source{ringwall.SourceUser, ringwall.SourceSystem, ringwall.SourceMinted} {
		for i := range x.texts {
			t := &x.texts[i]
			if t.source != source {
				continue
			}
			if how := q.in(&t.sheet, true); how != HowNone && (source != ringwall.SourceMinted || !x.echoes(t, q)) {
				return Origin{Source: source, Turn: t.turn, Tool: t.tool, How: how}
			}
		}
	}
	for i := range x.texts {
		if t := &x.texts[i]; t.fields {
			if o, ok := x.minted(t, q); ok {
				return o
			}
		}
	}
	return Origin{}
}

// minted looks for a value in the trusted fields of an output.
func (x *Index) minted(t *text, q *query) (Origin, bool) {
	if !strings.Contains(t.raw, `\`) && q.in(&t.sheet, false) == HowNone {
		return Origin{}, false
	}
	o := x.outline(t)
	for i := range o.leaves {
		l := &o.leaves[i]
		if !l.trusted {
			continue
		}
		if how := q.field(&l.sheet); how != HowNone {
			return Origin{Source: ringwall.SourceMinted, Turn: t.turn, Tool: t.tool, Path: o.path(l), How: how}, !x.echoes(t, q)
		}
	}
	return Origin{}, false
}

// field says as what the value stands in a field; one of few characters has to be all of
// it.
func (q *query) field(t *sheet) How {
	how := q.in(t, true)
	if q.short && how != HowNone && how != HowNumber && fold(t.raw) != q.spell.needle {
		return HowNone
	}
	return how
}

// untrusted looks for a value in what anybody may have written, and for what it is an
// encoding of.
func (x *Index) untrusted(q *query) (Origin, bool) {
	if t, how := x.stranger(q); t != nil {
		return Origin{Source: ringwall.SourceUntrusted, Turn: t.turn, Tool: t.tool, How: how}, true
	}
	for _, d := range decodings(q.value) {
		if t, _ := x.stranger(queryOf(d, false, x.o.Now)); t != nil {
			return Origin{Source: ringwall.SourceUntrusted, Turn: t.turn, Tool: t.tool, How: HowDecoded}, true
		}
	}
	return Origin{}, false
}

// strangers is [Index.AlsoUntrusted].
func (x *Index) strangers(value string) (Origin, bool) {
	o, ok := x.strange[value]
	if !ok {
		q := queryOf(value, false, x.o.Now)
		q.deep = true
		if q.value != "" {
			if o, ok = x.untrusted(q); !ok {
				o, _ = x.encoded(q)
			}
		}
		if x.strange == nil {
			x.strange = map[string]Origin{}
		}
		x.strange[value] = o
	}
	return o, o.How != HowNone
}

// encoded looks for encodings of a value in what anybody may have written.
func (x *Index) encoded(q *query) (Origin, bool) {
	for _, e := range encodings(q.value) {
		for i := range x.texts {
			if t := &x.texts[i]; t.source == ringwall.SourceUntrusted && strings.Contains(t.raw, e) {
				return Origin{Source: ringwall.SourceUntrusted, Turn: t.turn, Tool: t.tool, How: HowDecoded}, true
			}
		}
	}
	return Origin{}, false
}

// stranger returns the first text of a stranger's that has a value.
func (x *Index) stranger(q *query) (*text, How) {
	for i := range x.texts {
		t := &x.texts[i]
		if t.source != ringwall.SourceUntrusted {
			continue
		}
		how := q.in(&t.sheet, false)
		if how == HowNone && q.number != "" {
			work := q.work(len(t.raw))
			how = q.counted(&t.sheet, &work)
		}
		if how == HowNone && len(t.raw) <= maxFolded && strings.Contains(t.raw, `\`) {
			how = q.in(t.plain(), false)
		}
		if how != HowNone && (!t.fields || x.outside(t, q)) {
			return t, how
		}
	}
	return nil, HowNone
}

// outside says whether a value stands in an output elsewhere than in its trusted fields.
func (x *Index) outside(t *text, q *query) bool {
	leaves := x.outline(t).leaves
	for i := range leaves {
		if l := &leaves[i]; !l.trusted && q.in(&l.sheet, true) != HowNone {
			return true
		}
	}
	return len(leaves) == 0
}

// leaves yields the texts and numbers of v, until yield wants no more.
func (x *Index) leaves(v jsonedit.Value, path string, yield func(string, Origin) bool) bool {
	switch v.Kind() {
	case jsonedit.Object:
		for key, m := range v.Members() {
			if !x.leaves(m, path+"/"+token(key), yield) {
				return false
			}
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			if !x.leaves(e, path+"/"+strconv.Itoa(i), yield) {
				return false
			}
		}
	case jsonedit.String:
		return yield(path, x.trace(v.Text(), false))
	case jsonedit.Number:
		return yield(path, x.trace(string(v.Raw()), true))
	}
	return true
}
