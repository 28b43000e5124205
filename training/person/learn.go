package main

import (
	"log"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/ringwall/ringwall/guard/person"
)

// Rates of learning and of chance, found by trying on templates left out.
const (
	rate      = 0.12
	decay     = 2e-6
	forget    = 0.22 // names that the gazetteer is made to forget
	weight    = 3.0  // of a token that is part of something
	blind     = 55   // decisions in a hundred that see few of the words about them
	itself    = 0.35 // tags that the model gives itself, in later epochs
	clipTo    = 3.0  // a weight of 127
	perFilled = 20   // fillings of a template in an epoch
)

const lane = 8

// mistaken are classes that names have by chance.
var mistaken = []person.Class{person.City, person.Common, person.City | person.Common, person.Region, person.After, person.Title, person.Org}

// lexical are the features of which words stand about the token. Templates repeat
// them, so that they are made to count for less than they seem to.
var lexical = map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true, 31: true, 33: true, 34: true, 38: true, 40: true}

// learn teaches the weights of asset.
func (t *teacher) learn(asset *person.Asset, epochs int) error {
	for i := range asset.Weights {
		asset.Weights[i] = make([]int8, person.Buckets)
	}
	s, err := person.Load(asset.Encode())
	if err != nil {
		return err
	}
	w := make([]float32, person.Buckets*lane)
	sq := make([]float32, person.Buckets*lane)
	mean := make([]float32, person.Buckets*lane)
	t.doubt(s)
	kept := make([]uint32, 0, 200)
	for e := range epochs {
		docs := t.epoch()
		loss, n, wrong := 0.0, 0, 0
		step := float32(rate / (1 + 0.25*float64(e)))
		for _, d := range docs {
			oblivion := forget
			if t.rng.IntN(8) == 0 || d.source == "announced" && t.rng.IntN(3) == 0 {
				oblivion = 0.95
			}
			s.Walk(d.text, func(x *person.Decision) person.Tag {
				gold := goldTag(d.spans, x)
				if gold == person.BeginName || gold == person.InName {
					switch r := t.rng.Float64(); {
					case r < oblivion:
						x.Pretend(0, person.First|person.Last|person.Sur|person.Given)
					case r > 0.95:
						x.Pretend(pick(t.rng, mistaken), 0)
					}
					if t.rng.IntN(50) == 0 {
						x.Pretend(pick(t.rng, mistaken), 0)
					}
				}
				if doubtful(d.spans, x) {
					return person.Out
				}
				features := x.Features
				if t.rng.IntN(100) < blind {
					features = kept[:0]
					for i, f := range x.Features {
						if !lexical[i] || t.rng.IntN(4) == 0 {
							features = append(features, f)
						}
					}
				}
				var sum [person.Tags]float32
				for _, f := range features {
					for k := range sum {
						sum[k] += w[int(f)*lane+k]
					}
				}
				allowed := allow(x.Before)
				best, top := person.Out, sum[0]
				for k := person.Tag(1); k < person.Tags; k++ {
					if allowed[k] && sum[k] > top {
						best, top = k, sum[k]
					}
				}
				var p [person.Tags]float64
				total := 0.0
				for k := range p {
					if allowed[k] {
						p[k] = math.Exp(float64(sum[k] - top))
						total += p[k]
					}
				}
				n++
				if best != gold {
					wrong++
				}
				loss -= math.Log(p[gold]/total + 1e-9)
				for k := range p {
					if !allowed[k] {
						continue
					}
					g := p[k] / total
					if person.Tag(k) == gold {
						g--
					}
					if math.Abs(g) < 0.003 {
						continue
					}
					if gold != person.Out {
						g *= weight
					}
					g32 := float32(g)
					for _, f := range features {
						i := int(f)*lane + k
						gi := g32 + decay*w[i]
						sq[i] += gi * gi
						w[i] -= step * gi / float32(math.Sqrt(float64(sq[i]))+0.1)
					}
				}
				if e >= 2 && t.rng.Float64() < itself {
					return best
				}
				return gold
			})
		}
		if e >= epochs/2 { // the mean of the later epochs is steadier than the last
			for i := range w {
				mean[i] += w[i]
			}
		}
		log.Printf("epoch %d: %d texts, %d decisions, loss %.4f, wrong %.2f%%", e, len(docs), n, loss/float64(n), 100*float64(wrong)/float64(n))
	}
	for i := range w {
		w[i] = mean[i] / float32(epochs-epochs/2)
	}
	asset.Scale = clipTo / 127
	for k := range asset.Weights {
		for i := range asset.Weights[k] {
			v := math.Round(float64(w[i*lane+k]) / clipTo * 127)
			asset.Weights[k][i] = int8(max(-127, min(127, v)))
		}
	}
	return nil
}

// doubt marks in plain texts what may be a name: words that the gazetteer holds
// as names, with the capitals beside them. Nothing is learnt from that.
func (t *teacher) doubt(s *person.Scanner) {
	for _, docs := range [][]doc{t.plain, t.corpus.clean} {
		for i := range docs {
			d := &docs[i]
			if !d.plain && !slices.Contains(nameless, d.source) || caselessly(d.lang) {
				continue
			}
			var run []span
			named := false
			end := func() {
				if named {
					d.spans = append(d.spans, span{run[0].start, run[len(run)-1].end, unknown})
				}
				run, named = run[:0], false
			}
			s.Walk(d.text, func(x *person.Decision) person.Tag {
				if n := len(run); n > 0 && (x.Start-run[n-1].end > 2 || strings.ContainsAny(d.text[run[n-1].end:x.Start], "\n,")) {
					end()
				}
				r := first(d.text[x.Start:])
				isName := x.Word&(person.First|person.Last) != 0 && x.Word&person.Common == 0
				isName = isName && (unicode.IsUpper(r) || slices.Contains(small, d.source))
				if unicode.IsUpper(r) || isName {
					run = append(run, span{x.Start, x.End, unknown})
					named = named || isName
				}
				return person.Out
			})
			end()
		}
	}
}

// caselessly reports whether plain texts of a language teach that a name needs a
// cue, though some hold names.
func caselessly(lang string) bool { return own(lang) || lang == "vi" }

func doubtful(spans []span, x *person.Decision) bool {
	for _, s := range spans {
		if s.kind == unknown && x.Start < s.end && s.start < x.End {
			return true
		}
	}
	return false
}

func allow(before person.Tag) [person.Tags]bool {
	return [person.Tags]bool{
		true, true, before == person.BeginName || before == person.InName,
		true, before == person.BeginAddress || before == person.InAddress,
	}
}

// goldTag returns what the token is.
func goldTag(spans []span, x *person.Decision) person.Tag {
	for _, s := range spans {
		if x.End <= s.start || x.Start >= s.end || s.kind == unknown {
			continue
		}
		begin, in := person.BeginName, person.InName
		if s.kind == address {
			begin, in = person.BeginAddress, person.InAddress
		}
		if x.Start > s.start && (x.Before == begin || x.Before == in) {
			return in
		}
		return begin
	}
	return person.Out
}

// epoch returns the texts of one, in random order.
func (t *teacher) epoch() []doc {
	docs := t.filled(t.templates.learn, perFilled)
	docs = append(docs, t.announced(16000)...)
	for _, d := range t.corpus.learn {
		if d.source == "restaurant8k" && t.rng.IntN(2) == 0 {
			docs = append(docs, d)
			continue
		}
		docs = append(docs, t.again(d))
	}
	for _, d := range t.corpus.clean {
		if len(d.segs) > 1 && t.rng.IntN(2) == 0 {
			d = t.again(d)
			if len(d.spans) > 0 {
				d.spans = nil
			}
		}
		docs = append(docs, d)
	}
	for _, d := range t.plain {
		if d.teaches() && t.rng.IntN(3) == 0 {
			docs = append(docs, d)
		}
	}
	t.rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	for i := 0; i+1 < len(docs); i += 5 { // some stand together
		if !docs[i].plain && !docs[i+1].plain && len(docs[i].text) < 500 && len(docs[i+1].text) < 500 {
			docs[i] = after(docs[i], docs[i+1], pick(t.rng, []string{"\n", " ", "\n\n"}))
		}
	}
	return docs
}
