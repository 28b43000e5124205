package ringwall_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/config"
)

func TestConfigExampleIsCurrent(t *testing.T) {
	current(t, "docs/config.example.yaml", config.Example())
}

func TestConfigSchemaIsCurrent(t *testing.T) {
	current(t, "docs/config.schema.json", config.Schema())
}

// current fails when a page is not what the program prints; with -update it is
// rewritten first.
func current(t *testing.T, page string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("reading the page: %v: make docs writes it", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the program prints: run make docs, and read the difference", page)
	}
}

// quote is code in a page that is quoted from a file: a comment that names the
// file, and the block that follows.
var quote = regexp.MustCompile("(?s)<!-- quote ([^ ]+) -->\n```([a-z]*)\n(.*?)```\n")

func TestQuotedCodeIsCurrent(t *testing.T) {
	quotes := 0
	for _, page := range pages(t) {
		text := read(t, page)
		if strings.Count(text, "<!-- quote ") != len(quote.FindAllString(text, -1)) {
			t.Errorf("%s: a quote is not of the form <!-- quote FILE -->, then a block of code", page)
		}
		now := quote.ReplaceAllStringFunc(text, func(was string) string {
			quotes++
			m := quote.FindStringSubmatch(was)
			return fmt.Sprintf("<!-- quote %s -->\n```%s\n%s```\n", m[1], m[2], read(t, m[1]))
		})
		if now == text {
			continue
		}
		if !*update {
			t.Errorf("%s quotes code as it is no longer: run make docs, and read the text around it", page)
		} else if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Error(err)
		}
	}
	if quotes == 0 {
		t.Error("no page quotes code: HACKING.md ought to")
	}
}

// link is a link or an image of Markdown.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(withoutCode(read(t, page)), -1) {
			u, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: %s is no address: %v", page, m[1], err)
				continue
			}
			if u.Scheme != "" || u.Path == "" {
				continue // elsewhere, or on this page
			}
			name := path.Join(path.Dir(page), u.Path)
			if _, err := os.Stat(filepath.FromSlash(name)); err != nil {
				t.Errorf("%s links to %s, which is not there: correct the link, or write the page", page, m[1])
			}
		}
	}
}

// row is a module in the first column of a table.
var row = regexp.MustCompile("(?m)^\\| `([^` ]+)` \\|")

func TestDependenciesAreExplained(t *testing.T) {
	const page = "docs/dependencies.md"
	var explained []string
	for _, m := range row.FindAllStringSubmatch(read(t, page), -1) {
		explained = append(explained, m[1])
	}
	direct := directModules(read(t, "go.mod"))
	if len(direct) == 0 {
		t.Fatal("go.mod names no direct module: directModules reads it wrongly")
	}
	for _, m := range direct {
		if !slices.Contains(explained, m) {
			t.Errorf("%s does not say why %s is needed: add its row, or go without it", page, m)
		}
	}
	for _, m := range explained {
		if !slices.Contains(direct, m) {
			t.Errorf("%s explains %s, which go.mod does not require directly: strike its row", page, m)
		}
	}
}

// directModules are the modules that a go.mod file requires for its own code.
func directModules(mod string) (names []string) {
	block := false
	for line := range strings.Lines(mod) {
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			block = true
			continue
		case line == ")":
			block = false
		}
		one, single := strings.CutPrefix(line, "require ")
		if !block && !single || strings.HasSuffix(line, "// indirect") {
			continue
		}
		if fields := strings.Fields(one); len(fields) >= 2 {
			names = append(names, fields[0])
		}
	}
	return names
}

func TestDirectModules(t *testing.T) {
	const mod = "module m\n\ngo 1.26.0\n\nrequire a.example/a v1.0.0\n\nrequire (\n\tb.example/b v1.0.0\n\tc.example/c v1.0.0 // indirect\n)\n\nreplace d.example/d => ../d\n"
	if got, want := directModules(mod), []string{"a.example/a", "b.example/b"}; !slices.Equal(got, want) {
		t.Errorf("direct modules: %q, want %q", got, want)
	}
}

// blocks are the blocks and stretches of code of a page.
var blocks = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")

func withoutCode(text string) string { return blocks.ReplaceAllString(text, "") }

// pages are the Markdown files of the house, with slashes.
func pages(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if base := d.Name(); d.IsDir() && (base[0] == '.' || base == "node_modules" || base == "testdata" || base == "bin") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(name, ".md") {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("walking the house: %v", err)
	}
	if !slices.Contains(names, "README.md") {
		t.Fatal("there is no README.md: run this test in the root of the module")
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return string(text)
}
