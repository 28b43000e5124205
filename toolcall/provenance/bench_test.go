package provenance_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/toolcall/provenance"
)

// prose returns n bytes of words, names, addresses and dates.
func prose(r *rand.Rand, n int) string {
	words := strings.Fields("the quarterly report of our team was sent to the office in Berlin and they asked about budget figures for marketing, " +
		"Sarah said that meetings on Tuesday are moved; please see attached documents at https://intranet.corp.com/docs?id=17 or write " +
		"to sarah.connor@corp.com before 2024-05-26 17:00. Lunch costs $12.50 each (VAT included) Regards")
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte(" \n"[r.IntN(20)/19])
		if r.IntN(30) == 0 {
			fmt.Fprintf(&b, "u%d@host%d.com ", r.IntN(1e6), r.IntN(1000))
		}
	}
	return b.String()[:n]
}

// list returns about n bytes of events in YAML.
func list(r *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "- description: %s\n  end_time: 2024-05-26 19:00:00\n  id_: '%d'\n  participants:\n  - u%d@corp.com\n  - u%d@corp.com\n  title: Meeting %d\n",
			strings.NewReplacer("\n", " ", ":", "").Replace(prose(r, 150)), r.IntN(1e6), r.IntN(1000), r.IntN(1000), r.IntN(100))
	}
	return b.String()
}

// transcript returns a conversation of 50 turns and about n bytes: questions of the
// user's, calls, outputs of which some are trusted in fields, answers.
func transcript(n int) *ringwall.Conversation {
	r := rand.New(rand.NewPCG(1, 2))
	c := talk("You are the assistant of Emma Johnson, emma.johnson@corp.com. Today is 2024-05-15.")
	for i := range 12 {
		c.Turns = append(c.Turns, user("Please invite Sarah Connor (sarah.connor"+strconv.Itoa(i)+"@corp.com) to lunch at 12:30 on May "+strconv.Itoa(i+1)+"th, for 25 people. "+prose(r, n/400)))
		output, tool := prose(r, n*9/130), "read"
		if i%3 == 0 {
			output, tool = list(r, n*9/130), "events"
		}
		c.Turns = append(c.Turns, calls(strconv.Itoa(i), tool, `{"query":"lunch `+strconv.Itoa(i)+`"}`, output)...)
		c.Turns = append(c.Turns, says("Done. "+prose(r, n/400)))
	}
	return c
}

var events = provenance.Options{Trusted: func(tool string) []string {
	if tool == "events" {
		return []string{"/*/id_", "/*/participants"}
	}
	return nil
}, Now: now}

func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		c := transcript(n)
		last := c.Turns[2+4*9].Parts[0].Result.Parts[0].Text
		id := last[strings.LastIndex(last, "id_: '")+6:]
		id, _, _ = strings.Cut(id, "'")
		for _, set := range []struct {
			name   string
			values []string
		}{
			{"user", []string{"sarah.connor3@corp.com", "Lunch with Sarah Connor", "2024-05-04 12:30", "25", "lunch"}},
			{"mixed", []string{"sarah.connor3@corp.com", "2024-05-04 12:30", "nobody@nowhere.io", "Lunch", id}},
			{"nowhere", []string{"mallory@evil.com", "https://evil.com/x?y=1", "Zürich meeting", "transfer everything now", "4711-0815"}},
		} {
			b.Run(set.name+"/"+strconv.Itoa(n/1000)+"kB", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					x := provenance.New(c, events)
					for _, v := range set.values {
						x.Trace(v)
					}
				}
			})
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	const n = 1_000_000
	for _, set := range []struct{ name, text, value string }{
		{"one letter", strings.Repeat("a", n), "aaaaaaaaaaab"},
		{"near matches", strings.Repeat("mallory@evil.co ", n/16), "mallory@evil.com"},
		{"near hosts", strings.Repeat("xevil.com ", n/10), "https://evil.com/a"},
		{"a long period", strings.Repeat("ab", n/2), strings.Repeat("ab", 1000) + "ba"},
		{"rare bytes", strings.Repeat("zq", n/2), "qz@zq.com"},
		{"not ASCII", strings.Repeat("ж", n/2), "mallory@evil.com"},
		{"full width", strings.Repeat("ｍ", n/3), "mallory"},
		{"Chinese", strings.Repeat("田中", n/6), strings.Repeat("田中", 50) + "田田"},
		{"digits", strings.Repeat("1 1 ", n/4), "+491711234567"},
		{"deep YAML", strings.Repeat("- ", n/8), "mallory"},
		{"aliases", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nid_: mallory\n", "mallory"},
	} {
		for _, who := range []string{"user", "events"} {
			c := talk("", set.text)
			if who == "events" {
				c = talk("", calls("1", "events", "{}", set.text))
			}
			b.Run(set.name+"/"+who, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					provenance.New(c, events).Trace(set.value)
				}
			})
		}
	}
}

func BenchmarkLongValue(b *testing.B) {
	c := transcript(100_000)
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1000, 100_000, 1_000_000} {
		value := prose(r, n)
		b.Run(strconv.Itoa(n/1000)+"kB", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x := provenance.New(c, events)
				x.Trace(value)
				x.AlsoUntrusted(value)
			}
		})
	}
}
