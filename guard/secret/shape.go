package secret

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// shape is a kind of credential whose middle gives it away. What stands before
// the middle went out already, and is no secret: the number of a bot, the
// encoded number of a user.
type shape struct {
	reason string
	before func(t []byte, i int) bool // what must stand before the middle
	middle []leg
	rest   *class // and what goes on
}

// leg is a stretch of n characters of a class.
type leg struct {
	class *class
	n     int
}

var (
	dot       = classOf(".")
	capitalA  = classOf("A")
	azureBody = classOf("A-Za-z0-9_.~-")
)

// shapes are the kinds, by the byte that they are come upon at.
var shapes = [256]*shape{
	':': {"telegram-bot-token", afterDigits, []leg{{capitalA, 2}, {urlSafe, 33}}, urlSafe},
	'.': {"discord-bot-token", afterUser, []leg{{urlSafe, 6}, {dot, 1}, {urlSafe, 27}}, urlSafe},
	'|': {"facebook-access-token", afterApp, []leg{{urlSafe, 26}}, urlSafe},
	'~': {"azure-client-secret", afterQ, []leg{{azureBody, 31}}, azureBody},
}

// afterDigits reports whether the number of a bot ends at i.
func afterDigits(t []byte, i int) bool {
	n := 0
	for n < i && n <= 10 && isDigit(t[i-1-n]) {
		n++
	}
	return 8 <= n && n <= 10
}

// afterApp reports whether the number of an application ends at i.
func afterApp(t []byte, i int) bool {
	n := 0
	for n < i && n <= 17 && isDigit(t[i-1-n]) {
		n++
	}
	return 15 <= n && n <= 17
}

// afterUser reports whether the number of a user ends at i: 17 to 19 digits in
// base64.
func afterUser(t []byte, i int) bool {
	n, digits := 0, 0
	for n < i && n <= 28 && urlSafe[t[i-1-n]] {
		n++
		if isDigit(t[i-n]) {
			digits++
		}
	}
	return 23 <= n && n <= 28 && 'M' <= t[i-n] && t[i-n] <= 'O' && digits > 0
}

// afterQ reports whether a client secret of Entra ID began five bytes before i.
func afterQ(t []byte, i int) bool {
	return i >= 5 && t[i-1] == 'Q' && isDigit(t[i-2]) && azureBody[t[i-3]] && azureBody[t[i-4]] && azureBody[t[i-5]]
}

// read reads a credential whose middle begins behind t[i].
func (s *shape) read(t []byte, i int, final bool) (m stream.Match, rest swallower, look stream.Look) {
	if !s.before(t, i) {
		return m, nil, stream.No
	}
	j, digits := i+1, 0
	for _, l := range s.middle {
		for range l.n {
			if j == len(t) {
				return m, nil, unless(final)
			}
			if !l.class[t[j]] {
				return m, nil, stream.No
			}
			if isDigit(t[j]) {
				digits++
			}
			j++
		}
	}
	if digits == 0 {
		return m, nil, stream.No
	}
	return stream.Match{Start: i + 1, End: j, Reason: s.reason, Severity: ringwall.High, Score: 0.99}, s.rest.swallow, stream.Yes
}
