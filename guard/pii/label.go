package pii

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Values that nothing but a word before them tells: names of users, passwords,
// codes of banks in letters alone. The word is met at the sign behind it: a space,
// a colon, an equals sign.

type label uint8

const (
	noLabel   label = iota
	userName        // is followed by the name of a user and nothing else
	maybeUser       // may be followed by anything
	accountOf       // may be followed by numbers of all kinds
	passWord
	userOf // the password for
	isWord // is, behind the password for somebody
	bankCode
	byUser // by, behind a login from somewhere
)

// labels are the words, in lower case and without accents.
var labels = func() map[string]label {
	m := map[string]label{}
	for l, words := range map[label]string{
		userName:  "username|user name|login name|loginname|login id|loginid|screen name|nickname|benutzername|nutzername|anmeldename|benutzerkennung|nom d utilisateur|pseudo|nombre de usuario|nome utente|nome de usuario|nome de utilizador|gebruikersnaam|nazwa uzytkownika|anvandarnamn|brugernavn|brukernavn|kayttajatunnus|kayttajanimi|uzivatelske jmeno|felhasznalonev|nume de utilizator|kullanici adi|kullanıcı adı|имя пользователя|логин|логін|ονομα χρηστη|اسم المستخدم|שם משתמש|ten dang nhap|nama pengguna|ユーザー名|ユーザid|ユーザーid|用户名|用戶名|사용자 이름|아이디|उपयोगकर्ता नाम|ชื่อผู้ใช้|sam account name|samaccountname|handle",
		maybeUser: "user|user id|userid|usr|uname|login|logon|logged in as|signed in as|log in as|account name|accountname|benutzer|utilisateur|identifiant|usuario|utente|utilizador|gebruiker|uzytkownik|anvandare|bruger|bruker|kayttaja|uzivatel|felhasznalo|utilizator|kullanici|kullanıcı|пользователь|користувач|χρηστης|المستخدم|משתמש|pengguna|用户",
		accountOf: "account|accounts|acct|konto|nutzerkonto|benutzerkonto|account of|nutzer|nutzerin|zugang|zugangsdaten|anmeldung|anmeldung als|angemeldet als|eingeloggt als|einloggen als|profil|spitzname|compte|compte utilisateur|connexion|connecte en tant que|connectee en tant que|identifiants|profile|alias|nick|cuenta|sesion|sesion como|perfil|conta|sessao|acesso|accesso|conto|profilo|gebruikersaccount|inloggen als|ingelogd als|zalogowany jako|zaloguj sie jako|inloggad som|logget inn som|logget ind som|kirjautunut|prihlasen jako|bejelentkezve|conectat ca|hesap|hesabi|аккаунт|профиль|учетная запись|вошел как|обліковии запис|λογαριασμος|حساب|חשבון|账号|帐号|帳號|アカウント|계정|tai khoan|akun|บัญชี|credentials|logged in|login with|sign in as|sign in with|log on as|member|gamertag|nickname is|discord|skype|steam",
		passWord:  "password|passwd|pass|pwd|pw|passphrase|passcode|passwort|kennwort|mot de passe|mdp|contrasena|clave|senha|palavra passe|wachtwoord|haslo|hasło|losenord|adgangskode|kodeord|passord|salasana|heslo|jelszo|parola|sifre|sifresi|пароль|κωδικος|κωδικος προσβασης|كلمة المرور|كلمة السر|סיסמה|סיסמא|पासवर्ड|パスワード|密码|密碼|비밀번호|mat khau|kata sandi|sandi|รหัสผ่าน|geslo|lozinka|then type|then enter",
		userOf:    "password for|passwort fur|mot de passe de|mot de passe pour|contrasena de|contrasena para|clave de|password di|password per|senha de|senha do|senha da|wachtwoord van|wachtwoord voor|haslo dla|hasło dla|hasło do|losenord for|password of|login for|pwd for|passwd for|logged in as|signed in as|log in as|login as|ssh into",
		isWord:    "is|ist|est|es|lautet|jest|ar|er",
		byUser:    "by|durch|par|por|da|door|przez|av|af",
		bankCode:  "bic|swift|swift code|bic code|bic swift|swift bic|code bic|code swift|codigo swift|codice bic|kod swift|kod bic|swift koodi|свифт|swiftcode",
	} {
		for w := range strings.SplitSeq(words, "|") {
			w = normalize.Fold(w)
			if l == userOf && m[w] == maybeUser || m[w] == noLabel {
				m[w] = l
			}
		}
	}
	return m
}()

// labelEnds are the last two bytes of labels, a bit for each pair.
var labelEnds = func() (t [1 << 10]uint64) {
	for w := range labels {
		v := uint16(w[len(w)-1]) | uint16(w[len(w)-2])<<8
		t[v>>6] |= 1 << (v & 63)
	}
	return t
}()

// labelTails are the last four bytes of labels, of which a shorter one has a
// space: by them most other words can be told from labels.
var labelTails = func() (t [64]uint64) {
	for w := range labels {
		h := tailHash([]byte("  " + w))
		t[h>>6] |= 1 << (h & 63)
	}
	return t
}()

func tailHash(t []byte) uint32 {
	n := len(t)
	v := uint32(t[n-1]) | uint32(t[n-2])<<8 | uint32(t[n-3])<<16 | uint32(t[n-4])<<24
	if !inWord(t[n-3]) {
		v = v&0xFFFF | '\t'<<16
	}
	if v>>16 == '\t' || !inWord(t[n-4]) {
		v = v&0xFFFFFF | '\t'<<24
	}
	return v * 0x9E3779B1 >> 20
}

// mayBeLabel reports whether a label may end before t[i]. t is folded.
func mayBeLabel(t []byte, i int) bool {
	if i < 4 {
		return i > 1
	}
	if v := uint16(t[i-1]) | uint16(t[i-2])<<8; labelEnds[v>>6]&(1<<(v&63)) == 0 {
		return false
	}
	h := tailHash(t[i-4 : i])
	return labelTails[h>>6]&(1<<(h&63)) != 0
}

// labelBefore returns the longest label that ends at t[i], and where it begins.
func labelBefore(t []byte, i, low int) (l label, start int) {
	low = max(low, i-maxTerm, 0)
	s := i
	for range 3 {
		e := s
		for s > low && inWord(t[s-1]) {
			s--
		}
		if s == e || s > 0 && inWord(t[s-1]) {
			break
		}
		if k := wordsKey(t, s, i); labels[k] != noLabel {
			l, start = labels[k], s
		}
		if s-1 <= low || !contains(" _-.'", t[s-1]) {
			break
		}
		s--
	}
	if l == noLabel && i > 2 && t[i-1] >= 0x80 {
		// Scripts without spaces: the longest end.
		for k := max(low, i-24); k < i; k++ {
			if t[k] >= 0xE0 && labels[string(t[k:i])] != noLabel {
				return labels[string(t[k:i])], k
			}
		}
	}
	return l, start
}

// wordsKey is t[s:e] with a space for each sign between words.
func wordsKey(t []byte, s, e int) string {
	var key [maxTerm]byte
	n := copy(key[:], t[s:e])
	for i := range n {
		if !inWord(key[i]) {
			key[i] = ' '
		}
	}
	return string(key[:n])
}

// maxLabelled bounds what a label names.
const maxLabelled = 64

// labelled reads what a label that ends at t[i] names, behind it.
func (c *cursor) labelled(w stream.Window, i int) (start, end int, p pattern, look stream.Look) {
	t := w.Folded
	k := i
	if t[i] != ' ' && t[i] != '\t' {
		for k > 0 && i-k < 3 && contains(" \"'`])*", t[k-1]) {
			k--
		}
		if k > 3 && t[k-1] == '>' { // <b>Password</b>:
			for e := k; k > 0 && e-k < 9 && t[k] != '<'; {
				k--
			}
		}
	}
	if !mayBeLabel(t, k) {
		return i, i, p, stream.No
	}
	from := max(c.last-w.Base, 0)
	l, at := labelBefore(t, k, from)
	if l == noLabel || at > 0 && (t[at-1] == '/' || t[at-1] == '\\') {
		return i, i, p, stream.No
	}
	if t[i] == '>' && (at == 0 || t[at-1] != '<') {
		return i, i, p, stream.No
	}
	if l == isWord {
		if l = passwordOf(t, at); l == noLabel {
			return i, i, p, stream.No
		}
	}
	if l == byUser && !loginBefore(t, at) {
		return i, i, p, stream.No
	}
	// What stands between: signs, and words that mean the same.
	j, sign, is := i, t[i], l == passWord && t[i] == ' ' && at > 0 && labels[wordsKey(t, at, k)] == isWord
	if sign == ' ' {
		sign = 0
	}
	for range 4 {
		for j < len(t) && j-i < 24 && contains(" \t*", t[j]) {
			j++
		}
		if j >= len(t) {
			return i, i, p, unless(w.Final)
		}
		if j > i && (t[j] == '-' || t[j] == '#') && t[j-1] == ' ' {
			if j+1 == len(t) {
				return i, i, p, unless(w.Final)
			}
			if t[j+1] == ' ' {
				j++
				continue
			}
		}
		if t[j] == '<' && sign != 0 {
			e := j
			for e < len(t) && e-j < 9 && t[e] != '>' {
				e++
			}
			if e == len(t) && !w.Final && e-j < 9 {
				return i, i, p, stream.More
			}
			if e < len(t) && t[e] == '>' && t[j+1] != '/' {
				j = e + 1
				continue
			}
		}
		if contains(":=>", t[j]) && j-i < 24 {
			sign = t[j]
			j++
			continue
		}
		e := j
		for e < len(t) && e-j < 8 && inWord(t[e]) {
			e++
		}
		if e == len(t) && !w.Final && e-j < 8 {
			return i, i, p, stream.More
		}
		if word := string(t[j:e]); labels[word] == isWord || word == "was" || word == "to" || word == "は" || word == "是" || word == "为" {
			is = true
			j = e
			continue
		}
		break
	}
	quote := byte(0)
	if j < len(t) && contains("\"'`(", t[j]) {
		if quote = t[j]; quote == '(' {
			quote = ')'
		}
		j++
	}
	start, end = j, j
	for end < len(t) && end-start <= maxLabelled {
		d := t[end]
		if quote != 0 && d == quote || d == '\n' || quote == 0 && (d <= ' ' || d == ',' && l != passWord || contains("\"`;<>|&", d) || l != passWord && contains("()[]{}", d)) {
			break
		}
		end++
	}
	switch {
	case end-start > maxLabelled:
		return i, i, p, stream.No
	case end+1 >= len(t) && !w.Final:
		return i, i, p, stream.More // what stands behind it tells
	case end < len(t) && (t[end] == '<' && (end+1 == len(t) || t[end+1] != '/') || t[end] == '(' || t[end] == '[' || t[end] == '{') && quote == 0:
		return i, i, p, stream.No
	}
	if quote == 0 {
		for end > start && contains(".,;:?)'}]", t[end-1]) {
			end--
		}
	}
	v := w.Clean[start:end]
	if len(v) < 3 || common[string(t[start:end])] || hollow(v) {
		return i, i, p, stream.No
	}
	if k := bytes.IndexByte(v, '.'); k > 0 && quote == 0 && sign != 0 && (objects[string(t[start:start+k])] || k+1 < len(v) && 'A' <= v[k+1] && v[k+1] <= 'Z' && v[0] > 'Z') {
		return i, i, p, stream.No // code
	}
	closes := quote != 0 && quote != ')' || end == len(t) || contains("\n.,;!|&<", t[end]) || t[end] == ' ' && end+1 < len(t) && contains("\n(/|-", t[end+1])
	mixed := mixes(v)
	if l == passWord {
		mixed = mixed && !name(v) || quote == 0 && cased(v)
	}
	switch l {
	case userName, maybeUser, userOf, accountOf, byUser:
		if l == accountOf && !(mixed && handleLike(v)) {
			return i, i, p, stream.No
		}
		if !userChars(v) || bytes.IndexByte(v, '@') > 0 {
			return i, i, p, stream.No
		}
		score := 0.0
		switch {
		case l == userName && sign != 0 && (closes || mixed), l == userName && is && (mixed || closes):
			score = named
		case l == byUser && (mixed || closes):
			score = likely
		case l == userOf && (mixed || bytes.HasPrefix(t[end:], []byte(" is ")) || end < len(t) && t[end] == ':'):
			score = likely
		case sign == '=' && t[i] == '=' && i > 0 && t[i-1] != ' ' && (closes || t[end] == ' '), mixed && isLetter(v[0]) && len(v) >= 5:
			score = likely
		case quote != 0 && quote != ')' && sign == ':' && k < i && t[k] == '"' && t[i] == ':' && len(v) >= 4:
			score = likely
		case end+24 > len(t) && !w.Final:
			return i, i, p, stream.More
		case l == maybeUser && followedByPassword(t, end):
			score = likely
		}
		if score > 0 {
			return start, end, pattern{reason: UserName, severity: low, score: score}, stream.Yes
		}
	case passWord:
		if len(v) < 4 || bytes.Count(v, []byte(" ")) > 1 || quote == 0 && bytes.ContainsAny(v, "()[]{}$") && bytes.IndexAny(v, "(.[") > 0 && sign == '=' {
			return i, i, p, stream.No
		}
		switch {
		case quote == ')' && !(mixed && strong(v)):
		case sign != 0 && (mixed || quote != 0 || closes && len(v) >= 6 && !speaks(t[start:end]) && (end == len(t) || t[end] == '\n' || t[end] == ',')), is && (mixed || quote != 0):
			return start, end, pattern{reason: Password, severity: high, score: named}, stream.Yes
		case mixed && strong(v):
			return start, end, pattern{reason: Password, severity: high, score: likely}, stream.Yes
		}
	case noLabel, isWord:
	case bankCode:
		if n := len(v); (n == 8 || n == 11) && isBank(v, c.value[:0]) && (sign != 0 || is || capitals(v)) {
			return start, end, pattern{reason: SWIFT, severity: medium, score: named}, stream.Yes
		}
	}
	return i, i, p, stream.No
}

// loginBefore reports whether a login from an address stands on the line before
// t[at].
func loginBefore(t []byte, at int) bool {
	line := t[max(0, at-stream.Context+8):at]
	if i := bytes.LastIndexByte(line, '\n'); i >= 0 {
		line = line[i:]
	}
	if bytes.Count(line, []byte(".")) < 3 && bytes.Count(line, []byte(":")) < 2 {
		return false // no address
	}
	for _, word := range logins {
		if bytes.Contains(line, word) {
			return true
		}
	}
	return false
}

var logins = bytes.Fields([]byte("login logon logged signin signed anmeldung abmeldung logout zugriff connexion sesion sessao accesso acesso inlogg innlogg logowani inloggen session access"))

// passwordOf reports whether what stands before t[at] is the password of
// somebody.
func passwordOf(t []byte, at int) label {
	low := max(0, at-56)
	e := at - 1
	s := e
	for s > low && e-s < 40 && t[s-1] > ' ' {
		s--
	}
	if s == e || s <= low || t[s-1] != ' ' {
		return noLabel
	}
	if l, _ := labelBefore(t, s-1, low); l == userOf {
		return passWord
	}
	return noLabel
}

// followedByPassword reports whether a label of a password stands right behind
// t[i].
func followedByPassword(t []byte, i int) bool {
	j := i
	for j < len(t) && j-i < 3 && contains(" ,;\n/", t[j]) {
		j++
	}
	e := j
	for e < len(t) && e-j < 16 && inWord(t[e]) {
		e++
	}
	return j > i && labels[string(t[j:e])] == passWord
}

// common are words that follow a label and are not what it names.
var common = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`the this that and for not none null nil true false string str int integer text varchar char required optional must should can will may please
		enter change reset forgot forgotten new old invalid wrong incorrect missing empty unknown undefined default hash hashed field input value name names your you his her their our
		my mine its has have had was were are been with from they who what when where which does did get set add create delete update select insert where admin? expired protected
		policy policies manager management reset. wurde wird nicht der die das ein eine und oder bitte pour vous les des une est pas que para por con una los las del que non per della
		required. optional. invalid. incorrect. correct valid weak strong secure safe secret always never also only same already about after before but because too very well
		length minimum maximum min max characters chars format pattern type types object array number numbers list bool boolean date time email e-mail mail address phone
		experience interface story stories guide manual agent group groups role roles data account accounts service services settings profile profiles page pages
		getpass input() self.password password username user login stored encrypted hidden shown set. provided here below above between was? n/a tbd todo empty. blank`) {
		m[w] = true
	}
	return m
}()

// objects are names of programs before a dot.
var objects = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("self this req request res response os env process config cfg settings args params form data body event ctx context user users account session input options opts props state json app db row record item obj object secrets vault var local module each random string driver page") {
		m[w] = true
	}
	return m
}()
