package provenance

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// query is a value that is looked for: as it is written, and as what it may mean.
type query struct {
	value   string
	spell   spell
	join    string // what would make it part of something longer
	exact   bool   // in another case it may name something else
	quoted  bool   // so short, or so much of a sign, that it counts between quotes alone
	short   bool   // of a field it has to be all
	link    *link
	number  decimal // "": none
	literal bool    // a number of JSON: nothing but a number says it, and words may
	long    string  // digits of an IBAN or a telephone; "": none
	moment  moment
	timed   bool // moment is one
	mail    bool
	deep    bool // not to be overlooked, whatever it costs
	now     time.Time
}

// queryOf says what a value is. Literal is a number as JSON writes it.
func queryOf(value string, literally bool, now time.Time) *query {
	q := &query{value: strings.TrimSpace(value), join: joinWords, literal: literally, now: now}
	v := q.value
	if rest, ok := cutScheme(v, "mailto:"); ok && mail(rest) {
		v = rest
	} else if rest, ok := cutScheme(v, "tel:"); ok {
		v = rest
	}
	q.short = utf8.RuneCountInString(v) < 4
	q.number, _ = literal(v)
	plain := foldable(v)
	switch {
	case !plain:
		q.exact, q.join = true, joinLink
	case strings.ContainsFunc(v, unicode.IsSpace):
	case mail(v):
		q.mail, q.join = true, joinAddress
		q.exact = strings.ContainsFunc(v, twofold)
	case q.number != "":
	default:
		if l, ok := linkOf(v); ok {
			q.join = joinLink
			if ascii(l.host.run) {
				q.link = &l
			}
			q.exact = strings.ContainsFunc(v, twofold)
		} else if strings.ContainsAny(v, `/\`) {
			q.join = joinPath
			if strings.Contains(v, "@") || strings.Contains(v, "://") {
				q.exact, q.join = true, joinLink
			}
		} else {
			q.exact = opaque(v) || strings.ContainsAny(v, "@.:0123456789") && strings.ContainsFunc(v, twofold)
		}
	}
	if long, ok := iban(v); ok {
		q.long, q.exact = long, false
	} else if long, ok := phone(v); ok && plain && (q.number == "" || strings.Trim(v, "0123456789") == "") && !literally {
		q.long, q.join = long, joinAddress
	}
	q.moment, q.timed = momentOf(v)
	q.spell = spellOf(v)
	q.value = v
	q.quoted = tiny(v)
	return q
}

func cutScheme(v, scheme string) (string, bool) {
	if len(v) > len(scheme) && strings.EqualFold(v[:len(scheme)], scheme) {
		return v[len(scheme):], true
	}
	return v, false
}

// twofold says whether folding r gives a character that addresses are made of.
func twofold(r rune) bool {
	return r >= utf8.RuneSelf && (quote(r) || dash(r) || unicode.IsSpace(r))
}

// opaque says whether v is an identifier in which case tells: digits, and letters of both
// cases, not the first alone in upper case.
func opaque(v string) bool {
	if len(v) < 6 {
		return false
	}
	var lowers, uppers, numbers bool
	for i := range len(v) {
		c := v[i]
		lowers = lowers || c >= 'a' && c <= 'z'
		uppers = uppers || i > 0 && c >= 'A' && c <= 'Z'
		numbers = numbers || c >= '0' && c <= '9'
	}
	return lowers && uppers && numbers
}

// tiny says whether v would be found in any text: signs alone, one or two small letters,
// one letter of a script that writes no spaces.
func tiny(v string) bool {
	n, words, smalls := 0, 0, 0
	for _, r := range v {
		if n++; word(r) {
			words++
		}
		if unicode.IsLower(r) || unspaced(r) && n == 1 {
			smalls++
		}
		if n > 2 && words > 0 {
			return false
		}
	}
	return words == 0 || smalls == n && (n < 3 && !unspaced([]rune(v)[0]) || n == 1)
}

// accepts says whether what stands there is the value.
func (q *query) accepts(s string, f found) bool {
	if q.exact && s[f.start:f.end] != q.value {
		return false
	}
	if q.number != "" {
		c, _ := side{s[:f.start], true}.step()
		if c == '-' && q.value[0] != '-' || f.start > 0 && c == '\'' && numeric(s, f.start-2) && digit(rune(q.value[0])) {
			return false
		}
		if f.end+1 < len(s) && s[f.end] == '\'' && numeric(s, f.end+1) && numeric(s, f.end-1) {
			return false
		}
	}
	return bounded(s, f, q.join) && (!q.quoted || quoted(s, f))
}

func numeric(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }

// maxTalk bounds, in bytes, the texts that are read for dates and for numbers in words:
// nobody says them in a longer one.
const maxTalk = 1 << 16

// maxMeaning bounds what is read of a text for what it means, for each byte of it.
const maxMeaning = 8

// in says as what the value stands in t. Without meaning it is looked for as it is
// spelled alone, which takes less.
func (q *query) in(t *sheet, meaning bool) How {
	if q.link != nil {
		if f, ok := q.link.find(t.raw, q.work(4*len(t.raw))); ok && !(q.exact && t.raw[f.start:f.end] != q.value) {
			return q.how(t.raw, f)
		}
		return HowNone
	}
	if !q.literal || !meaning {
		if how := q.spelled(t); how != HowNone {
			return how
		}
	}
	if !meaning {
		return HowNone
	}
	work := q.work(maxMeaning * len(t.raw))
	if q.number != "" {
		if how := q.counted(t, &work); how != HowNone {
			return how
		}
	}
	if q.long != "" {
		if _, ok := findDigits(t.raw, q.long, work); ok {
			return HowFolded
		}
	}
	if q.timed && (len(t.raw) <= maxTalk || q.deep) && q.moment.said(t.raw, q.now, &work) {
		return HowDate
	}
	return HowNone
}

// work is what a search may compare in vain.
func (q *query) work(n int) int {
	if q.deep {
		return math.MaxInt
	}
	return 1<<12 + n
}

func (q *query) how(s string, f found) How {
	if s[f.start:f.end] == q.value {
		return HowVerbatim
	}
	return HowFolded
}

// spelled looks for the value as it is spelled.
func (q *query) spelled(t *sheet) (how How) {
	if q.exact || q.spell.anchor.run == "" {
		if q.stands(t.raw, q.value) {
			return HowVerbatim
		}
		if q.exact {
			return HowNone
		}
	}
	done := q.spell.each(t.raw, func(f found) bool {
		if q.accepts(t.raw, f) {
			how = q.how(t.raw, f)
		}
		return how == HowNone
	})
	if how != HowNone || done && !t.hides() {
		return how
	}
	most := maxFolded
	if q.deep {
		if most = maxFoldedDeep; t.strange && len(t.raw) > most {
			return HowFolded // who knows
		}
	}
	if q.stands(t.fold(most), q.spell.needle) {
		return HowFolded
	}
	return HowNone
}

// stands says whether s has needle, byte by byte, where it is the value.
func (q *query) stands(s, needle string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], needle)
		if i < 0 {
			return false
		}
		f := found{from + i, from + i + len(needle)}
		if q.accepts(s, f) {
			return true
		}
		if from = f.start + 1; from >= len(s) {
			return false
		}
	}
}

// counted looks for the value as a number.
func (q *query) counted(t *sheet, work *int) (how How) {
	look := func(d decimal, f found) bool {
		if d == q.number && (q.literal || apart(t.raw, f)) {
			if how = HowNumber; t.raw[f.start:f.end] == q.value {
				how = HowVerbatim
			}
		}
		return how == HowNone
	}
	numbers(t.raw, q.number, work, look)
	if how == HowNone && q.literal && (len(t.raw) <= maxTalk || q.deep) {
		spelled(t.raw, work, look)
	}
	return how
}

// apart says whether no letter touches what stands there: 500EUR is a sum, and an
// identifier is no 500 in it.
func apart(s string, f found) bool {
	c, _ := side{s[:f.start], true}.step()
	d, _ := side{s[f.end:], false}.step()
	return (!word(c) || unspaced(c)) && (!word(d) || unspaced(d))
}
