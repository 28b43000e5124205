package stem_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall/internal/stem"
)

func english(s string) string { return string(stem.English([]byte(s))) }

func TestFormsHaveOneStem(t *testing.T) {
	for _, forms := range []string{
		"refund refunds refunded refunding", "cancel cancelled canceled cancelling cancellation cancellations", "invest investing investor investors investment investments",
		"recommend recommends recommendation recommendations", "city cities", "box boxes", "watch watches watching", "make making makes", "stop stopped stopping stops",
		"apply applied applies application applications", "tax taxes taxed taxation", "finance financial financing", "organize organization organisation",
		"donate donated donating donation donations", "happy happiness", "free freely", "medic medical medically", "pay pays paying payment payments", "close closed closes closing", "hope hoping hoped",
	} {
		words := strings.Fields(forms)
		for _, w := range words[1:] {
			if english(w) != english(words[0]) {
				t.Errorf("%s has the stem %s, %s has %s", w, english(w), words[0], english(words[0]))
			}
		}
	}
}

func TestUnlikeWordsStayApart(t *testing.T) {
	for _, pair := range []string{"order border", "bus business", "sing sin", "bed bee", "news new", "thing thin", "status stat", "this thi", "red ring", "card care", "international internal"} {
		a, b, _ := strings.Cut(pair, " ")
		if english(a) == english(b) {
			t.Errorf("%s and %s have one stem, %s", a, b, english(a))
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, tt := range []struct{ word, want string }{{"Übergaben", "Überg"}, {"ja", "ja"}, {"", ""}, {"слово", "слово"}} {
		if got := string(stem.Prefix([]byte(tt.word), 5)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestFunction(t *testing.T) {
	for _, w := range []string{"the", "not", "und", "pour", "which"} {
		if !stem.Function([]byte(w)) {
			t.Errorf("%s says what a text is about", w)
		}
	}
	if !stem.Foreign([]byte("und")) || stem.Foreign([]byte("in")) || stem.Foreign([]byte("tax")) {
		t.Error("und alone is a function word of another language")
	}
	for _, w := range []string{"refund", "tax", "haus", ""} {
		if stem.Function([]byte(w)) {
			t.Errorf("%q says nothing", w)
		}
	}
}

func FuzzEnglish(f *testing.F) {
	for _, s := range []string{"cancellations", "ying", "sses", "ées", "aaaa", "ationation"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := english(s)
		if len(got) > len(s) || len(s) > 0 && got == "" {
			t.Errorf("%q has the stem %q", s, got)
		}
	})
}

func BenchmarkEnglish(b *testing.B) {
	words := strings.Fields("recommendations about shares that people were buying and selling yesterday")
	buf := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		for _, w := range words {
			buf = append(buf[:0], w...)
			stem.English(buf)
		}
	}
}
