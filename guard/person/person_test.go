package person_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/stream"
)

func scanner(t testing.TB) *person.Scanner {
	t.Helper()
	s, err := person.New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var names = []string{
	"My name is John Smith.",
	"my name is john smith and i need help",
	"Ich heiße Katharina Müller und wohne hier.",
	"Me llamo José García Hernández.",
	"Je m'appelle Élodie Lefèvre.",
	"Mi chiamo Giulia Rossi.",
	"Meu nome é João Pereira.",
	"Mijn naam is Pieter van der Berg.",
	"Jag heter Astrid Lindqvist.",
	"Nazywam się Katarzyna Wiśniewska.",
	"Меня зовут Анна Петрова.",
	"Benim adım Mehmet Yılmaz.",
	"Με λένε Γιώργος Παπαδόπουλος.",
	"私の名前は佐藤健太です。",
	"田中さんに連絡してください。",
	"我叫王小明。",
	"姓名:李娜,电话:13800000000",
	"제 이름은 김민준입니다.",
	"고객 박서연님이 문의하셨습니다.",
	"Best regards,\nMaria Fernandes",
	"Hi Tom,\n\nthanks for the file.",
	`{"name": "Priya Sharma", "age": 31}`,
	"name,email\nAhmed Hassan,a@example.com",
	"Patient: Nguyen Thi Lan, DOB 1980-02-01",
	"Meeting with Oluwaseun Adeyemi and Kwame Mensah on Friday",
	"Dear Mrs. O'Connor, your parcel is here.",
	"Signed by Mohammed bin Rashid in Dubai",
}

var addresses = []string{
	"Ship it to 123 Main St, Apt 4B, Springfield, IL 62704.",
	"Ich wohne in der Hauptstraße 5, 10115 Berlin.",
	"J'habite 12 rue de la Paix, 75002 Paris.",
	"Vivo en Calle Mayor 5, 3º B, 28013 Madrid.",
	"Abito in Via Roma 10, 00184 Roma.",
	"Mieszkam przy ul. Długiej 5/3, 00-238 Warszawa.",
	"Moro na Rua das Flores, 370, Lisboa.",
	"Ik woon op Prinsengracht 173, 1015 Amsterdam.",
	"Mail the form to PO Box 1234, Austin, TX 78701.",
	"住所:東京都新宿区西新宿2-8-1",
	"地址:北京市朝阳区建国路88号",
	"주소: 서울특별시 강남구 테헤란로 152",
	"Адрес: г. Москва, ул. Ленина, д. 5, кв. 12",
}

// nobody is what looks like names and addresses, and is none.
var nobody = []string{
	"The Quick Start Guide explains the Command Line Tools.",
	"We deploy on C4, S3, EKS and EC2 in Frankfurt.",
	"I have an account at Chase Bank and an Apple Watch.",
	"Jordan borders Saudi Arabia and Iraq.",
	"We meet on Monday, April 4, and again in May.",
	"The English and French versions differ from the German one.",
	"ERROR 2024-05-01 12:00:01 ConnectionPool timeout after 30 s",
	"func main() { fmt.Println(user.Name, order.Address) }",
	"SELECT name, address FROM customers WHERE city = 'Berlin'",
	"# Getting Started\n\n## Key Features\n\n- Fast Search\n- Easy Setup",
	"Please enter your first name, last name and street address.",
	"Add 250 g flour, 3 eggs and 2 cups of milk.",
	"Sehr geehrte Damen und Herren,\nvielen Dank für Ihre Bestellung.",
	"尊敬的客户,您的订单已发货。今天天气很好,我们去公园吧。",
	"明日の会議は午後三時からです。お名前をご記入ください。",
	"고객님의 주문이 발송되었습니다. 서울은 대한민국의 수도입니다.",
	"Уважаемый клиент, ваш заказ отправлен.",
	"HTTP 404 Not Found at line 12 of server.go",
	"Can you will it to be done? Mark my words, bill it to the art grant.",
	"It costs 20 dollars and takes 3 to 5 days.",
}

func TestRecogniser(t *testing.T) {
	guardtest.Run(t, scanner(t), guardtest.Case{Bad: names, Good: nobody, Reasons: person.Reasons})
	guardtest.Run(t, scanner(t), guardtest.Case{Bad: addresses, Reasons: person.Reasons})
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a name", "My name is John Smith.", "My name is {NAME}."},
		{"the s of what is somebody's stays", "This is Anna Kowalska's car.", "This is {NAME}'s car."},
		{"the closing quotation mark stays", `{"name": "Priya Sharma"}`, `{"name": "{NAME}"}`},
		{"a title stays", "Dear Mr. Johnson,", "Dear Mr. {NAME},"},
		{"particles belong to a name", "Contact: Pieter van der Berg, Utrecht", "Contact: {NAME}, Utrecht"},
		{"two people are two names", "Cc: Laura Bianchi; Tomasz Nowak", "Cc: {NAME}; {NAME}"},
		{"an address with its town is one", "Ship it to 123 Main St, Springfield, IL 62704.", "Ship it to {ADDRESS}."},
		{"an address over lines is one", "Bill to:\nLaura Bianchi\n12 Oak Avenue\nPortland, OR 97201\n", "Bill to:\n{NAME}\n{ADDRESS}\n"},
		{"a name in Han before a title", "请联系王先生。", "请联系{NAME}先生。"},
		{"a name in Hangul before a title", "고객 박서연님이 문의하셨습니다.", "고객 {NAME}님이 문의하셨습니다."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, fs := guardtest.Mask(t, scanner(t), stream.Scope{}, tt.in); got != tt.want {
				t.Errorf("got  %q\nwant %q\n%+v", got, tt.want, fs)
			}
		})
	}
}

// hostile are texts that nearly begin something again and again.
var hostile = []string{
	"John ", "Mr ", "Main St 5, ", "my name is ", "1 ", "Calle ", "O'", "van der ", "A. ", "J.", "Dear\n", "王", "김", "田中", "rue 1 ",
	"-", "\n", "1234 Oak ", "@John ", "a", "é", "\xff", "'s", "Apt 4B, ", "J", "한", "  \n", "名前は", "ж", "ह", "ა", "𐐨", "Ж",
}

func redactor(s *person.Scanner) (*stream.Redactor, func()) {
	c, _ := s.Begin(stream.Scope{})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: "inference/pii", Cursor: c}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Mask },
	})
	return r, c.(stream.Freer).Free
}

func whole(s *person.Scanner, text string) string {
	r, free := redactor(s)
	defer free()
	return string(r.Text(text))
}

// pieces sends text in pieces, and returns what came out and the most that was
// held back.
func pieces(s *person.Scanner, text string, next func() int) (string, int) {
	r, free := redactor(s)
	defer free()
	var out strings.Builder
	held := 0
	for i := 0; i < len(text); {
		n := min(max(next(), 1), len(text)-i)
		out.Write(r.Write([]byte(text[i : i+n])))
		held = max(held, r.Held()-n)
		i += n
	}
	out.Write(r.Close())
	return out.String(), held
}

// mostHeld is how much of a text may wait: an address, what a decision looks
// ahead, and a token.
const mostHeld = 700

func TestCutsMakeNoDifference(t *testing.T) {
	s := scanner(t)
	rng := rand.New(rand.NewPCG(1, 2))
	parts := slices.Concat(names, addresses, nobody, hostile, hostile)
	for range 3000 {
		var b strings.Builder
		for range 1 + rng.IntN(8) {
			p := parts[rng.IntN(len(parts))]
			if rng.IntN(4) == 0 {
				p = strings.Repeat(p, rng.IntN(40))
			}
			b.WriteString(p)
			b.WriteString([]string{"", " ", "\n", ", ", strings.Repeat(" ", 150)}[rng.IntN(5)])
		}
		text := b.String()
		want := whole(s, text)
		size := 1 + rng.IntN(20)
		got, held := pieces(s, text, func() int { return 1 + rng.IntN(size) })
		if got != want {
			t.Fatalf("of   %q\nsent %q\nwant %q", text, got, want)
		}
		if held > mostHeld {
			t.Fatalf("%d bytes of %q were held back", held, text)
		}
	}
}

func FuzzCuts(f *testing.F) {
	for _, text := range slices.Concat(names, addresses, nobody) {
		f.Add(text, uint8(3))
	}
	s := scanner(f)
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		want := whole(s, text)
		if got, _ := pieces(s, text, func() int { return int(size)%32 + 1 }); got != want {
			t.Errorf("of   %q\nsent %q\nwant %q", text, got, want)
		}
	})
}

func TestDamagedAssets(t *testing.T) {
	asset, err := os.ReadFile("person.bin")
	if err != nil {
		t.Fatal(err)
	}
	if len(asset) > 3<<20 {
		t.Errorf("the asset has %d bytes, more than 3 MB", len(asset))
	}
	if _, err := person.Load(asset); err != nil {
		t.Fatalf("the asset itself: %v", err)
	}
	change := func(at int) []byte {
		b := bytes.Clone(asset)
		b[at] ^= 1
		return b
	}
	for _, tt := range []struct {
		name  string
		asset []byte
	}{
		{"nothing", nil},
		{"another magic number", change(0)},
		{"another version", change(4)},
		{"another number of words", change(8)},
		{"a changed word", change(1000)},
		{"a changed weight", change(len(asset) - 1000)},
		{"a changed checksum", change(len(asset) - 1)},
		{"the last byte missing", asset[:len(asset)-1]},
		{"the half of it", asset[:len(asset)/2]},
		{"only its head", asset[:16]},
		{"something behind it", append(bytes.Clone(asset), 0)},
		{"sizes that lie, with a checksum that fits", person.Asset{Scale: 2}.Encode()},
		{"no weights, with a checksum that fits", person.Asset{Scale: 0.01}.Encode()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := person.Load(tt.asset); !errors.Is(err, person.ErrAsset) || s != nil {
				t.Errorf("got %v, %v, want an error", s, err)
			}
		})
	}
}

const prose = "When the committee met again in the spring, nobody expected that the report would be finished so soon. " +
	"It had been written over many months, by people who rarely agreed, and it said in plain words what everybody knew: " +
	"that the bridge was old, that the river had moved, and that repairs would cost more than a new one. " +
	"The council listened, asked a few questions about the budget, and put the vote off until after the summer. "

func BenchmarkProse(b *testing.B) { bench(b, strings.Repeat(prose, 3)) }

func BenchmarkNames(b *testing.B) { bench(b, strings.Join(slices.Concat(names, addresses), "\n")) }

func BenchmarkHostile(b *testing.B) {
	for _, text := range hostile {
		b.Run(strings.TrimSpace(text), func(b *testing.B) { bench(b, strings.Repeat(text, 1+16<<10/len(text))) })
	}
}

func bench(b *testing.B, text string) {
	c, _ := scanner(b).Begin(stream.Scope{})
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	clean, folded := []byte(text), bytes.ToLower([]byte(text))
	for b.Loop() {
		c.Scan(stream.Window{Clean: clean, Folded: folded, Final: true}, func(stream.Match) {})
		c.(stream.Freer).Free()
		c, _ = scanner(b).Begin(stream.Scope{})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(text))*1.024, "us/KB")
}
