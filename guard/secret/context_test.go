package secret_test

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
)

func TestSurroundings(t *testing.T) {
	userAndPassword := "dXNlcjpo" + "dW50ZXIy" // user and a password in base64
	jwkPart := strings.Repeat("aB3d", 11)[:43]
	for _, tt := range []struct{ name, in, want string }{
		{"mysql", "mysql -h db -u root -p" + weakOne + " shop", "mysql -h db -u root -p{COMMAND_PASSWORD} shop"},
		{"mysqldump in quotes", "mysqldump -p'" + weakOne + "' shop", "mysqldump -p'{COMMAND_PASSWORD}' shop"},
		{"mysql that asks", "mysql -u root -p shop", "mysql -u root -p {COMMAND_PASSWORD}"},
		{"sshpass", "sshpass -p bluewater ssh a@b", "sshpass -p {COMMAND_PASSWORD} ssh a@b"},
		{"redis-cli", "redis-cli -h c -a bluewater ping", "redis-cli -h c -a {COMMAND_PASSWORD} ping"},
		{"docker", "docker login -u bob -p bluewater r.example", "docker login -u bob -p {COMMAND_PASSWORD} r.example"},
		{"ldapsearch", "ldapsearch -x -D cn=a -w bluewater", "ldapsearch -x -D cn=a -w {COMMAND_PASSWORD}"},
		{"net use", `net use X: \\srv\share /user:bob bluewater`, `net use X: \\srv\share /user:bob {COMMAND_PASSWORD}`},
		{"another command", "mkdir -p bluewater; cp -a bluewater x; docker run -p 8080:80 x", "mkdir -p bluewater; cp -a bluewater x; docker run -p 8080:80 x"},
		{"another command behind it", "mysql x; mkdir -p bluewater", "mysql x; mkdir -p bluewater"},
		{"a variable", "sshpass -p $PASS ssh a@b", "sshpass -p $PASS ssh a@b"},
		{"curl in quotes", "curl --user  'bob:x9Qz7L~21s' https://a.example", "curl --user  'bob:{COMMAND_PASSWORD}' https://a.example"},
		{"curl, the password in quotes", "curl --user bob:'x9Qz7L21s' -v", "curl --user bob:'{COMMAND_PASSWORD}' -v"},
		{"a manifest", "kind: Secret\ndata:\n  pw: c3VwZXJzZWNyZXQ=\n", "kind: Secret\ndata:\n  pw: {KUBERNETES_SECRET}\n"},
		{"a manifest whose kind comes last", "apiVersion: v1\ndata:\n  pw: c3VwZXJzZWNyZXQ=\nkind: Secret", "apiVersion: v1\ndata:\n  pw: {KUBERNETES_SECRET}\nkind: Secret"},
		{"another manifest", "kind: ConfigMap\ndata:\n  hello: c3VwZXJzZWNyZXQ=\n", "kind: ConfigMap\ndata:\n  hello: c3VwZXJzZWNyZXQ=\n"},
		{"its metadata", "kind: Secret\nmetadata:\n  name: c3VwZXJzZWNyZXQ=\n", "kind: Secret\nmetadata:\n  name: c3VwZXJzZWNyZXQ=\n"},
		{"a header", "Authorization: Basic " + userAndPassword, "Authorization: Basic {BASIC_AUTH}"},
		{"a configuration of docker", `{"auths":{"r.example":{"auth":"` + userAndPassword + `"}}}`, `{"auths":{"r.example":{"auth":"{BASIC_AUTH}"}}}`},
		{"ADO.NET", "Server=db;Database=x;User Id=sa;Password=Winter;", "Server=db;Database=x;User Id=sa;Password={ASSIGNED_SECRET};"},
		{"JDBC", "jdbc:postgresql://db/x?user=sa&password=Winter", "jdbc:postgresql://db/x?user=sa&password={ASSIGNED_SECRET}"},
		{"a one-time password", "otpauth://totp/A:b@c.example?secret=JBSWYDPEHPKAPXPA&issuer=A", "otpauth://totp/A:b@c.example?secret={ASSIGNED_SECRET}&issuer=A"},
		{"a JSON Web Key", `{"kty":"EC","d":"` + jwkPart + `"}`, `{"kty":"EC","d":"{JWK_PRIVATE_KEY}"}`},
		{"a public one", `{"kty":"EC","x":"` + jwkPart + `"}`, `{"kty":"EC","x":"` + jwkPart + `"}`},
		{"a key of PuTTY", "Private-Lines: 2\nAAAAgQCbk0x3kq9Lm2Tz\nAAAAgQCbk0x3kq9Lm2Tz\nPrivate-MAC: 01", "Private{PRIVATE_KEY}\nPrivate-MAC: 01"},
		{"a token of nobody", "zeta_priv_" + letters, "zeta_priv_{PREFIXED_TOKEN}"},
		{"a token of nobody, apart", "use zeta-priv-" + letters + ".", "use zeta-priv-{PREFIXED_TOKEN}."},
		{"both halves of a key", "AKIAQ3EGTYXU2ZV5" + "KLMN,wJalrXUtn3FEMI/K7MDENG/bPxRf" + "iCYzaQ1kP9sL", "{AWS_ACCESS_KEY},{AWS_SECRET_KEY}"},
		{"an application of Facebook", "1477036645" + "700765|wRPf2v3mt2JfMqCLK8n7oltrEmc", "1477036645" + "700765|{FACEBOOK_ACCESS_TOKEN}"},
		{"a weak one of the environment", "REDIS_PASSWORD=foobared", "REDIS_PASSWORD={ASSIGNED_SECRET}"},
		{"a weak one in quotes", `"password": "s3cret"`, `"password": "{ASSIGNED_SECRET}"`},
		{"a description in quotes", `"password": "string", DB_PASSWORD=required PWD=/tmp`, `"password": "string", DB_PASSWORD=required PWD=/tmp`},
		{"a public key", "Public key sha: SIXvRyDmBJSgatgTQRGbInBaAK+hZOQ18UmrSwnDlK8=", "Public key sha: SIXvRyDmBJSgatgTQRGbInBaAK+hZOQ18UmrSwnDlK8="},
		{"an address", "Bearer Token: https://a.example/rfc6750#section2A", "Bearer Token: https://a.example/rfc6750#section2A"},
		{"an identifier", "chatcmpl-" + letters + letters, "chatcmpl-" + letters + letters},
		{"a name in a program", "the api_getDefaultAuthenticationManagerInstance2 call", "the api_getDefaultAuthenticationManagerInstance2 call"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// base62 writes n with six digits.
func base62(n uint32) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b [6]byte
	for i := range b {
		b[len(b)-1-i] = digits[n%62]
		n /= 62
	}
	return string(b[:])
}

// A right checksum makes sure, a wrong one makes doubtful.
func TestScores(t *testing.T) {
	body := letters[:30]
	right := body + base62(crc32.ChecksumIEEE([]byte(body)))
	grafana := "glsa" + "_" + letters[:32]
	for _, tt := range []struct {
		name, in string
		want     float64
	}{
		{"a token of GitHub", "ghp" + "_" + right, 1},
		{"one that somebody made up", "ghp" + "_" + letters + "xx", 0.5},
		{"a token of npm", "npm" + "_" + right, 1},
		{"one of Grafana", grafana + fmt.Sprintf("_%08x", crc32.ChecksumIEEE([]byte(grafana))), 1},
		{"one without a checksum", "gsk" + "_" + letters + letters, 0.99},
		{"an example", "AKIAIOSFODNN7" + "EXAMPLE", 0.5},
	} {
		_, fs := guardtest.Mask(t, secret.Scanner{}, stream.Scope{}, tt.in)
		if len(fs) != 1 || fs[0].Score != tt.want {
			t.Errorf("%s: found %+v, want one of score %v", tt.name, fs, tt.want)
		}
	}
}
