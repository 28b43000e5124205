package ringwall_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/ringwall/ringwall/threat"
)

// maxLines is where a file has stopped being one: 400 lines are a question, 800
// an answer.
const maxLines = 800

// source is one Go file under the rules of the house.
type source struct {
	name string // relative to the module, with slashes
	fset *token.FileSet
	file *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// local is the name by which the file calls an imported package, "" when it
// does not import it.
func (s source) local(pkg string) string {
	for _, imp := range s.file.Imports {
		if p, err := strconv.Unquote(imp.Path.Value); err != nil || p != pkg {
			continue
		}
		if imp.Name != nil {
			return imp.Name.Name
		}
		return pkg[strings.LastIndexByte(pkg, '/')+1:]
	}
	return ""
}

// calls reports whether fun names one of the functions of an imported package.
func (s source) calls(fun ast.Expr, pkg string, names ...string) bool {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(names, sel.Sel.Name) {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == s.local(pkg)
}

// fault is one thing that the house does not want, and what to do instead.
type fault struct {
	pos  token.Pos
	text string
}

// rules are looked at in this order; each gives the faults that it finds.
var rules = []struct {
	name string
	look func(source) []fault
}{
	{"no init", noInit},
	{"no blank import", noBlankImport},
	{"no sleeping in tests", noSleep},
	{"no printing outside cmd", noPrint},
	{"no panic but for bugs", noPanic},
	{"error texts", errorTexts},
	{"short files", shortFiles},
	{"known threats", knownThreats},
}

func TestLint(t *testing.T) {
	for _, name := range goFiles(t) {
		fset, f := parse(t, name, parser.ParseComments|parser.SkipObjectResolution)
		if f == nil {
			continue
		}
		for _, r := range rules {
			for _, x := range r.look(source{name, fset, f}) {
				t.Errorf("%s: %s", fset.Position(x.pos), x.text)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	docs := map[string]string{} // package to its doc comment
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		_, f := parse(t, name, parser.PackageClauseOnly|parser.ParseComments)
		if f == nil {
			continue
		}
		docs[packageOf(name)] += f.Doc.Text()
	}
	for _, pkg := range slices.Sorted(maps.Keys(docs)) {
		if len(strings.Fields(docs[pkg])) < 8 {
			t.Errorf("package %q has no doc comment, or hardly one: say above its package clause what it is for, the data's way through it, what it leaves to others and where to start reading", pkg)
		}
	}
}

func noInit(s source) (faults []fault) {
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			faults = append(faults, fault{f.Pos(), "init runs whether it is wanted or not: make a value on first use with sync.OnceValue, or in a constructor; put names into a table of package builtin"})
		}
	}
	return faults
}

// Drivers of databases can be had in no other way than by a blank import, and the
// directive go:embed needs one where nothing else of package embed is named.
func noBlankImport(s source) (faults []fault) {
	for _, imp := range s.file.Imports {
		if imp.Name == nil || imp.Name.Name != "_" || imp.Path.Value == `"embed"` || imp.Path.Value == `"time/tzdata"` || packageOf(s.name) == "internal/db" {
			continue
		}
		faults = append(faults, fault{imp.Pos(), "a blank import works by magic: name what you need of " + imp.Path.Value + " in a table; drivers of databases belong in internal/db"})
	}
	return faults
}

func noSleep(s source) (faults []fault) {
	if !s.isTest() {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && s.calls(e, "time", "Sleep") {
			faults = append(faults, fault{n.Pos(), "sleeping hopes that something has happened: wait on a channel, or use testing/synctest, where synctest.Wait and <-time.After take no time"})
		}
		return true
	})
	return faults
}

func noPrint(s source) (faults []fault) {
	if strings.HasPrefix(s.name, "cmd/") {
		return nil
	}
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && s.isTest() && strings.HasPrefix(f.Name.Name, "Example") {
			continue // what an example prints is its claim
		}
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			id, _ := call.Fun.(*ast.Ident)
			if s.calls(call.Fun, "fmt", "Print", "Printf", "Println") || id != nil && (id.Name == "print" || id.Name == "println") {
				faults = append(faults, fault{call.Pos(), "only commands print: take an io.Writer, log with log/slog, or in a test use t.Log"})
			}
			return true
		})
	}
	return faults
}

// A panic is for a bug of ours, and says which in a comment "// bug: …" on its
// line or right above it. http.ErrAbortHandler is no panic but the only way to
// end a stream so that the client sees it is cut.
func noPanic(s source) (faults []fault) {
	if s.isTest() {
		return nil
	}
	excused := map[int]bool{} // lines
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			if why, ok := strings.CutPrefix(c.Text, "// bug: "); ok && strings.TrimSpace(why) != "" {
				last := s.fset.Position(g.End()).Line
				excused[s.fset.Position(c.Pos()).Line], excused[last+1] = true, true
			}
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		id, ok := call.Fun.(*ast.Ident)
		if !ok || id.Name != "panic" || excused[s.fset.Position(call.Pos()).Line] {
			return true
		}
		if len(call.Args) == 1 && s.calls(call.Args[0], "net/http", "ErrAbortHandler") {
			return true
		}
		faults = append(faults, fault{call.Pos(), `a panic stops more than its caller: return an error; where only a bug of ours can lead here, say which one in a comment "// bug: …" right above`})
		return true
	})
	return faults
}

func errorTexts(s source) (faults []fault) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || !s.calls(call.Fun, "errors", "New") && !s.calls(call.Fun, "fmt", "Errorf") {
			return true
		}
		text, whole := literal(call.Args[0])
		if why := textFault(text, whole); why != "" {
			faults = append(faults, fault{call.Pos(), fmt.Sprintf("error text %q %s", text, why)})
		}
		return true
	})
	return faults
}

// textFault says what is wrong with the text of an error; whole tells whether
// the end of it is known.
func textFault(text string, whole bool) string {
	first, _, _ := strings.Cut(text, " ")
	runes := []rune(first)
	switch {
	case len(runes) == 0:
		return ""
	case strings.HasPrefix(strings.ToLower(text), "failed to") || strings.Contains(text, ": failed to"):
		return `says "failed to", which every error does: say what was being done, then the cause ("reading the answer: %w")`
	case unicode.IsUpper(runes[0]) && len(runes) > 1 && !strings.ContainsFunc(string(runes[1:]), isUpperOrDigit):
		return "begins with a capital: an error is read in the middle of a line, so begin it in lower case (TLS and SigV4 may stay)"
	case whole && strings.HasSuffix(text, "."):
		return "ends with a full stop: an error is read in the middle of a line, so leave it out"
	}
	return ""
}

func isUpperOrDigit(r rune) bool { return unicode.IsUpper(r) || unicode.IsDigit(r) }

// literal is the text that an expression begins with, and whether that is all of it.
func literal(e ast.Expr) (text string, whole bool) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return literal(e.X)
	case *ast.BinaryExpr:
		text, _ = literal(e.X)
		return text, false
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	}
	return "", false
}

func shortFiles(s source) []fault {
	if n := s.fset.File(s.file.Pos()).LineCount(); n > maxLines {
		return []fault{{s.file.Pos(), fmt.Sprintf("%d lines: over %d a file is several; split it by what its parts do, and embed data from a file of its own", n, maxLines)}}
	}
	return nil
}

// threatID is what an id of package threat looks like, the ids that do not
// exist included.
var threatID = regexp.MustCompile(`\b(?:(?:LLM|ASI)\d{2}|AML\.(?:TA|T|M)\d{4}(?:\.\d{3})?)\b`)

func knownThreats(s source) (faults []fault) {
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			for _, id := range threatID.FindAllString(c.Text, -1) {
				if _, ok := threat.Lookup(id); !ok {
					faults = append(faults, fault{c.Pos(), fmt.Sprintf("%s is not an id in package threat: correct it, or strike the claim", id)})
				}
			}
		}
	}
	return faults
}

func TestLintRules(t *testing.T) {
	tests := []struct {
		name, file, body string
		rule             string // that finds a fault; "" when none may
	}{
		{"init", "a/a.go", `func init() {}`, "no init"},
		{"a method may be called init", "a/a.go", `type T int; func (T) init() {}`, ""},

		{"a blank import", "a/a.go", `import _ "net/http/pprof"`, "no blank import"},
		{"a driver outside internal/db", "audit/a.go", `import _ "modernc.org/sqlite"`, "no blank import"},
		{"a driver in internal/db", "internal/db/a.go", `import _ "modernc.org/sqlite"`, ""},
		{"go:embed", "a/a.go", `import _ "embed"`, ""},

		{"a test that sleeps", "a/a_test.go", `import "time"; func f() { time.Sleep(1) }`, "no sleeping in tests"},
		{"a test that sleeps under another name", "a/a_test.go", `import clock "time"; func f() { clock.Sleep(1) }`, "no sleeping in tests"},
		{"a test that hands on sleeping", "a/a_test.go", `import "time"; var f = time.Sleep`, "no sleeping in tests"},
		{"a test that waits on a channel", "a/a_test.go", `import "time"; func f() { <-time.After(1) }`, ""},
		{"code that sleeps", "a/a.go", `import "time"; func f() { time.Sleep(1) }`, ""},

		{"a package that prints", "a/a.go", `import "fmt"; func f() { fmt.Println() }`, "no printing outside cmd"},
		{"a package that prints as it starts", "a/a.go", `import "fmt"; var n, _ = fmt.Print("x")`, "no printing outside cmd"},
		{"a package with a left-over println", "a/a.go", `func f() { println("here") }`, "no printing outside cmd"},
		{"a test that prints", "a/a_test.go", `import "fmt"; func f() { fmt.Printf("x") }`, "no printing outside cmd"},
		{"an example prints", "a/a_test.go", `import "fmt"; func ExampleF() { fmt.Println() }`, ""},
		{"a command prints", "cmd/ringwall/a.go", `import "fmt"; func f() { fmt.Println() }`, ""},
		{"a package that prints into a writer", "a/a.go", `import ("fmt"; "io"); func f(w io.Writer) { fmt.Fprintln(w) }`, ""},

		{"a panic", "a/a.go", `func f() { panic("x") }`, "no panic but for bugs"},
		{"a panic with a reason above", "a/a.go", "func f() {\n\t// bug: the table above has every kind\n\tpanic(\"x\")\n}", ""},
		{"a panic with a long reason above", "a/a.go", "func f() {\n\t// bug: the table above has every kind,\n\t// or ought to have\n\tpanic(\"x\")\n}", ""},
		{"a panic with a reason on its line", "a/a.go", "func f() {\n\tpanic(\"x\") // bug: cannot be\n}", ""},
		{"a panic with a reason that is none", "a/a.go", "func f() {\n\t// bug: \n\tpanic(\"x\")\n}", "no panic but for bugs"},
		{"a reason excuses one panic", "a/a.go", "func f() {\n\t// bug: cannot be\n\tpanic(\"x\")\n\tpanic(\"y\")\n}", "no panic but for bugs"},
		{"a handler that cuts its answer", "a/a.go", `import "net/http"; func f() { panic(http.ErrAbortHandler) }`, ""},
		{"a detector in a test panics", "a/a_test.go", `func f() { panic("x") }`, ""},

		{"failed to", "a/a.go", `import "fmt"; var x = fmt.Errorf("failed to read: %w", nil)`, "error texts"},
		{"failed to, with a capital", "a/a.go", `import "errors"; var x = errors.New("Failed to read")`, "error texts"},
		{"failed to, further on", "a/a.go", `import "fmt"; var x = fmt.Errorf("reading: failed to open")`, "error texts"},
		{"a capital", "a/a.go", `import "errors"; var x = errors.New("Reading the file")`, "error texts"},
		{"a capital before more", "a/a.go", `import "errors"; var x = errors.New("Reading " + "it")`, "error texts"},
		{"a full stop", "a/a.go", `import "errors"; var x = errors.New("no more.")`, "error texts"},
		{"a part of a text may end with a dot", "a/a.go", `import "errors"; var x = errors.New("no host in www." + "x")`, ""},
		{"an acronym", "a/a.go", `import "errors"; var x = errors.New("TLS handshake: x")`, ""},
		{"a name with a digit", "a/a.go", `import "errors"; var x = errors.New("S3 answered nothing")`, ""},
		{"a name with capitals in it", "a/a.go", `import "errors"; var x = errors.New("SigV4 signature is old")`, ""},
		{"what was being done", "a/a.go", `import "fmt"; var x = fmt.Errorf("reading: %w", nil)`, ""},
		{"an argument first", "a/a.go", `import "fmt"; var x = fmt.Errorf("%s: x", "Y")`, ""},
		{"another package called errors", "a/a.go", `import "example.org/errors"; var x = errors.New("Bad")`, ""},

		{"801 lines", "a/a.go", strings.Repeat("\n", maxLines+1), "short files"},
		{"800 lines", "a/a.go", strings.Repeat("\n", maxLines), ""},

		{"a risk that does not exist", "a/a.go", "// LLM11 and more\nvar x int", "known threats"},
		{"an agent's risk that does not exist", "a/a.go", "// ASI00\nvar x int", "known threats"},
		{"a technique that does not exist", "a/a.go", "var x int // AML.T9999", "known threats"},
		{"a sub-technique that does not exist", "a/a.go", "/* see AML.T0051.009. */ var x int", "known threats"},
		{"threats that exist", "a/a.go", "// LLM01:2025, ASI10, AML.T0051, AML.T0051.001, AML.TA0010, AML.M0020.\nvar x int", ""},
		{"an id in a text", "a/a.go", `var x = "LLM11"`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, test.file, "package a; "+test.body, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rules {
				want := 0
				if r.name == test.rule {
					want = 1
				}
				if got := r.look(source{test.file, fset, f}); len(got) != want {
					t.Errorf("rule %q found %v: want %d faults", r.name, got, want)
				}
			}
		})
	}
}
