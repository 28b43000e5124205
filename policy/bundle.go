package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

// File is one file of a bundle: *.cedar, *.json (entities), *.test.yaml, or
// approvals.yaml.
type File struct {
	Name string // for errors; what it is says its end
	Data []byte
}

// Network names a network for policies.
type Network struct {
	Name     string
	Prefixes []netip.Prefix
}

// Options say what a bundle cannot know of itself.
type Options struct {
	Zone      *time.Location // of context.time; default: UTC
	Networks  []Network
	Approvers []Approver // whose signatures count
	Approvals int        // how many are needed beside the author's; default 1
	Protected []string   // ids of policies that must be there, and be protected
	// Unapproved lets protected policies in that nobody has signed, for commands that
	// only look.
	Unapproved bool
	Untested   bool // whose tests fail are let in, for commands that run them themselves
}

// Bundle is the policies in force. It does not change and is safe for concurrent use.
type Bundle struct {
	policies []*Policy // sorted by id
	byID     map[cedar.PolicyID]*Policy
	index    map[string]*index // by action
	entities types.EntityMap
	tests    []Test
	zone     *time.Location
	networks []Network
	reads    map[string]bool // names of attributes that policies read
	whole    bool            // some policy reads the context as a whole
	sum      string
}

// Policy is one policy of a bundle.
type Policy struct {
	ID        string
	Forbids   bool
	Hold      string // what an approval is needed for; "": none is
	Protected bool
	File      string
	Line      int
	Text      string // as it was written

	cedar *cedar.Policy
}

// Digest returns the SHA-256 of the policy's text, in hexadecimal digits: that which
// approvals are for.
func (p *Policy) Digest() string {
	sum := sha256.Sum256([]byte(p.Text))
	return hex.EncodeToString(sum[:])
}

// Policies returns the policies, sorted by their ids.
func (b *Bundle) Policies() []*Policy { return slices.Clone(b.policies) }

// Find returns the policy of that id, nil if there is none.
func (b *Bundle) Find(id string) *Policy { return b.byID[cedar.PolicyID(id)] }

// Tests returns the tests of the bundle.
func (b *Bundle) Tests() []Test { return slices.Clone(b.tests) }

// Sum returns the SHA-256 of all files, in hexadecimal digits.
func (b *Bundle) Sum() string { return b.sum }

// Zone returns the time zone of the hours and days that policies speak of.
func (b *Bundle) Zone() *time.Location { return b.zone }

// Reads reports whether some policy reads an attribute of that name.
func (b *Bundle) Reads(name string) bool { return b.whole || b.reads[name] }

// approvalsFile is the name of the file with the approvals of a bundle.
const approvalsFile = "approvals.yaml"

// isPart reports whether a file of that name is a part of a bundle.
func isPart(name string) bool {
	name = filepath.Base(name)
	return name == approvalsFile || strings.HasSuffix(name, ".cedar") || strings.HasSuffix(name, ".json") ||
		strings.HasSuffix(name, ".test.yaml") || strings.HasSuffix(name, ".test.yml")
}

// Names returns the files of the bundle at path, a directory or one *.cedar file,
// sorted.
func Names(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading policies: %w", err)
	}
	if !info.IsDir() {
		if !strings.HasSuffix(path, ".cedar") {
			return nil, fmt.Errorf("reading policies: %s is no directory and no file *.cedar", path)
		}
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading policies: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && isPart(e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	return names, nil
}

// Read reads the files of the bundle at path, a directory or one *.cedar file.
func Read(path string) ([]File, error) {
	names, err := Names(path)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Size() > 4*MaxFile {
			return nil, fmt.Errorf("reading policies: %s has %d bytes, which are too many", name, info.Size())
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was there a moment ago
		} else if err != nil {
			return nil, fmt.Errorf("reading policies: %w", err)
		}
		files = append(files, File{name, data})
	}
	return files, nil
}

// Load is Read and Parse.
func Load(path string, opt Options) (*Bundle, error) {
	files, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(files, opt)
}

// Parse makes a Bundle of its files: it reads the policies, holds them to the schema,
// asks for approvals and runs the tests. The error is all that is wrong with them,
// with file and line.
func Parse(files []File, opt Options) (*Bundle, error) {
	b := &Bundle{
		byID: map[cedar.PolicyID]*Policy{}, index: map[string]*index{}, entities: types.EntityMap{},
		zone: opt.Zone, networks: opt.Networks, reads: map[string]bool{"tenant": true},
	}
	if b.zone == nil {
		b.zone = time.UTC
	}
	for uid, e := range words().entities {
		b.entities[uid] = e
	}
	var errs []error
	var approvals []File
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %d\n", filepath.Base(f.Name), len(f.Data))
		h.Write(f.Data)
		switch base := filepath.Base(f.Name); {
		case strings.HasSuffix(base, ".cedar"):
			errs = append(errs, b.addPolicies(f)...)
		case strings.HasSuffix(base, ".json"):
			errs = append(errs, b.addEntities(f)...)
		case base == approvalsFile:
			approvals = append(approvals, f)
		case isPart(base):
			errs = append(errs, b.addTests(f)...)
		default:
			errs = append(errs, &strictyaml.Problem{File: f.Name, Err: errors.New("is no part of a bundle: want *.cedar, *.json, *.test.yaml or approvals.yaml")})
		}
	}
	b.sum = hex.EncodeToString(h.Sum(nil))
	if len(b.policies) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("there is no policy: nobody could do anything. Begin with ringwall policy example"))
	}
	if err := strictyaml.Join(errs...); err != nil {
		return nil, err
	}
	if err := b.addWall(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.policies, func(p, q *Policy) int { return cmp.Compare(p.ID, q.ID) })
	b.build()
	errs = b.approved(approvals, &opt)
	if !opt.Untested {
		errs = append(errs, b.testAll()...)
	}
	if err := strictyaml.Join(errs...); err != nil {
		return nil, err
	}
	return b, nil
}

// ours begins the ids of policies that the program makes, and of what it says where
// no policy decided.
const ours = "ringwall/"

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._/-]{0,99}$`)

// annotations that policies may have. Others are refused, for a misspelt @protected
// would protect nothing.
var annotations = []string{"id", "description", "hold", "owner", "protected"}

// addPolicies adds the policies of a file.
func (b *Bundle) addPolicies(f File) (errs []error) {
	fail := func(line int, format string, args ...any) {
		errs = append(errs, &strictyaml.Problem{File: f.Name, Line: line, Column: 1, Err: fmt.Errorf(format, args...)})
	}
	if len(f.Data) > MaxFile {
		fail(0, "has %d bytes, at most %d are read", len(f.Data), MaxFile)
		return errs
	}
	statements, err := split(string(f.Data))
	if err != nil {
		fail(0, "%w", err)
		return errs
	}
	for _, s := range statements {
		var c cedar.Policy
		if err := c.UnmarshalCedar([]byte(s.text)); err != nil {
			fail(s.line, "the policy that begins here cannot be read: %v", err)
			continue
		}
		p := &Policy{Forbids: c.Effect() == cedar.Forbid, File: f.Name, Line: s.line, Text: s.text, cedar: &c}
		if err := p.annotate(); err != nil {
			fail(s.line, "%w", err)
			continue
		}
		if other, ok := b.byID[cedar.PolicyID(p.ID)]; ok {
			fail(s.line, "there is a policy %q already, in %s:%d", p.ID, other.File, other.Line)
			continue
		}
		if err := valid(p); err != nil {
			fail(s.line, "policy %s: %w", p.ID, err)
			continue
		}
		if len(b.policies) >= MaxPolicies {
			fail(s.line, "more than %d policies", MaxPolicies)
			return errs
		}
		b.add(p)
	}
	return errs
}

func (b *Bundle) add(p *Policy) {
	b.policies = append(b.policies, p)
	b.byID[cedar.PolicyID(p.ID)] = p
}

// valid holds a policy to the schema. A panic of the validator, which is young, is an
// error: a policy that breaks it must not end a program that is serving.
func valid(p *Policy) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be held to the schema: %v", r)
		}
	}()
	if err := words().validator.Policy(p.ID, (*ast.Policy)(p.cedar.AST())); err != nil {
		return fmt.Errorf("it does not fit the schema (ringwall policy schema): %w", err)
	}
	return nil
}

// annotate reads the annotations of a policy.
func (p *Policy) annotate() error {
	notes := p.cedar.Annotations()
	for name := range notes {
		if !slices.Contains(annotations, string(name)) {
			return fmt.Errorf("there is no annotation @%s: there are @%s", name, strings.Join(annotations, ", @"))
		}
	}
	p.ID = string(notes["id"])
	switch {
	case p.ID == "":
		return errors.New(`the policy that begins here has no name: write @id("…") above it`)
	case !idForm.MatchString(p.ID):
		return fmt.Errorf("@id(%q): want lower-case letters, digits and . _ / - in between, at most 100", clip(p.ID))
	case strings.HasPrefix(p.ID, ours):
		return fmt.Errorf("@id(%q): names that begin with %s are the program's own", p.ID, ours)
	}
	hold, holds := notes["hold"]
	p.Hold = strings.TrimSpace(string(hold))
	_, p.Protected = notes["protected"]
	switch {
	case holds && p.Forbids:
		return fmt.Errorf("policy %s: a forbid cannot hold: write it as a permit, or without @hold", p.ID)
	case holds && (p.Hold == "" || len(p.Hold) > 200):
		return fmt.Errorf(`policy %s: @hold("…") says what the approval is needed for, in at most 200 bytes`, p.ID)
	}
	return nil
}
