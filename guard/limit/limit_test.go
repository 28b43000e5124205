package limit_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/limit"
	"github.com/ringwall/ringwall/guard/stream"
)

func TestLength(t *testing.T) {
	for _, tt := range []struct {
		name     string
		limit    limit.Length
		in, want string
	}{
		{"within the limit", limit.Length{Chars: 5}, "hello", "hello"},
		{"one too many", limit.Length{Chars: 5}, "hello!", "hello{TOO_LONG}"},
		{"characters are not bytes", limit.Length{Chars: 5}, "приве", "приве"},
		{"accents do not count apart", limit.Length{Chars: 4}, "caf\u0065\u0301s", "café"[:3] + "e\u0301{TOO_LONG}"},
		{"Hangul syllables are one each", limit.Length{Chars: 3}, "비밀계획", "비밀계{TOO_LONG}"},
		{"bytes", limit.Length{Bytes: 8}, "приветы", "прив{TOO_LONG}"},
		{"four letters are a token", limit.Length{Tokens: 2}, "abcdefghij", "abcdefgh{TOO_LONG}"},
		{"a character of Chinese is one", limit.Length{Tokens: 2}, "秘密計画", "秘密{TOO_LONG}"},
		{"the strictest counts", limit.Length{Chars: 3, Bytes: 2}, "abcd", "ab{TOO_LONG}"},
		{"no limit", limit.Length{}, "hello", "hello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.limit.Check(); err != nil {
				t.Fatal(err)
			}
			got, fs := guardtest.Mask(t, tt.limit, stream.Scope{}, tt.in)
			if got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
			if len(fs) > 1 || len(fs) == 1 && fs[0].Where.End != len(tt.in) {
				t.Errorf("findings %+v", fs)
			}
			same(t, tt.limit, tt.in, rand.New(rand.NewPCG(1, 2)))
		})
	}
	if err := (limit.Length{Tokens: -1}).Check(); err == nil {
		t.Error("fewer than no tokens were taken")
	}
	if c, why := (limit.Length{Repeats: -1}).Begin(stream.Scope{}); c != nil || why != "no-limit" {
		t.Errorf("Begin = %v, %q", c, why)
	}
}

func TestRepetition(t *testing.T) {
	for _, tt := range []struct {
		name, unit string
		times      int
		loops      bool
	}{
		{"a letter", "a", 4000, true},
		{"a word", "poem ", 3000, true},
		{"a long unit", "abcdefghijklmnopqrstuvwxyz012345", 3000, true},
		{"a syllable", "비", 4000, true},
		{"not so often", "poem ", 1500, false},
		{"a ruler", "-", 900, false},
		{"a sentence", "This sentence is longer than any unit that is looked for. ", 3000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "Here it comes: " + strings.Repeat(tt.unit, tt.times) + " and that was it."
			got, fs := guardtest.Mask(t, limit.Length{}, stream.Scope{}, text)
			if tt.loops != (len(fs) == 1) || tt.loops && (fs[0].Reason != limit.ReasonRepetition || !strings.HasSuffix(got, " and that was it.") || len(got) > 2100*len(tt.unit)+700) {
				t.Errorf("found %+v in %d bytes, left %d", fs, len(text), len(got))
			}
			same(t, limit.Length{}, text, rand.New(rand.NewPCG(1, 2)))
		})
	}
}

// A loop that ends where it is looked for is no loop that is followed for ever.
func TestALoopThatEndsWhereItIsLookedFor(t *testing.T) {
	for n := 500; n < 530; n++ {
		for _, unit := range []string{"a", "ab", "poem "} {
			text := strings.Repeat(unit, n)[:n] + "!" + strings.Repeat("x", 600)
			if _, fs := guardtest.Mask(t, limit.Length{}, stream.Scope{}, text); len(fs) > 0 {
				t.Errorf("%d bytes of %q: %+v", n, unit, fs)
			}
		}
	}
}

// heldOut are sentences that no profile was made from.
var heldOut = []struct{ code, text string }{
	{"en", "Our neighbours bought an old boat last summer, and now they spend every weekend on the lake."},
	{"en", "Summarise the attached contract and list all deadlines that fall within this quarter."},
	{"de", "Unsere Nachbarn haben letzten Sommer ein altes Boot gekauft und verbringen jetzt jedes Wochenende am See."},
	{"de", "Fasse bitte den angehängten Vertrag zusammen und nenne alle Fristen in diesem Quartal."},
	{"fr", "Nos voisins ont acheté un vieux bateau l'été dernier et passent maintenant chaque fin de semaine au lac."},
	{"fr", "Résume le contrat ci-joint et donne la liste de toutes les échéances de ce trimestre."},
	{"es", "Nuestros vecinos compraron un barco viejo el verano pasado y ahora pasan cada fin de semana en el lago."},
	{"es", "Resume el contrato adjunto y enumera todos los plazos que vencen este trimestre."},
	{"it", "I nostri vicini hanno comprato una vecchia barca la scorsa estate e ora passano ogni fine settimana al lago."},
	{"it", "Riassumi il contratto allegato ed elenca tutte le scadenze di questo trimestre."},
	{"pt", "Os nossos vizinhos compraram um barco velho no verão passado e agora passam todos os fins de semana no lago."},
	{"nl", "Onze buren kochten vorige zomer een oude boot en brengen nu elk weekend door op het meer."},
	{"sv", "Våra grannar köpte en gammal båt förra sommaren och tillbringar nu varje helg på sjön."},
	{"da", "Vores naboer købte en gammel båd sidste sommer og tilbringer nu hver weekend ude på søen."},
	{"no", "Naboene våre kjøpte en gammel båt i fjor sommer og tilbringer nå hver helg ute på sjøen."},
	{"fi", "Naapurimme ostivat viime kesänä vanhan veneen ja viettävät nyt jokaisen viikonlopun järvellä."},
	{"is", "Nágrannar okkar keyptu gamlan bát í fyrra og eru nú allar helgar úti á vatninu."},
	{"pl", "Nasi sąsiedzi kupili zeszłego lata starą łódź i teraz spędzają każdy weekend nad jeziorem."},
	{"cs", "Naši sousedé si loni v létě koupili starou loď a teď tráví každý víkend u jezera."},
	{"sk", "Naši susedia si minulé leto kúpili starú loď a teraz trávia každý víkend pri jazere."},
	{"hu", "A szomszédaink tavaly nyáron vettek egy régi hajót, és most minden hétvégét a tavon töltenek."},
	{"ro", "Vecinii noștri au cumpărat vara trecută o barcă veche și acum petrec fiecare sfârșit de săptămână pe lac."},
	{"hr", "Naši susjedi kupili su prošlog ljeta stari brod i sada svaki vikend provode na jezeru."},
	{"sl", "Naši sosedje so lani poleti kupili star čoln in zdaj vsak konec tedna preživijo na jezeru."},
	{"et", "Meie naabrid ostsid eelmisel suvel vana paadi ja veedavad nüüd iga nädalavahetuse järvel."},
	{"lv", "Mūsu kaimiņi pagājušajā vasarā nopirka vecu laivu un tagad katru nedēļas nogali pavada uz ezera."},
	{"lt", "Mūsų kaimynai praėjusią vasarą nusipirko seną valtį ir dabar kiekvieną savaitgalį praleidžia prie ežero."},
	{"sq", "Fqinjët tanë blenë një varkë të vjetër verën e kaluar dhe tani e kalojnë çdo fundjavë në liqen."},
	{"tr", "Komşularımız geçen yaz eski bir tekne aldı ve şimdi her hafta sonunu gölde geçiriyorlar."},
	{"az", "Qonşularımız keçən yay köhnə bir qayıq aldılar və indi hər həftə sonunu göldə keçirirlər."},
	{"id", "Tetangga kami membeli perahu tua musim panas lalu dan sekarang mereka menghabiskan setiap akhir pekan di danau."},
	{"tl", "Bumili ang aming mga kapitbahay ng lumang bangka noong nakaraang tag-init at ngayon ay nasa lawa sila tuwing katapusan ng linggo."},
	{"vi", "Hàng xóm của chúng tôi đã mua một chiếc thuyền cũ vào mùa hè năm ngoái và bây giờ họ ở hồ mỗi cuối tuần."},
	{"ca", "Els nostres veïns van comprar una barca vella l'estiu passat i ara passen cada cap de setmana al llac."},
	{"eu", "Gure bizilagunek itsasontzi zahar bat erosi zuten joan den udan eta orain asteburu guztiak aintziran ematen dituzte."},
	{"ga", "Cheannaigh ár gcomharsana seanbhád an samhradh seo caite agus caitheann siad gach deireadh seachtaine ar an loch anois."},
	{"cy", "Prynodd ein cymdogion hen gwch yr haf diwethaf ac maen nhw nawr yn treulio pob penwythnos ar y llyn."},
	{"mt", "Il-ġirien tagħna xtraw dgħajsa qadima s-sajf li għadda u issa jqattgħu kull tmiem il-ġimgħa fuq l-għadira."},
	{"af", "Ons bure het verlede somer 'n ou boot gekoop en bring nou elke naweek op die meer deur."},
	{"sw", "Majirani zetu walinunua mashua ya zamani mwaka jana na sasa wanakaa kwenye ziwa kila mwisho wa wiki."},
	{"eo", "Niaj najbaroj aĉetis malnovan boaton lastan someron kaj nun pasigas ĉiun semajnfinon ĉe la lago."},
	{"ru", "Наши соседи прошлым летом купили старую лодку и теперь проводят каждые выходные на озере."},
	{"uk", "Наші сусіди минулого літа купили старий човен і тепер проводять кожні вихідні на озері."},
	{"be", "Нашы суседзі мінулым летам купілі стары човен і цяпер праводзяць кожныя выхадныя на возеры."},
	{"bg", "Нашите съседи купиха стара лодка миналото лято и сега прекарват всеки уикенд на езерото."},
	{"sr", "Наши суседи су прошлог лета купили стари чамац и сада сваки викенд проводе на језеру."},
	{"mk", "Нашите соседи купија стар брод минатото лето и сега секој викенд го поминуваат на езерото."},
	{"kk", "Көршілеріміз былтыр жазда ескі қайық сатып алды және енді әр демалыс күнін көлде өткізеді."},
	{"mn", "Манай хөршүүд өнгөрсөн зун хуучин завь худалдаж аваад одоо амралтын өдөр бүрийг нуур дээр өнгөрүүлдэг."},
	{"el", "Οι γείτονές μας αγόρασαν ένα παλιό σκάφος πέρυσι το καλοκαίρι."},
	{"he", "השכנים שלנו קנו סירה ישנה בקיץ שעבר ועכשיו הם מבלים כל סוף שבוע באגם."},
	{"ar", "اشترى جيراننا قاربا قديما في الصيف الماضي وهم يقضون الآن كل عطلة على البحيرة."},
	{"fa", "همسایه‌های ما تابستان گذشته یک قایق قدیمی خریدند و حالا هر آخر هفته را کنار دریاچه می‌گذرانند."},
	{"ur", "ہمارے پڑوسیوں نے پچھلی گرمیوں میں ایک پرانی کشتی خریدی اور اب وہ ہر ہفتے کے آخر میں جھیل پر ہوتے ہیں۔"},
	{"hi", "हमारे पड़ोसियों ने पिछली गर्मियों में एक पुरानी नाव खरीदी और अब वे हर सप्ताहांत झील पर बिताते हैं।"},
	{"mr", "आमच्या शेजाऱ्यांनी मागील उन्हाळ्यात एक जुनी होडी घेतली आणि आता ते प्रत्येक सुट्टी तलावावर घालवतात."},
	{"bn", "আমাদের প্রতিবেশীরা গত গ্রীষ্মে একটি পুরনো নৌকা কিনেছে।"},
	{"ta", "எங்கள் அயலவர்கள் கடந்த கோடையில் ஒரு பழைய படகை வாங்கினார்கள்."},
	{"te", "మా పొరుగువారు గత వేసవిలో పాత పడవ కొన్నారు."},
	{"th", "เพื่อนบ้านของเราซื้อเรือเก่าเมื่อฤดูร้อนที่แล้ว"},
	{"ko", "우리 이웃은 지난여름에 낡은 배를 샀고 이제 주말마다 호수에서 지냅니다."},
	{"ja", "隣の人は去年の夏に古い船を買って、今では毎週末を湖で過ごしています。"},
	{"zh", "我们的邻居去年夏天买了一条旧船，现在每个周末都在湖上度过。"},
	{"ka", "ჩვენმა მეზობლებმა გასულ ზაფხულს ძველი ნავი იყიდეს."},
	{"hy", "Մեր հարևանները անցյալ ամառ հին նավակ գնեցին։"},
	{"am", "ጎረቤቶቻችን ባለፈው ክረምት አሮጌ ጀልባ ገዙ፤ አሁን በሐይቁ ላይ ናቸው።"},
	{"km", "អ្នកជិតខាងរបស់យើងបានទិញទូកចាស់មួយកាលពីរដូវក្តៅមុន។"},
}

func TestLanguage(t *testing.T) {
	right, sure := 0, 0
	for _, tt := range heldOut {
		code, confidence := limit.Language([]byte(tt.text))
		switch {
		case code == tt.code:
			right++
			if confidence >= 0.8 {
				sure++
			}
		case confidence >= 0.8:
			t.Errorf("%q: %s with %.2f, want %s", tt.text, code, confidence, tt.code)
		default:
			t.Logf("%q: %s with %.2f, want %s", tt.text, code, confidence, tt.code)
		}
	}
	t.Logf("%d of %d right, %d of them surely", right, len(heldOut), sure)
	if right*100 < len(heldOut)*95 || sure*100 < len(heldOut)*85 {
		t.Errorf("%d of %d right, %d of them surely", right, len(heldOut), sure)
	}
	for _, text := range []string{"", "a b c", "12345 67890 12345 67890 12345", "ok thanks"} {
		if code, confidence := limit.Language([]byte(text)); code != "" || confidence != 0 {
			t.Errorf("%q: %s with %.2f", text, code, confidence)
		}
	}
	if n := len(limit.Codes()); n < 70 {
		t.Errorf("%d languages", n)
	}
}

func english(t testing.TB) *limit.Languages {
	t.Helper()
	l, err := limit.NewLanguages("en")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLanguages(t *testing.T) {
	c := guardtest.Case{
		Reasons: []string{limit.ReasonLanguage},
		Good: []string{
			"", "ok", "Merci!", "func f(x int) error { return fmt.Errorf(\"doing %w\", err) }", "SELECT name FROM users WHERE id = 1", "https://www.exemple.fr/les/chiens/et/les/chats", "4111 1111 1111 1111", "AB12-CD34-EF56 GH78-IJ90 KLMN-OPQR-STUV",
			`{"id": "a1", "items": [{"sku": "X-1", "qty": 2}], "total": 14.5}`, "2026-11-22T14:05:01Z INFO server started addr=:8080 pid=4711", "Anna Schmidt, Müllerstraße 12, 10115 Berlin", "The word 'Schadenfreude' has no good translation into English.",
		},
	}
	for _, s := range heldOut {
		switch s.code {
		case "en":
			c.Good = append(c.Good, s.text)
		case "de", "fr", "es", "ru", "zh", "ko", "ar", "tr", "vi":
			c.Bad = append(c.Bad, s.text)
		}
	}
	guardtest.Run(t, english(t), c)
	for _, bad := range [][]string{nil, {"xx"}, {"en", "EN"}} {
		if _, err := limit.NewLanguages(bad...); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

// What of a text is in another language is found, and the rest goes out soon.
func TestWindows(t *testing.T) {
	en := strings.Repeat(heldOut[0].text+" ", 20)
	de := strings.Repeat(heldOut[2].text+" ", 20)
	text := en + de + en
	_, fs := guardtest.Mask(t, english(t), stream.Scope{}, text)
	if len(fs) == 0 || fs[0].Where.Start > len(en)+300 || fs[0].Where.Start < len(en)-300 || fs[len(fs)-1].Where.End > len(en)+len(de)+1200 {
		t.Errorf("found %+v of %d + %d + %d", fs, len(en), len(de), len(en))
	}
	cursor, _ := english(t).Begin(stream.Scope{})
	r := stream.New(stream.Config{Watches: []stream.Watch{{Cursor: cursor}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Flag }})
	most := 0
	for i := range en {
		r.Write([]byte{en[i]})
		most = max(most, r.Held())
	}
	if most > 256 {
		t.Errorf("%d bytes of an allowed language were held back", most)
	}
}

func TestCutsMakeNoDifference(t *testing.T) {
	units := []string{"a", "ab", "poem ", "비", strings.Repeat("x", 600), strings.Repeat("poem ", 2500), " ", "\n", "é", "\u200b", "\xff", "秘密", "12 "}
	for _, s := range heldOut {
		units = append(units, s.text+" ")
	}
	scanners := []stream.Scanner{english(t), limit.Length{Chars: 700}, limit.Length{Tokens: 100, Repeats: 100}, limit.Length{Repeats: 50}}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var b strings.Builder
		for range 1 + rng.IntN(12) {
			b.WriteString(units[rng.IntN(len(units))])
		}
		same(t, scanners[rng.IntN(len(scanners))], b.String(), rng)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func same(t *testing.T, s stream.Scanner, text string, rng *rand.Rand) {
	t.Helper()
	guardtest.Cuts(t, s, stream.Scope{}, text, rng, 1, 9, 700)
}

func FuzzCutsMakeNoDifference(f *testing.F) {
	for i, s := range heldOut {
		f.Add(s.text, uint64(i))
	}
	en := english(f)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 1<<13 {
			return
		}
		for _, s := range []stream.Scanner{en, limit.Length{Chars: 50}, limit.Length{Bytes: 100, Repeats: 5}} {
			same(t, s, text, rand.New(rand.NewPCG(seed, 1)))
		}
	})
}

func BenchmarkScan(b *testing.B) {
	text := []byte(strings.ToLower(strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. ", 80)[:8<<10]))
	for name, s := range map[string]stream.Scanner{"languages": english(b), "loops": limit.Length{}, "length": limit.Length{Chars: 1 << 20, Tokens: 1 << 20}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c, _ := s.Begin(stream.Scope{})
				c.Scan(stream.Window{Clean: text, Folded: text, Final: true}, func(stream.Match) {})
			}
		})
	}
}

func ExampleLanguage() {
	code, confidence := limit.Language([]byte("Where can I see what I ordered last week?"))
	fmt.Println(code, confidence > 0.8)
	// Output: en true
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abcdefgh": 2, "a": 1, "秘密計画": 4, "\xff\xfe": 2, "привет": 3, "한국어": 3,
		"The quick brown fox jumps over the lazy dog.": 10,
	} {
		if got := limit.Tokens(text); got != want {
			t.Errorf("Tokens(%q) = %d, want %d", text, got, want)
		}
	}
}
