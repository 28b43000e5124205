package link

import (
	"strings"
	"unicode"
)

// matches reports whether a list of patterns names the host.
func matches(list []string, host string) bool {
	for _, h := range list {
		if below, ok := strings.CutPrefix(h, "*"); h == host || ok && strings.HasSuffix(host, below) {
			return true
		}
	}
	return false
}

// local reports whether a host is this machine or network, where nothing leaves.
func local(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".test") || strings.HasSuffix(host, ".internal") {
		return host != "metadata.google.internal"
	}
	number, _ := numeric(host)
	return !number && strings.Trim(host, "0123456789.") == "" && host != "169.254.169.254"
}

func set(list string) map[string]bool {
	m := map[string]bool{}
	for s := range strings.FieldsSeq(list) {
		m[s] = true
	}
	return m
}

// reserved are hosts that nobody can have (RFC 2606).
var reserved = set("example.com example.org example.net www.example.com www.example.org www.example.net api.example.com")

// public are hosts that show what they are asked for to nobody but their own
// operators: search engines, libraries of code and type, collections of pictures.
// What stands in an address of theirs reaches no attacker.
var public = set(`google.com www.google.com bing.com www.bing.com duckduckgo.com search.brave.com maps.google.com scholar.google.com translate.google.com
	fonts.googleapis.com fonts.gstatic.com cdn.jsdelivr.net unpkg.com cdnjs.cloudflare.com code.jquery.com ajax.googleapis.com maxcdn.bootstrapcdn.com stackpath.bootstrapcdn.com
	img.shields.io shields.io upload.wikimedia.org en.wikipedia.org www.youtube.com youtube.com www.youtube-nocookie.com player.vimeo.com i.ytimg.com img.youtube.com
	via.placeholder.com placehold.co placehold.it dummyimage.com picsum.photos images.unsplash.com source.unsplash.com images.pexels.com i.imgur.com
	twitter.com x.com www.facebook.com www.linkedin.com www.reddit.com t.me wa.me github.com www.github.com stackoverflow.com
	raw.githubusercontent.com avatars.githubusercontent.com user-images.githubusercontent.com docs.google.com drive.google.com`)

// shorteners are hosts whose addresses do not show where they lead. Those that
// one company keeps for itself are left out.
var shorteners = set(`bit.ly bitly.com tinyurl.com goo.gl ow.ly is.gd v.gd buff.ly adf.ly bl.ink rb.gy cutt.ly shorturl.at shorte.st tiny.cc tiny.one t.ly
	rebrand.ly lnkd.in s.id soo.gd clck.ru vk.cc u.to qps.ru x.co trib.al dlvr.it ift.tt po.st bc.vc mcaf.ee su.pr tr.im snip.ly snipurl.com short.io
	short.gy shrtco.de ulvis.net urlz.fr kutt.it 1url.com yourls.org t2m.io linktr.ee han.gl url.kr dwz.cn suo.im is.cc hyperurl.co gg.gg zpr.io da.gd`)

// brands are names that others like to be taken for. Only close imitations of them
// count, since a name may be part of many honest ones.
var brands = set(`google microsoft apple paypal amazon github gitlab facebook instagram netflix linkedin dropbox icloud outlook office365 whatsapp
	coinbase binance steamcommunity chase wellsfargo bankofamerica americanexpress docusign adobe spotify ebay openai anthropic cloudflare twitter telegram`)

// lures are words that imitations add to a name.
var lures = set("login signin secure security verify verification account accounts support update billing auth sso password recovery wallet confirm help service")

// lookalike reports whether a host is made to be taken for a trusted one or for a
// well-known name (UTS #39, confusable detection).
func (s Scanner) lookalike(host string) bool {
	labels := strings.Split(host, ".")
	if len(labels) < 2 {
		return false
	}
	changed := false // it is not what it looks like
	for i, l := range labels {
		shown := l
		if rest, ok := strings.CutPrefix(l, "xn--"); ok {
			if shown = punycode(rest); shown == "" {
				return true
			}
		}
		if mixed(shown) {
			return true
		}
		labels[i] = skeleton(shown)
		changed = changed || labels[i] != shown
	}
	looks := strings.Join(labels, ".")
	main := len(labels) - 2 // the label that is registered, as far as can be told
	if main > 0 && len(labels[main]) <= 3 && len(labels[len(labels)-1]) == 2 && secondLevel[labels[main]] {
		main--
	}
	for _, h := range s.Hosts {
		name := strings.TrimPrefix(h, "*.")
		if imitates(looks, labels, main, name, changed) {
			return true
		}
	}
	if changed && brands[labels[main]] {
		return true
	}
	for i, l := range labels[:main] { // paypal.com.evil.example
		if brands[l] && i+1 < len(labels) && i+1 <= main && (labels[i+1] == "com" || labels[i+1] == "net" || labels[i+1] == "org") {
			return true
		}
	}
	first, last, ok := strings.Cut(labels[main], "-")
	return ok && (brands[first] && lures[last] || brands[last] && lures[first])
}

var secondLevel = set("co com net org ac gov edu or ne go")

// imitates reports whether a host that looks like the given one imitates name.
func imitates(looks string, labels []string, main int, name string, changed bool) bool {
	if looks == name || strings.HasSuffix(looks, "."+name) {
		return changed
	}
	if strings.HasPrefix(looks, name+".") || strings.Contains(looks, "."+name+".") { // good.com.evil.io
		return true
	}
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return false
	}
	ours := parts[len(parts)-2]
	if len(parts) > 2 && secondLevel[ours] {
		ours = parts[len(parts)-3]
	}
	if len(ours) < 5 {
		return false
	}
	theirs := labels[main]
	if theirs == ours {
		return false // another country's, perhaps
	}
	if strings.Contains(looks, strings.ReplaceAll(name, ".", "-")+".") { // good-com.evil.io
		return true
	}
	if first, last, ok := strings.Cut(theirs, "-"); ok && (first == ours && lures[last] || last == ours && lures[first]) {
		return true
	}
	return near(theirs, ours) || strings.ReplaceAll(theirs, "-", "") == ours
}

// near reports whether a becomes b by adding, dropping, changing one letter, or by
// changing two for each other.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return false
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// mixed reports whether a label mixes Latin letters with Cyrillic or Greek ones.
func mixed(label string) bool {
	latin, other := false, false
	for _, r := range label {
		switch {
		case r < 0x250:
			latin = latin || unicode.IsLetter(r)
		case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian):
			other = true
		}
	}
	return latin && other
}

// skeleton writes a label with the Latin letters that it looks like.
func skeleton(label string) string {
	plain := true
	for i := range len(label) {
		if b := label[i]; b >= 0x80 || b == '0' || b == '1' || b == '3' || b == '5' || b == '|' {
			plain = false
		}
	}
	if plain && !strings.Contains(label, "rn") && !strings.Contains(label, "vv") {
		return label
	}
	var b strings.Builder
	letters := strings.IndexFunc(label, unicode.IsLetter) >= 0
	for _, r := range label {
		if to, ok := looks[r]; ok && (letters || r > 0x80) {
			r = to
		}
		b.WriteRune(r)
	}
	out := b.String()
	if brands[strings.ReplaceAll(out, "rn", "m")] {
		return strings.ReplaceAll(out, "rn", "m")
	}
	if brands[strings.ReplaceAll(out, "vv", "w")] {
		return strings.ReplaceAll(out, "vv", "w")
	}
	if !plain && strings.IndexFunc(label, func(r rune) bool { return r >= 0x80 }) < 0 && !brands[out] {
		return label // digits of a name of its own
	}
	return out
}

// looks are the Latin letters that others are taken for.
var looks = map[rune]rune{
	'0': 'o', '1': 'l', '3': 'e', '5': 's', '|': 'l',
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'ғ': 'f', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'ӏ': 'l', 'м': 'm', 'п': 'n', 'о': 'o', 'р': 'p', 'ԛ': 'q',
	'г': 'r', 'ѕ': 's', 'т': 't', 'υ': 'u', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'у': 'y', 'ᴢ': 'z',
	'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'χ': 'x', 'γ': 'y', 'ո': 'n', 'օ': 'o', 'ս': 'u',
	'ı': 'i', 'ł': 'l', 'ø': 'o', 'đ': 'd', 'ħ': 'h', 'ŀ': 'l', 'ɡ': 'g', 'ɑ': 'a', 'ʟ': 'l',
}

// punycode decodes a label (RFC 3492) without its prefix, or returns "".
func punycode(s string) string {
	const base, tMin, tMax, skew, damp = 36, 1, 26, 38, 700
	var out []rune
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		out, s = []rune(s[:i]), s[i+1:]
	}
	n, i, bias := 128, 0, 72
	for len(s) > 0 {
		old, weight := i, 1
		for k := base; ; k += base {
			if len(s) == 0 {
				return ""
			}
			c, digit := s[0], 0
			s = s[1:]
			switch {
			case 'a' <= c && c <= 'z':
				digit = int(c - 'a')
			case '0' <= c && c <= '9':
				digit = int(c-'0') + 26
			default:
				return ""
			}
			if i += digit * weight; i > unicode.MaxRune*64 {
				return ""
			}
			t := min(max(k-bias, tMin), tMax)
			if digit < t {
				break
			}
			if weight *= base - t; weight > unicode.MaxRune {
				return ""
			}
		}
		size := len(out) + 1
		delta := (i - old) / 2
		if old == 0 {
			delta = (i - old) / damp
		}
		delta += delta / size
		k := 0
		for delta > (base-tMin)*tMax/2 {
			delta /= base - tMin
			k += base
		}
		bias = k + (base-tMin+1)*delta/(delta+skew)
		n += i / size
		i %= size
		if n > unicode.MaxRune || size > 64 {
			return ""
		}
		out = append(out, 0)
		copy(out[i+1:], out[i:])
		out[i] = rune(n)
		i++
	}
	return string(out)
}
