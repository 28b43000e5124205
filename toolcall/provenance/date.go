package provenance

import (
	"strings"
	"time"
	"unicode/utf8"
)

// day is a day as somebody writes it; a year of 0 is unsaid.
type day struct {
	year  int
	month time.Month
	day   int
}

// is says whether a text that says d means the day of a value.
func (d day) is(v day) bool {
	return d.day == v.day && d.month == v.month && (d.year == 0 || d.year == v.year)
}

func (d day) valid() bool {
	return d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= 31 && (d.year == 0 || d.year >= 1000)
}

// moment is a day, a time of day in minutes and seconds, or both.
type moment struct {
	day     day
	minutes int // since midnight; -1: no time
	seconds int
}

// momentOf reads a value of ISO 8601: 2024-05-26, 2024-05-26T17:00:00Z, 17:00. Its zone
// names nothing that anybody says.
func momentOf(v string) (m moment, ok bool) {
	m.minutes = -1
	if len(v) > 40 || len(v) < 4 {
		return m, false
	}
	rest := v
	if len(v) >= 10 && v[4] == '-' && v[7] == '-' {
		y, ok1 := digits(v[:4])
		mo, ok2 := digits(v[5:7])
		d, ok3 := digits(v[8:10])
		m.day = day{y, time.Month(mo), d}
		if !ok1 || !ok2 || !ok3 || !m.day.valid() || y == 0 {
			return m, false
		}
		if rest = v[10:]; rest == "" {
			return m, true
		}
		if rest[0] != 'T' && rest[0] != ' ' {
			return m, false
		}
		rest = rest[1:]
	}
	hh, rest, ok := strings.Cut(rest, ":")
	h, okh := digits(hh)
	if !ok || !okh || len(hh) > 2 || h > 23 || len(rest) < 2 {
		return m, false
	}
	mi, okm := digits(rest[:2])
	if !okm || mi > 59 {
		return m, false
	}
	m.minutes = 60*h + mi
	if rest = rest[2:]; len(rest) >= 3 && rest[0] == ':' {
		s, oks := digits(rest[1:3])
		if !oks || s > 59 {
			return m, false
		}
		m.seconds, rest = s, rest[3:]
	}
	rest = strings.TrimPrefix(rest, ".000")
	zone := rest == "" || rest == "Z" || len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':'
	return m, zone && (m.day.day != 0 || rest == "")
}

// digits reads one to four digits.
func digits(s string) (n int, ok bool) {
	if s == "" || len(s) > 4 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

// said says whether a text has the day and the time of m.
func (m moment) said(s string, now time.Time, work *int) bool {
	dayed, timed := m.day.day == 0, m.minutes < 0
	moments(s, now, work, func(d day, minutes, seconds int) bool {
		if minutes < 0 {
			dayed = dayed || d.is(m.day)
		} else {
			timed = timed || minutes == m.minutes && seconds == m.seconds
		}
		return !dayed || !timed
	})
	return dayed && timed
}

var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	"january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
	"januar": 1, "februar": 2, "märz": 3, "mai": 5, "juni": 6, "juli": 7, "oktober": 10, "dezember": 12,
	"janvier": 1, "février": 2, "mars": 3, "avril": 4, "juin": 6, "juillet": 7, "août": 8, "septembre": 9, "octobre": 10, "novembre": 11, "décembre": 12,
	"enero": 1, "febrero": 2, "marzo": 3, "abril": 4, "mayo": 5, "junio": 6, "julio": 7, "agosto": 8, "septiembre": 9, "octubre": 10, "noviembre": 11, "diciembre": 12,
}

var weekdays = map[string]time.Weekday{
	"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6,
	"sonntag": 0, "montag": 1, "dienstag": 2, "mittwoch": 3, "donnerstag": 4, "freitag": 5, "samstag": 6,
}

var relative = map[string]int{"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "heute": 0, "morgen": 1, "gestern": -1, "aujourd": 0, "demain": 1, "hoy": 0, "mañana": 1}

// piece is a number or a word of a text, and the separator behind it.
type piece struct {
	word  string // in lower case; "" for a number
	n     int
	width int // digits
	start int
	sep   string
}

// moments yields every reading of every day, with minutes of -1, and of every time of
// day in s. Two numbers of which both can be a month are read both ways.
func moments(s string, now time.Time, work *int, yield func(d day, minutes, seconds int) bool) {
	var w [5]piece // the window: the piece to read, and those behind it
	at, have := 0, 0
	for {
		for have < len(w) && at < len(s) {
			var p piece
			p, at = nextPiece(s, at)
			if *work -= at - p.start; *work <= 0 {
				return
			}
			if p.word != "" || p.width > 0 {
				w[have] = p
				have++
			}
		}
		if have == 0 {
			return
		}
		if !sayDay(w[:have], now, yield) || !sayTime(w[:have], yield) {
			return
		}
		skip := 1
		if isoLike(w[:have]) {
			skip = 3 // 2024-05-26 is not 05-26 as well
		}
		copy(w[:], w[skip:have])
		have -= skip
	}
}

func isoLike(w []piece) bool {
	return len(w) >= 3 && w[0].width > 0 && w[1].width > 0 && w[2].width > 0 && (w[0].width == 4 || w[2].width == 4) &&
		w[0].sep == w[1].sep && len(w[0].sep) == 1 && strings.Contains("-/.", w[0].sep)
}

// nextPiece reads on at s[i:]; a piece without word and width is none.
func nextPiece(s string, i int) (p piece, end int) {
	p.start = i
	switch {
	case s[i] >= '0' && s[i] <= '9':
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			if p.width++; p.width <= 4 {
				p.n = 10*p.n + int(s[i]-'0')
			}
			i++
		}
	default:
		for i < len(s) {
			r, n := utf8.DecodeRuneInString(s[i:])
			if !word(r) || r < utf8.RuneSelf && digit(r) {
				break
			}
			i += n
		}
		if i == p.start {
			_, n := utf8.DecodeRuneInString(s[i:])
			return p, i + n
		}
		if i-p.start > 12 {
			p.word = "?"
		} else {
			p.word = strings.ToLower(s[p.start:i])
		}
	}
	sep := i
	for i < len(s) && i < sep+2 && s[i] < utf8.RuneSelf && !word(rune(s[i])) {
		i++
	}
	p.sep = s[sep:i]
	return p, i
}

// sayDay yields the days that begin with the first piece.
func sayDay(w []piece, now time.Time, yield func(day, int, int) bool) bool {
	say := func(y int, m time.Month, d int) bool {
		v := day{y, m, d}
		return !v.valid() || yield(v, -1, 0)
	}
	a, b, c := w[0], piece{}, piece{}
	if len(w) > 1 {
		b = w[1]
	}
	if len(w) > 2 {
		c = w[2]
	}
	switch {
	case isoLike(w) && a.width == 4:
		return say(a.n, time.Month(b.n), c.n)
	case isoLike(w):
		return say(c.n, time.Month(b.n), a.n) && say(c.n, time.Month(a.n), b.n)
	case a.width > 0 && a.width <= 2 && b.width > 0 && b.width <= 2 && (a.sep == "/" || a.sep == "."):
		if c.width > 0 && (b.sep == "/" || b.sep == ".") && c.width != 2 {
			return true
		}
		year := 0
		if c.width == 2 && b.sep == a.sep {
			year = 2000 + c.n
		}
		return say(year, time.Month(b.n), a.n) && (a.sep == "." || say(year, time.Month(a.n), b.n))
	case a.width > 0 && a.width <= 2:
		i := 1
		for i < len(w) && (ordinal(w[i].word) || w[i].word == "of" || w[i].word == "de") {
			i++
		}
		if i < len(w) {
			if m, ok := months[w[i].word]; ok {
				return say(yearIn(w[i+1:]), m, a.n)
			}
		}
	case a.word != "":
		if m, ok := months[a.word]; ok && b.width > 0 && b.width <= 2 {
			i := 2
			if ordinal(c.word) {
				i = 3
			}
			return say(yearIn(w[min(i, len(w)):]), m, b.n)
		}
		return sayRelative(a.word, now, say)
	}
	return true
}

func ordinal(s string) bool { return s == "st" || s == "nd" || s == "rd" || s == "th" || s == "er" }

// yearIn returns the year that comes next; 0: none.
func yearIn(w []piece) int {
	if len(w) > 0 && w[0].word == "de" {
		w = w[1:]
	}
	if len(w) > 0 && w[0].width == 4 && w[0].sep != ":" {
		return w[0].n
	}
	return 0
}

func sayRelative(name string, now time.Time, say func(int, time.Month, int) bool) bool {
	if now.IsZero() {
		return true
	}
	if n, ok := relative[name]; ok {
		t := now.AddDate(0, 0, n)
		return say(t.Date())
	}
	if wd, ok := weekdays[name]; ok { // this one or, for "next" may mean it, the one behind
		t := now.AddDate(0, 0, (int(wd)-int(now.Weekday())+6)%7+1)
		return say(t.Date()) && say(t.AddDate(0, 0, 7).Date())
	}
	return true
}

// sayTime yields the times of day that begin with the first piece.
func sayTime(w []piece, yield func(day, int, int) bool) bool {
	a := w[0]
	switch {
	case a.word == "noon":
		return yield(day{}, 12*60, 0)
	case a.word == "midnight":
		return yield(day{}, 0, 0)
	case a.width == 0 || a.width > 2 || a.n > 23:
		return true
	}
	minutes, seconds, i := 0, 0, 1
	exact := false
	if len(w) > 1 && w[1].width == 2 && w[1].n < 60 && (a.sep == ":" || a.sep == ".") {
		minutes, i, exact = w[1].n, 2, a.sep == ":"
		if len(w) > 2 && w[1].sep == ":" && w[2].width == 2 && w[2].n < 60 {
			seconds, i = w[2].n, 3
		}
	}
	half, marked := -1, false
	if i < len(w) {
		switch w[i].word {
		case "am":
			half = 0
		case "pm":
			half = 12
		case "a", "p":
			if i+1 < len(w) && w[i+1].word == "m" && strings.HasPrefix(w[i].sep, ".") {
				half = 0
				if w[i].word == "p" {
					half = 12
				}
			}
		case "h", "uhr", "o":
			marked = true
			if w[i].word == "h" && i == 1 && i+1 < len(w) && w[i+1].width == 2 && w[i+1].n < 60 && w[i].sep == "" {
				minutes = w[i+1].n
			}
		}
	}
	switch {
	case half >= 0 && a.n >= 1 && a.n <= 12:
		return yield(day{}, (a.n%12+half)*60+minutes, seconds)
	case exact || marked:
		return yield(day{}, a.n*60+minutes, seconds)
	}
	return true
}
