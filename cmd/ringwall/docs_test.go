package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// shell is a block of commands in a page, or a command in a sentence.
var shell = regexp.MustCompile("(?s)```sh\n(.*?)```|`(ringwall [^`]*)`")

// Every command line that the documents quote is one that the program takes: its
// commands, flags and number of arguments exist.
func TestQuotedCommandsExist(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "../../README.md", "../../HACKING.md", "../../SECURITY.md")
	quoted := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shell.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(strings.ReplaceAll(m[1]+m[2], "\\\n", " ")) {
				for _, args := range calls(line) {
					quoted++
					if err := taken(args); err != nil {
						t.Errorf("%s: ringwall %s: %v", filepath.Base(page), strings.Join(args, " "), err)
					}
				}
			}
		}
	}
	if quoted < 8 {
		t.Errorf("%d command lines are quoted: the README has more, so this test does not see them", quoted)
	}
}

// The examples in the help are taken as well.
func TestExamplesExist(t *testing.T) {
	todo := []*cobra.Command{root()}
	for len(todo) > 0 {
		c := todo[0]
		todo = append(todo[1:], c.Commands()...)
		for line := range strings.Lines(c.Example) {
			for _, args := range calls(line) {
				if err := taken(args); err != nil {
					t.Errorf("in the help of %s: ringwall %s: %v", c.CommandPath(), strings.Join(args, " "), err)
				}
			}
		}
	}
}

// taken reports what is wrong with a command line, without running it.
func taken(args []string) error {
	r := root()
	r.InitDefaultHelpCmd()
	c, rest, err := r.Find(args)
	if err != nil {
		return err
	}
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	return c.ValidateArgs(c.Flags().Args())
}

// calls are the arguments of the calls of ringwall in a line of shell.
func calls(line string) (found [][]string) {
	line = strings.NewReplacer("$(", " ; ", ")", " ; ").Replace(line)
	var args []string
	in := false
	end := func() {
		if in {
			found = append(found, args)
		}
		args, in = nil, false
	}
	first := true
	for _, w := range words(line) {
		switch {
		case slices.Contains([]string{"|", ";", "&", "&&"}, w):
			end()
			first = true
		case strings.HasPrefix(w, "#"), strings.HasPrefix(w, "2>"), strings.HasPrefix(w, ">"), w == "<":
			end()
			return found
		case in:
			args = append(args, w)
		case first && strings.Contains(w, "="): // a variable for the command
		case first:
			in, first = w == "ringwall" || strings.HasSuffix(w, "/ringwall"), false
		}
	}
	end()
	return found
}

// words cuts a line of shell at spaces outside of quotes.
func words(line string) (out []string) {
	var word strings.Builder
	quoted, some := rune(0), false
	for _, c := range line {
		switch {
		case quoted != 0 && c == quoted:
			quoted = 0
		case quoted == 0 && (c == '\'' || c == '"'):
			quoted, some = c, true
		case quoted == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if some {
				out = append(out, word.String())
			}
			word.Reset()
			some = false
		default:
			word.WriteRune(c)
			some = true
		}
	}
	if some {
		out = append(out, word.String())
	}
	return out
}

func TestCalls(t *testing.T) {
	tests := []struct {
		name, line string
		want       [][]string
	}{
		{"plain", "ringwall check --format json x", [][]string{{"check", "--format", "json", "x"}}},
		{"by its path, with a variable", "A=b bin/ringwall serve", [][]string{{"serve"}}},
		{"quotes keep words together", "ringwall check 'my card' \"it's\"", [][]string{{"check", "my card", "it's"}}},
		{"behind a pipe", "echo x | ringwall check", [][]string{{"check"}}},
		{"two", "ringwall demo --once && ringwall threats", [][]string{{"demo", "--once"}, {"threats"}}},
		{"inside another", "KEY=$(bin/ringwall keys create tour)", [][]string{{"keys", "create", "tour"}}},
		{"in the background, with a log", "ringwall serve 2>log &", [][]string{{"serve"}}},
		{"with a comment", "ringwall demo # shows", [][]string{{"demo"}}},
		{"none", "make run", nil},
		{"a mention", "echo ringwall check", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := calls(test.line); !slices.EqualFunc(got, test.want, slices.Equal) {
				t.Errorf("%q calls %q, want %q", test.line, got, test.want)
			}
		})
	}
}
