package secret_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
)

// Passwords and tokens of no meaning.
const (
	weakOne = "hunter" + "2!"
	token1  = "x9Qz7Lmw4" + "Tr8"
)

func TestAnnouncements(t *testing.T) {
	guardtest.Run(t, secret.Scanner{}, guardtest.Case{
		Bad: []string{
			"my api key is " + token1, "The password for the VPN is " + weakOne, "use token " + token1 + " to log in", "password " + token1, "Her new passphrase was set to " + token1 + ".",
			"das Passwort lautet " + weakOne, "Das Kennwort für den Server ist " + token1 + ".", "le mot de passe est " + weakOne, "La contraseña del correo es " + weakOne, "la clave API es " + token1,
			"la password è " + weakOne, "a senha é " + weakOne, "het wachtwoord is " + weakOne, "hasło to " + weakOne, "пароль от почты: " + weakOne, "密码是" + weakOne, "密碼：" + weakOne, "パスワードは" + weakOne + "です", "비밀번호는 " + weakOne + " 입니다",
			"machine a.example login bob password " + "blue" + "water", "my PIN is 4821", "recovery codes: 8f3k-92ms k2l4-mm3x", "the backup code is 48213377", "| api key | " + token1 + " |", "user: bob\npass: " + weakOne, "Benutzer bob, Passwort Sommer" + "1999", "ssh bob@a.example then type " + weakOne, "password for bob is WzHf" + "ImCcuh", "usuario bob clave $Xy9" + "-kLm!q", "die Geheimzahl lautet 0815", "the password is (" + token1 + ")", "the password is `" + token1 + "`",
		},
		Good: []string{
			"the password is 8 characters long", "the password must contain at least 8 characters", "The API key is base64-encoded", "the token is an oauth2 token", "the key findings of 2024 are", "the secret is to cook slowly",
			"the password is incorrect", "pass the salt", "\tPassword    *uint16", "password string", "the backup code in v2 is 1.2", "type: code 404", "--- PASS: TestVetAsm", "a pass of 2024", "please type ABC123XY", "the user must type Shift+F10", "the password is CaseSensitive", "my password is forgotten", "a password of 12-16 characters", "the token limit is 4096", "the pin is 13", "PIN code 560001", "pin 1234 of the chip", "the secret to success in 2024 is work",
			"the password is in config.yaml", "use token authentication", "the token is valid until 2024-11-23T10:00:00Z", "send the password to bob42@example.com", "the password for your-name is your-password-1", "the key is Ctrl+F4",
			"The access key is described at https://a.example/doc1", "the api key is <API_KEY_1>", "the password is $PASSWORD1", "we need a password. Room 12b is free", "tokens are: GPT-4o", "密码是什么", "パスワードを忘れました", "비밀번호를 잊었습니다",
		},
	})
}

// Texts made of announcements and what follows them come out the same wherever
// they are cut.
func TestPiecesOfAnnouncements(t *testing.T) {
	words := strings.Fields("the password passwort token api key is ist lautet = : for VPN hunter" + "2! " + token1 + " 密码 是 пароль 비밀번호 \u201c" + weakOne + "\u201d login pin 4821 . sk- ghp_aB3d -p mysql sshpass curl -u a:" + token1 + " kind: Secret data: cGFzc3dvcmQ= Private-Lines: 3 AKIAQ3EGTYXU2ZV5" + "KLMN wJalrXUtn3FEMI/K7MDENG/bPxRf" + "iCYzaQ1kP9sL recovery codes DB_PASSWORD=winter user pass: zeta_priv_" + letters)
	for seed := range 4000 {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		var b strings.Builder
		for range 2 + rng.IntN(12) {
			b.WriteString(words[rng.IntN(len(words))] + []string{" ", " ", "", "\n", ", "}[rng.IntN(5)])
		}
		inPieces(t, b.String(), func() int { return 1 + rng.IntN(9) })
		if t.Failed() {
			return
		}
	}
}

// inPieces checks that text in pieces comes out as it does as a whole.
func inPieces(t *testing.T, text string, size func() int) {
	t.Helper()
	want := masked(t, text)
	c, _ := secret.Scanner{}.Begin(stream.Scope{})
	r := stream.New(stream.Config{Watches: []stream.Watch{{Control: "x", Cursor: c}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Mask }})
	var got strings.Builder
	for rest := text; rest != ""; {
		n := min(size(), len(rest))
		got.Write(r.Write([]byte(rest[:n])))
		rest = rest[n:]
	}
	got.Write(r.Close())
	c.(stream.Freer).Free()
	if got.String() != want {
		t.Errorf("of %q\nsent %q\nwant %q", text, got.String(), want)
	}
}

func FuzzPieces(f *testing.F) {
	for _, text := range []string{
		"the password for the VPN is " + weakOne, "密码是" + weakOne, "kind: Secret\ndata:\n  a: c3VwZXJzZWNyZXQ=", "recovery codes: 8f3k-92ms k2l4-mm3x", "zeta_priv_" + letters, "mysql -u root -p" + weakOne,
		"Private-Lines: 2\nAAAAgQCbk0x3kq9Lm2Tz\n", "curl -u a:'" + token1 + "'", `{"kty":"EC","d":"` + letters + `"}`, "Server=a;Password=b;",
	} {
		f.Add(text, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		inPieces(t, text, func() int { return 1 + int(size) })
	})
}
