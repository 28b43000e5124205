package decode

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// How strange letters in compatibility forms are.
const (
	wideLetters   = 0.1 // East Asian texts have them
	styledLetters = 0.3
)

// undoStyled writes letters in compatibility forms as plain ones: full-width,
// mathematical, enclosed, superscript, small capitals, regional indicators. It
// does so where they make words, and leaves the symbol of a unit, a footnote, a
// flag and punctuation alone.
func undoStyled(s *splice) {
	text := s.text
	odd := 0.0
	spelled := false                   // regional indicators are letters here
	run, letters, plain := 0, 0, false // characters in a row, letters of them; whether a plain letter came before
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			c := text[i]
			if letters > 0 && plain && isAlpha(c) {
				odd = max(odd, styledLetters)
			}
			plain, run, letters = isAlpha(c), 0, 0
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		c, kind := styled(r)
		switch {
		case kind == 0 || !isAlnum(c):
			run, plain, letters = 0, false, 0
		case kind == styleFlag:
			from := i
			for i < len(text) {
				if r, n = utf8.DecodeRuneInString(text[i:]); r < regionalA || r > regionalA+25 {
					break
				}
				i += n
			}
			if !countries(text[from:i]) {
				odd, spelled = max(odd, styledLetters), true
			}
			run, plain, letters = 0, false, 0
			continue
		default:
			if isAlpha(c) {
				letters++
			}
			if run++; letters >= 2 && (run >= 4 || letters >= 3 && kind != styleWide) {
				odd = max(odd, styledLetters)
			}
		}
		i += n
	}
	if odd == 0 {
		return
	}
	only := true
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		c, kind := styled(r)
		if kind == styleFlag {
			from := i
			for i < len(text) {
				if r, n = utf8.DecodeRuneInString(text[i:]); r < regionalA || r > regionalA+25 {
					break
				}
				i += n
			}
			if !spelled && countries(text[from:i]) {
				continue
			}
			for from < i {
				s.putByte(from, from+4, 'A'+byte(text[from+3]-0xA6))
				from += 4
			}
			continue
		}
		if kind != 0 {
			only = only && kind == styleWide
			s.putByte(i, i+n, c)
		}
		i += n
	}
	if only {
		odd = wideLetters
	}
	s.strange(odd)
}

// Kinds of styles.
const (
	styleWide   = 1 + iota // full width
	styleStrong            // mathematical, enclosed: two in a row are a word
	styleWeak              // superscripts and the like
	styleFlag              // regional indicators
)

const regionalA = 0x1F1E6

// smallCaps are the small capitals a to z; a space where there is none.
const smallCaps = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡ ʏᴢ"

// styles holds the runes below 0x10000 with a style.
var styles = sync.OnceValue(func() map[rune]uint16 {
	m := map[rune]uint16{}
	at := 0
	for _, r := range smallCaps {
		if r != ' ' {
			m[r] = uint16(styleWeak)<<8 | uint16('a'+at)
		}
		at++
	}
	for _, span := range [...][3]rune{{0xAA, 0x2FF, styleWeak}, {0x1D00, 0x1DBF, styleWeak}, {0x2070, 0x209C, styleWeak}, {0x2100, 0x214F, styleStrong}, {0x249C, 0x24E9, styleStrong}, {0x2C7C, 0x2C7D, styleWeak}} {
		for r := span[0]; r <= span[1]; r++ {
			form := strings.Trim(norm.NFKC.String(string(r)), "()")
			if len(form) == 1 && isAlnum(form[0]) && m[r] == 0 {
				m[r] = uint16(span[2])<<8 | uint16(form[0])
			}
		}
	}
	return m
})

// styled returns the plain form of r and the kind of its style, 0 for none.
func styled(r rune) (byte, int) {
	switch {
	case r < 0xAA:
		return 0, 0
	case r == 0x3000:
		return ' ', styleWide
	case 0xFF01 <= r && r <= 0xFF5E:
		return byte(r - 0xFF01 + '!'), styleWide
	case r < 0x2C80 || r == 0xA730 || r == 0xA731 || r == 0xA7AF:
		v := styles()[r]
		return byte(v), int(v >> 8)
	case r < 0x1D400:
		return 0, 0
	case r <= 0x1D6A3:
		n := byte((r - 0x1D400) % 52)
		if n < 26 {
			return 'A' + n, styleStrong
		}
		return 'a' + n - 26, styleStrong
	case 0x1D7CE <= r && r <= 0x1D7FF:
		return '0' + byte((r-0x1D7CE)%10), styleStrong
	case 0x1F110 <= r && r <= 0x1F129:
		return 'A' + byte(r-0x1F110), styleStrong
	case 0x1F130 <= r && r <= 0x1F149:
		return 'A' + byte(r-0x1F130), styleStrong
	case 0x1F150 <= r && r <= 0x1F169:
		return 'A' + byte(r-0x1F150), styleStrong
	case 0x1F170 <= r && r <= 0x1F189:
		return 'A' + byte(r-0x1F170), styleStrong
	case regionalA <= r && r <= regionalA+25:
		return 'A' + byte(r-regionalA), styleFlag
	}
	return 0, 0
}

func styledFeature(r rune) feature {
	if 0xFB50 <= r && r <= 0xFDFF || 0xFE70 <= r && r < 0xFEFF {
		return fForms
	}
	if c, kind := styled(r); kind != 0 && isAlpha(c) {
		return fStyled
	}
	return 0
}

// codesISO are the codes of ISO 3166-1 that have flags, and a few others.
const codesISO = "ACADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCPCRCUCVCWCXCYCZDEDG" +
	"DJDKDMDODZEAECEEEGEHERESETEUFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUICIDIEILIMINIOIQIRISITJEJMJOJP" +
	"KEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPE" +
	"PFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTATCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUN" +
	"USUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW"

// countries reports whether regional indicators are flags.
func countries(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		code := string([]byte{'A' + s[3] - 0xA6, 'A' + s[7] - 0xA6})
		ok := false
		for i := 0; i < len(codesISO) && !ok; i += 2 {
			ok = codesISO[i:i+2] == code
		}
		if !ok {
			return false
		}
	}
	return s == ""
}

func encodeWidth(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return 0x3000
		case '!' <= r && r <= '~':
			return r - '!' + 0xFF01
		}
		return r
	}, text)
}

// encodeLetters writes ASCII letters as those that begin at capital and small.
func encodeLetters(capital, small rune) func(string) string {
	return func(text string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case 'A' <= r && r <= 'Z':
				return r - 'A' + capital
			case 'a' <= r && r <= 'z':
				return r - 'a' + small
			}
			return r
		}, text)
	}
}

func encodeSmallCaps(text string) string {
	caps := []rune(smallCaps)
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' && caps[r-'a'] != ' ' {
			return caps[r-'a']
		}
		return r
	}, strings.ToLower(text))
}
