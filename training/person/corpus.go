package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// kind is what a span is.
type kind uint8

const (
	noKind  kind = iota
	name         // of a person
	address      // street and number, or all of an address
	place        // a part of an address, if it stands beside one
	unknown      // perhaps a name
)

type span struct {
	start, end int
	kind       kind
}

// doc is a text with its names and addresses.
type doc struct {
	text   string
	spans  []span
	lang   string
	source string
	plain  bool  // it may hold more than spans say
	segs   []seg // what it is put together from, if it can be filled anew
}

// seg is a stretch of a template: words, or a hole to be filled.
type seg struct {
	text string
	hole byte // 0: words
}

type template struct {
	lang string
	segs []seg
}

type templates struct{ learn, held []template }

var hole = regexp.MustCompile(`\{([A-Z])\}`)

func readTemplates(dir string, hold, fold int) (*templates, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	ts := &templates{}
	for _, path := range names {
		ls, err := lines(path)
		if err != nil {
			return nil, err
		}
		lang := strings.TrimSuffix(filepath.Base(path), ".txt")
		if _, l, ok := strings.Cut(lang, "_"); ok {
			lang = l
		}
		for _, line := range ls {
			t := template{lang: lang, segs: cutHoles(strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(line))}
			if held(line, hold, fold) {
				ts.held = append(ts.held, t)
			} else {
				ts.learn = append(ts.learn, t)
			}
		}
	}
	return ts, nil
}

func cutHoles(s string) (segs []seg) {
	at := 0
	for _, m := range hole.FindAllStringSubmatchIndex(s, -1) {
		if m[0] > at {
			segs = append(segs, seg{text: s[at:m[0]]})
		}
		segs = append(segs, seg{hole: s[m[2]]})
		at = m[1]
	}
	if at < len(s) {
		segs = append(segs, seg{text: s[at:]})
	}
	return segs
}

// held reports whether a template is left out of learning.
func held(t string, hold, fold int) bool {
	h := fnv.New32a()
	h.Write([]byte(t))
	return (int(h.Sum32()>>7%10)+10-fold)%10 < hold
}

// corpus is the annotated texts.
type corpus struct {
	learn, held []doc // with names or addresses
	clean       []doc // without
}

type row struct {
	Text     string
	Lang     string
	Source   string
	Category string
	Label    []label
}

type label struct {
	Start, End int
	Type       string
}

// wrappings stand around templates.
var wrappings = regexp.MustCompile(`^(summarize the following:|please rewrite this more politely:|can you help me\?|i need this for my records\.|fix the spelling:|extract the key facts\.)\s*|\s*(thanks!|what should i do next\?|please confirm\.|\(confidential\)|sent from my phone)$`)

// readRows reads annotated texts. A row is left out if a line of it, with what is
// annotated replaced by its type, is left out, and learnt from if none is; rows
// that mix both are dropped.
func readRows(path string, hold, fold int) (*corpus, error) {
	c := &corpus{}
	err := readJSON(path, func(r row) {
		d := doc{text: r.Text, lang: r.Lang, source: r.Source}
		var shape strings.Builder
		at := 0
		slices.SortStableFunc(r.Label, func(a, b label) int { return cmp.Compare(a.Start, b.Start) })
		for _, l := range r.Label {
			if l.Start < at {
				continue
			}
			k, h := noKind, byte('X')
			switch l.Type {
			case "PERSON":
				k, h = name, 'P'
				if !strings.ContainsAny(r.Text[l.Start:l.End], " ") && r.Lang != "zh" && r.Lang != "ja" && r.Lang != "ko" {
					h = 'F'
				}
			case "ADDRESS":
				k, h = address, 'R'
			case "ZIP_CODE":
				k, h = place, 'Z'
			case "LOCATION":
				k, h = place, 'C'
			case "ORGANIZATION":
				h = 'O'
			}
			shape.WriteString(r.Text[at:l.Start] + "{" + l.Type + "}")
			if l.Start > at {
				d.segs = append(d.segs, seg{text: r.Text[at:l.Start]})
			}
			if h == 'X' {
				d.segs = append(d.segs, seg{text: r.Text[l.Start:l.End]})
			} else {
				d.segs = append(d.segs, seg{text: r.Text[l.Start:l.End], hole: h})
			}
			if k != noKind {
				d.spans = append(d.spans, span{l.Start, l.End, k})
			}
			at = l.End
		}
		shape.WriteString(r.Text[at:])
		if at < len(r.Text) {
			d.segs = append(d.segs, seg{text: r.Text[at:]})
		}
		d.spans = merge(d.text, d.spans)
		if len(d.spans) == 0 {
			c.clean = append(c.clean, d)
			return
		}
		in, out := 0, 0
		for line := range strings.SplitSeq(shape.String(), "\n") {
			line = strings.ToLower(strings.TrimSpace(line))
			for {
				bare := strings.TrimSpace(wrappings.ReplaceAllString(line, ""))
				if bare == line {
					break
				}
				line = bare
			}
			if !strings.Contains(line, "{person}") && !strings.Contains(line, "{address}") {
				continue
			}
			line = others.ReplaceAllString(line, "{x}")
			if held(line, hold, fold) {
				out++
			} else {
				in++
			}
		}
		switch {
		case out == 0:
			c.learn = append(c.learn, d)
		case in == 0:
			c.held = append(c.held, d)
		}
	})
	return c, err
}

var others = regexp.MustCompile(`\{[a-oq-z][a-z_]*\}`)

var spans = regexp.MustCompile(`"label": ?\[(\]|\{)`)

func readJSON(path string, each func(row)) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading rows: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("reading rows: %w", err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var r row
		if !spans.Match(s.Bytes()) { // the labels are no spans
			var p struct{ Text, Lang, Source, Category string }
			if err := json.Unmarshal(s.Bytes(), &p); err != nil {
				return fmt.Errorf("reading rows: %w", err)
			}
			r = row{Text: p.Text, Lang: p.Lang, Source: p.Source, Category: p.Category}
		} else if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			return fmt.Errorf("reading rows: %w", err)
		}
		each(r)
	}
	return s.Err()
}

// small are sources of plain texts that write names in lower case.
var small = []string{"clinc150", "bitext", "restaurant8k"}

// nameless are sources of texts without annotations that hold next to no names.
var nameless = []string{"clinc150", "bitext", "gpteacher_codegen", "awesome_prompts", "cyberseceval_frr", "docs_trigger", "catqa", "advbench", "donotanswer", "ailuminate_en"}

// teaches reports whether what is not found in a plain text teaches anything:
// texts in scripts without capitals teach that names need something about them.
func (d doc) teaches() bool {
	switch d.lang {
	case "ko", "zh", "ja", "vi", "hi", "ar", "tr", "id":
		return true
	}
	return slices.Contains(nameless, d.source)
}

// readPlain reads texts without annotations. What they hold is not known: they
// teach which words are common, and what is no name where no name can be.
func readPlain(paths string) (docs []doc, err error) {
	for path := range strings.SplitSeq(paths, ",") {
		if path == "" {
			continue
		}
		if err := readJSON(path, func(r row) {
			if len(r.Text) < 4000 {
				docs = append(docs, doc{text: r.Text, lang: r.Lang, source: r.Source, plain: true})
			}
		}); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

var together = regexp.MustCompile(`^(,? ?\n?|,?\n ?| )$`)

// merge makes one span of an address and the places that stand beside it, and
// forgets the others.
func merge(text string, spans []span) (out []span) {
	for i := 0; i < len(spans); i++ {
		s := spans[i]
		if s.kind == place {
			continue
		}
		for s.kind == name && i+1 < len(spans) && spans[i+1].kind == name && text[s.end:spans[i+1].start] == " " {
			i++
			s.end = spans[i].end
		}
		for s.kind == address && i+1 < len(spans) && spans[i+1].kind == place && together.MatchString(text[s.end:spans[i+1].start]) {
			i++
			s.end = spans[i].end
		}
		out = append(out, s)
	}
	return out
}
