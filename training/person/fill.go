package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/person"
)

// teacher makes texts by chance and teaches.
type teacher struct {
	rng       *rand.Rand
	lists     *lists
	templates *templates
	corpus    *corpus
	plain     []doc
	words     []string // capitals for names of works and brands
	common    map[string][]string
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// of returns the words of a kind for a language, or for any that writes alike.
func (t *teacher) of(kind, lang string) []string {
	var have []string
	for _, locale := range t.lists.locales[lang] {
		if vs := t.lists.by[kind][locale]; len(vs) > 0 {
			have = append(have, locale)
		}
	}
	if len(have) == 0 {
		return nil
	}
	return t.lists.by[kind][pick(t.rng, have)]
}

// own reports whether a language has its own script.
func own(lang string) bool {
	return slices.Contains([]string{"zh", "ja", "ko", "ru", "uk", "bg", "el", "ar", "fa", "he", "hi"}, lang)
}

var latin = []string{"en", "en", "en", "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "sk", "sl", "hu", "ro", "hr", "tr", "id", "vi", "et", "lt", "lv", "is", "zu", "sw", "yo", "ha", "ig", "tw", "ga", "az", "uz"}

// culture returns the language that a name in a text of lang comes from.
func (t *teacher) culture(lang string) string {
	if lang == "negative" {
		lang = "en"
	}
	if own(lang) || t.rng.IntN(100) < 55 {
		return lang
	}
	return pick(t.rng, latin)
}

func (t *teacher) firstName(lang string) string {
	if !own(lang) && t.rng.IntN(4) == 0 {
		return pick(t.rng, pick(t.rng, t.lists.groups).firstOr())
	}
	vs := t.of("first", lang)
	if lang == "en" && t.rng.IntN(2) == 0 {
		vs = t.lists.by["first"]["census"]
		vs = vs[:1+t.rng.IntN(len(vs))]
	}
	if vs == nil {
		vs = t.lists.by["first"]["en_US"]
	}
	for range 20 {
		if v := pick(t.rng, vs); !strings.ContainsAny(v, ".(") && (lang != "ja" || !ascii(v) && !kana(v)) && (lang == "zh" || lang == "ja" || lang == "ko" || utf8.RuneCountInString(v) > 1) {
			return v
		}
	}
	return pick(t.rng, t.lists.by["first"]["en_US"])
}

func (g group) firstOr() []string {
	if len(g.first) == 0 {
		return g.last
	}
	return g.first
}

func ascii(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func kana(s string) bool {
	r := first(s)
	return r >= 0x3040 && r < 0x3100
}

func (t *teacher) lastName(lang string) string {
	vs := t.of("last", lang)
	switch {
	case lang == "en" && t.rng.IntN(2) == 0:
		vs = t.lists.by["last"]["census"]
		vs = vs[:1+t.rng.IntN(len(vs))]
	case lang == "zh" || lang == "ja" || lang == "ko":
		if t.rng.IntN(2) == 0 {
			vs = nil
			for _, v := range t.lists.classes[person.Sur] {
				if (first(v) >= 0xAC00 && first(v) < 0xD7B0) == (lang == "ko") && (lang != "ja" || utf8.RuneCountInString(v) == 2) && (lang != "zh" || utf8.RuneCountInString(v) == 1) {
					vs = append(vs, v)
				}
			}
		}
	}
	if len(vs) < 5 {
		if own(lang) {
			for _, n := range t.of("name", lang) {
				vs = append(vs, n[strings.LastIndexByte(n, ' ')+1:])
			}
		} else {
			vs = pick(t.rng, t.lists.groups).last
		}
	}
	if len(vs) == 0 {
		vs = t.lists.by["last"]["en_US"]
	}
	for range 20 {
		if v := pick(t.rng, vs); !strings.ContainsAny(v, ".(") && (lang != "ja" || !ascii(v) && !kana(v)) {
			return v
		}
	}
	return pick(t.rng, t.lists.by["last"]["en_US"])
}

// given returns a given name in Han or Hangul.
func (t *teacher) given(lang string) string {
	switch {
	case lang == "ko" && t.rng.IntN(2) == 0:
		a := []rune("민서지도하예시주은현수정영성동재유승혜미경준태")
		b := []rune("준연윤우호아인진훈희영민현석환수빈은지원철숙")
		return string(pick(t.rng, a)) + string(pick(t.rng, b))
	case lang == "zh" && t.rng.IntN(3) == 0:
		a := []rune("建国志文晓小明海丽秀玉春雪子浩梓雨欣思佳俊永德家宇天")
		b := []rune("华强伟芳敏静军洋杰娟涛超霞平刚英红燕婷涵然轩怡博梅兰豪")
		return string(pick(t.rng, a)) + string(pick(t.rng, b))
	case lang == "ja" && t.rng.IntN(6) == 0:
		return pick(t.rng, []string{"さくら", "あおい", "ひなた", "みく", "あかり", "まゆみ", "けんじ", "たろう", "ゆうこ", "ひろし"})
	}
	return t.firstName(lang)
}

// person returns a name as it may be written in full.
func (t *teacher) person(lang string) string {
	lang = t.culture(lang)
	r := t.rng.IntN(100)
	switch lang {
	case "zh", "ko":
		return t.lastName(lang) + t.given(lang)
	case "ja":
		if r < 30 {
			return t.lastName(lang) + " " + t.given(lang)
		}
		return t.lastName(lang) + t.given(lang)
	}
	if !own(lang) && r < 22 {
		g := pick(t.rng, t.lists.groups)
		if len(g.first) > 0 && len(g.last) > 0 {
			a, b := pick(t.rng, g.first), pick(t.rng, g.last)
			if t.rng.IntN(5) == 0 {
				a, b = b, a
			}
			return a + " " + b
		}
	}
	a, b := t.firstName(lang), t.lastName(lang)
	switch {
	case lang == "hu" && r < 75:
		return b + " " + a
	case r < 68:
		return a + " " + b
	case r < 73:
		return a + " " + t.firstName(lang) + " " + b
	case r < 77 && !own(lang):
		return a + " " + string(rune('A'+t.rng.IntN(26))) + ". " + b
	case r < 79 && !own(lang):
		return string(rune('A'+t.rng.IntN(26))) + ". " + b
	case r < 80 && !own(lang):
		return string(rune('A'+t.rng.IntN(26))) + "." + string(rune('A'+t.rng.IntN(26))) + ". " + b
	case r < 83:
		return a + " " + b + "-" + t.lastName(lang)
	case r < 85:
		return a + "-" + t.firstName(lang) + " " + b
	case r < 88 && !own(lang):
		return a + " " + pick(t.rng, []string{"van", "van der", "van den", "de", "de la", "del", "von", "von der", "di", "da", "dos", "bin", "al", "el", "ibn", "le", "ter", "du", "af", "ben"}) + " " + b
	case r < 89 && !own(lang):
		return a + " " + pick(t.rng, []string{"O'", "D'", "Mc", "Mac", "Al-", "El-", "al-", "Fitz", "De", "St. "}) + b
	case r < 93 && (lang == "es" || lang == "pt"):
		return a + " " + b + " " + t.lastName(lang)
	case r < 94 && !own(lang):
		return b + " " + a
	case r < 96 && !own(lang):
		return b + ", " + a
	case r < 97 && !own(lang):
		return a + " " + b + pick(t.rng, []string{" Jr.", " III", " Sr.", " II"})
	}
	return a + " " + b
}

// company returns the name of one.
func (t *teacher) company(lang string) string {
	if vs := t.of("company", t.culture(lang)); vs != nil && t.rng.IntN(3) == 0 {
		if v := pick(t.rng, vs); strings.ContainsAny(v, " 株公") {
			return v
		}
	}
	switch lang {
	case "zh":
		return pick(t.rng, []string{"华为公司", "中国银行", "腾讯", "阿里巴巴集团", "北京大学", "上海医院"})
	case "ja":
		return pick(t.rng, []string{"トヨタ自動車", "株式会社山田商事", "東京大学", "みずほ銀行", "任天堂"})
	case "ko":
		return pick(t.rng, []string{"삼성전자", "현대자동차", "서울대학교", "국민은행", "네이버"})
	}
	w := t.brand()
	return w + " " + pick(t.rng, []string{"Inc.", "GmbH", "Ltd", "LLC", "AG", "Corp", "Group", "Holdings", "S.A.", "Bank", "Systems", "& Co.", "Partners", "Technologies", "University", "Hospital"})
}

// brand returns capitals that are no name.
func (t *teacher) brand() string {
	if len(t.words) == 0 {
		for _, d := range []string{"en_US", "de_DE", "la"} {
			for _, w := range t.lists.by["word"][d] {
				if ascii(w) && len(w) > 3 {
					t.words = append(t.words, strings.ToUpper(w[:1])+w[1:])
				}
			}
		}
		t.words = append(t.words, "Blue", "Cloud", "Data", "Smart", "Fast", "Power", "Green", "Pixel", "Star", "Global", "Mega", "Nova", "Alpha", "Delta", "Quantum", "Fusion", "Spark", "Rocket", "Crystal", "Silver", "Golden", "Northern", "Pacific", "United", "First", "National", "Digital", "Network", "Engine", "Studio", "Manager", "Server", "Guide", "Report", "Project", "Security", "Policy", "Summary", "Analysis", "Review", "Design", "Service", "Center", "Market", "Health", "Energy", "Music", "Summer", "Winter")
	}
	s := pick(t.rng, t.words)
	if t.rng.IntN(2) == 0 {
		s = t.coined()
	}
	for range t.rng.IntN(3) {
		s += " " + pick(t.rng, t.words)
	}
	return s
}

// coined returns a word that nobody has heard of.
func (t *teacher) coined() string {
	s := ""
	for range 2 + t.rng.IntN(2) {
		s += pick(t.rng, syllables)
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

var syllables = strings.Fields("ok ta prow ler ken dra ne xus vel za mi ro tri on lum a co da fy ly sta ck gra fa na ter ra form ku ber ne tes pro me the us zen do hub spot li fy sa les nor ton mon go quan tum syn ap se ver tex cy pher blu rin go fle xi ba zoo ki pi xel o ra cle he ro ku dy na mo a zu re fi re ba se")

// letters returns an abbreviation in capitals.
func (t *teacher) letters() string {
	b := make([]byte, 2+t.rng.IntN(4))
	for i := range b {
		b[i] = byte('A' + t.rng.IntN(26))
	}
	return string(b)
}

func (t *teacher) city(lang string) string {
	if lang != "en" && lang != "negative" && (t.rng.IntN(2) == 0 || own(lang)) { // those of en are made of names
		if vs := t.of("town", lang); vs != nil {
			return pick(t.rng, vs)
		}
	}
	vs := t.lists.by["city"]["geonames"]
	return vs[t.rng.IntN(1+t.rng.IntN(len(vs)))]
}

func (t *teacher) number(n int) string { return strconv.Itoa(1 + t.rng.IntN(1+t.rng.IntN(n))) }

func (t *teacher) time(lang string) string {
	r := t.rng
	d, m, y := 1+r.IntN(28), 1+r.IntN(12), 1950+r.IntN(76)
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
	case 1:
		return fmt.Sprintf("%02d.%02d.%d", d, m, y)
	case 2:
		return fmt.Sprintf("%d/%d/%d", m, d, y)
	}
	if own(lang) {
		return fmt.Sprintf("%d.%d.%d", y, m, d)
	}
	months := t.lists.classes[person.Time]
	w := pick(r, months)
	w = strings.ToUpper(w[:1]) + w[1:]
	switch r.IntN(3) {
	case 0:
		return w
	case 1:
		return fmt.Sprintf("%s %d, %d", w, d, y)
	}
	return fmt.Sprintf("%d %s %d", d, w, y)
}

// fill returns what stands in a hole, and its kind.
func (t *teacher) fill(h byte, lang string) (string, kind) {
	switch h {
	case 'P':
		return t.person(lang), name
	case 'F':
		if lang == "zh" || lang == "ja" || lang == "ko" {
			return t.person(lang), name
		}
		return t.firstName(t.culture(lang)), name
	case 'L', 'S':
		return t.lastName(t.culture(lang)), name
	case 'A':
		return t.whole(lang), address
	case 'R':
		return t.road(lang), address
	case 'Q':
		return t.box(lang), address
	case 'Z':
		return t.postcode(lang), place
	case 'C':
		return t.city(lang), place
	case 'G':
		return pick(t.rng, states), place
	case 'K':
		return pick(t.rng, t.lists.by["country"]["geonames"]), place
	case 'O':
		return t.company(lang), noKind
	case 'T':
		return t.time(lang), noKind
	case 'B':
		return t.brand(), noKind
	case 'V':
		w := pick(t.rng, t.lists.classes[pick(t.rng, []person.Class{person.Tongue, person.Time, person.Org})])
		r, size := utf8.DecodeRuneInString(w)
		return string(unicode.ToUpper(r)) + w[size:], noKind
	case 'Y':
		return t.letters(), noKind
	case 'E':
		return strings.ToLower(pick(t.rng, t.lists.by["first"]["en_US"])) + pick(t.rng, []string{".", "_", ""}) + t.number(99) + "@" + pick(t.rng, []string{"example.com", "mail.example", "corp.example.org", "gmail.com"}), noKind
	case 'H':
		return pick(t.rng, []string{"+1 ", "+49 ", "0", "+44 20 ", "("}) + strconv.Itoa(100+t.rng.IntN(900)) + pick(t.rng, []string{" ", "-", ") "}) + strconv.Itoa(1000000+t.rng.IntN(9000000)), noKind
	}
	return t.number(100000), noKind
}

var states = strings.Fields("AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY NSW VIC QLD ON BC QC")

// make fills the holes of segs. A text may come out in small letters or capitals.
func (t *teacher) make(segs []seg, lang string) doc {
	d := doc{lang: lang}
	style := t.rng.IntN(100)
	var b strings.Builder
	var spans []span
	for _, s := range segs {
		text, k := s.text, noKind
		if s.hole != 0 {
			text, k = t.fill(s.hole, lang)
			if k == name && t.rng.IntN(25) == 0 {
				text = strings.ToUpper(text)
			} else if k == name && t.rng.IntN(25) == 0 {
				text = strings.ToLower(text)
			}
		}
		switch {
		case style < 8, style < 25 && lang == "negative":
			text = strings.ToLower(text)
		case style < 10:
			text = strings.ToUpper(text)
		}
		if text == "" {
			continue
		}
		if k != noKind {
			spans = append(spans, span{b.Len(), b.Len() + len(text), k})
		}
		b.WriteString(text)
	}
	d.text = b.String()
	d.spans = merge(d.text, spans)
	return d
}

// again fills a row anew.
func (t *teacher) again(d doc) doc {
	return t.make(d.segs, d.lang)
}

// after puts b behind a.
func after(a, b doc, between string) doc {
	at := len(a.text) + len(between)
	a.text += between + b.text
	a.spans = slices.Clone(a.spans)
	for _, s := range b.spans {
		a.spans = append(a.spans, span{s.start + at, s.end + at, s.kind})
	}
	return a
}

// announced returns n short texts in which a word of our lists announces a name
// or an address: what announces them matters, not which word it is.
func (t *teacher) announced(n int) (docs []doc) {
	frames := []struct {
		class person.Class
		in    []string
	}{
		{person.Intro, []string{"%: {P}", "%: {P}, {N}", "% {P}", "%\t{P}", "\"%\": \"{P}\"", "%={P}", "|%|{P}|", "% ~ {P}", "% ~ {P}.", "~ % ~ {P} ~", "{N} % ~ {P}", "% ({P})", "~ % {P}, {N}", "% ~ ~ {P} ~", "~ ~ % {P}."}},
		{person.Role, []string{"% {P}", "%: {P}", "%: {P} ({N})", "% {P}, {T}", "- %: {P}\n", "{\"%\": \"{P}\", \"id\": {N}}", "% = {P}", "~ % {P} ~", "~ % {P}.", "~ ~ % {P}, ~", "% {N} ({P}) ~", "% ~ {P}", "~ % ~ {F} ~"}},
		{person.Greet, []string{"% {F},", "% {F}!", "% {F},\n\n", "% {P},", "% {F}", "%, {F}!"}},
		{person.Sign, []string{"%,\n{F}", "%\n{P}", "%,\n\n{P}\n{O}", "%\n\n{F}", "%, {F}"}},
		{person.Title, []string{"% {L}", "% {P}", "%. {L}", "% {L}, {T}", "% {P} ({O})"}},
		{person.Cue, []string{"%: {A}", "% {A}", "%: {R}", "%: {A}.", "\"%\": \"{A}\"", "%\n{A}", "% {A}, {H}"}},
		{person.Say, []string{"{P} %", "{P} % {T}", "{F} %", "{P} % ~ {C}", "{P} % ~ ~ ~", "~ {P} % ~", "{P} ~ % ~"}},
		{person.Common, []string{"~ {P} ~", "~ ~ {P} ~ ~", "~ {P}, {N}", "{P}, ~ {H}", "~ {P}, ~ ~ {H}", "~ {P}, ~. {T}, ~ ~ ~", "{P}, {N}y, ~ ~ ~", "~ {P}, ~ ~ {T}", "~ {P} ~ {H}", "~ ~ {P} ({H})", "~ ~ {P}.", "{P} ~ ~", "{N} ({P}) ~ ~", "{P}; {P}", "~ ~ ~ {P}", "~ {R}, {C}", "~ ~ {A} ~ ~", "~ {P}, ~ {A}"}},
		{person.Unit, []string{"~ {B} ~", "~ ~ {B} ~ ~", "~ {B}, {N}", "~ ~ {B}.", "{B} ~ ~", "{N} ({B}) ~ ~", "~ ~ ~ {Y}", "~ {C} ~", "~ {C}, {C}", "~ ~ {K}.", "~ {O} ~", "{O} ~ ~", "~ {Y} {B}", "~ {H}", "~ ~ {H}", "~. {T}, ~", "~, ~ {T}", "~ {N}y ~", "~ {Y} {N}, ~", "{Y}{N} {Y} {N} ~", "~ {V} ~", "~ {V}", "~ ~ {V} ~ {V}", "~ {V} ~ ~", "{V} ~", "~ {V}, {V} ~ {V}", "~ {V} {B}"}},
		{person.Org, []string{"{B} %", "{L} %", "{L} & {L} %", "%"}},
	}
	langs := map[string][]string{"latin": {"en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "hu", "tr", "cs", "ro", "fi", "da"}}
	for range n {
		f := pick(t.rng, frames)
		w := pick(t.rng, t.lists.classes[f.class])
		lang := ""
		switch r := first(w); {
		case r < 0x370 || r > 0x1E00 && r < 0x2000:
			lang = pick(t.rng, langs["latin"])
		case r < 0x400:
			lang = "el"
		case r < 0x530:
			lang = "ru"
		case r >= 0x590 && r < 0x600:
			lang = "he"
		case r >= 0x600 && r < 0x700:
			lang = "ar"
		default:
			continue
		}
		if t.rng.IntN(2) == 0 {
			r, size := utf8.DecodeRuneInString(w)
			w = string(unicode.ToUpper(r)) + w[size:]
		}
		text := strings.Replace(pick(t.rng, f.in), "%", w, 1)
		for strings.Contains(text, "~") {
			text = strings.Replace(text, "~", pick(t.rng, t.small(lang)), 1)
		}
		d := t.make(cutHoles(text), lang)
		d.source = "announced"
		if f.class == person.Org {
			d.spans = nil
		}
		docs = append(docs, d)
	}
	return docs
}

// small returns common words of a language, in lower case.
func (t *teacher) small(lang string) []string {
	if t.common == nil {
		t.common = map[string][]string{}
	}
	if t.common[lang] == nil {
		for _, tp := range t.templates.learn {
			if tp.lang != lang {
				continue
			}
			for _, s := range tp.segs {
				for w := range strings.FieldsSeq(s.text) {
					if r := first(w); s.hole == 0 && !unicode.IsUpper(r) && unicode.IsLetter(r) && !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
						t.common[lang] = append(t.common[lang], w)
					}
				}
			}
		}
	}
	return t.common[lang]
}

// filled returns texts of templates, each filled n times.
func (t *teacher) filled(ts []template, n int) (docs []doc) {
	for _, tp := range ts {
		for range n {
			d := t.make(tp.segs, tp.lang)
			d.source = "templates"
			docs = append(docs, d)
		}
	}
	return docs
}
