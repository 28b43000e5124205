package provenance

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// simpleYAML reads the YAML that programs print: lists and mappings by lines, of plain,
// quoted and literal scalars. It is there for its speed. What it reads it reads as any
// reader of YAML 1.2 does; of everything else it says that it cannot, and the library
// is asked.
func (r *reader) simpleYAML(s string) error {
	if len(s) > maxJSON {
		return errNoFields
	}
	y := lines{r: r, s: strings.TrimRight(s, " \n")}
	if err := y.turn(); err != nil {
		return err
	}
	if y.at >= len(y.s) || !y.dash() && y.key() < 0 {
		return errNoFields // nothing, or one scalar
	}
	if err := y.block(y.col); err != nil {
		return err
	}
	if y.at < len(y.s) {
		return errNoFields
	}
	return nil
}

// lines reads YAML by lines. It stands at what is to be read next, which is not blank.
type lines struct {
	r     *reader
	s     string
	at    int
	start int // of the line
	col   int // of at, in its line
}

// turn goes from the end of a line to the next that is not blank.
func (y *lines) turn() error {
	for {
		y.start = y.at
		for y.at < len(y.s) && y.s[y.at] == ' ' {
			y.at++
		}
		if y.at >= len(y.s) {
			y.col = -1
			return nil
		}
		if y.s[y.at] != '\n' {
			break
		}
		y.at++
	}
	y.col = y.at - y.start
	if c := y.s[y.at]; c == '#' || c == '%' || y.col == 0 && (strings.HasPrefix(y.s[y.at:], "---") || strings.HasPrefix(y.s[y.at:], "...")) {
		return errNoFields
	}
	return nil
}

// eol goes behind the end of the line, where nothing but spaces is left of it.
func (y *lines) eol() error {
	for y.at < len(y.s) && y.s[y.at] == ' ' {
		y.at++
	}
	if y.at < len(y.s) {
		if y.s[y.at] != '\n' {
			return errNoFields
		}
		y.at++
	}
	return y.turn()
}

func (y *lines) ends() bool {
	rest := strings.TrimLeft(y.s[y.at:], " ")
	return rest == "" || rest[0] == '\n'
}

func (y *lines) dash() bool {
	return y.at < len(y.s) && y.s[y.at] == '-' && (y.at+1 == len(y.s) || y.s[y.at+1] == ' ' || y.s[y.at+1] == '\n')
}

// key returns where the colon behind a plain key stands; -1: no key is here.
func (y *lines) key() int {
	for i := y.at; i < len(y.s); i++ {
		switch c := y.s[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		case (c >= '0' && c <= '9' || c == ' ' || c == '-' || c == '.') && i > y.at:
		case c == ':' && i > y.at && y.s[i-1] != ' ' && (i+1 == len(y.s) || y.s[i+1] == ' ' || y.s[i+1] == '\n'):
			return i
		default:
			return -1
		}
	}
	return -1
}

// block reads a list or a mapping at a column.
func (y *lines) block(col int) error {
	if len(y.r.path) >= maxDepth {
		return errNoFields
	}
	if y.dash() {
		return y.list(col)
	}
	return y.mapping(col)
}

func (y *lines) list(col int) error {
	for n := 0; y.at < len(y.s) && y.col == col && y.dash(); n++ {
		was, err := y.r.enter(strconv.Itoa(n))
		if err != nil {
			return err
		}
		y.at++
		if y.ends() {
			if err = y.eol(); err == nil {
				err = y.below(col, false)
			}
		} else {
			for y.s[y.at] == ' ' {
				y.at++
			}
			if y.col = y.at - y.start; y.dash() || y.key() >= 0 {
				err = y.block(y.col)
			} else {
				err = y.scalar(col)
			}
		}
		if err != nil {
			return err
		}
		y.r.leave(was)
	}
	if y.col > col {
		return errNoFields
	}
	return nil
}

func (y *lines) mapping(col int) error {
	var few [16]string
	seen := few[:0]
	for y.at < len(y.s) && y.col == col {
		colon := y.key()
		if colon < 0 || len(seen) >= 64 {
			return errNoFields
		}
		key := y.s[y.at:colon]
		if slices.Contains(seen, key) {
			return errNoFields
		}
		seen = append(seen, key)
		was, err := y.r.enter(key)
		if err != nil {
			return err
		}
		if y.at = colon + 1; y.ends() {
			if err = y.eol(); err == nil {
				err = y.below(col, true)
			}
		} else {
			for y.s[y.at] == ' ' {
				y.at++
			}
			err = y.scalar(col)
		}
		if err != nil {
			return err
		}
		y.r.leave(was)
	}
	if y.col > col {
		return errNoFields
	}
	return nil
}

// below reads what stands in the lines below a dash or a key: what is further in, and of
// a key a list in its own column; else nothing.
func (y *lines) below(col int, key bool) error {
	switch {
	case y.at < len(y.s) && y.col > col:
		if !y.dash() && y.key() < 0 {
			return errNoFields // a scalar
		}
		return y.block(y.col)
	case key && y.at < len(y.s) && y.col == col && y.dash():
		return y.list(col)
	}
	return y.r.add("")
}

// scalar reads a scalar that begins here, in what stands in a column, and the end of its
// last line.
func (y *lines) scalar(col int) error {
	rest := y.s[y.at:]
	switch rest[0] {
	case '\'':
		return y.quoted(col, '\'')
	case '"':
		return y.quoted(col, '"')
	case '|':
		return y.literal(col)
	case '[', '{':
		if !strings.HasPrefix(rest, "[]") && !strings.HasPrefix(rest, "{}") {
			return errNoFields
		}
		y.at += 2
		return y.eol()
	}
	return y.plain(col)
}

// clean says whether a line has nothing that readers may disagree about.
func clean(line string) bool {
	for i := 0; i < len(line); {
		c := line[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7F {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		if r == utf8.RuneError || r < 0xA0 || r == 0x2028 || r == 0x2029 || r == 0xFEFF || r >= 0xE000 && r <= 0xF8FF || r >= 0xFFFE && r < 0x10000 {
			return false
		}
		i += n
	}
	return true
}

// line takes the rest of the line.
func (y *lines) line() string {
	rest := y.s[y.at:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
		y.at++
	}
	y.at += len(rest)
	return strings.TrimRight(rest, " ")
}

// plain reads a plain scalar, which goes on in lines that are further in.
func (y *lines) plain(col int) error {
	value := ""
	for n := 0; ; n++ {
		line := y.line()
		if line == "" || strings.IndexByte("-?:,[]{}#&*!|>'\"%@`", line[0]) >= 0 && (n > 0 || line[0] != '-' || len(line) < 2 || line[1] == ' ') ||
			!clean(line) || strings.Contains(line, ": ") || strings.Contains(line, " #") || strings.HasSuffix(line, ":") {
			return errNoFields
		}
		if n == 0 {
			value = line
		} else {
			value += " " + line
		}
		before := y.at
		if err := y.turn(); err != nil {
			return err
		}
		if y.at >= len(y.s) || y.col <= col {
			return y.r.add(value)
		}
		if y.start != before || len(value) > 1<<14 {
			return errNoFields // a blank line within, or a text that is long
		}
	}
}

// quoted reads a scalar in quotes.
func (y *lines) quoted(col int, quote byte) error {
	from := y.at + 1
	if i := strings.IndexAny(y.s[from:], "'\"\\\n"); i >= 0 && y.s[from+i] == quote && !(quote == '\'' && strings.HasPrefix(y.s[from+i+1:], "'")) {
		if value := y.s[from : from+i]; clean(value) {
			y.at = from + i + 1
			if err := y.r.add(value); err != nil {
				return err
			}
			return y.eol()
		}
		return errNoFields
	}
	var b strings.Builder
	for y.at++; y.at < len(y.s); {
		c := y.s[y.at]
		switch {
		case c == quote && quote == '\'' && strings.HasPrefix(y.s[y.at+1:], "'"):
			b.WriteByte('\'')
			y.at += 2
		case c == quote:
			y.at++
			if err := y.r.add(b.String()); err != nil {
				return err
			}
			return y.eol()
		case c == '\\' && quote == '"':
			if err := y.escape(&b, col); err != nil {
				return err
			}
		case c == '\n':
			if err := y.fold(&b, col, 0); err != nil {
				return err
			}
		case c == ' ':
			n := len(y.s[y.at:]) - len(strings.TrimLeft(y.s[y.at:], " "))
			if y.at+n < len(y.s) && y.s[y.at+n] != '\n' {
				b.WriteString(y.s[y.at : y.at+n])
			}
			y.at += n
		default:
			n := strings.IndexAny(y.s[y.at:], "'\"\\\n ")
			if n < 0 {
				return errNoFields
			}
			n = max(n, 1)
			if !clean(y.s[y.at : y.at+n]) {
				return errNoFields
			}
			b.WriteString(y.s[y.at : y.at+n])
			y.at += n
		}
	}
	return errNoFields
}

// fold reads the end of a line within quotes and the blanks around: one is a space, each
// that is blank behind it is a line's end.
func (y *lines) fold(b *strings.Builder, col, least int) error {
	n := 0
	for y.at < len(y.s) && y.s[y.at] == '\n' {
		n++
		y.at++
		y.start = y.at
		for y.at < len(y.s) && y.s[y.at] == ' ' {
			y.at++
		}
	}
	if y.at >= len(y.s) || y.at-y.start <= max(col, 0) {
		return errNoFields
	}
	if n == 1 && least == 0 {
		b.WriteByte(' ')
	}
	for ; n > 1; n-- {
		b.WriteByte('\n')
	}
	return nil
}

// escape reads an escape within double quotes.
func (y *lines) escape(b *strings.Builder, col int) error {
	rest := y.s[y.at:]
	if len(rest) < 2 {
		return errNoFields
	}
	width := 0
	switch rest[1] {
	case '\n':
		y.at++
		return y.fold(b, col, 1)
	case '"', '\\', '/', ' ':
		b.WriteByte(rest[1])
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'x':
		width = 2
	case 'u':
		width = 4
	case 'U':
		width = 8
	default:
		return errNoFields
	}
	y.at += 2
	if width == 0 {
		return nil
	}
	if len(rest) < 2+width {
		return errNoFields
	}
	v, err := strconv.ParseUint(rest[2:2+width], 16, 32)
	if err != nil || v > utf8.MaxRune || v >= 0xD800 && v <= 0xDFFF {
		return errNoFields
	}
	b.WriteRune(rune(v))
	y.at += width
	return nil
}

// literal reads a literal scalar: |, |- or |+.
func (y *lines) literal(col int) error {
	head := y.line()
	if head != "|" && head != "|-" && head != "|+" {
		return errNoFields
	}
	var b strings.Builder
	in, blanks := -1, 0
	for y.at < len(y.s) {
		from := y.at
		for from < len(y.s) && y.s[from] == ' ' {
			from++
		}
		indent := from - y.at
		blank := from >= len(y.s) || y.s[from] == '\n'
		switch {
		case blank && in < 0, blank && indent > in:
			return errNoFields // what it means depends on what follows
		case blank:
			blanks++
			y.at = min(from+1, len(y.s))
			continue
		case in < 0:
			in = indent
		}
		if indent < in || in <= max(col, 0) {
			break
		}
		y.at += in
		line := y.s[y.at:]
		if i := strings.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
			y.at++
		}
		if !clean(line) {
			return errNoFields
		}
		y.at += len(line)
		for ; blanks > 0; blanks-- {
			b.WriteByte('\n')
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	value := b.String()
	if value == "" || head == "|+" || y.at >= len(y.s) && head == "|" {
		return errNoFields // how many ends of lines it has was cut off
	}
	if head == "|-" {
		value = strings.TrimSuffix(value, "\n")
	}
	if err := y.r.add(value); err != nil {
		return err
	}
	return y.turn()
}
