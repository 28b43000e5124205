package eval

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// section is a part of a printed report: a heading, a sentence and a table.
type section struct {
	title, text string
	head        []string
	left        int  // columns that hold names, and so begin on the left
	open        bool // the last column does, too
	rows        [][]string
}

func (s *section) isLeft(column int) bool {
	return column < s.left || s.open && column == len(s.head)-1
}

func (s *section) row(cells ...string) { s.rows = append(s.rows, cells) }

// WriteText prints the report with tables that align.
func (r *Report) WriteText(w io.Writer) error { return writeText(w, r.sections(), r.Notes) }

func writeText(w io.Writer, sections []section, notes []string) error {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.title + "\n")
		if s.text != "" {
			b.WriteString(s.text + "\n")
		}
		s.align(&b)
	}
	b.WriteString("\nHow it was counted\n")
	for _, n := range notes {
		b.WriteString("- " + n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *section) align(b *strings.Builder) {
	if len(s.rows) == 0 {
		return
	}
	width := make([]int, len(s.head))
	for _, row := range append([][]string{s.head}, s.rows...) {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range append([][]string{s.head}, s.rows...) {
		line := ""
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if s.isLeft(i) {
				c += pad
			} else {
				c = pad + c
			}
			line += "  " + c
		}
		if strings.TrimSpace(line) != "" {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
}

// WriteMarkdown prints the report as a page, or as a part of one: under a heading
// of the given level, from 1. Names of files come without their folders, and
// nothing tells which machine it was.
func (r *Report) WriteMarkdown(w io.Writer, title string, level int) error {
	return writeMarkdown(w, title, level, r.Command, r.sections(), r.Notes)
}

func writeMarkdown(w io.Writer, title string, level int, command string, sections []section, notes []string) error {
	var b strings.Builder
	mark := strings.Repeat("#", min(max(level, 1), 5))
	fmt.Fprintf(&b, "%s %s\n\n", mark, cell(title))
	if command != "" {
		fmt.Fprintf(&b, "Printed by:\n\n```sh\n%s\n```\n\n", command)
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "%s# %s\n\n", mark, s.title)
		if s.text != "" {
			b.WriteString(cell(s.text) + "\n\n")
		}
		s.markdown(&b)
	}
	fmt.Fprintf(&b, "%s# How it was counted, and what it does not say\n\n", mark)
	for _, n := range notes {
		b.WriteString("- " + cell(n) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *section) markdown(b *strings.Builder) {
	if len(s.rows) == 0 {
		return
	}
	for i, row := range append([][]string{s.head, nil}, s.rows...) {
		for k := range s.head {
			switch {
			case i != 1:
				b.WriteString("| " + cell(row[k]) + " ")
			case s.isLeft(k):
				b.WriteString("|---")
			default:
				b.WriteString("|--:")
			}
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
}

// cell is a text that Markdown reads as it is.
func cell(s string) string {
	if rest := strings.TrimLeft(s, " "); rest != s { // of a group
		s = strings.Repeat("&nbsp;", len(s)-len(rest)) + markdownEscapes.Replace(rest)
		return s
	}
	return markdownEscapes.Replace(s)
}

var markdownEscapes = strings.NewReplacer("|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "<", "&lt;", "\n", " ")

func (r *Report) sections() (out []section) {
	out = append(out, r.dataSection())
	switch {
	case r.Spans != nil:
		out = append(out, r.Spans.sections()...)
	case r.Binary != nil:
		out = append(out, r.Binary.sections()...)
	}
	if c := r.Cost; c != nil {
		out = append(out, section{title: "Cost", text: fmt.Sprintf("Judging took %.1f µs per KB on one core, %.1f MB/s, %s texts a second of %s bytes on average. The whole run took %s. Times differ from run to run and from machine to machine.",
			float64(c.PerKB), float64(c.Rate), rate(c.Rows, c.Judging), count(c.Bytes/max(1, c.Rows)), c.Wall.Round(10*time.Millisecond))})
	}
	for _, list := range []struct {
		title string
		of    []Mistake
	}{{"Misses", r.Misses}, {"False positives", r.False}} {
		if len(list.of) > 0 {
			out = append(out, mistakes(list.title, list.of))
		}
	}
	if len(r.Floors) > 0 {
		s := section{title: "Floors", head: []string{"figure", "state", "is", "floor"}, left: 2}
		for _, f := range r.Floors {
			state := "met"
			if !f.Met {
				state = "missed"
			}
			s.row(f.Name, state, f.Got.String(), fmt.Sprint(f.Want))
		}
		out = append(out, s)
	}
	return out
}

func rate(n int64, d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return count(int64(float64(n) / d.Seconds()))
}

func (r *Report) dataSection() section {
	s := section{
		title: "Data", text: fmt.Sprintf("Guardrail %s, texts on their way as %s.", r.Guardrail, r.Direction),
		head: []string{"file", "SHA-256", "rows", "judged", "labelled spans"}, left: 2,
	}
	if r.Task == Binary {
		s.head[4] = "positive rows"
	}
	for _, d := range r.Data {
		digest := d.SHA256
		if digest == "" {
			digest = "–"
		}
		s.row(d.Name, digest, count(d.Rows), count(d.Judged), count(d.Labels))
	}
	return s
}

func mistakes(title string, list []Mistake) section {
	s := section{title: title, head: []string{"where", "id", "what", "span", "score"}, left: 3}
	text := list[0].Text != ""
	if text {
		s.head, s.open = append(s.head, "text"), true
	}
	for _, m := range list {
		span := "–"
		if m.End > m.Start {
			span = fmt.Sprintf("%d-%d", m.Start, m.End)
		}
		cells := []string{fmt.Sprintf("%s:%d", m.File, m.Line), m.ID, m.Type, span, fmt.Sprintf("%.2f", m.Score)}
		if text {
			cells = append(cells, m.Text)
		}
		s.row(cells...)
	}
	return s
}

func (f *SpanFigures) sections() (out []section) {
	total := section{
		title: "Together", text: "All types that are looked for.",
		head: []string{"types", "matching", "labelled", "found", "missed", "false", "precision", "recall", "F1"}, left: 2,
	}
	if f.Loose.Labelled+f.Loose.False > 0 {
		total.text += " Names and places have no structure that tells them, and are counted apart."
	}
	for _, l := range []Line{f.Structured, f.Loose, f.All} {
		if l.Labelled+l.Found+l.False == 0 && l.Name != f.All.Name {
			continue
		}
		total.row(l.Name, "overlap", count(l.Labelled), count(l.Found), count(l.Missed), count(l.False), l.Precision.String(), l.Recall.String(), l.F1.String())
		s, p := l.StrictRecall, l.StrictPrecision
		total.row("", "strict", count(l.Labelled), count(s.Hits), count(s.Of-s.Hits), count(p.Of-p.Hits), p.String(), s.String(), l.StrictF1.String())
	}
	out = append(out, total, f.masking(), f.byType())
	for _, b := range f.By {
		s := section{
			title: "By " + b.Field, text: "Clean rows are those without a label.",
			head: []string{b.Field, "rows", "labelled", "missed", "false", "precision", "recall", "F1", "strict F1", "bytes masked", "clean rows left alone", "false per 1,000 words there"}, left: 1,
		}
		for _, l := range b.Lines {
			s.row(l.Name, count(l.Rows), count(l.Labelled), count(l.Missed), count(l.False), l.Precision.String(), l.Recall.String(),
				l.F1.String(), l.StrictF1.String(), l.Covered.String(), l.Clean.String(), l.PerWord.String())
		}
		out = append(out, s)
	}
	for _, c := range []struct {
		title, text string
		counts      []Count
	}{
		{"Not looked for", "Labels of types that no detector of this guardrail looks for. They are in no figure but that of the bytes of all types.", f.NotLookedFor},
		{"Ignored", "Labels of types that were left out on request.", f.Ignored},
	} {
		if len(c.counts) == 0 {
			continue
		}
		s := section{title: c.title, text: c.text, head: []string{"type", "labelled"}, left: 1}
		for _, n := range c.counts {
			s.row(n.Name, count(n.N))
		}
		out = append(out, s)
	}
	return out
}

func (f *SpanFigures) masking() section {
	s := section{title: "Masking and clean text", head: []string{"figure", "value"}, left: 1}
	s.row("bytes of labels of types looked for that are masked", f.All.Covered.String())
	s.row("bytes of labels of all types that are masked", f.AllCovered.String())
	s.row("bytes without a label that are masked", f.All.Masked.String())
	s.row(fmt.Sprintf("rows without labels that are left alone, of %s", count(f.CleanRows)), f.All.Clean.String())
	s.row(fmt.Sprintf("false positives per 1,000 words of such rows (%s words)", count(f.CleanWords)), f.All.PerWord.String())
	s.row("false positives on a label of another type", count(f.All.Mistyped))
	s.row("false positives on a label that was found already, or covered too little", count(f.All.Pieces))
	s.row("findings that are neither right nor wrong", count(f.Neutral))
	return s
}

// fewMembers is how many types may share a line before those without a miss are
// left out.
const fewMembers = 8

func (f *SpanFigures) byType() section {
	s := section{
		title: "By type",
		head:  []string{"type", "counts as", "labelled", "found", "missed", "false", "precision", "recall", "F1", "strict F1"}, left: 2,
	}
	for _, l := range f.Types {
		name := l.Name
		if l.Labelled == 0 {
			name = "(no such label)"
		}
		s.row(name, strings.Join(l.CountsAs, ", "), count(l.Labelled), count(l.Found), count(l.Missed), count(l.False),
			l.Precision.String(), l.Recall.String(), l.F1.String(), l.StrictF1.String())
		whole := 0
		for _, m := range l.Members {
			if m.Missed == 0 && len(l.Members) > fewMembers {
				whole++
				continue
			}
			s.row("  "+m.Name, "", count(m.Labelled), count(m.Found), count(m.Missed), "", "", m.Recall.String(), "", "")
		}
		if whole > 0 {
			s.row(fmt.Sprintf("  %d more, without a miss", whole), "", "", "", "", "", "", "", "", "")
		}
	}
	return s
}

func (f *BinaryFigures) sections() (out []section) {
	own := "at the guardrail's own decision (" + f.At + " or stricter)"
	s := section{title: "Together", head: []string{"figure", "value"}, left: 1}
	s.row("rows, of which positive", count(f.Recall.Of+f.FalseAlarms.Of)+", "+count(f.Recall.Of))
	if f.Untold > 0 {
		s.row("rows that do not say, left out", count(f.Untold))
	}
	s.row("AUC", f.AUC.String())
	s.row("average precision", f.AveragePrecision.String())
	s.row("recall at 1 % false positives"+f.At1.where(), f.At1.Recall.String())
	s.row("recall at 0.1 % false positives"+f.At01.where(), f.At01.Recall.String())
	s.row("precision "+own, f.Precision.String())
	s.row("recall "+own, f.Recall.String())
	s.row("F1 "+own, f.F1.String())
	s.row("false positives "+own, f.FalseAlarms.String())
	s.row("over-defence accuracy: hard negatives let pass", f.OverDefence.String())
	s.row("negatives let pass", f.LetPass.String())
	out = append(out, s)
	out = append(out, classSections(f.Classes)...)
	for _, b := range f.By {
		s := section{
			title: "By " + b.Field, text: "Caught and false positives are the guardrail's own decision; at 1 % is the threshold that flags at most 1 % of all negatives.",
			head: []string{b.Field, "positive", "caught", "recall at 1 %", "negative", "false positives", "at 1 %", "AUC"}, left: 1,
		}
		for _, l := range b.Lines {
			s.row(l.Name, count(l.Recall.Of), l.Recall.String(), Number(l.At1.Value()).String(), count(l.FalseAlarms.Of), l.FalseAlarms.String(), Number(l.Over.Value()).String(), l.AUC.String())
		}
		out = append(out, s)
	}
	if len(f.Evasion) > 0 {
		s := section{title: "Evasion", text: "Positives that are caught in clear, asked again in a disguise.", head: []string{"disguise", "texts", "still caught", "unchanged", "could not look"}, left: 1}
		for _, e := range f.Evasion {
			s.row(e.Converter, count(e.StillCaught.Of), e.StillCaught.String(), count(e.Unchanged), count(e.Unavailable))
		}
		s.row("all", count(f.Evaded.Of), f.Evaded.String(), "", "")
		out = append(out, s)
	}
	return out
}

func (c Cut) where() string {
	if math.IsInf(float64(c.Threshold), 0) {
		return fmt.Sprintf(", at most %s (no threshold does)", count(c.Allowed))
	}
	return fmt.Sprintf(", at most %s (score from %s)", count(c.Allowed), c.Threshold)
}

// count prints a number with its thousands apart.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
