package pii

import (
	"bytes"

	"github.com/ringwall/ringwall/guard/stream"
)

// maxURL bounds what is seen of an address: the rest of a longer one is not its.
const maxURL = 256

// people are the sites on which a path of one part is the page of a person.
var people = []string{
	"linkedin.com/in/", "facebook.com/", "instagram.com/", "twitter.com/", "x.com/", "github.com/", "tiktok.com/@", "t.me/", "vk.com/", "xing.com/profile/", "snapchat.com/add/",
	"threads.net/@", "medium.com/@", "youtube.com/@", "reddit.com/user/", "gitlab.com/", "pinterest.com/", "twitch.tv/", "bsky.app/profile/", "orcid.org/", "keybase.io/", "soundcloud.com/", "mastodon.social/@", "quora.com/profile/", "stackoverflow.com/users/", "paypal.me/", "venmo.com/", "wa.me/",
}

// links reads the address of a page whose colon is t[i]. One that holds a login
// is a secret, the page of a person is personal, and any other is only noted.
func links(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	t := w.Clean
	if i+2 >= len(t) {
		if w.Final || i+1 < len(t) && t[i+1] != '/' {
			return i, i, p, stream.No
		}
		return schemeBefore(t, i, first), i, p, stream.More
	}
	if t[i+1] != '/' || t[i+2] != '/' {
		return i, i, p, stream.No
	}
	start = schemeBefore(t, i, first)
	if i-start < 2 || start > 0 && stream.AlphaNum[t[start-1]] {
		return i, i, p, stream.No
	}
	j := i + 3
	for j < len(t) && j-start < maxURL && t[j] > ' ' && !endsURL[t[j]] {
		j++
	}
	if j == len(t) && !w.Final && j-start < maxURL {
		return start, i, p, stream.More
	}
	for j > i+3 && contains(".,;:!?)'", t[j-1]) && !(t[j-1] == ')' && bytes.IndexByte(t[i+3:j], '(') >= 0) {
		j--
	}
	for j > i+3 && t[j-1] >= 0x80 && t[j-1] < 0xC0 { // no half of a character
		if t[j-1] < 0x80 || len(t) == j || t[j] < 0x80 || t[j] >= 0xC0 {
			break
		}
		j--
	}
	body := t[i+3 : j]
	host := body
	if k := bytes.IndexAny(body, "/?#"); k >= 0 {
		host = body[:k]
	}
	at := bytes.LastIndexByte(host, '@')
	if at > 0 {
		if k := bytes.IndexByte(host[:at], ':'); k > 0 && k+1 < at && !hollow(host[k+1:at]) {
			return start, j, pattern{reason: URLLogin, severity: high, score: 0.95}, stream.Yes
		}
		host = host[at+1:]
	}
	if len(host) < 3 || bytes.IndexByte(host, '.') < 0 {
		return i, i, p, stream.No
	}
	made := pattern{reason: URL, severity: low, score: faintURL}
	folded := w.Folded[i+3 : j]
	folded = bytes.TrimPrefix(folded, []byte("www."))
	for _, s := range people {
		rest, ok := bytes.CutPrefix(folded, []byte(s))
		if k := bytes.IndexByte(rest, '?'); k >= 0 {
			rest = rest[:k]
		}
		rest = bytes.TrimSuffix(rest, []byte("/"))
		if ok && len(rest) > 2 && len(rest) <= 64 && bytes.IndexByte(rest, '/') < 0 && !bytes.ContainsAny(rest, "{}<>=") && !pages[string(rest)] {
			made.score = likely
			break
		}
	}
	return start, j, made, stream.Yes
}

// pages are paths of such sites that are nobody's.
var pages = func() map[string]bool {
	m := map[string]bool{}
	for w := range bytes.FieldsSeq([]byte("about login signup explore features pricing security settings home search help legal privacy terms jobs careers topics trending marketplace share intent sharer sharer.php dialog groups events watch hashtag business ads developers enterprise sponsors orgs notifications join contact download")) {
		m[string(w)] = true
	}
	return m
}()

func schemeBefore(t []byte, i, first int) int {
	s := i
	for s > first && i-s < 12 && (stream.AlphaNum[t[s-1]] || contains("+.-", t[s-1])) {
		s--
	}
	for s < i && !isLetter(t[s]) {
		s++
	}
	return s
}

// endsURL are the signs that no address holds.
var endsURL = func() (t [256]bool) {
	for _, c := range []byte("<>\"`{}|\\^") {
		t[c] = true
	}
	return t
}()
