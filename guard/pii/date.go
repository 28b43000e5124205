package pii

import (
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// months by their names in many languages, in lower case and without accents.
// Those that end in a star may go on.
//
//nolint:misspell // words of many languages
var months, monthStems = func() (map[string]int, map[string][]monthName) {
	whole, stems := map[string]int{}, map[string][]monthName{}
	for _, list := range []string{
		"january february march april may june july august september october november december",
		"jan feb mar apr may jun jul aug sep oct nov dec", "x x x x x x x x sept x x x",
		"januar februar marz april mai juni juli august september oktober november dezember", "janner feber maerz x x x x x x okt x dez",
		"janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre", "janv fevr x avr x x juil x x x x x",
		"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", "ene x x abr x x x ago setiembre x x dic",
		"gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre", "gen x x x mag giu lug x set ott x x",
		"janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro", "x fev x x x x x x x out x x",
		"januari februari maart april mei juni juli augustus september oktober november december", "x x mrt x x x x augusti x x x x",
		"stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia", "styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad grudzien",
		"januar februar marts april maj juni juli august september oktober november desember",
		"tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesakuuta heinakuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta",
		"ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince", "januara februara marca aprila maja juna jula augusta septembra oktobra novembra decembra",
		"januar februar marcius aprilis majus junius julius augusztus szeptember oktober november december", "x x x x x x x x szept x x x",
		"ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
		"ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
		"x x x x mayıs x x x x x kasım aralık", "января февраля марта апреля мая июня июля августа сентября октября ноября декабря", "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
		"січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
		"ιανουαριου φεβρουαριου μαρτιου απριλιου μαιου ιουνιου ιουλιου αυγουστου σεπτεμβριου οκτωβριου νοεμβριου δεκεμβριου",
		"يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر", "x x x أبريل x x x أغسطس x أكتوبر x x",
		"ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר", "בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר",
		"जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर", "x फ़रवरी x x x x x x x x x x",
		"januari februari maret april mei juni juli agustus september oktober november desember", "x peb x x x x x agt x x nop des",
		"มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
		"sijecnja veljace ozujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
	} {
		for m, w := range strings.Fields(list) {
			if w == "x" {
				continue
			}
			w = normalize.Fold(w)
			whole[w] = m + 1
			if w[0] >= 0xE0 {
				stems[w[:3]] = append(stems[w[:3]], monthName{w, m + 1})
			}
		}
	}
	return whole, stems
}()

type monthName struct {
	name  string
	month int
}

const maxMonth = 40

// birthday reads the date around the number that begins with t[i], if the words
// around it speak of a birth.
func (c *cursor) birthday(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	t := w.Folded
	start, end, short, look := readDate(t, i, first, w.Final)
	if look != stream.Yes {
		return start, i, p, look
	}
	// Another date before it has had the word.
	far, near := topicsBefore(t, start, max(0, c.dated-w.Base))
	score := 0.0
	switch {
	case near.any(birth), far.any(birth) && !short:
		score = named
	default:
		if own := c.table.at(t, start, w.Base); own != nil && own.any(birth) {
			score = named
		} else if !short {
			after, more := topicsAfter(t, end, w.Final)
			if more {
				return start, i, p, stream.More
			}
			if after.any(birth) {
				score = named
			}
		}
	}
	if score == 0 && !short && c.besideOne(t, start, w.Base) {
		score = likely
	}
	if score == 0 {
		return start, i, p, stream.No
	}
	c.dated = w.Base + end
	return start, end, pattern{reason: BirthDate, severity: medium, score: score}, stream.Yes
}

// besideOne reports whether t[i] follows a name in parentheses, behind a number of
// somebody: passport L41580536 (Ann Graham, 6 Dec 1993).
func (c *cursor) besideOne(t []byte, i, base int) bool {
	if c.last == 0 || base+i-c.last > farWords || i < 2 || t[i-1] != ' ' || t[i-2] != ',' {
		return false
	}
	for j := i - 3; j > c.last-base; j-- {
		if t[j] == '(' {
			return true
		}
		if !inWord(t[j]) && !contains(" .'-", t[j]) {
			break
		}
	}
	return false
}

// readDate reads a date of which t[i] is the first digit. short says that its
// form alone does not make it a date.
func readDate(t []byte, i, first int, final bool) (start, end int, short bool, look stream.Look) {
	a, j := digitsAt(t, i)
	n := j - i
	switch {
	case j == len(t) && !final && n <= 8:
		return i, i, false, stream.More
	case n == 8:
		if ends(t, j, final) == stream.Yes && (ymdFull(a/10000, a/100%100, a%100) || ymdFull(a%10000, a/10000%100, a/1000000) || ymdFull(a%10000, a/1000000, a/10000%100)) {
			return i, j, true, stream.Yes
		}
		return i, i, false, stream.No
	case n > 4 || n == 3 || n == 0:
		return i, i, false, stream.No
	}
	// A month before: May 3, 1980.
	if n <= 2 && a >= 1 && a <= 31 && yearNear(t, j, final) {
		if m, s := monthBefore(t, i, first); m > 0 {
			y, e, look := readYear(t, skipOrdinal(t, j), final)
			if look == stream.More || look == stream.Yes && y > 0 {
				return s, e, false, look
			}
		}
	}
	if j == len(t) {
		return i, i, false, stream.No
	}
	switch sep := t[j]; {
	case contains("./-", sep) || sep == ' ' && j+1 < len(t) && isDigit(t[j+1]):
		k := j + 1
		if sep == '.' && k < len(t) && t[k] == ' ' && k+1 < len(t) && isDigit(t[k+1]) {
			k++
		}
		b, e := digitsAt(t, k)
		switch {
		case e == len(t) && !final && e-k < 3:
			return i, i, false, stream.More
		case e == k && n <= 2:
			return dayMonth(t, i, j, a, final)
		case e == k && n == 4:
			return eastern(t, i, j, a, final)
		case e-k < 1 || e-k > 2 || e == len(t) || t[e] != sep:
			return i, i, false, stream.No
		}
		e++
		if sep == '.' && e < len(t) && t[e] == ' ' {
			e++
		}
		y, f := digitsAt(t, e)
		if f == len(t) && !final && f-e < 5 {
			return i, i, false, stream.More
		}
		ok := false
		switch {
		case n == 4:
			ok = f-e >= 1 && f-e <= 2 && ymdFull(a, b, y)
		case f-e == 4:
			ok = ymdFull(y, b, a) || ymdFull(y, a, b)
		case f-e == 2:
			ok = sep != ' ' && (day(b, a) || day(a, b) || day(b, y) && n == 2)
		}
		if !ok {
			return i, i, false, stream.No
		}
		return i, f, sep == ' ', ends(t, f, final)
	case n == 4 && strings.HasPrefix(string(t[j:min(len(t), j+3)]), "年"), n == 4 && t[j] == ' ' || n == 4 && t[j] >= 0x80:
		return eastern(t, i, j, a, final)
	case n <= 2:
		return dayMonth(t, i, j, a, final)
	}
	return i, i, false, stream.No
}

// dayMonth reads what follows the day that ends at t[j]: a month by its name and
// a year.
func dayMonth(t []byte, i, j, d int, final bool) (start, end int, short bool, look stream.Look) {
	if d < 1 || d > 31 {
		return i, i, false, stream.No
	}
	j = skipOrdinal(t, j)
	s := j
	for range 3 { // de, of, tháng
		for j < len(t) && j-s < 12 && contains(" .-/,", t[j]) {
			j++
		}
		if j >= len(t) {
			return i, i, false, unless(final)
		}
		e := j
		for e < len(t) && e-j < maxMonth && inWord(t[e]) {
			e++
		}
		if e == len(t) && !final && e-j < maxMonth {
			return i, i, false, stream.More
		}
		switch word := string(t[j:e]); {
		case monthOf(t[j:e]) > 0:
			y, end, look := readYear(t, e, final)
			if look == stream.Yes && y == 0 {
				look = stream.No
			}
			return i, end, false, look
		case word == "thang": // Vietnamese counts them
			m, f := digitsAt(t, skipSpaces(t, e))
			if f == len(t) && !final {
				return i, i, false, stream.More
			}
			if m < 1 || m > 12 {
				return i, i, false, stream.No
			}
			y, end, look := readYear(t, f, final)
			if look == stream.Yes && y == 0 {
				look = stream.No
			}
			return i, end, false, look
		case word == "de" || word == "of" || word == "di":
			j = e
		default:
			return i, i, false, stream.No
		}
	}
	return i, i, false, stream.No
}

// eastern reads 1980年5月3日, 1980년 5월 3일 and 1980 May 3 behind its year.
func eastern(t []byte, i, j, y int, final bool) (start, end int, short bool, look stream.Look) {
	if y < 1850 || y > 2150 {
		return i, i, false, stream.No
	}
	part := func(sign, other string) (v int, look stream.Look) {
		j = skipSpaces(t, j)
		v, e := digitsAt(t, j)
		if e == len(t) && !final {
			return 0, stream.More
		}
		if e == j || e-j > 2 {
			return 0, stream.No
		}
		for _, s := range [2]string{sign, other} {
			rest := t[e:min(len(t), e+len(s))]
			if string(rest) == s {
				j = e + len(s)
				return v, stream.Yes
			}
			if len(rest) < len(s) && strings.HasPrefix(s, string(rest)) && !final {
				return 0, stream.More
			}
		}
		return 0, stream.No
	}
	for _, s := range [2]string{"年", normalize.Fold("년")} {
		rest := t[j:min(len(t), j+len(s))]
		if len(rest) < len(s) && strings.HasPrefix(s, string(rest)) && !final {
			return i, i, false, stream.More
		}
		if string(rest) != s {
			continue
		}
		j += len(s)
		m, look := part("月", normalize.Fold("월"))
		if look != stream.Yes {
			return i, i, false, look
		}
		d, look := part("日", normalize.Fold("일"))
		if look != stream.Yes || !day(m, d) {
			return i, i, false, look
		}
		return i, j, false, stream.Yes
	}
	// A year, a month by its name and a day, as in Hungarian.
	k := j
	for k < len(t) && k-j < 2 && contains(" .,-", t[k]) {
		k++
	}
	e := k
	for e < len(t) && e-k < maxMonth && inWord(t[e]) {
		e++
	}
	if e == len(t) && !final && e-k < maxMonth {
		return i, i, false, stream.More
	}
	if e == k || monthOf(t[k:e]) == 0 {
		return i, i, false, stream.No
	}
	for e < len(t) && contains(" .-", t[e]) && e-k < maxMonth+2 {
		e++
	}
	d, f := digitsAt(t, e)
	if f == len(t) && !final {
		return i, i, false, stream.More
	}
	if d < 1 || d > 31 || f-e > 2 {
		return i, i, false, stream.No
	}
	return i, f, false, stream.Yes
}

// readYear reads the year behind t[j] and a few signs or words.
func readYear(t []byte, j int, final bool) (year, end int, look stream.Look) {
	s := j
	for j < len(t) && j-s < 8 && !isDigit(t[j]) {
		if c := t[j]; !contains(" .,-/'", c) && !isLetter(c) || c == '.' && j+1 < len(t) && t[j+1] == '.' {
			return 0, j, stream.Yes
		}
		j++
	}
	if j == len(t) {
		return 0, j, unless(final)
	}
	switch strings.Trim(string(t[s:j]), " .,-/'") {
	case "", "de", "del", "of", "nam", "in", "r", "do":
	default:
		return 0, j, stream.Yes
	}
	y, e := digitsAt(t, j)
	if e == len(t) && !final && e-j < 5 {
		return 0, j, stream.More
	}
	if e-j == 4 && 1850 <= y && y <= 2700 || e-j == 2 && e > j && j-s <= 2 {
		return max(y, 1), e, ends(t, e, final)
	}
	return 0, j, stream.Yes
}

// yearNear reports whether a digit may stand close behind t[j].
func yearNear(t []byte, j int, final bool) bool {
	const far = 12
	for k := j; k < len(t) && k-j < far; k++ {
		if isDigit(t[k]) {
			return true
		}
	}
	return len(t)-j < far && !final
}

// monthBefore returns the month named right before t[i] and where it begins.
func monthBefore(t []byte, i, first int) (month, start int) {
	j := i
	for j > first && i-j < 2 && contains(" .-/", t[j-1]) {
		j--
	}
	if j == i {
		return 0, i
	}
	s := j
	for s > first && j-s < maxMonth && inWord(t[s-1]) {
		s--
	}
	if s == j || s > 0 && inWord(t[s-1]) {
		return 0, i
	}
	return monthOf(t[s:j]), s
}

func monthOf(word []byte) int {
	if m := months[string(word)]; m > 0 {
		return m
	}
	if len(word) > 3 && word[0] >= 0xE0 {
		for _, m := range monthStems[string(word[:3])] {
			if string(word) == m.name {
				return m.month
			}
		}
	}
	return 0
}

// skipOrdinal returns the index behind the ending of a number: 3rd, 3º, 1er.
func skipOrdinal(t []byte, j int) int {
	if j+1 < len(t) {
		switch string(t[j : j+2]) {
		case "st", "nd", "rd", "th", "er", "re", "eme":
			return j + 2
		}
	}
	if j < len(t) && (t[j] == 'o' || t[j] == 'a') && j+1 < len(t) && t[j+1] == ' ' {
		return j + 1
	}
	return j
}

// skipSpaces returns the index behind two spaces at most.
func skipSpaces(t []byte, j int) int {
	for n := 0; n < 2 && j < len(t) && t[j] == ' '; n++ {
		j++
	}
	return j
}

// digitsAt reads up to nine digits at t[i].
func digitsAt(t []byte, i int) (v, end int) {
	for end = i; end < len(t) && end-i < 9 && isDigit(t[end]); end++ {
		v = v*10 + num(t[end])
	}
	return v, end
}

// ymdFull reports whether there is such a day, of somebody who may live or have
// lived; Thai years count from 543 before ours.
func ymdFull(y, m, d int) bool {
	return (1850 <= y && y <= 2150 || 2400 <= y && y <= 2700) && day(m, d)
}
