package ringwall_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ringwall/ringwall"

// floors are the floors of the house, lowest first. A package may import from
// lower floors, and on its own floor only a package that it stands in. A room
// takes the packages below it along, unless a longer name puts one elsewhere:
// guard/stream stands below guard, and guard/pii beside it.
var floors = [][]string{
	{"", "control", "threat"},               // words
	{"internal"},                            // kit, which knows no trade
	{"guard/normalize", "guard/textmodel"},  // what detectors and the stream read
	{"guard/stream", "toolcall/provenance"}, // what holds an answer back, and what says where a value is from
	{ // mechanisms
		"guard", "redact", "token", "policy", "waf", "toolcall", "scan", "sign", "kms", "posture",
		"vuln", "drift", "discover", "lineage", "privacy", "poison", "scope",
	},
	{ // services
		"auth", "quota", "audit", "registry", "retention", "detect", "respond", "provider", "approval", "hook",
	},
	{"gateway", "mcp", "s3gate", "admin", "console", "redteam"}, // edges
	{"builtin", "config"},               // tables
	{"server", "example", "middleware"}, // what a program is put together from
	{"cmd", "training"},                 // programs
	{"training/fast"},                   // and what learns from what those make
}

// floor is the floor of a package, named relative to the module: the room with
// the longest matching name decides. It is -1 for a package that has no floor.
func floor(pkg string) int {
	at, longest := -1, -1
	for i, rooms := range floors {
		for _, room := range rooms {
			if len(room) > longest && (pkg == room || room != "" && strings.HasPrefix(pkg, room+"/")) {
				at, longest = i, len(room)
			}
		}
	}
	return at
}

// importFault says what is wrong with package from importing name, "" when
// nothing is.
func importFault(from, name string) string {
	at := floor(from)
	to, ours := strings.CutPrefix(name, module)
	if !ours || to != "" && to[0] != '/' {
		if host, _, _ := strings.Cut(name, "/"); at == 0 && strings.Contains(host, ".") {
			return fmt.Sprintf("imports %q: words use the standard library only; move what needs it up", name)
		}
		return ""
	}
	to = strings.TrimPrefix(to, "/")
	switch onto := floor(to); {
	case onto < 0:
		return fmt.Sprintf("imports %q, which stands on no floor: add it to floors, or ask whether it is needed", to)
	case onto > at:
		return fmt.Sprintf("imports %q: imports point down, this one points up; take what it gives through a one-method interface, and join the two higher up", to)
	case onto == at && to != "" && !strings.HasPrefix(from, to+"/"):
		return fmt.Sprintf("imports its neighbour %q: move the shared word down, or ask for a one-method interface", to)
	}
	return ""
}

// The files are read here and not by a "go list": the test cache sees what a
// test opens, not what its child processes open, and would answer from memory.
func TestImportsPointDown(t *testing.T) {
	homeless := map[string]bool{}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue // a test may bring together what it likes
		}
		from := packageOf(name)
		if floor(from) < 0 {
			if !homeless[from] {
				t.Errorf("package %q stands on no floor: add it to floors, or ask whether it is needed", from)
			}
			homeless[from] = true
			continue
		}
		_, f := parse(t, name, parser.ImportsOnly)
		if f == nil {
			continue
		}
		for _, imp := range f.Imports {
			what, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Errorf("%s: import %s: %v", name, imp.Path.Value, err)
			} else if fault := importFault(from, what); fault != "" {
				t.Errorf("%s %s", name, fault)
			}
		}
	}
}

func TestImportRules(t *testing.T) {
	tests := []struct {
		name, from, to string
		fault          string // a part of it; "" when the import is fine
	}{
		{"words may use the standard library", "", "net/http", ""},
		{"words may not use a module", "threat", "go.yaml.in/yaml/v4", "standard library only"},
		{"words may not use each other", "control", module + "/threat", "neighbour"},
		{"everyone may use the root", "control", module, ""},
		{"kit may use a module", "internal/db", "modernc.org/sqlite", ""},
		{"kit may not know the trade", "internal/sse", module + "/guard", "points up"},
		{"kit may not lean on other kit", "internal/db", module + "/internal/sse", "neighbour"},
		{"a detector may import guard, which it stands in", "guard/pii", module + "/guard", ""},
		{"a detector may import what stands below guard", "guard/pii", module + "/guard/normalize", ""},
		{"a detector may not import another", "guard/pii", module + "/guard/secret", "neighbour"},
		{"guard may not import a detector", "guard", module + "/guard/pii", "neighbour"},
		{"guard may import the stream below it", "guard", module + "/guard/stream", ""},
		{"the stream may not import guard above it", "guard/stream", module + "/guard", "points up"},
		{"normalize may not import the stream", "guard/normalize", module + "/guard/stream", "points up"},
		{"redact stands beside guard", "redact", module + "/guard", "neighbour"},
		{"services do not know the gateway", "auth", module + "/gateway", "points up"},
		{"the gateway may use services", "gateway", module + "/audit", ""},
		{"a dialect may import gateway, which it stands in", "gateway/dialect/openai", module + "/gateway", ""},
		{"the gateway may not name its dialects", "gateway", module + "/gateway/dialect/openai", "neighbour"},
		{"tables do not know each other", "config", module + "/builtin", "neighbour"},
		{"the server may use the tables", "server", module + "/builtin", ""},
		{"the server does not know the command line", "server", module + "/cmd/ringwall", "points up"},
		{"a room that nobody planned", "gateway", module + "/util", "no floor"},
		{"a name that only begins like ours", "", module + "x/y", "standard library only"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := importFault(test.from, test.to)
			if (got == "") != (test.fault == "") || !strings.Contains(got, test.fault) {
				t.Errorf("%q importing %q: %q, want %q", test.from, test.to, got, test.fault)
			}
		})
	}
}

func TestNoRoomStandsOnTwoFloors(t *testing.T) {
	seen := map[string]int{}
	for i, rooms := range floors {
		for _, room := range rooms {
			if j, ok := seen[room]; ok {
				t.Errorf("room %q stands on floors %d and %d: strike one", room, j, i)
			}
			seen[room] = i
		}
	}
}

// goFiles are the Go files of this module, with slashes, in the order of their
// names. Other people's code, test data and nested modules are not ours to judge.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if !d.IsDir() {
			if strings.HasSuffix(name, ".go") {
				files = append(files, filepath.ToSlash(name))
			}
			return nil
		}
		switch base := d.Name(); {
		case base[0] == '.', base[0] == '_', base == "testdata", base == "vendor", base == "node_modules":
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatalf("walking the house: %v", err)
	}
	if len(files) == 0 {
		t.Fatal("the house has no Go files: run this test in the root of the module")
	}
	return files
}

// packageOf is the package that a file belongs to, relative to the module: ""
// for the root.
func packageOf(name string) string {
	return strings.TrimPrefix(path.Dir(name), ".")
}

// parse reads one file. One that is not Go fails the test and is nil.
func parse(t *testing.T, name string, mode parser.Mode) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, nil, mode)
	if err != nil {
		t.Errorf("parsing: %v", err)
		return nil, nil
	}
	return fset, f
}
