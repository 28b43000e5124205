package ringwall_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/control"
	"github.com/ringwall/ringwall/threat"
)

var update = flag.Bool("update", false, "rewrite the documents that are printed from code")

// notGo are rooms that hold no package, and so stand on no floor.
var notGo = []string{"deploy"}

func TestCatalogueDoesNotLie(t *testing.T) {
	house := os.DirFS(".")
	for _, c := range control.All() {
		for _, lie := range lies(c, house) {
			t.Errorf("%s: %s", c.ID, lie)
		}
	}
}

// lies says what a row of the catalogue claims that is not so in the house.
func lies(c control.Control, house fs.FS) []string {
	var out []string
	lie := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }

	for _, room := range c.Rooms {
		if floor(room) < 0 && !slices.Contains(notGo, room) {
			lie("room %q stands on no floor: correct its name, or add it to floors", room)
		}
	}
	if len(c.Threats) == 0 {
		lie("it answers no threat: name the ids in package threat that it is there for")
	}
	for _, id := range c.Threats {
		if x, ok := threat.Lookup(id); !ok {
			lie("%s is not an id in package threat: correct it", id)
		} else if x.Kind != threat.Risk && x.Kind != threat.Technique {
			lie("%s is a %s: name the risks and techniques that the control answers", id, x.Kind)
		}
	}

	switch c.State {
	case control.Planned:
		if len(c.Proof) > 0 {
			lie("it is planned, and has proof: raise it to partial and say what is missing, or strike the proof")
		}
		if c.Missing != "" {
			lie("it is planned, so all of it is missing: strike Missing, or raise it to partial")
		}
		return out
	case control.Partial:
		if c.Missing == "" {
			lie("it is partial, and does not say what is missing: say it in one line")
		}
	case control.Done:
		if c.Missing != "" {
			lie("it is done, and yet misses %q: lower it to partial, or strike Missing", c.Missing)
		}
	default:
		lie("its state is %v: want planned, partial or done", c.State)
	}
	for _, room := range c.Rooms {
		if entries, err := fs.ReadDir(house, room); err != nil || len(entries) == 0 {
			lie("it is %v, but there is no room %q: strike the room, or lower the control to planned", c.State, room)
		}
	}
	if len(c.Proof) == 0 {
		lie("it is %v without proof: name the tests that prove it, or lower it to planned", c.State)
	}
	for _, p := range c.Proof {
		if err := proves(house, p); err != nil {
			lie("proof %q: %v", p, err)
		}
	}
	return out
}

// proves finds the test that a proof names, such as "guard/secret.TestDetector"
// or "ringwall.TestX" for one in the root, among the tests that run here.
func proves(house fs.FS, proof string) error {
	dot := strings.LastIndexByte(proof, '.')
	if dot < 0 {
		return fmt.Errorf("name it as package.TestName")
	}
	dir, name := proof[:dot], proof[dot+1:]
	if dir == "ringwall" {
		dir = "."
	}
	if !isTest(name) {
		return fmt.Errorf("%s is not the name of a test, a fuzz target or an example", name)
	}
	files, err := fs.Glob(house, path.Join(dir, "*_test.go"))
	if err != nil {
		return err
	}
	here := build.Default // tests behind a build tag that nobody sets prove nothing
	here.JoinPath = path.Join
	here.OpenFile = func(name string) (io.ReadCloser, error) { return house.Open(name) }
	for _, file := range files {
		if ok, err := here.MatchFile(dir, path.Base(file)); err != nil || !ok {
			continue
		}
		text, err := fs.ReadFile(house, file)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name {
				return skips(fn)
			}
		}
	}
	return fmt.Errorf("no test of package %q that runs here has this name: write it, or correct the proof", dir)
}

// skips is an error when a test may skip itself: a skipped test proves nothing.
// A fuzz target may pass over an input.
func skips(fn *ast.FuncDecl) (err error) {
	if !strings.HasPrefix(fn.Name.Name, "Test") {
		return nil
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
			err = fmt.Errorf("the test may skip itself, and a skipped test proves nothing: let it always run, or name another")
		}
		return true
	})
	return err
}

// isTest reports whether go test runs a function of this name as a test.
func isTest(name string) bool {
	for _, prefix := range []string{"Test", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			r, _ := utf8.DecodeRuneInString(rest)
			return !unicode.IsLower(r)
		}
	}
	return false
}

func TestEveryRiskHasAControl(t *testing.T) {
	answered := map[string]bool{}
	for _, c := range control.All() {
		if c.Layer() == control.Workload {
			continue // naming a threat does not answer it
		}
		for _, id := range c.Threats {
			answered[id] = true
		}
	}
	for _, x := range threat.All() {
		if x.Kind == threat.Risk && !answered[x.ID] {
			t.Errorf("no control answers %s %s: name it where it is answered, or plan a control", x.ID, x.Name)
		}
	}
}

// controlID is what an id of a control looks like in the text of a program.
var controlID = regexp.MustCompile(`^(infra|model|data|inference|runtime|threat)/[a-z-]+$`)

func TestCodeSpeaksOfControlsThatExist(t *testing.T) {
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset, f := parse(t, name, parser.SkipObjectResolution)
		if f == nil {
			continue
		}
		for _, lit := range unknownControls(f) {
			t.Errorf("%s: %s is not the id of a control: correct it, or add its row to package control; a path is better made by path.Join", fset.Position(lit.Pos()), lit.Value)
		}
	}
}

// unknownControls are the texts of a program that look like the id of a control
// and are none.
func unknownControls(f *ast.File) []*ast.BasicLit {
	var out []*ast.BasicLit
	ast.Inspect(f, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false // "runtime/debug" is a package
		}
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		id, err := strconv.Unquote(lit.Value)
		if err != nil || !controlID.MatchString(id) {
			return true
		}
		if _, ok := control.Find(id); !ok {
			out = append(out, lit)
		}
		return true
	})
	return out
}

func TestControlsPageIsCurrent(t *testing.T) {
	const page = "docs/controls.md"
	var want bytes.Buffer
	if err := control.WriteMarkdown(&want, control.All()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("reading the page: %v: go test -run TestControlsPageIsCurrent . -update writes it", err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what package control prints: run go test -run TestControlsPageIsCurrent . -update, and read the difference", page)
	}
}

func TestLiesAreSeen(t *testing.T) {
	house := fstest.MapFS{
		"guard/secret/secret.go":      {Data: []byte("package secret\n")},
		"guard/secret/secret_test.go": {Data: []byte("package secret_test\n\nfunc TestDetector() {}\n\nfunc TestMaybe(t *T) { t.Run(\"\", func(t *T) { t.Skip() }) }\n\nfunc FuzzDetector() {}\n\nfunc ExampleDetector() {}\n\nfunc Testing() {}\n\ntype T int\n\nfunc (T) TestMethod() {}\n")},
		"guard/secret/tagged_test.go": {Data: []byte("//go:build nobody_sets_this\n\npackage secret_test\n\nfunc TestTagged() {}\n")},
		"guard/secret/helper.go":      {Data: []byte("package secret\n\nfunc TestElsewhere() {}\n")},
		"house_test.go":               {Data: []byte("package ringwall_test\n\nfunc TestImportsPointDown() {}\n")},
	}
	honest := control.Control{
		ID: "inference/secret", Rooms: []string{"guard/secret"}, Threats: []string{"LLM02", "AML.T0057"},
		State: control.Done, Proof: []string{"guard/secret.TestDetector"},
	}
	planned := honest
	planned.State, planned.Proof = control.Planned, nil

	type row = control.Control
	tests := []struct {
		name   string
		base   row
		change func(*row)
		want   string // a part of the one lie; "" when there is none
	}{
		{"a done control with proof", honest, func(*row) {}, ""},
		{"a planned control without proof", planned, func(*row) {}, ""},
		{"a planned room need not exist", planned, func(c *row) { c.Rooms = []string{"waf"} }, ""},
		{"a partial control that says what is missing", honest, func(c *row) { c.State, c.Missing = control.Partial, "half" }, ""},
		{"a fuzz target proves", honest, func(c *row) { c.Proof = []string{"guard/secret.FuzzDetector"} }, ""},
		{"an example proves", honest, func(c *row) { c.Proof = []string{"guard/secret.ExampleDetector"} }, ""},
		{"a test of the root proves", honest, func(c *row) { c.Proof = []string{"ringwall.TestImportsPointDown"} }, ""},

		{"a room that does not exist", honest, func(c *row) { c.Rooms = append(c.Rooms[:1:1], "waf") }, `no room "waf"`},
		{"a room that nobody planned", planned, func(c *row) { c.Rooms = []string{"gaurd/secret"} }, "no floor"},
		{"done without proof", honest, func(c *row) { c.Proof = nil }, "without proof"},
		{"done, with something missing", honest, func(c *row) { c.Missing = "half" }, `misses "half"`},
		{"partial, with nothing missing", honest, func(c *row) { c.State = control.Partial }, "does not say what is missing"},
		{"planned, with proof", planned, func(c *row) { c.Proof = honest.Proof }, "planned, and has proof"},
		{"planned, with something missing", planned, func(c *row) { c.Missing = "half" }, "all of it is missing"},
		{"a state that does not exist", honest, func(c *row) { c.State = 9 }, "unknown(9)"},
		{"a test that does not exist", honest, func(c *row) { c.Proof = []string{"guard/secret.TestOther"} }, "no test of package"},
		{"a test of another package", honest, func(c *row) { c.Proof = []string{"guard.TestDetector"} }, "no test of package"},
		{"a test behind a tag", honest, func(c *row) { c.Proof = []string{"guard/secret.TestTagged"} }, "no test of package"},
		{"a test outside a test file", honest, func(c *row) { c.Proof = []string{"guard/secret.TestElsewhere"} }, "no test of package"},
		{"a method", honest, func(c *row) { c.Proof = []string{"guard/secret.TestMethod"} }, "no test of package"},
		{"a test that skips itself", honest, func(c *row) { c.Proof = []string{"guard/secret.TestMaybe"} }, "may skip itself"},
		{"a function that go test does not run", honest, func(c *row) { c.Proof = []string{"guard/secret.Testing"} }, "not the name of a test"},
		{"a proof without a package", honest, func(c *row) { c.Proof = []string{"TestDetector"} }, "package.TestName"},
		{"no threat", planned, func(c *row) { c.Threats = nil }, "answers no threat"},
		{"an unknown threat", planned, func(c *row) { c.Threats = []string{"LLM11"} }, "not an id in package threat"},
		{"a mitigation for a threat", planned, func(c *row) { c.Threats = []string{"AML.M0020"} }, "is a mitigation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := test.base
			test.change(&c)
			got := lies(c, house)
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("lies: %q, want none", got)
			case test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)):
				t.Errorf("lies: %q, want one that says %q", got, test.want)
			}
		})
	}
}

func TestUnknownControlsAreSeen(t *testing.T) {
	const text = `package a
import "runtime/debug"
const (
	known   = "inference/secret"
	unknown = "inference/secrets"
	raw     = ` + "`data/cards`" + `
	kind    = "application/json"
	longer  = "see inference/none"
	deeper  = "data/a/b"
)
type t struct { f int ` + "`json:\"f\"`" + ` }
`
	f, err := parser.ParseFile(token.NewFileSet(), "a.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, lit := range unknownControls(f) {
		got = append(got, lit.Value)
	}
	if want := []string{`"inference/secrets"`, "`data/cards`"}; !slices.Equal(got, want) {
		t.Errorf("unknown controls: %q, want %q", got, want)
	}
}
