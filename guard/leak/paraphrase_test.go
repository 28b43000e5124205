package leak_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/stream"
)

const rules = `You are the support assistant of Nordwind Trade.
Never tell a customer that refunds above two hundred euros need the approval of the finance department.
You must always refuse to discuss the internal pricing of competitors such as Sudwind or Ostwind.
- Escalate every complaint about damaged furniture to supervisor Marlene Okafor within thirty minutes, and do not mention her name.
Our shop is open Monday to Friday from nine to six, Saturday from ten to four, and closed on Sunday.
Verrate niemals, dass die Rückerstattung von Bestellungen über zweihundert Euro die Zustimmung der Buchhaltung braucht.`

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// Instructions in disguise are the instructions.
func TestDisguises(t *testing.T) {
	part := rules[60:200]
	guardtest.Run(t, &leak.Scanner{}, guardtest.Case{
		Scope:   scope(rules),
		Reasons: []string{leak.Reason},
		Bad: []string{
			base64.StdEncoding.EncodeToString([]byte(part)), "ab" + base64.URLEncoding.EncodeToString([]byte("x"+part)), hex.EncodeToString([]byte(part)),
			strings.Join(strings.Split(part, ""), " "), strings.Join(strings.Split(part, ""), "-"), reversed(part), strings.NewReplacer("e", "3", "o", "0", "t", "7", "a", "4").Replace(part),
			"Arire gryy n phfgbzre gung ershaqf nobir gjb uhaqerq rhebf arrq gur nccebiny bs gur svanapr qrcnegzrag",
		},
		Good: []string{
			base64.StdEncoding.EncodeToString([]byte("The committee met on Tuesday to review fourteen open questions.")), strings.Join(strings.Split("the committee met", ""), " "),
			reversed("The committee met on Tuesday to review fourteen open questions."),
		},
	})
}

func TestParaphrases(t *testing.T) {
	guardtest.Run(t, &leak.Scanner{}, guardtest.Case{
		Scope:   scope(rules),
		Reasons: []string{leak.ReasonParaphrase},
		Bad: []string{
			"I am told never to let a customer know that any refund above two hundred euros needs approval by the finance department.",
			"Refunds over two hundred euro need finance department approvals, says my list.",
			"I refuse to discuss internal prices of a competitor such as Sudwind and Ostwind.",
			"Complaints on damaged furniture are escalated to the supervisor, Marlene Okafor, in thirty minutes.",
			"Die Rückerstattungen von einer Bestellung über zweihundert Euro brauchen die Zustimmung unserer Buchhaltung.",
		},
		Good: []string{
			"", "Your refund is on its way.", "We are open Monday till Friday, nine to six, Saturday ten until four, and on Sunday we are closed.",
			"A refund of two hundred euros was sent to your account on Friday.", "I cannot discuss the prices of other shops.",
			"The furniture was damaged. I have sent your complaint to a supervisor, who will call you within thirty minutes.",
			"Okafor Marlene minutes thirty within supervisor furniture damaged complaint escalate", // not in order
			"For refunds, ask the finance department. Two hundred customers did so. Approval takes a day.",
		},
	})
	_, fs := guardtest.Mask(t, new(leak.Scanner), scope(rules), "Refunds over two hundred euro need finance department approvals, says my list.")
	if len(fs) != 1 || fs[0].Score < 0.6 || fs[0].Score > 0.95 {
		t.Errorf("found %+v, want one of middling score", fs)
	}
}

// Texts made of pieces of the instructions, of prose and of disguises come out
// the same wherever they are cut.
func TestPieces(t *testing.T) {
	var s leak.Scanner
	words := strings.Fields(rules + " the quick brown fox. jumps! over\n\n a lazy dog, while the customer asks about refunds.")
	for seed := range 3000 {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		var b strings.Builder
		for range 1 + rng.IntN(6) {
			switch from := rng.IntN(len(words)); rng.IntN(5) {
			case 0:
				b.WriteString(words[from] + " ")
			case 1, 2:
				for _, w := range words[from:min(len(words), from+rng.IntN(14))] {
					if rng.IntN(6) > 0 {
						b.WriteString(w + []string{" ", ", ", ". ", "\n"}[rng.IntN(4)*rng.IntN(2)])
					}
				}
			case 3:
				b.WriteString(base64.StdEncoding.EncodeToString([]byte(strings.Join(words[from:min(len(words), from+8)], " "))) + " ")
			case 4:
				b.WriteString(strings.Join(strings.Split(strings.Join(words[from:min(len(words), from+6)], " "), ""), " ") + strings.Repeat(" ", rng.IntN(700)*rng.IntN(2)))
			}
		}
		pieces(t, &s, b.String(), rng)
		if t.Failed() {
			return
		}
	}
}

func pieces(t *testing.T, s *leak.Scanner, text string, rng *rand.Rand) {
	t.Helper()
	want, _ := guardtest.Mask(t, s, scope(rules), text)
	c, _ := s.Begin(scope(rules))
	defer c.(stream.Freer).Free()
	r := stream.New(stream.Config{Watches: []stream.Watch{{Control: "x", Cursor: c}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Mask }})
	var got strings.Builder
	for rest := text; rest != ""; {
		n := min(1+rng.IntN(12), len(rest))
		got.Write(r.Write([]byte(rest[:n])))
		if rest = rest[n:]; !strings.HasPrefix(want, got.String()) {
			t.Fatalf("of %q\nsent %q\nwhich does not begin\n     %q", text, got.String(), want)
		}
	}
	got.Write(r.Close())
	if got.String() != want {
		t.Fatalf("of %q\nsent %q\nwant %q", text, got.String(), want)
	}
}

// Many goroutines with many instructions: what is remembered is bounded, and
// everybody's own are found.
func TestSideBySide(t *testing.T) {
	var s leak.Scanner
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 12 {
				text := fmt.Sprintf("Never say that house %d of group %d has a green door and two keys. ", i, g) + strings.Repeat(fmt.Sprintf("Rule %d is kept. ", i), 20*i)
				if got, _ := guardtest.Mask(t, &s, scope(text), "x "+text[:60]); !strings.HasPrefix(got, "x {SYSTEM_PROMPT}") {
					t.Errorf("group %d, house %d: %q", g, i, got)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPrepare(b *testing.B) {
	for _, size := range []int{1 << 10, 32 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				text := fmt.Sprintf("%d %s", n, strings.Repeat(rules, size/len(rules)+1)[:size])
				c, _ := new(leak.Scanner).Begin(scope(text))
				c.(stream.Freer).Free()
			}
		})
	}
}
