package synth

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// maxLength is how long a text may become, in bytes. A grammar that could make a
// longer one is refused, so that lists in lists in lists cannot fill the memory.
const maxLength = 1 << 16

// Grammar makes texts by chance. It is read from lines:
//
//	# a comment
//	@animal                 a list begins; each line below is one of its phrases
//	cat
//	(big|old|) dog          one of the alternatives, which may be empty
//	@@ user_prompt en none  a group of whole texts begins, with words about it
//	Where is my {animal}?   a phrase of the list, chosen by chance
//	I like {verb:ing}.      the same with its first word in the form that ends in "ing"
//	{animal:cap} ahoy\n     the same with a capital; \n is a line feed
//
// Spaces around lines go; a backslash takes the meaning from {}()|\#@ and keeps
// a space. A list must not lead back to itself.
type Grammar struct {
	lists  map[string]*list
	Groups []Group
}

// Group is texts that belong together.
type Group struct {
	Head  []string // the words after @@
	Texts []Text
}

// Text is one text with alternatives.
type Text []part

// part is words, or a list, or alternatives.
type part struct {
	words  string
	list   string
	form   string // how a phrase of the list is changed: "", "ing", "cap", "Ing" for both
	either []Text
}

type list struct {
	phrases []Text
	size    size
	state   int // of the walk that measures it: new, open, done
}

const (
	open = iota + 1
	done
)

// size is how many texts there can be, and the length of the longest in bytes.
type size struct {
	count  float64
	length int
}

// ParseGrammar reads a grammar, which may be in more than one piece: all see
// the lists of all. Errors name the piece, from 1, and the line in it.
func ParseGrammar(pieces ...string) (*Grammar, error) {
	g := &Grammar{lists: map[string]*list{}}
	for i, piece := range pieces {
		if err := g.parse(piece); err != nil {
			return nil, fmt.Errorf("piece %d, %w", i+1, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.lists)) {
		if _, err := g.measureList(name); err != nil {
			return nil, err
		}
		if len(g.lists[name].phrases) == 0 {
			return nil, fmt.Errorf("list %q is empty", name)
		}
	}
	for _, group := range g.Groups {
		for _, t := range group.Texts {
			if _, err := g.measure(t); err != nil {
				return nil, fmt.Errorf("group %q: %w", group.Head, err)
			}
		}
	}
	return g, nil
}

func (g *Grammar) parse(piece string) error {
	var into *[]Text
	n := 0
	for line := range strings.Lines(piece) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "@@"):
			g.Groups = append(g.Groups, Group{Head: strings.Fields(line[2:])})
			into = &g.Groups[len(g.Groups)-1].Texts
		case line[0] == '@':
			name := line[1:]
			if !isName(name) {
				return fmt.Errorf("line %d: %q is no name of a list", n, name)
			}
			if g.lists[name] != nil {
				return fmt.Errorf("line %d: there is another list %q", n, name)
			}
			l := &list{}
			g.lists[name], into = l, &l.phrases
		case into == nil:
			return fmt.Errorf("line %d: a phrase that belongs to no list", n)
		default:
			t, err := cut(line)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			*into = append(*into, t)
		}
	}
	return nil
}

func isName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' {
			return false
		}
	}
	return s != ""
}

var (
	errBracket = errors.New("a bracket too few or too many")
	errEscape  = errors.New("a backslash at the end")
	errForm    = errors.New("a form that nobody knows")
)

// cutter cuts a line into parts. open holds the alternatives that it is in.
type cutter struct {
	text  Text
	words strings.Builder
	open  []opened
}

// opened is alternatives whose end is not seen yet.
type opened struct {
	before Text   // what stands before them
	either []Text // those that are complete
}

func (c *cutter) flush() {
	if c.words.Len() > 0 {
		c.text = append(c.text, part{words: c.words.String()})
		c.words.Reset()
	}
}

func cut(line string) (Text, error) {
	var c cutter
	for i := 0; i < len(line); i++ {
		b := line[i]
		last := len(c.open) - 1
		switch b {
		case '\\':
			i++
			if i == len(line) {
				return nil, errEscape
			}
			if line[i] == 'n' {
				c.words.WriteByte('\n')
			} else {
				c.words.WriteByte(line[i])
			}
		case '{':
			inside, _, ok := strings.Cut(line[i+1:], "}")
			name, form, _ := strings.Cut(inside, ":")
			if !ok || !isName(name) {
				return nil, errBracket
			}
			switch form {
			case "", "ing", "cap", "Ing":
			default:
				return nil, errForm
			}
			c.flush()
			c.text = append(c.text, part{list: name, form: form})
			i += len(inside) + 1
		case '(':
			c.flush()
			c.open = append(c.open, opened{before: c.text})
			c.text = nil
		case '|', ')':
			if last < 0 {
				return nil, errBracket
			}
			c.flush()
			o := &c.open[last]
			o.either = append(o.either, c.text)
			c.text = nil
			if b == ')' {
				c.text = append(o.before, part{either: o.either})
				c.open = c.open[:last]
			}
		case '}':
			return nil, errBracket
		default:
			c.words.WriteByte(b)
		}
	}
	if len(c.open) > 0 {
		return nil, errBracket
	}
	c.flush()
	return c.text, nil
}

func (g *Grammar) measureList(name string) (size, error) {
	l := g.lists[name]
	switch {
	case l == nil:
		return size{}, fmt.Errorf("there is no list %q", name)
	case l.state == open:
		return size{}, fmt.Errorf("list %q leads back to itself", name)
	case l.state == done:
		return l.size, nil
	}
	l.state = open
	for _, t := range l.phrases {
		s, err := g.measure(t)
		if err != nil {
			return size{}, fmt.Errorf("list %q: %w", name, err)
		}
		l.size.count += s.count
		l.size.length = max(l.size.length, s.length)
	}
	l.state = done
	return l.size, nil
}

func (g *Grammar) measure(t Text) (size, error) {
	all := size{count: 1}
	for _, p := range t {
		s := size{count: 1, length: len(p.words)}
		switch {
		case p.list != "":
			var err error
			if s, err = g.measureList(p.list); err != nil {
				return size{}, err
			}
			s.length += len("bing") // what a form can add
		case p.either != nil:
			s = size{}
			for _, e := range p.either {
				one, err := g.measure(e)
				if err != nil {
					return size{}, err
				}
				s.count += one.count
				s.length = max(s.length, one.length)
			}
		}
		all.count *= s.count
		all.length += s.length
		if all.length > maxLength {
			return size{}, fmt.Errorf("a text of more than %d bytes", maxLength)
		}
	}
	return all, nil
}

// Count is how many texts a text with alternatives stands for, alike ones
// counted as often as they can come about.
func (g *Grammar) Count(t Text) float64 {
	s, err := g.measure(t)
	if err != nil {
		return 0 // a text of another grammar
	}
	return s.count
}

// Has reports whether there is a list of that name.
func (g *Grammar) Has(name string) bool { return g.lists[name] != nil }

// Phrase makes a phrase of a list, "" when there is no such list.
func (g *Grammar) Phrase(r *rand.Rand, name string) string {
	l := g.lists[name]
	if l == nil {
		return ""
	}
	return g.Make(r, l.phrases[r.IntN(len(l.phrases))])
}

// Make makes a text, each choice by chance.
func (g *Grammar) Make(r *rand.Rand, t Text) string {
	var b strings.Builder
	g.write(&b, r, t)
	return b.String()
}

func (g *Grammar) write(b *strings.Builder, r *rand.Rand, t Text) {
	for _, p := range t {
		switch {
		case p.list != "":
			phrase := g.Phrase(r, p.list)
			switch p.form {
			case "ing":
				phrase = ing(phrase)
			case "cap":
				phrase = capital(phrase)
			case "Ing":
				phrase = capital(ing(phrase))
			}
			b.WriteString(phrase)
		case p.either != nil:
			g.write(b, r, p.either[r.IntN(len(p.either))])
		default:
			b.WriteString(p.words)
		}
	}
}
