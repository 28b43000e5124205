package limit

import (
	"embed"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

//go:embed profiles.txt english.txt
var profileFiles embed.FS

// maxLanguages bounds the languages that have a profile: they are bits of a word.
const maxLanguages = 64

// model is what is known of the languages that share a script.
type model struct {
	codes  []string
	script []script
	words  map[string]uint64 // which languages have the word
	lent   map[string]int    // words of one language that others borrow
	slots  []slot            // which have the triple of letters: a hash table
	all    []support
}

// gram are three letters, 21 bits each; a space stands for the edge of a word.
type gram uint64

// edge is what stands before a word.
const edge gram = ' '

func (g gram) next(r rune) gram { return (g<<21 | gram(r)) & (1<<63 - 1) }

// slot is where the support of a triple stands in model.all.
type slot struct {
	gram     gram
	from, to uint32
}

func (g gram) hash(size int) int { return int(uint64(g) * 0x9E3779B97F4A7C15 >> 32 & uint64(size-1)) }

// of returns what g speaks for.
func (m *model) of(g gram) []support {
	for i := g.hash(len(m.slots)); ; i = (i + 1) & (len(m.slots) - 1) {
		s := &m.slots[i]
		if s.gram == g {
			return m.all[s.from:s.to]
		}
		if s.gram == 0 {
			return nil
		}
	}
}

// keep puts the support of g into the table.
func (m *model) keep(g gram, all []support) {
	i := g.hash(len(m.slots))
	for m.slots[i].gram != 0 {
		i = (i + 1) & (len(m.slots) - 1)
	}
	m.slots[i] = slot{g, uint32(len(m.all)), uint32(len(m.all) + len(all))}
	m.all = append(m.all, all...)
}

// support is how much a triple speaks for a language rather than for one that
// does not have it.
type support struct {
	lang int32
	log  float32
}

var languages = sync.OnceValue(func() *model {
	profiles, err := profileFiles.ReadFile("profiles.txt")
	english, bad := profileFiles.ReadFile("english.txt")
	if err != nil || bad != nil {
		// bug: the files are part of the program.
		panic("limit: the profiles are missing")
	}
	return parseProfiles(string(profiles), string(english))
})

// parseProfiles reads the profiles, and what else is known of English: most texts
// that are looked at are in it, about everything, and must not be taken for
// another.
func parseProfiles(file, english string) *model {
	m := &model{words: map[string]uint64{}, lent: map[string]int{}}
	counts := make([]map[gram]int, 0, maxLanguages)
	for line := range strings.Lines(file) {
		code, text, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || code[0] == '#' || len(m.codes) == maxLanguages {
			continue
		}
		at := len(m.codes)
		count := map[gram]int{}
		sc := latin
		short, sentences, _ := strings.Cut(text, "|")
		for part, s := range []string{short, sentences} {
			for w := range strings.FieldsFuncSeq(normalize.Fold(s), func(r rune) bool { return !inWord(r) }) {
				m.words[w] |= 1 << at
				r, _ := utf8.DecodeRuneInString(w)
				sc = scriptOf(r)
				each(w, func(g gram) { count[g] += 1 + part })
			}
		}
		m.codes, m.script, counts = append(m.codes, code), append(m.script, sc), append(counts, count)
	}
	if at := slices.Index(m.codes, "en"); at >= 0 {
		m.more(english, at, counts[at])
	}
	grams := map[gram][]support{}
	for at, count := range counts {
		total := 0
		for _, n := range count {
			total += n
		}
		for g, n := range count {
			const unseen, size = 0.25, 1500
			log := math.Log((float64(n)/float64(total)*size + unseen) / unseen)
			grams[g] = append(grams[g], support{int32(at), float32(log)})
		}
	}
	size := 1
	for size < 3*len(grams) {
		size *= 2
	}
	m.slots = make([]slot, size)
	for _, g := range slices.Sorted(maps.Keys(grams)) {
		m.keep(g, grams[g])
	}
	return m
}

// more adds the words and triples of a file to the language at.
func (m *model) more(file string, at int, count map[gram]int) {
	for line := range strings.Lines(file) {
		name, list, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields := strings.Fields(list)
		switch name {
		case "words":
			for _, w := range fields {
				if m.words[w] == 0 {
					m.lent[w] = at
				}
			}
		case "triples":
			clear(count)
			for i := 0; i+1 < len(fields); i += 2 {
				g := gram(0)
				for _, r := range strings.ReplaceAll(fields[i], "_", " ") {
					g = g.next(r)
				}
				count[g], _ = strconv.Atoi(fields[i+1]) // those that are no numbers count nothing
			}
		}
	}
}

// each calls yield with the triples of a word.
func each(word string, yield func(gram)) {
	g, n := edge, 0
	for _, r := range word {
		g = g.next(r)
		if n++; n >= 2 {
			yield(g)
		}
	}
	if n >= 2 {
		yield(g.next(' '))
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }

// script is a group of languages that are written alike.
type script uint8

// Scripts. Those from alone on belong to one language each, as far as we tell.
const (
	other script = iota
	latin
	cyrillic
	arabic
	devanagari
	han
	kana
	alone
)

// scripts are the ranges of letters, and the languages of those that belong to
// one.
var scripts = []struct {
	from, to rune
	code     string
}{
	{0x370, 0x3FF, "el"},
	{0x530, 0x58F, "hy"},
	{0x590, 0x5FF, "he"},
	{0x780, 0x7BF, "dv"},
	{0x980, 0x9FF, "bn"},
	{0xA00, 0xA7F, "pa"},
	{0xA80, 0xAFF, "gu"},
	{0xB00, 0xB7F, "or"},
	{0xB80, 0xBFF, "ta"},
	{0xC00, 0xC7F, "te"},
	{0xC80, 0xCFF, "kn"},
	{0xD00, 0xD7F, "ml"},
	{0xD80, 0xDFF, "si"},
	{0xE00, 0xE7F, "th"},
	{0xE80, 0xEFF, "lo"},
	{0xF00, 0xFFF, "bo"},
	{0x1000, 0x109F, "my"},
	{0x10A0, 0x10FF, "ka"},
	{0x1100, 0x11FF, "ko"},
	{0x1200, 0x139F, "am"},
	{0x1780, 0x17FF, "km"},
	{0x1F00, 0x1FFF, "el"},
	{0x2D00, 0x2D2F, "ka"},
}

// scriptOf returns the script of a letter.
func scriptOf(r rune) script {
	switch {
	case r < 0x250 || 0x1E00 <= r && r < 0x1F00:
		return latin
	case 0x400 <= r && r < 0x530:
		return cyrillic
	case 0x600 <= r && r < 0x700 || 0x750 <= r && r < 0x780 || 0xFB50 <= r && r < 0xFE00 || 0xFE70 <= r && r < 0xFF00:
		return arabic
	case 0x900 <= r && r < 0x980:
		return devanagari
	case 0x3040 <= r && r < 0x3100:
		return kana
	case 0x3400 <= r && r < 0xA000 || 0x20000 <= r && r < 0x40000:
		return han
	}
	for i, s := range scripts {
		if s.from <= r && r <= s.to {
			return alone + script(i)
		}
	}
	return other
}

const allScripts = int(alone) + 23
