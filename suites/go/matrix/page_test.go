package matrix

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/suites/go/house"
)

var update = flag.Bool("update", false, "rewrite docs/compatibility.md")

const page = "../../../docs/compatibility.md"

// others begins what other suites write into the page.
const others = "<!-- clients of other languages -->"

// gaps are the cells that are not as they should be, and why.
var gaps = map[string]string{}

// comparePage compares the page with what was seen, or writes it.
func comparePage(t *testing.T, results map[string]string) {
	t.Helper()
	old, err := os.ReadFile(page)
	if err != nil && !*update {
		t.Fatalf("reading the page: %v: go test -update writes it", err)
	}
	_, rest, found := strings.Cut(string(old), others)
	if !found {
		rest = "\n"
	}
	now := printPage(t, results) + others + rest
	switch {
	case now == string(old):
	case *update:
		if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what was seen: go test ./matrix -update, and read the difference", page)
	}
}

// versions are those of the modules in go.mod.
func versions(t *testing.T) map[string]string {
	t.Helper()
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(mod)) {
		if words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(words) >= 2 {
			all[words[0]] = words[1]
		}
	}
	return all
}

func printPage(t *testing.T, results map[string]string) string {
	version := versions(t)
	var b strings.Builder
	b.WriteString(`# Compatibility

What official clients see when they change one base URL: each API in front of each provider, feature by feature. Every cell was tried with the program itself
between the client and a play of the provider's API, which checks who asks, every word, call, picture and schema that arrives, and cuts its streams inside of
characters. This page is printed by that test, which fails when it sees anything else:

` + "```sh" + `
make build && go -C suites/go test ./matrix -update
` + "```" + `

| API | client |
|---|---|
`)
	for _, d := range dialects {
		if version[d.module] == "" {
			t.Fatalf("there is no %s in go.mod", d.module)
		}
		fmt.Fprintf(&b, "| [%s](#%s) | `%s` %s |\n", d.title, strings.ToLower(strings.ReplaceAll(d.title, " ", "-")), d.module, version[d.module])
	}
	b.WriteString("\nA cell is **yes**, **no**, or **refused**: the gateway says by name that the other side has no word for it. – is what an API or its client does not have.\n\n| feature | what is tried |\n|---|---|\n")
	for _, f := range features {
		fmt.Fprintf(&b, "| %s | %s |\n", f.name, f.what)
	}
	reasons := slices.Sorted(maps.Keys(gaps))
	for _, d := range dialects {
		fmt.Fprintf(&b, "\n## %s\n", d.title)
		for _, some := range [][]feature{features[:words], features[words:]} {
			var has []feature
			for _, f := range some {
				if !d.without(f) {
					has = append(has, f)
				}
			}
			b.WriteString("\n| provider |")
			for _, f := range has {
				fmt.Fprintf(&b, " %s |", f.name)
			}
			b.WriteString("\n|---|" + strings.Repeat("---|", len(has)) + "\n")
			for _, p := range house.Providers {
				fmt.Fprintf(&b, "| %s |", p.Name)
				for _, f := range has {
					id := d.name + "/" + p.Name + "/" + f.name
					fmt.Fprintf(&b, " %s", results[id])
					if i := slices.Index(reasons, id); i >= 0 {
						fmt.Fprintf(&b, " (%d)", i+1)
					}
					b.WriteString(" |")
				}
				b.WriteString("\n")
			}
		}
		var lacks []string
		for _, f := range features {
			if d.without(f) {
				lacks = append(lacks, f.name)
			}
		}
		if len(lacks) > 0 {
			fmt.Fprintf(&b, "\n–: %s.\n", strings.Join(lacks, ", "))
		}
	}
	b.WriteString("\n## Known gaps\n\n")
	for i, id := range reasons {
		fmt.Fprintf(&b, "%d. %s: %s\n", i+1, strings.ReplaceAll(id, "/", ", "), gaps[id])
	}
	if len(reasons) == 0 {
		b.WriteString("None.\n")
	}
	b.WriteString("\n")
	return b.String()
}
