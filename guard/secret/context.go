package secret

import (
	"bytes"
	"encoding/base64"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// lookback is how far before a start its surroundings are read.
const lookback = 60

// behind returns the folded text before t[i], as far as may be looked back, from
// the beginning of the command or the line on.
func behind(w stream.Window, i int, ends string) []byte {
	t := w.Folded[max(0, i-lookback):i]
	return t[bytes.LastIndexAny(t, ends)+1:]
}

// attached and apart are the commands whose option with a password has its value
// behind the letter, or as the next argument, by the letter.
var (
	attached = map[byte][]string{'p': {"mysql", "mariadb", "7z ", "7za "}}
	apart    = map[byte][]string{
		'p': {"sshpass", "docker login", "podman login", "registry login", "mongo", "rabbitmq", "oc login", "cf login", "az login", "az acr", "mysql", "skopeo", "buildah", "faas", "ibmcloud", "influx", "psexec"},
		'a': {"redis-cli", "valkey-cli", "keydb-cli"},
		'w': {"ldapsearch", "ldapmodify", "ldapadd", "ldapwhoami", "ldapdelete"},
		'P': {"sqlcmd", "bcp ", "unzip", "zip ", "osql", "isql"},
	}
)

// readOption reads the password in `mysql -p…`, `sshpass -p …` and their like;
// t[i] is the hyphen.
func (c *cursor) readOption(w stream.Window, i int) (m stream.Match, look stream.Look) {
	t := w.Clean
	if i == 0 || t[i-1] != ' ' {
		return m, stream.No
	}
	if i+2 >= len(t) {
		return m, unless(w.Final)
	}
	k, commands := i+2, attached[t[i+1]]
	if t[k] == ' ' {
		commands = apart[t[i+1]]
		k++
	}
	if commands == nil {
		return m, stream.No
	}
	before := behind(w, i, "\n;|&")
	named := false
	for _, name := range commands {
		named = named || bytes.Contains(before, []byte(name))
	}
	if !named {
		return m, stream.No
	}
	return argument(w, k, 4)
}

// readNetUse reads the password in `net use X: \\host\share /user:name …`; t[i] is
// the colon.
func readNetUse(w stream.Window, i int) (m stream.Match, look stream.Look) {
	if before := behind(w, i, "\n;|"); !bytes.HasSuffix(before, []byte("/user")) || !bytes.Contains(before, []byte("net use")) {
		return m, stream.No
	}
	k := i + 1
	for k < len(w.Clean) && k-i < maxName && w.Clean[k] > ' ' {
		k++
	}
	if k == len(w.Clean) {
		return m, unless(w.Final)
	}
	return argument(w, k+1, 4)
}

// argument reads an argument of at least least bytes that begins at t[k].
func argument(w stream.Window, k, least int) (m stream.Match, look stream.Look) {
	t := w.Clean
	if k < len(t) && (t[k] == '\'' || t[k] == '"') {
		k++
	}
	j := k
	for j < len(t) && j-k <= maxPassword && t[j] > ' ' && t[j] != '"' && t[j] != '\'' && t[j] != '`' {
		j++
	}
	switch {
	case j == len(t) && !w.Final && j-k <= maxPassword:
		return m, stream.More
	case j-k < least || j-k > maxPassword || t[k] == '-' || t[k] == '<' || t[k] == '/' || placeholder(w.Folded[k:j]):
		return m, stream.No
	}
	return stream.Match{Start: k, End: j, Reason: "command-password", Severity: ringwall.High, Score: 0.9}, stream.Yes
}

// manifest is what was read of a Kubernetes manifest.
type manifest struct {
	kind byte // 's' for a Secret, 'o' for another, 0 while nobody said
	data bool // its data come
}

// readManifest reads the values of a Secret of Kubernetes; t[i] is a colon. In a
// manifest that says its kind at the end, values are those that decode to a text.
func (c *cursor) readManifest(w stream.Window, i int) (m stream.Match, rest swallower, look stream.Look) {
	t := w.Clean
	from := i
	for from > 0 && i-from < maxName && inKey[t[from-1]] {
		from--
	}
	k := i + 1
	for k < len(t) && (t[k] == ' ' || t[k] == '"' || t[k] == '\'') {
		k++
	}
	if k == len(t) && k-i <= maxGap {
		return m, nil, unless(w.Final)
	}
	switch string(bytes.Trim(w.Folded[from:i], `"'`)) {
	case "apiversion", "metadata", "type":
		c.manifest.data = false
		return m, nil, stream.No
	case "data", "stringdata":
		c.manifest.data = k < len(t) && (t[k] == '\n' || t[k] == '\r' || t[k] == '{')
		return m, nil, stream.No
	case "kind":
		if len(t)-k <= len("Secret") && !w.Final {
			return m, nil, stream.More
		}
		c.manifest = manifest{kind: 'o'}
		if bytes.HasPrefix(t[k:], []byte("Secret")) && (k+6 == len(t) || !stream.AlphaNum[t[k+6]]) {
			c.manifest.kind = 's'
		}
		return m, nil, stream.No
	}
	if !c.manifest.data || c.manifest.kind == 'o' {
		return m, nil, stream.No
	}
	j := k
	for j < len(t) && j-k <= maxValue && base64Body[t[j]] {
		j++
	}
	if j == len(t) && !w.Final && j-k <= maxValue {
		return m, nil, stream.More
	}
	n := (j - k) &^ 3
	if j-k < 8 || n < j-k && j-k <= maxValue || c.manifest.kind == 0 && !readable(t[k:k+n]) {
		return m, nil, stream.No
	}
	return stream.Match{Start: k, End: j, Reason: "kubernetes-secret", Severity: ringwall.High, Score: 0.9}, base64Body.swallow, stream.Yes
}

var inKey = [256]bool(*classOf("A-Za-z0-9_.\"'-"))

// decoded returns what v says in base64, nil if it says nothing that can be read.
func decoded(v []byte) []byte {
	if len(v) > maxValue+3 {
		return nil
	}
	var buf [maxValue]byte
	v = bytes.TrimRight(v, "=")
	n, err := base64.RawStdEncoding.Decode(buf[:], v)
	if err != nil || n < 3 {
		return nil
	}
	for _, b := range buf[:n] {
		if b < ' ' && b != '\n' || b > '~' {
			return nil
		}
	}
	return bytes.Clone(buf[:n])
}

func readable(v []byte) bool { return decoded(v) != nil }

// userAndPassword reports whether v is a user's name and password, as HTTP sends
// them (RFC 7617).
func userAndPassword(v []byte) bool {
	d := decoded(v)
	at := bytes.IndexByte(d, ':')
	return at > 0 && at < len(d)-2 && !placeholder(bytes.ToLower(d[at+1:]))
}

// connected reports whether a value that ends at t[k] belongs to a string that
// says how to connect to a database (JDBC, ODBC, ADO.NET), or to the address of a
// one-time password; i is where it is assigned.
func connected(w stream.Window, i, k int) bool {
	before := behind(w, i, "\n")
	if k < len(w.Clean) && bytes.IndexByte([]byte(";&\"'` \n"), w.Clean[k]) < 0 {
		return false
	}
	for _, s := range connections {
		if bytes.Contains(before, s) {
			return true
		}
	}
	return false
}

var connections = [][]byte{
	[]byte("server="), []byte("data source="), []byte("uid="), []byte("user id="), []byte("userid="), []byte("host="), []byte("driver="), []byte("database="), []byte("initial catalog="), []byte("jdbc:"), []byte("username="), []byte("user="), []byte("otpauth://"),
}

// readJWK reads the private part of a JSON Web Key (RFC 7517, RFC 7518 §6); t[i] is
// the colon.
func readJWK(w stream.Window, i int) (m stream.Match, rest swallower, look stream.Look) {
	t := w.Clean
	if i < 3 || t[i-1] != '"' || t[i-3] != '"' {
		return m, nil, stream.No
	}
	least := 0
	switch t[i-2] {
	case 'd':
		least = 40
	case 'k':
		if bytes.Contains(behind(w, i, "\x00"), []byte(`"oct"`)) {
			least = 20
		}
	}
	if least == 0 {
		return m, nil, stream.No
	}
	k := i + 1
	for k < len(t) && k-i < maxGap && (t[k] == ' ' || t[k] == '\n') {
		k++
	}
	if k == len(t) {
		return m, nil, unless(w.Final)
	}
	k++ // the quote
	for j := k; j < k+least; j++ {
		if j >= len(t) {
			return m, nil, unless(w.Final)
		}
		if !urlSafe[t[j]] {
			return m, nil, stream.No
		}
	}
	return stream.Match{Start: k, End: k + least, Reason: "jwk-private-key", Severity: ringwall.Critical, Score: 0.95}, urlSafe.swallow, stream.Yes
}

// readPuTTY reads the private half of a key of PuTTY; t[i] is the hyphen of the
// line before it.
func readPuTTY(w stream.Window, i int) (m stream.Match, look stream.Look) {
	t := w.Clean
	if i < 7 || string(t[i-7:i]) != "Private" {
		return m, stream.No
	}
	const mark = "-Lines: "
	got := t[i:]
	if n := min(len(got), len(mark)); string(got[:n]) != mark[:n] {
		return m, stream.No
	}
	k := i + len(mark)
	for k < len(t) && isDigit(t[k]) && k-i < maxGap {
		k++
	}
	if k >= len(t) {
		return m, unless(w.Final)
	}
	if k == i+len(mark) || t[k] != '\n' && t[k] != '\r' && t[k] != '\\' {
		return m, stream.No
	}
	return stream.Match{Start: i, End: k, Reason: "private-key", Severity: ringwall.Critical, Score: 0.99}, stream.Yes
}

// keyParts are the parts of a prefix that say that what follows is a key.
var keyParts = func() map[string]bool {
	m := map[string]bool{}
	for p := range bytes.FieldsSeq([]byte("sk rk pat api key apikey tok token secret sec live prod priv auth access oauth sat svc bot app sess refresh admin personal user test")) {
		m[string(p)] = true
	}
	return m
}()

// idParts begin identifiers and fingerprints, which are no secrets however random
// they look.
var idParts = func() map[string]bool {
	m := map[string]bool{}
	for p := range bytes.FieldsSeq([]byte("id ids uid guid uuid msg req run thread call toolu resp chatcmpl cmpl file batch evt event cus ch pi in sub price prod ref sha sha1 sha256 sha384 sha512 md5 etag commit rev img image hash digest chunk asset rs step asst vs trace span node pod job task build layer blob obj doc item order tx txn pub public fingerprint checksum seed nonce base64 version cluster replica")) {
		m[string(p)] = true
	}
	return m
}()

// Characters of a token whose prefix nobody told us: of one with a part of
// [keyParts], and of any other.
const (
	leastBare  = 24
	leastOther = 32
	leastHex   = 40 // of another in hexadecimal
)

// readBare reads a token with a prefix that nobody told us about, as in
// zeta_live_…; t[i] is the sign before its body.
func readBare(w stream.Window, i int) (m stream.Match, look stream.Look) {
	t := w.Clean
	j := i
	for j > 0 && i-j <= 8 && stream.AlphaNum[t[j-1]] {
		j--
	}
	least, before := leastBare, w.Folded[j:i]
	if !keyParts[string(before)] {
		least = leastOther
		if len(before) < 2 || len(before) > 8 || isDigit(before[0]) || idParts[string(before)] {
			return m, stream.No
		}
	}
	if j > 0 && t[j-1] != ' ' && t[j-1] != '"' && t[j-1] != '\'' && t[j-1] != '`' && t[j-1] != '_' && t[j-1] != '-' && t[j-1] != '\n' && t[j-1] != '=' && t[j-1] != ':' {
		return m, stream.No
	}
	digits, upper, lower, hex := 0, 0, 0, true
	k := i + 1
	for ; k < i+1+least; k++ {
		if k == len(t) {
			return m, unless(w.Final)
		}
		b := t[k]
		switch {
		case isDigit(b):
			digits++
		case isLower(b):
			lower++
		case 'A' <= b && b <= 'Z':
			upper++
		default:
			return m, stream.No
		}
		hex = hex && hexAny[b]
	}
	v, folded := t[i+1:k], w.Folded[i+1:k]
	m = stream.Match{Start: i + 1, End: k, Reason: "prefixed-token", Severity: ringwall.High, Score: 0.75}
	switch {
	case digits < 3 || digits == len(v) || placeholder(folded) || !hex && !scattered(folded, v):
		return m, stream.No
	case least == leastBare:
		return m, stream.Yes
	case hex:
		for ; k < i+1+leastHex; k++ {
			if k == len(t) {
				return m, unless(w.Final)
			}
			if !hexAny[t[k]] {
				return m, stream.No
			}
		}
		m.End = k
	case upper == 0 || lower == 0 || digits < 4:
		return m, stream.No
	}
	m.Score = 0.6
	return m, stream.Yes
}
