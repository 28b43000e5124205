package synth

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
)

// The kinds of rows: where a text was found.
const (
	UserPrompt = "user_prompt"
	ToolOutput = "tool_output"
	Document   = "document"
	Email      = "email"
	Code       = "code"

	payload = "payload" // a root that is laid into a carrier, see place.go
	aside   = "aside"   // a root that a user says beside a text of his own
)

// A Row is a text with its label.
type Row struct {
	Text   string
	Attack bool
	Family string // the family of the grammar, "carrier" for a carrier alone
	Kind   string // one of the kinds above
	Lang   string // ISO 639-1; of the attack when the carrier is in another
}

// A Carrier is a benign text into which sentences are laid, and which comes
// alone too. Texts of some hundred to some thousand bytes serve best. Prompts of
// users are not laid into: they stand before or behind another prompt, and may
// be as short as users write.
type Carrier struct {
	Text string
	Kind string // one of the kinds above
	Lang string // ISO 639-1
}

// shares of the groups of [Rows] out of 100, the rest stands alone.
const (
	shareEnglish  = 72 // of all groups
	shareLaid     = 42 // a sentence in a carrier
	shareTasks    = 8  // a task of the user with a text in it
	sharePrefixed = 24 // of those alone: behind or before a benign text
	shareDialogue = 5  // of those alone: as the last turn of a talk
)

// Rows returns n rows, about half of them attacks. The same seed, number of rows
// and carriers give the same rows, and each group of rows depends on the seed
// and its place alone. Carriers are kept only while the rows are drawn; without
// any, those of the grammars serve. It panics when the grammars in this package
// do not read, which its tests rule out.
func Rows(seed uint64, n int, carriers []Carrier) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		w := writer{lib: library()}
		w.carriers, w.prompts = byLang(carriers)
		left := n
		for group := uint64(0); left > 0; group++ {
			w.rng = newRand(seed, group)
			for _, row := range w.group() {
				if row.Text == "" {
					continue
				}
				if left == 0 || !yield(row) {
					return
				}
				left--
			}
		}
	}
}

// A writer draws groups of rows.
type writer struct {
	rng      *rand.Rand
	lib      *grammars
	carriers map[string][]Carrier
	prompts  map[string][]Carrier
}

// byLang sorts carriers by language, prompts apart, and leaves out what cannot
// serve.
func byLang(all []Carrier) (carriers, prompts map[string][]Carrier) {
	carriers, prompts = map[string][]Carrier{}, map[string][]Carrier{}
	for _, c := range all {
		switch {
		case strings.TrimSpace(c.Text) == "":
		case c.Kind == UserPrompt:
			prompts[c.Lang] = append(prompts[c.Lang], c)
		case slices.Contains(kinds[:5], c.Kind):
			carriers[c.Lang] = append(carriers[c.Lang], c)
		}
	}
	return carriers, prompts
}

// pick returns one of a list that is not empty.
func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// draw returns a root by weight; nil when there is none.
func (w *writer) draw(roots []*root) *root {
	sum := 0
	for _, r := range roots {
		sum += r.weight
	}
	if sum == 0 {
		return nil
	}
	at := w.rng.IntN(sum)
	for _, r := range roots {
		if at -= r.weight; at < 0 {
			return r
		}
	}
	return nil
}

// group draws the rows that belong together.
func (w *writer) group() []Row {
	lang := "en"
	if w.rng.IntN(100) >= shareEnglish {
		lang = pick(w.rng, w.lib.others)
	}
	switch n := w.rng.IntN(100); {
	case n < shareLaid:
		return w.laid(lang)
	case n < shareLaid+shareTasks:
		return w.task(lang)
	default:
		return w.alone(lang)
	}
}

// alone draws a text that needs no carrier. Where a benign prompt stands beside
// an attack, it comes alone too.
func (w *writer) alone(lang string) []Row {
	attack := w.rng.IntN(2) == 0
	r := w.draw(w.lib.roots[class{lang, attack, false}])
	text := r.expand(w.rng)
	var rows []Row
	if r.kind == UserPrompt {
		switch n := w.rng.IntN(100); {
		case n < sharePrefixed:
			other := w.prompt(lang)
			text = w.beside(text, other)
			if attack {
				rows = append(rows, Row{other, false, "prompt", UserPrompt, lang})
			}
		case n < sharePrefixed+shareDialogue:
			text = w.dialogue(text, lang)
		}
	}
	return append(rows, Row{noise(w.rng, text), attack, r.family, r.kind, lang})
}

// prompt returns a benign prompt, one of the trainer's when there is one.
func (w *writer) prompt(lang string) string {
	if list := w.prompts[lang]; len(list) > 0 && w.rng.IntN(4) > 0 {
		for range 4 {
			if c := pick(w.rng, list); len(c.Text) < 2000 {
				return c.Text
			}
		}
	}
	return w.short(lang)
}

// short returns a benign prompt of at most a few hundred bytes.
func (w *writer) short(lang string) string {
	roots := w.lib.roots[class{lang, false, false}]
	text := ""
	for range 8 {
		r := w.draw(roots)
		if r.kind != UserPrompt {
			continue
		}
		if text = r.expand(w.rng); len(text) < 400 {
			return text
		}
	}
	return text
}

// beside joins a text with a benign one.
func (w *writer) beside(text, other string) string {
	gap := pick(w.rng, []string{" ", "\n", "\n\n", "\n\n---\n", " ... ", "\n\n\n", "  ", " - "})
	if w.rng.IntN(4) == 0 {
		return text + gap + other
	}
	return other + gap + text
}

// turns are names of the two who talk.
var turns = [][2]string{
	{"User", "Assistant"},
	{"Human", "AI"},
	{"Q", "A"},
	{"Me", "Bot"},
	{"user", "assistant"},
	{"Customer", "Agent"},
	{"Student", "Tutor"},
	{"<|user|>", "<|assistant|>"},
	{"### Instruction", "### Response"},
}

// dialogue makes a text the last turn of a talk.
func (w *writer) dialogue(text, lang string) string {
	who := pick(w.rng, turns)
	var b strings.Builder
	for range 1 + w.rng.IntN(2) {
		b.WriteString(who[0] + ": " + w.prompt(lang) + "\n" + who[1] + ": " + pick(w.rng, w.lib.answers) + "\n")
	}
	b.WriteString(who[0] + ": " + text)
	if w.rng.IntN(2) == 0 {
		b.WriteString("\n" + who[1] + ":")
	}
	return b.String()
}

// carrier returns a benign text of a language.
func (w *writer) carrier(lang string) Carrier {
	if list := w.carriers[lang]; len(list) > 0 && w.rng.IntN(10) > 0 {
		return pick(w.rng, list)
	}
	r := w.draw(w.lib.carriers[lang])
	return Carrier{Text: r.expand(w.rng), Kind: r.kind, Lang: lang}
}

// laid draws a carrier with an attack, mostly with its twins.
func (w *writer) laid(lang string) []Row {
	from := lang
	if w.rng.IntN(12) == 0 {
		from = "en" // an attack in another language than the text around it
		if lang == "en" {
			from = pick(w.rng, w.lib.others)
		}
	}
	c := w.carrier(from)
	attack := w.draw(w.lib.roots[class{lang, true, true}])
	benign := w.draw(w.lib.roots[class{lang, false, true}])
	put := w.place(c)
	rows := []Row{{put(noise(w.rng, attack.expand(w.rng))), true, attack.family, c.Kind, lang}}
	if w.rng.IntN(100) < 65 {
		rows = append(rows, Row{put(noise(w.rng, benign.expand(w.rng))), false, benign.family, c.Kind, lang})
	}
	if w.rng.IntN(100) < 35 {
		rows = append(rows, Row{c.Text, false, "carrier", c.Kind, from})
	}
	return rows
}

// task draws a prompt in which a user asks for something about a text, with a
// sentence in or behind that text.
func (w *writer) task(lang string) []Row {
	c := w.carrier(lang)
	text := clip(c.Text, 100+w.rng.IntN(900))
	ask := w.draw(w.lib.tasks[lang]).expand(w.rng)
	attack := w.draw(w.lib.roots[class{lang, true, true}])
	if w.rng.IntN(2) == 0 {
		attack = w.draw(w.lib.direct[lang])
	}
	benign := w.draw(w.lib.roots[class{lang, false, true}])
	if own := w.lib.asides[lang]; len(own) > 0 && w.rng.IntN(2) == 0 {
		benign = w.draw(own)
	}
	frame := pick(w.rng, [][2]string{
		{":\n\n", ""},
		{":\n\"\"\"\n", "\n\"\"\""},
		{":\n---\n", "\n---"},
		{":\n<text>\n", "\n</text>"},
		{": ", ""},
		{":\n```\n", "\n```"},
		{". \n\n", ""},
		{":\n\"", "\""},
	})
	gap := pick(w.rng, []string{" ", "\n", "\n\n"})
	behind := w.rng.IntN(3) == 0
	put := func(s string) string {
		if behind {
			return ask + frame[0] + text + frame[1] + gap + s
		}
		return ask + frame[0] + text + gap + s + frame[1]
	}
	rows := []Row{{put(noise(w.rng, attack.expand(w.rng))), true, attack.family, UserPrompt, lang}}
	if w.rng.IntN(2) == 0 {
		rows = append(rows, Row{put(noise(w.rng, benign.expand(w.rng))), false, benign.family, UserPrompt, lang})
	} else {
		rows = append(rows, Row{ask + frame[0] + text + frame[1], false, "task", UserPrompt, lang})
	}
	return rows
}

// clip cuts a text after at most n bytes, at a space when there is one.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if at := strings.LastIndexAny(s[:n], " \n"); at > n/2 {
		return s[:at]
	}
	return strings.ToValidUTF8(s[:n], "")
}

// newRand returns the source of a group, or of a root.
func newRand(seed, group uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, group)) //nolint:gosec // a corpus must come out the same again
}
