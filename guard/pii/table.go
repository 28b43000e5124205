package pii

import "bytes"

// Bounds of what is remembered of a table: later columns have no name, nor have
// those with a longer one.
const (
	maxColumns = 64
	maxHeader  = 60
)

// table follows the shape of a text line by line: where a line names columns,
// the lines below have them too, until a blank line or one of another shape.
// Statements of SQL that list columns and rows of HTML are followed by their
// brackets. It goes by the signs between cells alone, which the cursor shows it
// in the order in which they stand. Offsets are those of the text.
type table struct {
	kind   tableKind
	ready  bool // the columns are known: this is a row
	sign   byte // between the cells; zero: not known yet, or only one column
	quote  byte // within a quoted cell
	seen   int  // signs before it were shown
	line   int  // where the line begins
	cell   int  // where the cell begins
	column int  // of the cell
	width  int  // columns
	named  bool // one of them at least
	spoilt bool // a cell of the line names no column and is none
	depth  int  // of the brackets of SQL
	names  [maxColumns]topics
}

type tableKind uint8

const (
	lines tableKind = iota
	sql
	html
)

// at returns what the column speaks of in which a value begins at off, and
// nothing if more stands in the cell before it.
func (b *table) at(t []byte, i, base int) *topics {
	if !b.ready || b.column < 0 || b.column >= b.width {
		return nil
	}
	if b.kind != html {
		from := b.cell - base
		if i-from > 6 || from < 0 {
			return nil
		}
		for ; from < i; from++ {
			if !contains(" \"'`(*$[", t[from]) {
				return nil
			}
		}
	}
	return &b.names[b.column]
}

// show tells of the sign t[i] at the offset off. t is folded. It reports whether
// a cell begins behind the sign.
func (b *table) show(t []byte, i, off int) bool {
	if off < b.seen {
		return false
	}
	b.seen = off + 1
	c := t[i]
	switch b.kind {
	case sql:
		return b.showSQL(t, i, off)
	case html:
		return b.showHTML(t, i, off)
	case lines:
	}
	switch c {
	case '"':
		// Quotes part cells only where signs of prose do.
		if b.sign != '|' && (b.quote == c || b.blank(t, i, off)) {
			b.quote ^= c
		}
	case '\n':
		b.endLine(t, i, off)
		return b.ready
	case '(':
		if j := max(0, i-56); bytes.Contains(t[j:i], []byte("insert into ")) {
			*b = table{kind: sql, seen: b.seen, depth: 1, cell: off + 1}
		}
	case '<':
		if tagAt(t, i, "<table") || tagAt(t, i, "<tr") || tagAt(t, i, "<th") {
			*b = table{kind: html, seen: b.seen, column: -1}
			return b.showHTML(t, i, off)
		}
	case ',', ';', '\t', '|':
		if b.quote != 0 || b.ready && c != b.sign {
			return false
		}
		if !b.ready {
			if b.sign == 0 {
				b.sign = c
			}
			if c != b.sign {
				return false
			}
			b.name(t, i, off)
		}
		b.column++
		b.cell = off + 1
		return b.ready
	}
	return false
}

// blank reports whether nothing stands between the beginning of the cell and t[i].
func (b *table) blank(t []byte, i, off int) bool {
	return off-b.cell <= i && len(bytes.TrimLeft(t[i-min(off-b.cell, i):i], " ")) == 0
}

// endLine ends the line before t[i].
func (b *table) endLine(t []byte, i, off int) {
	if b.quote != 0 && b.ready && off-b.line < 1<<10 {
		return // a cell of several lines
	}
	empty := off-b.line <= min(i, 8) && len(bytes.TrimSpace(t[i-(off-b.line):i])) == 0
	switch {
	case b.ready:
		if empty || b.sign != 0 && b.column+1 != b.width && b.column != b.width {
			b.drop()
		}
	case empty:
		b.drop()
	default:
		b.name(t, i, off)
		if b.named && !b.spoilt {
			b.ready, b.width = true, min(b.column+1, maxColumns)
		} else {
			b.drop()
		}
	}
	b.quote, b.column = 0, 0
	b.line, b.cell = off+1, off+1
}

// drop forgets the columns.
func (b *table) drop() {
	clear(b.names[:min(max(b.width, b.column+1, 0), maxColumns)])
	b.ready, b.named, b.spoilt, b.sign, b.width, b.kind, b.depth = false, false, false, 0, 0, lines, 0
}

// name takes the cell before t[i] as the name of its column.
func (b *table) name(t []byte, i, off int) {
	if b.column < 0 || b.column >= maxColumns {
		return
	}
	from := i - (off - b.cell)
	if off-b.cell > maxHeader || from < 0 {
		b.spoilt = b.spoilt || b.sign == 0
		return
	}
	if b.spoilt {
		return
	}
	digits, words := 0, 0
	for j := from; j < i; {
		switch c := t[j]; {
		case isDigit(c):
			digits++
		case contains("?!{}=<>&+%$@;", c):
			b.spoilt = true // a sentence, a program
			return
		case inWord(c):
			s := j
			for j < i && inWord(t[j]) {
				j++
			}
			words++
			if sentence[string(t[s:j])] {
				b.spoilt = true
			}
			continue
		}
		j++
	}
	if digits > 1 || words > 5 || words > 3 && b.sign == 0 && b.kind == lines {
		b.spoilt = b.spoilt || digits > 4 || b.sign == 0
		return
	}
	far, _ := topicsBefore(t, i, from)
	if !far.none() {
		b.names[b.column], b.named = far, true
	}
}

// sentence are words of sentences, not of the names of columns.
var sentence = words("the my your his our their we i you he she it they is are was were be been has have had lost need needs please can will would said and but because so if when yesterday today mein meine ist sind und wir ich mon ma est et je nous mi es y yo nosotros il e la mia o meu minha")

// showSQL reads INSERT INTO people (name, ssn) VALUES ('Ann', '078-05-1120').
func (b *table) showSQL(t []byte, i, off int) bool {
	c := t[i]
	if b.quote != 0 {
		if c == b.quote {
			b.quote = 0
		}
		return false
	}
	switch c {
	case '\'', '"':
		if b.depth == 1 && b.ready {
			b.quote = c
		}
	case '(':
		if b.depth++; b.depth == 1 {
			b.column, b.cell = 0, off+1
			return b.ready
		}
	case ')':
		if b.depth == 1 && !b.ready {
			b.name(t, i, off)
			b.ready, b.width = true, min(b.column+1, maxColumns)
		}
		b.depth = max(b.depth-1, 0)
		if b.depth == 0 {
			b.column = -1
		}
	case ',':
		if b.depth == 1 {
			if !b.ready {
				b.name(t, i, off)
			}
			b.column++
			b.cell = off + 1
			return b.ready
		}
	case ';':
		if b.depth == 0 {
			b.drop()
			b.line, b.cell, b.column = off+1, off+1, 0
		}
	case '\n':
		if i > 0 && t[i-1] == '\n' {
			b.drop()
			b.line, b.cell, b.column = off+1, off+1, 0
		}
	}
	return false
}

// showHTML reads <tr><th>SSN</th></tr> and the rows below.
func (b *table) showHTML(t []byte, i, off int) bool {
	if t[i] != '<' {
		return false
	}
	switch {
	case tagAt(t, i, "<tr"):
		b.column = -1
	case tagAt(t, i, "<th"), tagAt(t, i, "<td"):
		b.column++
		b.cell = off
	case tagAt(t, i, "</th"):
		if from := bytes.LastIndexByte(t[max(0, i-maxHeader):i], '>'); from >= 0 {
			b.cell = off - (i - max(0, i-maxHeader) - from - 1)
			b.name(t, i, off)
			b.ready, b.width = b.ready || b.named, max(b.width, min(b.column+1, maxColumns))
		}
	case tagAt(t, i, "</table"):
		b.column = max(b.column, b.width)
		b.drop()
		b.line, b.cell, b.column = off+1, off+1, 0
	}
	return false
}

// maxTag is how much must be seen of a tag.
const maxTag = len("</table>")

func tagAt(t []byte, i int, tag string) bool {
	return i+len(tag) < len(t) && string(t[i:i+len(tag)]) == tag && !isLetter(t[i+len(tag)])
}
