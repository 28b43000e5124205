package main

import (
	"fmt"
	"log"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/stream"
)

// tallyOf counts spans: found and right, found, there.
type tallyOf struct{ strict, overlapFound, overlapThere, found, there int }

func (t tallyOf) String() string {
	f := func(right, right2 int) string {
		p, r := float64(right)/float64(max(t.found, 1)), float64(right2)/float64(max(t.there, 1))
		f1 := 0.0
		if p+r > 0 {
			f1 = 2 * p * r / (p + r)
		}
		return fmt.Sprintf("P %.3f R %.3f F1 %.3f", p, r, f1)
	}
	return fmt.Sprintf("%6d there, strict %s, overlap %s", t.there, f(t.strict, t.strict), f(t.overlapFound, t.overlapThere))
}

func find(s *person.Scanner, text string) []ringwall.Finding {
	c, _ := s.Begin(stream.Scope{})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: "inference/pii", Cursor: c}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Flag },
	})
	r.Text(text)
	c.(stream.Freer).Free()
	return r.Findings()
}

// measure logs how well s finds what is in docs, by kind and language.
func measure(what string, s *person.Scanner, docs []doc, show int) {
	all := map[string]*tallyOf{}
	words, wrong := 0, 0
	bins := map[string]*[10][2]int{}
	for i, d := range docs {
		fs := find(s, d.text)
		words += len(strings.Fields(d.text))
		var miss []string
		seen := map[string]bool{}
		for _, k := range []struct {
			kind   kind
			reason string
		}{{name, person.Name}, {address, person.Address}} {
			if bins[k.reason] == nil {
				bins[k.reason] = &[10][2]int{}
			}
			for _, key := range []string{k.reason, k.reason + " " + d.lang} {
				if all[key] == nil {
					all[key] = &tallyOf{}
				}
				t := all[key]
				for _, f := range fs {
					if f.Reason != k.reason {
						continue
					}
					t.found++
					hit := false
					for _, sp := range d.spans {
						if sp.kind == k.kind && f.Where.Start < sp.end && sp.start < f.Where.End {
							hit = true
							if f.Where.Start == sp.start && f.Where.End == sp.end {
								t.strict++
							}
						}
					}
					b := &bins[k.reason][min(9, int(f.Score*10))]
					b[1]++
					if hit {
						t.overlapFound++
						b[0]++
					} else if key == k.reason {
						wrong++
						miss = append(miss, fmt.Sprintf("+%s %q %.2f", k.reason, d.text[f.Where.Start:f.Where.End], f.Score))
					}
				}
				for _, sp := range d.spans {
					if sp.kind != k.kind {
						continue
					}
					t.there++
					hit := false
					for _, f := range fs {
						if f.Reason == k.reason && f.Where.Start < sp.end && sp.start < f.Where.End {
							hit = true
							if key == k.reason && (f.Where.Start != sp.start || f.Where.End != sp.end) {
								miss = append(miss, fmt.Sprintf("~%s %q is %q", k.reason, d.text[f.Where.Start:f.Where.End], d.text[sp.start:sp.end]))
							}
						}
					}
					if hit {
						t.overlapThere++
					} else if !seen[key] && key == k.reason {
						miss = append(miss, fmt.Sprintf("-%s %q", k.reason, d.text[sp.start:sp.end]))
					}
				}
			}
		}
		if len(miss) > 0 && show > 0 && i%max(1, len(docs)/(8*show)) == 0 {
			show--
			log.Printf("  %s\n    in %.200q", strings.Join(miss, "; "), d.text)
		}
	}
	log.Printf("%s: %d texts, %d words, %d found where nothing is", what, len(docs), words, wrong)
	keys := make([]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if all[k].there > 0 || all[k].found > 0 {
			log.Printf("  %-12s %s", k, all[k])
		}
	}
	for _, k := range []string{person.Name, person.Address} {
		var b strings.Builder
		for i, n := range bins[k] {
			if n[1] > 0 {
				fmt.Fprintf(&b, " %.1f: %.2f of %d", float64(i)/10, float64(n[0])/float64(n[1]), n[1])
			}
		}
		log.Printf("  right by score, %s:%s", k, b.String())
	}
}

// lookAt logs what s finds in texts of which nothing is known, to be judged by
// eye: how much of each source, and some of it with what stands about it.
func lookAt(s *person.Scanner, docs []doc, show int) {
	type source struct {
		words, found int
		some         []string
	}
	by := map[string]*source{}
	for _, d := range docs {
		o := by[d.source]
		if o == nil {
			o = &source{}
			by[d.source] = o
		}
		o.words += len(strings.Fields(d.text))
		for _, f := range find(s, d.text) {
			if f.Score < 0.5 {
				continue
			}
			o.found++
			o.some = append(o.some, fmt.Sprintf("%-7s %.2f %q in %q", f.Reason, f.Score, d.text[f.Where.Start:f.Where.End], d.text[max(0, f.Where.Start-40):min(len(d.text), f.Where.End+25)]))
		}
	}
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		o := by[n]
		log.Printf("%s: %d in %d words, %.2f in 2000", n, o.found, o.words, 2000*float64(o.found)/float64(max(o.words, 1)))
		for i := 0; i < len(o.some); i += 1 + len(o.some)/show {
			log.Print("    ", o.some[i])
		}
	}
}
