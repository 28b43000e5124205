package pii

import "github.com/ringwall/ringwall/guard/stream"

// codes are what the words about them alone tell, however they are written.
var codes = [...]struct {
	number, of topic // words for it, and for whom it is of
	head       string
	reason     string
}{{patient, ward, "mrn", MedicalRecord}, {staff, crew, "emp", EmployeeID}, {patient, ward, "pat", MedicalRecord}}

// mayBeCode reports whether the word t[s:e] may be one, or the part of one that
// stands for all that hyphens join: the first with a digit.
func mayBeCode(t []byte, s, e int) bool {
	switch {
	case s > 1 && t[s-1] == '-' && stream.AlphaNum[t[s-2]]:
		return isLetter(t[s-2])
	case e-s < 4, e-s == 4 && isDigit(t[s]) && isDigit(t[e-1]): // a year
		return false
	case e < len(t) && t[e] == '-':
		return true
	}
	digits := 0
	for _, c := range t[s:e] {
		if isDigit(c) {
			digits++
		}
	}
	return digits > 2
}

// coded reads the word t[s:e], with what hyphens join to it, as a code that a
// word right before it names, or its column, or that says what it is itself. Of
// one that letters are in it is enough to know whose it may be.
func coded(w stream.Window, s, e, first int, about *context) (start, end int, p pattern, look stream.Look) {
	t := w.Clean
	start, end = s, e
	for start-1 > first && contains("-._", t[start-1]) && stream.AlphaNum[t[start-2]] && s-start < 12 {
		start--
		for start > first && stream.AlphaNum[t[start-1]] && s-start < 12 {
			start--
		}
	}
	if start > 0 && stream.AlphaNum[t[start-1]] {
		return s, e, p, stream.No
	}
	for _, k := range codes {
		word := about.near.any(k.number) || about.column != nil && about.column.any(k.number)
		head := s-start == 4 && t[s-1] == '-' && string(w.Folded[start:start+3]) == k.head
		mixed := !isDigit(t[start])
		if !word && !head && !about.far.any(k.of) && !mixed {
			continue
		}
		for end+1 < len(t) && contains("-/.", t[end]) && stream.AlphaNum[t[end+1]] && end-s < 24 {
			end++
			for end < len(t) && stream.AlphaNum[t[end]] && end-s < 24 {
				end++
			}
		}
		if end == len(t) && !w.Final || end+1 == len(t) && !w.Final && contains("-/.", t[end]) {
			return start, s, p, stream.More
		}
		digits, letters := 0, 0
		for _, c := range t[start:end] {
			switch {
			case isDigit(c):
				digits++
			case isLetter(c):
				letters++
			case c == '.' || c == '/':
				letters -= 9
			}
		}
		switch n := end - start; {
		case n < 4 || n > 20 || letters < 0 || digits < 3 || start > 0 && t[start-1] == '$':
		case !word && !head && !about.far.any(k.of):
			after, more := topicsAfter(w.Folded, end, w.Final)
			if more {
				return start, s, p, stream.More
			}
			if after.any(k.number) {
				return start, end, pattern{reason: k.reason, severity: medium, score: named}, stream.Yes
			}
		case word && (digits >= 5 || letters > 0), head, letters > 0 && letters < 5 && digits >= 4 && mixed:
			return start, end, pattern{reason: k.reason, severity: medium, score: named}, stream.Yes
		}
	}
	return s, e, p, stream.No
}
