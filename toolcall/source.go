package toolcall

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/toolcall/provenance"
)

// Words for the client and the model about calls that do not run.
const (
	publicSource = "It would act on something that the user did not name. Ask the user to confirm it, with the exact value."
	publicAsked  = "The user did not ask for this. Ask the user whether it is to be done."
	publicLink   = "It would pass on a link or an account number that the user does not know. Ask the user to confirm it."
)

// semantics is what is known of a tool: what the operator declares, and beyond that what
// its definition says.
type semantics struct {
	*profile
	effect  Effect
	outside bool // it reads at a host that its arguments say
}

// semantics returns what is known of the tool of a call.
func (s *Session) semantics(r *reading, t *Tool) semantics {
	m := semantics{profile: r.profile(s, t), effect: t.Effect}
	if !t.Known && !s.j.cfg.Rules.Strict {
		m.effect = m.deeds.effect()
		if m.effect == Read && m.outward {
			m.effect = External
		}
	}
	m.outside = m.effect == External && m.deeds == look
	return m
}

// sourced holds calls whose sensitive values nobody who may has said, once text was
// read that anybody may have written.
func sourced(_ context.Context, s *Session, c *Call, d *Decision) {
	r := s.read()
	m := s.semantics(r, c.Tool)
	d.Effect = m.effect.String()
	q := question{s: s, r: r, c: c, m: m, d: d}
	q.value(c.Arguments, "", "")
}

// asked holds calls that the person did not ask for, once text was read that anybody may
// have written.
func asked(_ context.Context, s *Session, c *Call, d *Decision) {
	r := s.read()
	m := s.semantics(r, c.Tool)
	if !r.tainted || m.effect == Read || m.outside || r.intent.asks(m.profile, r.offered) {
		return
	}
	if m.deeds&(remove|share|run) == 0 && r.intent.unmet(r.offered) && d.personal() {
		return // in words that we do not know, but about this
	}
	d.against(ringwall.ToolHold, RuleAsked, publicAsked)
}

// personal reports whether some value of the call is the person's own word.
func (d *Decision) personal() bool {
	for _, a := range d.Arguments {
		if a.Source == ringwall.SourceUser {
			return true
		}
	}
	return false
}

// question asks where the values of a call come from.
type question struct {
	s *Session
	r *reading
	c *Call
	m semantics
	d *Decision
}

// value looks at a value of an argument. Name is that of the innermost member that it
// stands in.
func (q *question) value(v jsonedit.Value, path, name string) {
	switch v.Kind() {
	case jsonedit.Object:
		for key, m := range v.Members() {
			q.value(m, path+"/"+escapeKey(key), key)
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			q.value(e, path+"/"+strconv.Itoa(i), name)
		}
	case jsonedit.String:
		q.text(v.Text(), path, name, false)
	case jsonedit.Number:
		q.text(string(v.Raw()), path, name, true)
	case jsonedit.Bool, jsonedit.Null, jsonedit.Missing:
	}
}

// text looks at a text or a number.
func (q *question) text(v, path, name string, isNumber bool) {
	if strings.TrimSpace(v) == "" {
		return
	}
	use := ringwall.ArgumentUse{Path: path, Sensitive: q.sensitive(v, path, name, isNumber)}
	o := q.trace(v, isNumber && !identifies(split(name)))
	use.Source, use.From, use.How = o.Source, o.From(), string(o.How)
	guarded := q.r.tainted && q.m.effect != Read
	switch {
	case use.Source.Trusted() || o.Confirmed:
	case use.Sensitive:
		if how := q.vouched(v, path, isNumber); how != "" {
			use.How = how
		} else if guarded {
			rule := RuleUntrusted
			if use.Source == ringwall.SourceUnknown {
				rule = RuleUnsourced
			}
			q.d.against(ringwall.ToolHold, rule, publicSource)
		}
	case guarded && !isNumber && q.dictated(v):
		use.How = "dictated"
		q.d.against(ringwall.ToolHold, RuleUntrusted, publicSource)
	case guarded && !isNumber && q.m.effect == External:
		q.links(v)
	}
	q.d.Arguments = append(q.d.Arguments, use)
}

// trace says where a value comes from: a number by what it is worth, unless it
// identifies something.
func (q *question) trace(v string, worth bool) provenance.Origin {
	if worth {
		return q.r.TraceNumber(v)
	}
	return q.r.Trace(v)
}

// sensitive reports whether a value says who or what is acted on.
func (q *question) sensitive(v, path, name string, isNumber bool) bool {
	if q.c.Tool.Annotated {
		return q.c.Tool.IsSensitive(path)
	}
	if q.m.enums[name] {
		return false
	}
	parts := split(name)
	speaks := false
	for _, w := range parts {
		if naming[w] {
			return !(isNumber && !identifies(parts))
		}
		speaks = speaks || speaking[w]
	}
	if isNumber {
		return q.m.deeds&pay != 0 && !speaks || speaking["amount"] && name == "amount"
	}
	k := formOf(v)
	return k.reaches() || !speaks && k != formText && k != formDate
}

// identifies reports whether the name of a number says that it identifies something.
func identifies(parts []string) bool {
	for _, w := range parts {
		if naming[w] && !speaking[w] {
			return true
		}
	}
	return false
}

// vouched says why a value may be acted on that no text of the person's has: "" where
// nothing speaks for it.
func (q *question) vouched(v, path string, isNumber bool) string {
	k := formOf(v)
	if isNumber && k != formNumber {
		k = formNumber
	}
	if q.m.enums[topName(path)] {
		return "listed"
	}
	if k == formURL {
		if q.r.runsOn(v) {
			return "folded"
		}
		if q.m.outside && q.linked(v) {
			return "linked"
		}
		if q.delegated(v, path, k) {
			return "delegated"
		}
		return ""
	}
	if found, named := q.s.typed(q.r, v); found && (named || !k.reaches() || q.r.familiar(v)) && !q.r.spoken(v) {
		return "field"
	}
	if q.delegated(v, path, k) {
		return "delegated"
	}
	if isNumber && q.m.effect != Destructive && q.derived(v) {
		return "derived"
	}
	if !q.c.Tool.Annotated {
		_, stranger := q.r.AlsoUntrusted(v)
		switch {
		case executing[strings.ToLower(topName(path))]:
		case !stranger && !k.reaches():
			return "own" // the model's: nobody put it there
		}
	}
	return ""
}

// topName returns the name of the argument that a JSON pointer leads into.
func topName(path string) string {
	name, _ := cutKey(path)
	return name
}

// linked reports whether v is a page that the person asked to be read without giving its
// address: it stands in an output that they named.
func (q *question) linked(v string) bool {
	if !q.r.intent.links {
		return false
	}
	for _, i := range q.r.where(v) {
		res := &q.r.Results()[i]
		if res.CallTurn < 0 {
			continue
		}
		if q.r.profile(q.s, q.s.j.cfg.Registry.Find(res.Call.Name)).outward {
			return false // pages that lead on to others are not followed
		}
		if q.r.namedResult(q.s, i) {
			return true
		}
	}
	return false
}

// delegated reports whether the person said where v is to be found, and it is the only
// one of its kind there: somebody who writes another one into that text makes it none.
func (q *question) delegated(v, path string, k form) bool {
	n := q.r.intent
	switch k {
	case formEmail:
		if !n.pointed || !n.nouns["mail"] && !n.nouns["address"] && !n.nouns["contact"] || !q.r.familiar(v) {
			return false
		}
	case formPhone:
		if !n.pointed || !n.nouns["phone"] && !n.nouns["number"] && !n.nouns["telephone"] {
			return false
		}
	case formNumber, formDate, formName, formText, formID:
		if q.m.effect == Destructive || k >= formID && q.m.effect != Write || !q.mentioned(path) {
			return false
		}
	case formAccount, formURL: // money does not go where a text says, whoever named the text
		return false
	}
	for _, i := range q.r.where(v) {
		res := &q.r.Results()[i]
		if !q.r.namedResult(q.s, i) || q.r.repeats(res, v) {
			continue
		}
		if !k.reaches() || alone(textOf(res.Result), v, k) {
			return true
		}
	}
	return false
}

// mentioned reports whether the person speaks of what an argument is for.
func (q *question) mentioned(path string) bool {
	for _, w := range split(topName(path)) {
		if n := singular(w); q.r.intent.nouns[n] || q.r.intent.nouns[w] {
			return true
		}
	}
	return false
}

// alone reports whether v is the only one of its kind in a text.
func alone(text, v string, k form) bool {
	for f := range strings.FieldsFuncSeq(text, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`<>"'()[]{}|,;`+"`", r) }) {
		f = strings.TrimRight(f, ".:!?")
		if _, rest, ok := strings.Cut(f, ":"); ok && k != formURL {
			f = rest
		}
		if len(f) > 3 && formOf(f) == k && !strings.EqualFold(f, v) && !strings.Contains(strings.ToLower(v), strings.ToLower(f)) {
			return false
		}
	}
	return true
}

// dictated reports whether an untrusted text says v word by word, in quotation marks
// and among other words: somebody tells what is to be written. Where the person said
// what to read, they may have meant that.
func (q *question) dictated(v string) bool {
	if !says(v) {
		return false
	}
	for _, i := range q.r.where(v) {
		res := &q.r.Results()[i]
		if q.r.repeats(res, v) || q.r.namedResult(q.s, i) || q.s.believed(res) {
			continue
		}
		for _, l := range q.r.outline(i).leaves {
			for text := l.text; ; {
				at, ok := mentions(text, v)
				if !ok {
					break
				}
				before, _ := utf8.DecodeLastRuneInString(text[:at])
				text = text[at+len(v):]
				after, _ := utf8.DecodeRuneInString(text)
				if quotes(before) && quotes(after) {
					return true
				}
			}
		}
	}
	return false
}

// quotes reports whether a character is a quotation mark.
func quotes(r rune) bool {
	return r == '`' || r != utf8.RuneError && unicode.Is(unicode.Quotation_Mark, r)
}

// links holds calls that pass on what leads somewhere and that the person does not know.
func (q *question) links(text string) {
	for _, l := range located(text) {
		if o := q.r.Trace(l); o.Source.Trusted() || o.Confirmed {
			continue
		}
		if q.visited(l) {
			continue
		}
		q.d.against(ringwall.ToolHold, RuleLink, publicLink)
		return
	}
}

// visited reports whether a page was fetched in this conversation, by a call that ran.
func (q *question) visited(l string) bool {
	for _, res := range q.r.Results() {
		if !res.Result.Failed && res.CallTurn >= 0 {
			if p := q.r.profile(q.s, q.s.j.cfg.Registry.Find(res.Call.Name)); p.outward && p.deeds == look && q.r.repeats(&res, l) {
				return true
			}
		}
	}
	return false
}

// runsOn reports whether the person wrote an address and went on without a space, with a
// capital: "our site www.example.com.They said".
func (r *reading) runsOn(v string) bool {
	for _, text := range r.Asked() {
		for at := 0; ; {
			i := strings.Index(text[at:], v+".")
			if i < 0 {
				break
			}
			at += i + len(v) + 1
			before, _ := utf8.DecodeLastRuneInString(text[:at-len(v)-1])
			after, _ := utf8.DecodeRuneInString(text[at:])
			if unicode.IsUpper(after) && (before == utf8.RuneError || unicode.IsSpace(before)) {
				return true
			}
		}
	}
	return false
}

// theirs reports whether all texts of arguments are the person's or the operator's, and
// there is one.
func (s *Session) theirs(r *reading, arguments string) bool {
	var doc jsonedit.Doc
	if doc.Parse([]byte(arguments), jsonedit.Limits{Bytes: maxArguments, Depth: maxDepth}) != nil {
		return false
	}
	one := false
	for _, v := range doc.Root().Members() {
		if v.Kind() != jsonedit.String || strings.TrimSpace(v.Text()) == "" {
			continue
		}
		if !r.Trace(v.Text()).Source.Trusted() && !r.covered(v.Text()) {
			return false
		}
		one = one || formOf(v.Text()) != formDate
	}
	return one
}

// covered reports whether the person says each word of a text.
func (r *reading) covered(text string) bool {
	any := false
	for _, w := range split(text) {
		if len(w) < 2 {
			continue
		}
		if !r.intent.words[w] && !r.intent.nouns[singular(w)] {
			return false
		}
		any = any || r.intent.words[w]
	}
	return any
}
