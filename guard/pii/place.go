package pii

import "github.com/ringwall/ringwall/guard/stream"

// coordinates reads the place on earth that begins with the digit t[i], or with
// the sign before it: 52.52001, 13.40495 or 52°31'12"N 13°24'18"E. Two decimal
// numbers alone are one if they are as exact as places are written and no list
// goes on; where a word speaks of a place, one number is enough.
func (c *cursor) coordinates(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	t := w.Clean
	start = i
	if i > first && contains("+-", t[i-1]) && (i-1 == 0 || !stream.AlphaNum[t[i-2]]) {
		start--
	}
	if start > 0 && t[start-1] == '.' {
		return start, i, p, stream.No
	}
	a, look := readAngle(t, i, w.Final)
	if look != stream.Yes {
		return start, i, p, look
	}
	j := a.end
	for n := 0; n < 4 && j < len(t) && contains(" ,;/", t[j]); n++ {
		j++
	}
	if j == len(t) && !w.Final {
		return start, i, p, stream.More
	}
	k := j
	if j < len(t) && contains("+-", t[j]) {
		k++
	}
	var b angle
	if j > a.end || a.letter {
		if k == len(t) && !w.Final {
			return start, i, p, stream.More
		}
		if k < len(t) && isDigit(t[k]) {
			if b, look = readAngle(t, k, w.Final); look == stream.More {
				return start, i, p, look
			}
		}
	}
	pair := b.end > 0 && a.whole <= 90 && b.whole <= 180 && a.degrees == b.degrees
	made := pattern{reason: Coordinates, severity: medium}
	switch {
	case !pair && (a.decimals < 3 && !a.degrees || a.whole > 180):
		return start, i, p, stream.No
	case pair && a.degrees && (a.minutes || a.letter):
		made.score = own
		return start, b.end, made, stream.Yes
	}
	end = a.end
	if pair {
		end = b.end
	}
	if pair && (a.decimals >= 2 && b.decimals >= 2 || a.degrees) || !pair && a.decimals >= 3 {
		far, near := c.before(w, start)
		column := c.table.at(w.Folded, start, w.Base)
		switch {
		case pair && far.any(place), near.any(place), column != nil && column.any(place):
			made.score = named
			return start, end, made, stream.Yes
		}
	}
	// A list of numbers goes on before or behind.
	if pair && a.decimals >= 4 && b.decimals >= 4 && a.decimals <= 8 && b.decimals <= 8 && (a.whole >= 10 || b.whole >= 10) {
		s := start
		for s > first && contains(" ,([", t[s-1]) && start-s < 3 {
			s--
		}
		e := end
		for e < len(t) && e-end < 2 && contains(" ,", t[e]) {
			e++
		}
		switch {
		case s > first && isDigit(t[s-1]):
		case e == len(t) && !w.Final:
			return start, i, p, stream.More
		case e < len(t) && e > end && (isDigit(t[e]) || t[e] == '-'):
		default:
			made.score = likely
			return start, end, made, stream.Yes
		}
	}
	return start, i, p, stream.No
}

// angle is one number of a place.
type angle struct {
	end, whole, decimals     int
	degrees, minutes, letter bool
}

const maxDecimals = 15

// readAngle reads 52.52001, 52.52° N and 52°31'12.5"N from t[i] on.
func readAngle(t []byte, i int, final bool) (a angle, look stream.Look) {
	var j int
	a.whole, j = digitsAt(t, i)
	if j-i > 3 {
		return a, stream.No
	}
	fraction := func() bool {
		if j < len(t) && t[j] == '.' {
			_, e := digitsAt(t, j+1)
			if e-j-1 == 9 {
				for e < len(t) && isDigit(t[e]) && e-j <= maxDecimals {
					e++
				}
			}
			if e == j+1 {
				return e == len(t) && !final
			}
			a.decimals = e - j - 1
			j = e
		}
		return j == len(t) && !final
	}
	if fraction() {
		return a, stream.More
	}
	if a.decimals == 0 && (j == len(t) || t[j] < 0x80) {
		return a, stream.No
	}
	a.end = j
	if sign, n := degreeSign(t, j); n > 0 {
		a.degrees = sign
		j += n
		a.end = j
		// Minutes and seconds.
		for range 2 {
			s := skipSpaces(t, j)
			_, e := digitsAt(t, s)
			if e == len(t) && !final {
				return a, stream.More
			}
			if e == s || e-s > 2 {
				break
			}
			j = e
			if fraction() {
				return a, stream.More
			}
			n := minuteSign(t, j)
			if n == 0 {
				break
			}
			j += n
			a.minutes, a.end = true, j
		}
	} else if j < len(t) && t[j] >= 0x80 && len(t)-j < 2 && !final {
		return a, stream.More
	}
	s := skipSpaces(t, a.end)
	if s == len(t) && !final {
		return a, stream.More
	}
	if s < len(t) && contains("NSEWOnsewo", t[s]) {
		switch ends(t, s+1, final) {
		case stream.More:
			return a, stream.More
		case stream.Yes:
			a.letter, a.end = true, s+1
		}
	}
	if a.decimals > maxDecimals || a.decimals == 0 && !a.degrees {
		return a, stream.No
	}
	if !a.letter {
		if look := ends(t, a.end, final); look != stream.Yes {
			return a, look
		}
		if a.end < len(t) && t[a.end] == '%' {
			return a, stream.No
		}
	}
	return a, stream.Yes
}

// degreeSign returns how long the sign of degrees at t[i] is.
func degreeSign(t []byte, i int) (bool, int) {
	if i+1 < len(t) && t[i] == 0xC2 && (t[i+1] == 0xB0 || t[i+1] == 0xBA) {
		return true, 2
	}
	return false, 0
}

// minuteSign returns how long the sign of minutes or seconds at t[i] is.
func minuteSign(t []byte, i int) int {
	switch {
	case i < len(t) && (t[i] == '\'' || t[i] == '"'):
		if i+1 < len(t) && t[i] == '\'' && t[i+1] == '\'' {
			return 2
		}
		return 1
	case i+2 < len(t) && t[i] == 0xE2 && t[i+1] == 0x80 && (t[i+2] >= 0xB2 && t[i+2] <= 0xB4 || t[i+2] == 0x99 || t[i+2] == 0x9D):
		return 3
	}
	return 0
}
