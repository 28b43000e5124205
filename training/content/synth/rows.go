package synth

import (
	"embed"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// Row is one text for training.
type Row struct {
	Text   string
	Labels []string // of Categories, or None alone
	Unsure []string // of Categories: whether it is one is a matter of taste, so nothing should be learnt about them
	Kind   string   // of Kinds
	Lang   string   // as in "en"
}

// None is the label of a text that is fine.
const None = "none"

// Categories are the labels of what is not.
var Categories = []string{"hate", "insult", "sexual", "violence", "misconduct", "self_harm"}

// Kinds are where a text comes from.
var Kinds = []string{"post", "user_prompt", "model_output", "document"}

// languages are the languages of the texts, each with its share in percent.
var languages = []struct {
	name  string
	share int
}{
	{"en", 59},
	{"de", 3},
	{"fr", 3},
	{"es", 3},
	{"it", 3},
	{"pt", 3},
	{"ko", 3},
	{"zh", 3},
	{"ja", 3},
	{"ru", 3},
	{"ar", 3},
	{"hi", 3},
	{"nl", 1},
	{"pl", 1},
	{"tr", 1},
	{"vi", 1},
	{"id", 1},
	{"sv", 1},
	{"uk", 1},
	{"th", 1},
}

// shares are the parts of all rows that a label has as its first, in percent.
var shares = []struct {
	label string
	share int
}{
	{None, 46},
	{"hate", 8},
	{"insult", 8},
	{"sexual", 10},
	{"violence", 10},
	{"misconduct", 10},
	{"self_harm", 8},
}

//go:embed texts/*.txt
var files embed.FS

// template is one text of the grammar and what is known of it.
type template struct {
	text   Text
	labels []string
	unsure []string
	kind   string
	lang   string
}

type corpus struct {
	grammar *Grammar
	by      map[key][]template
}

type key struct{ lang, label string }

var load = sync.OnceValue(func() *corpus {
	c, err := read(files)
	if err != nil {
		// bug: the templates are part of the program.
		panic("synth: " + err.Error())
	}
	return c
})

// framed are the categories that frames.txt is read for, each with its name in
// the lists.
var framed = []struct{ list, labels string }{
	{"violence", "violence misconduct"},
	{"crime", "misconduct"},
	{"hatred", "hate ?misconduct"},
	{"bully", "insult ?misconduct ?hate"},
	{"abuse", "sexual misconduct"},
}

func read(files fs.FS) (*corpus, error) {
	names, err := fs.Glob(files, "texts/*.txt")
	if err != nil {
		return nil, err
	}
	var pieces []string
	for _, name := range names {
		file, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		piece := string(file)
		if name != "texts/frames.txt" {
			pieces = append(pieces, piece)
			continue
		}
		for _, f := range framed {
			pieces = append(pieces, strings.NewReplacer("{X.", "{"+f.list+".", "XLABELS", f.labels).Replace(piece))
		}
	}
	g, err := ParseGrammar(pieces...)
	if err != nil {
		return nil, fmt.Errorf("reading the templates %v: %w", names, err)
	}
	c := &corpus{grammar: g, by: map[key][]template{}}
	for _, group := range g.Groups {
		t := template{}
		if len(group.Head) < 3 {
			return nil, fmt.Errorf("group %q: want kind, language and labels", group.Head)
		}
		t.kind, t.lang = group.Head[0], group.Head[1]
		for _, label := range group.Head[2:] {
			name, unsure := strings.CutPrefix(label, "?")
			switch {
			case unsure:
				t.unsure = append(t.unsure, name)
			default:
				t.labels = append(t.labels, name)
			}
			if name != None && !slices.Contains(Categories, name) {
				return nil, fmt.Errorf("group %q: %q is no category", group.Head, name)
			}
		}
		if len(t.labels) == 0 || !slices.Contains(Kinds, t.kind) {
			return nil, fmt.Errorf("group %q: want kind, language and labels", group.Head)
		}
		k := key{t.lang, t.labels[0]}
		for _, text := range group.Texts {
			t.text = text
			c.by[k] = append(c.by[k], t)
		}
	}
	for _, l := range languages {
		for _, s := range shares {
			if len(c.by[key{l.name, s.label}]) == 0 {
				return nil, fmt.Errorf("no text in %q is %s", l.name, s.label)
			}
		}
	}
	return c, nil
}

// Rows makes n rows, which may be alike where chance wants it so. The same seed
// makes the same rows.
func Rows(seed uint64, n int) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		c := load()
		r := rand.New(rand.NewPCG(seed, 0x636f6e74656e74)) //nolint:gosec // chance that can be had again
		for range n {
			if !yield(c.row(r)) {
				return
			}
		}
	}
}

// row makes a row: a text of a label and language chosen by their shares, now
// and then among others that are fine, and as carelessly written as people do.
func (c *corpus) row(r *rand.Rand) Row {
	lang, label := languages[0].name, None
	at := r.IntN(100)
	for _, l := range languages {
		if at -= l.share; at < 0 {
			lang = l.name
			break
		}
	}
	at = r.IntN(100)
	for _, s := range shares {
		if at -= s.share; at < 0 {
			label = s.label
			break
		}
	}
	from := c.by[key{lang, label}]
	t := from[r.IntN(len(from))]
	row := Row{
		Text:   c.make(r, t),
		Labels: slices.Clone(t.labels), Unsure: slices.Clone(t.unsure), Kind: t.kind, Lang: t.lang,
	}
	c.accompany(r, &row)
	row.Text = careless(r, row.Text)
	return row
}

// make makes a text and mends what alternatives leave behind.
func (c *corpus) make(r *rand.Rand, t template) string {
	text := c.grammar.Make(r, t.text)
	if t.lang == "en" {
		text = articles(text)
	}
	return strings.TrimSpace(gaps.Replace(text))
}

var gaps = strings.NewReplacer("  ", " ", " .", ".", " ?", "?", " !", "!", " ,", ",", "!.", "!", "?.", "?", "!?", "!", "..?", "?")

// accompany puts a text among others of its language and kind that are fine, or
// between the words that requests begin and end with.
func (c *corpus) accompany(r *rand.Rand, row *Row) {
	among := 12
	if row.Kind == "document" {
		among = 35
	}
	if r.IntN(100) < among {
		for range 1 + r.IntN(2) {
			other, ok := c.fine(r, row.Lang, row.Kind)
			if !ok {
				break
			}
			gap := " "
			if r.IntN(4) == 0 {
				gap = "\n"
			}
			if r.IntN(2) == 0 {
				row.Text = other + gap + row.Text
			} else {
				row.Text += gap + other
			}
		}
		return
	}
	if row.Kind != "user_prompt" && row.Kind != "post" {
		return
	}
	if row.Kind == "user_prompt" && row.Lang == "en" && r.IntN(100) < 14 {
		if r.IntN(3) > 0 {
			row.Text = articles(c.grammar.Phrase(r, "before.en") + " " + row.Text)
		} else {
			row.Text = articles(row.Text + " " + c.grammar.Phrase(r, "after.en"))
		}
		return
	}
	if r.IntN(100) < 12 {
		if name := "open." + row.Lang; c.grammar.Has(name) {
			row.Text = c.grammar.Phrase(r, name) + " " + row.Text
		}
	}
	if r.IntN(100) < 10 {
		if name := "close." + row.Lang; c.grammar.Has(name) {
			row.Text += " " + c.grammar.Phrase(r, name)
		}
	}
}

// fine makes a text without label of a language and kind, if there is one.
func (c *corpus) fine(r *rand.Rand, lang, kind string) (string, bool) {
	from := c.by[key{lang, None}]
	for range 8 {
		if t := from[r.IntN(len(from))]; t.kind == kind {
			return c.make(r, t), true
		}
	}
	return "", false
}

// careless writes some texts as people in a hurry do.
func careless(r *rand.Rand, text string) string {
	at := r.IntN(100)
	switch {
	case at < 14:
		text = strings.ToLower(text)
	case at < 16:
		text = strings.ToUpper(text)
	case at < 20: // two neighbouring letters change places
		if runes := []rune(text); len(runes) > 8 {
			i := 1 + r.IntN(len(runes)-3)
			if runes[i] != ' ' && runes[i+1] != ' ' && runes[i] != '\n' && runes[i+1] != '\n' {
				runes[i], runes[i+1] = runes[i+1], runes[i]
				text = string(runes)
			}
		}
	}
	if r.IntN(100) < 20 {
		text = strings.TrimRight(text, ".?!。？！।؟")
	}
	return text
}
