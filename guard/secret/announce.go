package secret

import (
	"bytes"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds on what follows an announcement.
const (
	maxWords   = 8  // between what is announced and the value
	maxForeign = 48 // bytes of other scripts among them
	maxSecret  = 96 // bytes of the value
	awsID      = 20 // of a key of AWS
	awsSecret  = 40
)

// calling is what a word of prose announces.
type calling uint8

const (
	nothing    calling = iota
	qualifier          // it makes a key one to keep: "api" of "api key"
	either             // both of these
	qualified          // a secret if a qualifier goes before it
	reserve            // of a code for the day when a password is lost; a qualifier too
	ofReserve          // that code, if such a word goes before it
	aPassword          // a password, which may be weak
	aSecret            // a token, which is not
	aTyped             // a password, if it is said who logs in
	aPass              // a password, if something says so
	aPIN               // a number
	aCode              // codes in a row
	aPair              // the secret half behind the id of a key of AWS
	connection         // what stands between an announcement and the value
)

// callings are the words, folded, by what they announce: English, German, French,
// Spanish, Italian, Portuguese, Dutch and Polish.
var callings = func() map[string]calling {
	m := map[string]calling{}
	for _, list := range []struct {
		calling
		words string
	}{
		{connection, "is are was ist sind war lautet lauten heisst est ont es son sera sao e sono jest sa to sind zijn now still currently nun jetzt set reset changed zu zum auf como jako wie"},
		{qualifier, "access secret license licence product encryption signing master activation service account application app wifi wlan ssh bot zugriffs lizenz dienst de do da di du della van voor dostepu clave llave chave chiave cle"},
		{qualified, "key keys acces acceso acesso accesso licencia licenca licenza toegang"},
		{either, "api"},
		{aPassword, "password passwords passwd passphrase passcode passwort kennwort losung zugangspasswort wlanpasswort passe contrasena clave senha wachtwoord haslo hasło hasła hasłem parola"},
		{aSecret, "bearer token tokens secret secrets credential credentials apikey apikeys jeton gettone schlussel zugangsschlussel segredo segreto secreto klucz sleutel apisleutel apischlussel"},
		{aPIN, "pin geheimzahl pincode"},
		{reserve, "recovery backup reserve ruckfall"},
		{ofReserve, "code codes codigo codigos codice codici kod kody"},
		{aPass, "pass pwd pw"},
		{aTyped, "type enter"},
	} {
		for w := range bytes.FieldsSeq([]byte(normalize.Fold(list.words))) {
			m[string(w)] = list.calling
		}
	}
	return m
}()

// farCallings begin words of scripts with endings or particles, and end words of
// those without spaces.
var farCallings = []struct {
	text string
	calling
	ends bool
}{
	{normalize.Fold("парол"), aPassword, false},
	{normalize.Fold("токен"), aSecret, false},
	{normalize.Fold("ключ"), aSecret, false},
	{normalize.Fold("пин"), aPIN, false},
	{normalize.Fold("비밀번호"), aPassword, false},
	{normalize.Fold("암호"), aPassword, false},
	{normalize.Fold("토큰"), aSecret, false},
	{normalize.Fold("키"), aSecret, false},
	{normalize.Fold("핀번호"), aPIN, false},
	{normalize.Fold("密码"), aPassword, true},
	{normalize.Fold("密碼"), aPassword, true},
	{normalize.Fold("口令"), aPassword, true},
	{normalize.Fold("密钥"), aSecret, true},
	{normalize.Fold("令牌"), aSecret, true},
	{normalize.Fold("パスワード"), aPassword, true},
	{normalize.Fold("トークン"), aSecret, true},
	{normalize.Fold("キー"), aSecret, true},
	{normalize.Fold("暗証番号"), aPIN, true},
}

// wordHash is a number below 4096 for a word, by which most that announce nothing
// are told.
func wordHash(w []byte) int {
	n := len(w)
	return (int(w[0]) | int(w[n-1])<<5 ^ n<<8 ^ int(w[n/2])<<3) & 4095
}

var mayCall = func() (t [4096]bool) {
	for w, c := range callings {
		if c != connection {
			t[wordHash([]byte(w))] = true
		}
	}
	return t
}()

// prose reads announcements: "the password for the VPN is …", "use token …".
type prose struct {
	words    stream.Words
	before   calling // of the word before
	what     calling // that was announced; nothing: no value is waited for
	pos      int     // offset up to which what follows was read
	lines    bool    // a line ended since
	foreign  int     // bytes of other scripts that were passed over
	left     int     // words that may still come
	said     bool    // what follows now is said to be the value
	directly bool    // and follows what said so
}

// scan reads the words that came and what follows announcements. It returns the
// offset from which on a value may still begin.
func (p *prose) scan(c *cursor, w stream.Window) int {
	for {
		start, end := p.words.Cut(w.Folded, w.Base, w.Final)
		if start == end {
			break
		}
		word := w.Folded[start-w.Base : end-w.Base]
		got := nothing
		if word[0] < utf8.RuneSelf {
			if len(word) == awsID && (string(word[:4]) == "akia" || string(word[:4]) == "asia") {
				got = aPair
			} else if mayCall[wordHash(word)] {
				got = callings[string(word)]
			}
		} else {
			got = far(w.Folded[:end-w.Base], word)
		}
		was := p.before
		p.before = got
		switch {
		case got == aSecret || got == aPassword:
			p.before = qualifier // a secret key
		case (got == qualified || got == either) && (was == qualifier || was == either || was == reserve):
			got = aSecret
		case got == ofReserve && was == reserve:
			got = aCode
		}
		if got >= aPassword && got != connection {
			p.follow(c, w, start)
			*p = prose{words: p.words, before: p.before, what: got, pos: end, left: maxWords, directly: true}
		}
	}
	return p.follow(c, w, w.End())
}

// far returns what a word beyond ASCII announces, with which t ends.
func far(t, word []byte) calling {
	for _, f := range farCallings {
		if f.ends && bytes.HasSuffix(t, []byte(f.text)) || !f.ends && bytes.HasPrefix(word, []byte(f.text)) {
			return f.calling
		}
	}
	return nothing
}

// follow reads what follows an announcement up to the offset limit, word by word.
func (p *prose) follow(c *cursor, w stream.Window, limit int) int {
	t := w.Clean
	for p.what != nothing {
		i := p.pos - w.Base
		for i < len(t) && (t[i] <= ' ' || t[i] >= utf8.RuneSelf) {
			if w.Base+i >= limit {
				break
			}
			switch {
			case t[i] == '\n':
				p.lines = true
			case t[i] >= utf8.RuneSelf:
				p.foreign++
			}
			i++
		}
		if p.foreign > maxForeign {
			break
		}
		k := i
		for k < len(t) && t[k] > ' ' && t[k] < utf8.RuneSelf && k-i <= maxSecret {
			k++
		}
		if w.Base+i >= limit || w.Base+k > limit { // an announcement itself
			p.pos = w.Base + i
			return limit
		}
		if k == len(t) && k-i <= maxSecret && !w.Final {
			p.pos = w.Base + i
			return p.pos
		}
		p.pos = w.Base + k
		p.word(c, w, i, k)
	}
	p.what = nothing
	return limit
}

// word reads the word t[i:k] behind an announcement.
func (p *prose) word(c *cursor, w stream.Window, i, k int) {
	t, from, to := w.Clean, i, k
	for from < to && opens[t[from]] {
		if b := t[from]; b == ':' || b == '=' {
			p.said, p.directly = true, true
		}
		from++
	}
	stop := false
	for to > from && closes[t[to-1]] {
		stop = stop || t[to-1] == '.' || t[to-1] == '?' || t[to-1] == ';'
		to--
	}
	m := stream.Match{Start: w.Base + from, End: w.Base + to, Reason: "announced-secret", Severity: ringwall.High, Score: 0.7}
	fits := false
	switch {
	case p.what == aPIN:
		m.Reason = "pin-code"
		fits = p.directly && (p.said || p.foreign > 0) && 4 <= to-from && to-from <= 8 && to-from != 6 && digitsOnly(t[from:to])
	case p.what == aPassword && p.directly && !p.said && netrc(w.Folded[max(0, i-lookback):i]):
		fits = to-from >= 4 && to-from <= maxSecret && !placeholder(w.Folded[from:to]) && !said(w.Folded[from:to])
	case p.what != aSecret && p.directly && !p.said && p.login(w.Folded[max(0, i-lookback):i]):
		p.said = true
		fits = fit(aPassword, w.Folded[from:to], t[from:to], true, true)
	case p.what == aCode:
		m.Reason = "recovery-code"
		fits = (p.said || p.foreign > 0) && code(t[from:to])
	case p.what == aPair:
		m.Reason, m.Score = "aws-secret-key", 0.95
		fits = to-from == awsSecret && random(t[from:to]) && !placeholder(w.Folded[from:to])
	case p.what == aTyped, p.what == aPass && !p.said:
	default:
		fits = fit(p.what, w.Folded[from:to], t[from:to], p.said || p.foreign > 0, p.directly)
	}
	if fits && c.free(w, from) {
		c.queue.Add(m)
		if p.left = maxWords; p.what != aCode { // which come in a row
			p.what = nothing
		}
		return
	}
	if p.left--; stop && p.what != aCode || p.left == 0 || p.lines && t[k-1] == ':' { // of another name
		p.what = nothing
		return
	}
	p.directly = false
	switch b := t[k-1]; {
	case b == '=' && k-i == 2 && (t[i] == '=' || t[i] == '!' || t[i] == '<' || t[i] == '>'): // of a program
		p.what = nothing
	case from == to, b == ':', b == '=', p.what != aPass && callings[string(w.Folded[from:to])] == connection:
		p.said, p.directly = true, true
	}
}

// login reports whether before says who logs in, so that what follows the word
// password is one.
func (p *prose) login(before []byte) bool {
	list := logins
	if p.what == aTyped {
		list = shells
	}
	for _, s := range list {
		if bytes.Contains(before, s) {
			return true
		}
	}
	return false
}

var shells = bytes.Fields([]byte("ssh sftp telnet"))

var logins = bytes.Fields([]byte("user usuario benutzer utilisateur utente gebruiker utilizador uzytkownik username login anmeld ssh"))

// netrc reports whether before, which ends with the word password, is a line of a
// .netrc file.
func netrc(before []byte) bool {
	return bytes.Contains(before, []byte("login ")) && bytes.HasSuffix(bytes.TrimRight(before, " \t\n"), []byte("password"))
}

// opens and closes are the bytes that stand around a value.
var opens, closes = [256]bool(*classOf("\"'`<([*:=|,;")), [256]bool(*classOf(".,;:\"'`>)]*?=|"))

// free reports whether no credential of a known kind begins at i, which says more.
func (c *cursor) free(w stream.Window, i int) bool {
	for _, s := range library.first[w.Clean[i]] {
		if s.class == nil {
			if bytes.HasPrefix(w.Clean[i:], []byte(s.prefix)) {
				return false
			}
			continue
		}
		if _, look := s.read(w.Clean, i, true); look == stream.Yes {
			return false
		}
	}
	return true
}

// fit reports whether v may be the password or the token that was announced; said
// tells whether a word says that it is, directly whether nothing stands between.
func fit(what calling, folded, v []byte, said, directly bool) bool {
	if len(v) < 6 || len(v) > maxSecret || standsFor(folded) || variable(v) || termed(folded) || v[0] == '+' && v[len(v)-1] == '+' || bytes.IndexByte([]byte("&._+"), v[0]) >= 0 {
		return false
	}
	var digit, lower, upper, sign, turns, head, humps int
	for i, b := range v {
		switch {
		case isDigit(b):
			digit++
		case isLower(b):
			lower++
		case 'A' <= b && b <= 'Z':
			upper++
			if i == 0 {
				head = 1
			} else if isLower(v[i-1]) {
				humps++
			}
		case bytes.IndexByte([]byte("!@#$%^&?~"), b) >= 0:
			sign++
		case bytes.IndexByte([]byte("(){}[]<>|\\/\"'=`:,"), b) >= 0:
			return scattered(folded, v) && (said || directly)
		}
		if i > 0 && isDigit(b) != isDigit(v[i-1]) && stream.AlphaNum[b] && stream.AlphaNum[v[i-1]] {
			turns++
		}
	}
	if sign == 0 && (bytes.IndexByte(v, '.') >= 0 || bytes.IndexByte(v, '_') >= 0 && (upper == 0 || lower == 0 || turns < 2)) { // of a program, or a name of a host
		return scattered(folded, v) && (said || directly)
	}
	letters, told := lower+upper, said && directly && what != aSecret
	at := bytes.IndexByte(v, '@')
	switch {
	case at > 0 && bytes.IndexByte(v[at:], '.') > 0: // an address
		return false
	case letters == 0:
		return told && sign > 1 && digit > 2
	case digit == 0:
		return told && (sign > 1 && letters > 3 || what == aPassword && len(v) >= 8 && humps >= 2 && !wordy(v) || sign > 0 && humps > 0 && len(v) >= 8)
	case sign > 0 && len(v) >= 8, turns >= 3 && len(v) >= 8, turns >= 2 && lower > 0 && upper > head && len(v) >= 8, scattered(folded, v):
		return said || directly
	}
	return told && letters >= 4 && digit <= 5 && (turns == 1 || sign > 0 || upper > head) && !isDigit(v[0])
}

// code reports whether v may be a code for the day when a password is lost:
// groups of letters and digits.
func code(v []byte) bool {
	digits, signs := 0, 0
	for _, b := range v {
		switch {
		case isDigit(b):
			digits++
		case b == '-':
			signs++
		case !stream.AlphaNum[b]:
			return false
		}
	}
	return len(v) >= 6 && len(v) <= 40 && digits >= 2 && (signs > 0 || len(v) >= 8 || digits == len(v))
}

// variable reports whether v is a name that a shell puts a value for.
func variable(v []byte) bool {
	if v[0] != '$' && v[0] != '%' && v[0] != '{' && v[0] != '(' {
		return false
	}
	for i, b := range v[1:] {
		if b == '{' && i == 0 || b == '}' || b == '%' && i == len(v)-2 || b == '_' || 'A' <= b && b <= 'Z' {
			continue
		}
		if isLower(b) || isDigit(b) {
			continue
		}
		return v[0] == '{' || v[0] == '('
	}
	return true
}

func digitsOnly(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// termed reports whether v is a term of the trade with a digit in it.
func termed(v []byte) bool {
	for _, s := range terms {
		if bytes.HasPrefix(v, s) {
			return true
		}
	}
	return bytes.HasSuffix(v, []byte("-bit")) || bytes.HasSuffix(v, []byte("-digit")) || bytes.Contains(v, []byte("character")) || bytes.Contains(v, []byte("http"))
}

var terms = bytes.Fields([]byte("0x uint int16 int32 int64 float base64 base32 base58 base16 sha1 sha2 sha3 sha-1 sha-2 sha-5 sha512 md5 md4 utf8 utf-8 oauth oauth1 oauth2 aes aes128 aes256 rsa hs256 rs256 es256 ed25519 x509 http ipv4 ipv6 bcrypt argon2 pbkdf2 scrypt pkcs python java windows version wpa2 wpa3 802.1 level section step chapter page part cl100k gpt claude llama top"))
