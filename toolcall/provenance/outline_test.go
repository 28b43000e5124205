package provenance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func outlined(r *reader) []string {
	var all []string
	for i := range r.leaves {
		all = append(all, fmt.Sprintf("%s=%q %v", r.outline.path(&r.leaves[i]), r.leaves[i].raw, r.leaves[i].trusted))
	}
	return all
}

var yamls = []string{
	"- a: 1\n  b: x y\n- a: 2\n  b:\n  - c\n  - d\n",
	"a: 'it''s'\nb: \"x\\n\\u00e9\"\nc: |\n  one\n  two\nd: end\n",
	"a: 'one\n\n  two'\nb: plain\n  goes on\nc: []\n",
	"- description: 'Dinner meeting\n\n\n\n    '\n  id_: '11'\n",
	"a:\n- b\n- c: d\n  e: f\ng: \"x\\\n  \\ y\"\n",
	"- - a\n  - b\n-\n  c: d\n- |-\n  x\n\n  y\n",
	"a: b: c\n", "a: b #c\n", "a : b\n", "a: *x\n", "a: !!int 1\n", "? a\n: b\n", "a: - b\n", "- a: b\n c: d\n", "a: |+\n  x\n\n", "---\na: b\n", "a: b\n...\n",
	"a: 'x' y\n", "a:\n  'x'\n", "a: b\n  c: d\n", "a: {}\nb: { c: d }\n", "a: >\n  x\n", "a:b\nc: d", "a: x\ta\n", "a: \u2028b\n", "a: \n- b\n", "a: \"x\ny\"\n",
	"a: |\n   x\n  y\n", "a: ' x \n  y '\n", "a: -\n", "a: -b\n", "- -b\n", "a: ?b\n", "a: 'b\n  c: d'\n", "1: x\n", "a: x\n\n  y\n", "a: |\n  x\nb: c", "- a\n  - b\n", "a:  x  \nb:   y",
}

// What the quick reader reads, the library reads alike.
func FuzzSimpleYAML(f *testing.F) {
	for _, s := range yamls {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		patterns := [][]string{{"*", "id_"}, {"a"}, {"**", "c"}}
		quick, slow := reader{at: -1, patterns: patterns}, reader{at: -1, patterns: patterns}
		if len(s) > 1<<12 || quick.simpleYAML(s) != nil {
			return
		}
		if err := slow.anyYAML(s); err != nil {
			t.Fatalf("%q: read as %v, which the library refuses", s, outlined(&quick))
		}
		if a, b := outlined(&quick), outlined(&slow); !slices.Equal(a, b) {
			t.Fatalf("%q:\n%v\n%v", s, a, b)
		}
	})
}

func TestSimpleYAMLReadsWhatProgramsPrint(t *testing.T) {
	for _, s := range yamls[:5] {
		r := reader{at: -1}
		if err := r.simpleYAML(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	deep := strings.Repeat("- ", 1<<16) + "x"
	r := reader{at: -1}
	if r.read(deep) == nil {
		t.Error("a deep list is read")
	}
}

func FuzzPython(f *testing.F) {
	for _, s := range []string{"{'a': 1}", "[(1,), {'x': None, 'y': \"it's\"}]", "{'a': 'x\\'\\u00e9\\x41', 'b': [True, -1.5]}", "{'a': object()}", "{'a' 'b': 1}", "[1 2]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := reader{at: -1}
		if r.python(s) != nil {
			return
		}
		for _, l := range r.leaves {
			if l.raw != "" && !strings.Contains(s, `\`) && !strings.Contains(s, l.raw) {
				t.Fatalf("%q: %q", s, l.raw)
			}
		}
	})
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"1,000.50", "1.000", "1 000 000,5 %", "5k 2.5 million", "-12'000", "1.2.3", "12,34,567", "0.050", "00"} {
		f.Add(s, "1000.5")
	}
	f.Fuzz(func(t *testing.T, s, number string) {
		d, ok := literal(number)
		if !ok {
			return
		}
		work := 1 << 16
		numbers(s, d, &work, func(v decimal, at found) bool {
			if at.start < 0 || at.end > len(s) || at.start >= at.end {
				t.Fatalf("%q: %v", s, at)
			}
			if sig, _, _ := strings.Cut(strings.TrimPrefix(string(v), "-"), "e"); len(sig) > maxDigits {
				t.Fatalf("%q: %v", s, v)
			}
			return true
		})
		spelled(s, &work, func(decimal, found) bool { return true })
	})
}

func BenchmarkYAML(b *testing.B) {
	s := strings.Repeat("- all_day: false\n  description: Weekly team sync to discuss project updates and roadblocks.\n  end_time: 2024-05-15 11:00:00\n"+
		"  id_: '6'\n  participants:\n  - emma@corp.com\n  - michael@corp.com\n  title: Team Sync\n", 40)
	for _, way := range []struct {
		name string
		read func(*reader) error
	}{
		{"simple", func(r *reader) error { return r.simpleYAML(s) }},
		{"library", func(r *reader) error { return r.anyYAML(s) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				if err := way.read(&reader{at: -1, patterns: [][]string{{"*", "id_"}}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
