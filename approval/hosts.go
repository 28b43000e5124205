package approval

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Host is a host that a text names in a way that needs a second look.
type Host struct {
	Shown []Piece `json:"shown"` // as it stands there
	ASCII string  `json:"ascii"` // as it is asked for in the network
	Why   string  `json:"why"`
}

// hostLike finds what can be taken for a host, also in addresses of mail and of pages.
var hostLike = regexp.MustCompile(`[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}\p{Cf}_-]{0,62}(?:[.。．｡][\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}\p{Cf}_-]{0,62})+`)

const maxHosts = 20

// Hosts returns the hosts in a text that are not what they seem: with letters of other
// alphabets, of several at once, or written in punycode.
func Hosts(text string) (out []Host) {
	if len(text) > 64<<10 {
		text = text[:64<<10]
	}
	seen := map[string]bool{}
	for _, name := range hostLike.FindAllString(text, 200) {
		if seen[name] || len(out) == maxHosts {
			continue
		}
		seen[name] = true
		lower := strings.ToLower(name)
		puny := slices.ContainsFunc(strings.Split(lower, "."), func(l string) bool { return strings.HasPrefix(l, "xn--") })
		if isASCII(name) && !puny {
			continue
		}
		if puny {
			if unicodeForm, err := idna.Punycode.ToUnicode(lower); err == nil && unicodeForm != lower {
				out = append(out, Host{Show(unicodeForm), lower, why(unicodeForm)})
				continue
			}
			out = append(out, Host{Show(name), lower, "it is written in punycode that cannot be read"})
			continue
		}
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			if ascii, err = idna.Punycode.ToASCII(lower); err != nil {
				ascii = ""
			}
		}
		if ascii == lower {
			continue
		}
		out = append(out, Host{Show(name), ascii, why(name)})
	}
	return out
}

// alphabets whose letters are taken for each other.
var alphabets = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Latin", unicode.Latin},
	{"Cyrillic", unicode.Cyrillic},
	{"Greek", unicode.Greek},
	{"Armenian", unicode.Armenian},
	{"Cherokee", unicode.Cherokee},
	{"Hebrew", unicode.Hebrew},
	{"Arabic", unicode.Arabic},
	{"Han", unicode.Han},
	{"Hangul", unicode.Hangul},
	{"Thai", unicode.Thai},
}

// why says what of a host is odd.
func why(name string) string {
	var mixed, foreign []string
	for _, label := range strings.Split(name, ".") {
		var in []string
		for _, a := range alphabets {
			if strings.ContainsFunc(label, func(r rune) bool { return unicode.Is(a.table, r) }) {
				in = append(in, a.name)
			}
		}
		if len(in) > 1 {
			mixed = in
		}
		for _, a := range in {
			if a != "Latin" && !slices.Contains(foreign, a) {
				foreign = append(foreign, a)
			}
		}
	}
	switch {
	case len(mixed) > 0:
		return "one word of it mixes letters of " + strings.Join(mixed, " and ") + ": it may look like another host"
	case len(foreign) > 0:
		return "it has letters of " + strings.Join(foreign, " and ") + ", which may look like others"
	}
	return "it has letters beyond ASCII, which may look like others"
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
