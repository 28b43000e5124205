package toolcall

import (
	"net/netip"
	"strings"
	"unicode"
)

// form is what a value is, by its form.
type form uint8

// Forms. Those up to formPhone reach somebody or something outside.
const (
	formURL form = iota
	formEmail
	formAccount // IBAN
	formPhone
	formNumber
	formDate
	formID   // a word with digits, or put together
	formName // one to few words
	formText // more than that
)

func (k form) reaches() bool { return k <= formPhone }

// formOf tells what a value is.
func formOf(v string) form {
	v = strings.TrimSpace(v)
	if strings.ContainsAny(v, " \t\n") && !phone(v) && !account(v) {
		switch {
		case date(v):
			return formDate
		case prose(v):
			return formText
		}
		return formName
	}
	switch {
	case strings.Contains(v, "://") || isHost(v) || isAddress(v):
		return formURL
	case email(v):
		return formEmail
	case account(v):
		return formAccount
	case number(v):
		return formNumber
	case date(v):
		return formDate
	case phone(v):
		return formPhone
	case strings.ContainsFunc(v, unicode.IsDigit) || strings.ContainsAny(v, "_/#"):
		return formID
	}
	return formName
}

func email(v string) bool {
	at := strings.LastIndexByte(v, '@')
	return at > 0 && strings.Contains(v[at:], ".") && !strings.HasSuffix(v, ".")
}

// isHost reports whether v is a host, a path behind it or none: www.example.com/a. Names
// of files are none.
func isHost(v string) bool {
	host, rest, _ := strings.Cut(v, "/")
	host, _, _ = strings.Cut(host, ":")
	if strings.ContainsAny(host, "@ ") || !strings.Contains(host, ".") || len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || strings.ContainsFunc(l, func(r rune) bool {
			return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}) {
			return false
		}
	}
	top := labels[len(labels)-1]
	if len(top) < 2 || strings.ContainsFunc(top, unicode.IsDigit) && !strings.HasPrefix(top, "xn--") {
		return false
	}
	return strings.EqualFold(labels[0], "www") || rest != "" && !files[strings.ToLower(top)] || (tops[strings.ToLower(top)] && !files[strings.ToLower(top)])
}

func isAddress(v string) bool {
	_, err := netip.ParseAddr(strings.Trim(v, "[]"))
	return err == nil
}

var (
	tops = words(`com net org io dev app info biz co me ai de uk fr es it nl pl eu us ca au ch at be se no dk fi ru cn jp in br mx xyz online site
		shop store cloud tech link club top live news page blog example test gov edu mil int ly to tv cc gg so sh pro name mobi`)
	files = words(`txt md doc docx pdf xls xlsx csv json yaml yml xml html htm png jpg jpeg gif svg zip tar gz go py js ts java c h log ppt pptx ini conf toml sql sh eml ics`)
)

// account reports whether v is an account: letters of a country, two digits, more than
// ten letters and digits (ISO 13616), or the like.
func account(v string) bool {
	n := 0
	for i := range len(v) {
		c := v[i]
		if c == ' ' && i > 0 && i < len(v)-1 {
			continue
		}
		c = upper(c)
		digit := c >= '0' && c <= '9'
		letter := c >= 'A' && c <= 'Z'
		if !digit && !letter || n < 2 && !letter || (n == 2 || n == 3) && !digit {
			return false
		}
		n++
	}
	return n >= 14 && n <= 34 && digits(v) >= 8
}

func digits(v string) (n int) {
	for i := range len(v) {
		if v[i] >= '0' && v[i] <= '9' {
			n++
		}
	}
	return n
}

func number(v string) bool {
	v = strings.TrimPrefix(v, "-")
	n := digits(v)
	return n > 0 && n+strings.Count(v, ".")+strings.Count(v, ",") == len(v) && strings.Count(v, ".") <= 1 && n < 16
}

// date reports whether v is made of digits and what stands between those of dates and
// times.
func date(v string) bool {
	n := digits(v)
	return n >= 3 && n <= 20 && strings.Trim(v, "0123456789-:./ TZ+") == "" && strings.ContainsAny(v, "-:./") && (strings.Count(v, "-") == 2 || strings.Count(v, ".") == 2 || strings.Count(v, "/") == 2 || strings.Contains(v, ":"))
}

func phone(v string) bool {
	n := digits(v)
	return n >= 7 && n <= 15 && (v[0] == '+' || v[0] == '(' || strings.HasPrefix(v, "00")) && strings.Trim(v, "0123456789+()-/. ") == ""
}

// located yields what of a text says where something is: pages, hosts, accounts.
func located(text string) (out []string) {
	for f := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`<>"'()[]{}|,;`+"`", r)
	}) {
		f = strings.TrimRight(strings.TrimLeft(f, "*_"), ".,;:!?*_")
		if len(f) > 3 && (strings.Contains(f, "://") || isHost(f) || account(f)) {
			out = append(out, f)
		}
	}
	return out
}

// naming are words in names of arguments whose values say who or what is acted on.
var naming = words(`recipient recipients to cc bcc email emails address addresses user users username member members participant participants
	attendee attendees guest guests invitee invitees channel channels group team account iban payee beneficiary receiver id ids uid uuid number no key keys sku
	ticket url urls uri link host hostname domain ip endpoint webhook phone mobile file files filename path paths folder dir directory repo repository branch
	service employee customer client owner assignee role card password passwd secret token command cmd code script sql shell expression wallet device
	contact person target destination source object resource order booking reservation product item article street city zip bucket table database`)

// speaking are words in names of arguments that say something and name nobody.
var speaking = words(`subject title body message content contents description text note notes comment summary reason query q date time start end day when
	duration format language currency type form priority status state color size limit count quantity page sort max min offset greeting reference
	value amount stars seats slot every permission location place venue`)

// executing are words in names of arguments that are executed.
var executing = words(`command cmd code script sql shell expression password passwd secret`)
