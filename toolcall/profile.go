package toolcall

import (
	"slices"
	"strings"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// profile is what the definition of a tool says that it does, read with a dictionary.
// Definitions come with the request of the application, not from what it reads.
type profile struct {
	deeds   deed
	name    []string        // words of the name
	objects map[string]bool // nouns of the name
	about   map[string]bool // nouns of the description
	outward bool            // arguments say which host is asked
	enums   map[string]bool // names of arguments whose values are listed
}

// maxProfiles bounds what a Judge remembers of definitions.
const maxProfiles = 4096

// profiles remembers profiles by what they were made of.
type profiles struct {
	mu sync.RWMutex
	m  map[profileKey]*profile
}

type profileKey struct{ name, about, schema string }

func (p *profiles) of(t ringwall.ToolSpec) *profile {
	p.mu.RLock()
	got, ok := p.m[profileKey{t.Name, t.Description, string(t.Schema)}]
	p.mu.RUnlock()
	if ok {
		return got
	}
	made := newProfile(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil || len(p.m) >= maxProfiles {
		p.m = map[profileKey]*profile{}
	}
	p.m[profileKey{strings.Clone(t.Name), strings.Clone(t.Description), string(t.Schema)}] = made
	return made
}

// newProfile reads a definition.
func newProfile(t ringwall.ToolSpec) *profile {
	p := &profile{name: split(t.Name), objects: map[string]bool{}, about: map[string]bool{}}
	if len(p.name) == 0 {
		p.name = []string{""}
	}
	said := firstVerb(t.Description)
	p.deeds = deedsOf(p.name, said)
	last, ends := verbs[p.name[len(p.name)-1]]
	for i, w := range p.name {
		v, ok := verbs[w]
		if ok && i == 0 && len(p.name) > 1 && (!ends || last.noun) {
			continue // what is done, not to what
		}
		if !ok || v.noun {
			p.objects[singular(w)] = true
		}
	}
	sentence, _, _ := strings.Cut(t.Description, ". ")
	for w := range tokens(sentence) {
		if n := singular(w.text); len(n) > 3 || nouns[n] != "" {
			p.about[n] = true
		}
	}
	if p.deeds&(create|send) != 0 {
		for _, w := range p.name[1:] {
			p.deeds |= given[singularWord(w)].deeds &^ look
		}
	}
	if p.objects["money"] && p.deeds&(send|create|book) != 0 {
		p.deeds |= pay
	}
	if p.deeds&create != 0 && (p.objects["message"] || p.objects["comment"] || p.objects["mail"] || p.objects["post"]) {
		p.deeds |= send
	}
	if p.deeds&create != 0 && p.objects["event"] {
		p.deeds |= book
	}
	p.schema(t.Schema)
	return p
}

// schema reads which arguments there are.
func (p *profile) schema(src []byte) {
	var doc jsonedit.Doc
	if len(src) == 0 || doc.Parse(src, jsonedit.Limits{Bytes: maxDefinition, Depth: maxDepth}) != nil {
		return
	}
	for name, v := range doc.Root().Get("properties").Members() {
		for _, w := range split(name) {
			p.outward = p.outward || hosts[w]
		}
		if v.Get("enum").Exists() || v.Get("const").Exists() {
			p.enum(name)
		}
		if ref, ok := strings.CutPrefix(v.Get("$ref").Text(), "#/$defs/"); ok && doc.Root().Get("$defs").Get(ref).Get("enum").Exists() {
			p.enum(name)
		}
	}
}

func (p *profile) enum(name string) {
	if p.enums == nil {
		p.enums = map[string]bool{}
	}
	p.enums[name] = true
}

// deedsOf tells what a tool does from the words of its name, and from the first verb of
// what is said about it. A name that reads counts as reading only where no other word
// of it, nor what is said, does something else.
func deedsOf(name []string, said string) deed {
	var d, unsure deed
	at := func(i int) (verb, bool) {
		if i < 0 || i >= len(name) {
			return verb{}, false
		}
		v, ok := verbs[name[i]]
		return v, ok
	}
	first, ok := at(0)
	last, lastOK := at(len(name) - 1)
	switch {
	case slices.Contains(name, said):
		d = verbs[said].deeds
	case ok && (!first.noun || !lastOK || last.noun):
		d = first.deeds
	case lastOK:
		d = last.deeds
	}
	for i := range name {
		if v, ok := at(i); ok && !v.noun {
			unsure |= v.deeds
		}
	}
	if d == 0 {
		d = unsure
	}
	if d == 0 {
		return verbs[said].deeds
	}
	if d&look != 0 { // open is look and create
		if more := unsure &^ d; more != 0 {
			return d&^look | more
		}
		v := verbs[said]
		switch {
		case said == "" || v.deeds&look != 0 || v.noun:
			return look
		case d&acting != 0:
			return d &^ look
		}
		return v.deeds
	}
	return d
}

// firstVerb returns the verb that a description of a tool begins with.
func firstVerb(about string) string {
	n := 0
	for w := range tokens(about) {
		if b, ok := base(w.text); ok {
			return b
		}
		if n++; n > 3 {
			break
		}
	}
	return ""
}

// hosts are names of arguments that say which host is asked, or called back.
var hosts = words(`url urls uri uris link links href host hostname domain endpoint webhook website webpage ip callback origin`)
