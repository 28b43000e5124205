package pii

import "github.com/ringwall/ringwall/guard/stream"

// ibanLength is the length of an IBAN by country (SWIFT IBAN registry).
var ibanLength = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
	"BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
	"ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
	"HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
	"LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
	"MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
	"PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
	"SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// readIBAN reads an international bank account number (ISO 13616): country, two
// check digits and the rest, with or without single spaces or hyphens between
// groups; the whole is 1 modulo 97 (ISO/IEC 7064).
func readIBAN(t []byte, i int, final bool) (int, stream.Look) {
	var head [4]byte
	n, rest, length := 0, 0, 0
	small, odd := false, false // letters, gaps
	j := i
	for ; ; j++ {
		if j == len(t) {
			return i, unless(final)
		}
		c := t[j]
		if !stream.AlphaNum[c] {
			if (c == ' ' || c == '-') && n >= 4 && stream.AlphaNum[t[j-1]] {
				odd = odd || n%4 != 0
				continue
			}
			return i, stream.No
		}
		if 'a' <= c && c <= 'z' {
			small = true
			c -= 'a' - 'A'
		}
		if n < 4 {
			if (n < 2) == isDigit(c) {
				return i, stream.No
			}
			head[n] = c
			if n == 1 {
				if length = ibanLength[string(head[:2])]; length == 0 {
					return i, stream.No
				}
			}
		} else {
			rest = mod97(rest, c)
		}
		if n++; n == length {
			break
		}
	}
	for _, c := range head {
		rest = mod97(rest, c)
	}
	if rest != 1 || small && odd {
		return i, stream.No
	}
	return j + 1, ends(t, j+1, final)
}

// mod97 appends the digit, or the letter as its two digits, to a number modulo 97.
func mod97(v int, c byte) int {
	if isDigit(c) {
		return (v*10 + int(c-'0')) % 97
	}
	return (v*100 + int(c-'A') + 10) % 97
}
