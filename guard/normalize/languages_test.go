package normalize_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// languages are ordinary sentences, and signs that come with them.
var languages = map[string]string{
	"English":    "It’s a naïve café idea — isn’t it? “Yes”, she said; order №1002 costs $5.",
	"German":     "Die Straße ist groß; Ärger über ÖPNV-Übergänge in Köln, 3,50 €.",
	"French":     "L’œuvre complète paraîtra à l’été ; 25 % des élèves l’étudieront.",
	"Spanish":    "¿Dónde está mi pedido? El niño comió piñones, ¡qué rico!",
	"Portuguese": "As ações subiram muito; não há razão para preocupação.",
	"Italian":    "Dov’è il mio ordine? Perché non vieni più al mare?",
	"Dutch":      "Eén ĳsje, alstublieft; coördinatie is geïmplementeerd.",
	"Polish":     "Zażółć gęślą jaźń, a potem wyślij mi źródła. ŁÓDŹ",
	"Czech":      "Příliš žluťoučký kůň úpěl ďábelské ódy. ŘEKA",
	"Turkish":    "Sınıfın kapısı açık kaldı; İSTANBUL’a vardık, IŞIK.",
	"Hungarian":  "Árvíztűrő tükörfúrógép, ŐSZ ÉS ŰR.",
	"Romanian":   "Unde este comanda mea? Aștept livrarea, țară și oraș.",
	"Vietnamese": "Đơn hàng của tôi ở đâu? Tie\u0302\u0301ng Vie\u0323\u0302t.",
	"Russian":    "Где мой заказ? ЁЛКА и ёж, йод, объём — 5 км².",
	"Ukrainian":  "Її ім’я — Соломія; ґанок, їжак, Європа.",
	"Greek":      "Πού είναι η παραγγελία μου; ΛΌΓΟΣ, ὁ ἄνθρωπος, Ἀθῆναι.",
	"Armenian":   "Որտե՞ղ է իմ պատվերը։ և",
	"Georgian":   "სად არის ჩემი შეკვეთა? ᲡᲐᲛᲘ",
	"Hebrew":     "שָׁלוֹם לְכֻלָּם, הפגישה ב-10:30. ﬡﬢ",
	"Arabic":     "ذهبتُ إلى السوقِ صباحًا، الثمن ٢٥ دينارًا. ﷺ ﻣﺮﺣﺒﺎ",
	"Persian":    "می‌خواهم بدانم؛ کتاب‌های جدید ۱۲۳.",
	"Urdu":       "مجھے بتائیں کہ میرا آرڈر کہاں ہے؟ ۴۵",
	"Hindi":      "मेरा ऑर्डर कहाँ है? क्\u200dष १२३ ज़रूर",
	"Bengali":    "আমার অর্ডার কোথায়? র\u200d্যাব ৪৫৬",
	"Tamil":      "என் ஆர்டர் எங்கே? கோ ௧௨",
	"Thai":       "คำสั่งซื้อของฉันอยู่ที่ไหน ๑๒๓ น้ำ",
	"Khmer":      "ខ្ញុំ\u200bចង់\u200bដឹង ១២៣",
	"Burmese":    "ကျွန်တော် ဘယ်မှာလဲ ၁၂၃",
	"Tibetan":    "བཀྲ་ཤིས་བདེ་ལེགས། ༡༢༣ ཱི",
	"Japanese":   "注文はどこですか。ﾃﾞｰﾀ、ガギグゲゴ「ＮＨＫ」㍿ ㌔",
	"Korean":     "제 주문은 어디에 있나요? 한국어 ㄱㄴㄷ ﾡ",
	"Chinese":    "我的订单在哪里？價格：１２０元（含稅），ＡＢＣ公司。",
	"Indonesian": "Di mana pesanan saya? Rp50.000, sudah termasuk ongkos kirim.",
	"Swahili":    "Agizo langu liko wapi? Nimesubiri kwa wiki tatu sasa.",
	"emoji":      "👨‍👩‍👧‍👦 🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F ❤️ 👍🏽 1️⃣ 🇩🇪 ©️",
	"math":       "∀x∈ℝ: x² ≥ 0, ½ ≠ ⅓, 𝑓(𝑥) = 𝑎𝑥, Å ≡ Å, ǅ ǆ ﬃ Ⅳ ⑫ ㎏ ℃",
	"code":       "if (x != y) { s = \"a\\u0301\"; } // https://example.com/?q=a%20b\r\n\t$x",
}

func TestFoldingTwiceIsFoldingOnce(t *testing.T) {
	for name, text := range languages {
		once := normalize.Fold(text)
		if twice := normalize.Fold(once); twice != once {
			t.Errorf("%s: %q became %q", name, once, twice)
		}
	}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if once := normalize.Fold(string(r)); normalize.Fold(once) != once {
			t.Errorf("%U: %q became %q", r, once, normalize.Fold(once))
		}
	}
}

// What tells words of a language apart is kept: no letter gets lost.
func TestLettersOfScriptsStay(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"Arabic vowels", "ذهبتُ إلى السوقِ", "ذهبتُ إلى السوقِ"},
		{"Hebrew points", "שָׁלוֹם", "שָׁלוֹם"},
		{"Hindi", "मेरा ऑर्डर कहाँ है", "मेरा ऑर्डर कहाँ है"},
		{"Tamil", "என் ஆர்டர் எங்கே", "என் ஆர்டர் எங்கே"},
		{"Thai", "ที่ไหน", "ที่ไหน"},
		{"Chinese", "我的订单在哪里", "我的订单在哪里"},
		{"Russian in lower case", "Где Мой ЗАКАЗ", "где мой заказ"},
		{"German sharp s", "Straße", "straße"},
		{"Persian without its joiner", "می‌خواهم", "میخواهم"},
	} {
		if got := normalize.Fold(tt.in); got != normalize.Fold(tt.want) || utf8.RuneCountInString(got) < utf8.RuneCountInString(tt.want) {
			t.Errorf("%s: %q became %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

// The map is exact to the byte: each character of a view comes from the bytes of
// the one character that folds to it, in mixtures of all languages.
func TestMapsAreExactInMixtures(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var runes []rune
	for _, text := range languages {
		runes = append(runes, []rune(text)...)
	}
	for range 300 {
		var text strings.Builder
		var starts, ends, view []int // of each character: its bytes, and where its form begins
		var want []byte
		for range 80 {
			r := runes[rng.IntN(len(runes))]
			starts = append(starts, text.Len())
			text.WriteRune(r)
			ends = append(ends, text.Len())
			view = append(view, len(want))
			want = append(want, normalize.Fold(string(r))...)
		}
		var b normalize.Buffer
		b.AppendString(text.String(), true)
		_, folded, _ := b.Window()
		if string(folded) != string(want) {
			t.Fatalf("%q is folded to %q, want %q", text.String(), folded, want)
		}
		view = append(view, len(want))
		for i := range starts {
			if view[i] == view[i+1] {
				continue // not shown
			}
			if s, e := b.Start(view[i]), b.End(view[i+1]); s != starts[i] || e != ends[i] {
				t.Fatalf("%q: character %d comes from %d to %d, want %d to %d", text.String(), i, s, e, starts[i], ends[i])
			}
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, text := range languages {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := normalize.Fold(text)
		if twice := normalize.Fold(once); twice != once {
			t.Errorf("%q became %q, then %q", text, once, twice)
		}
	})
}
