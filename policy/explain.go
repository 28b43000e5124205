package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	pubast "github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/eval"
)

// Explanation says how one policy stands to a request.
type Explanation struct {
	Policy  string   `json:"policy"`
	Effect  string   `json:"effect"` // permit, hold or forbid
	Applies bool     `json:"applies"`
	Failed  []string `json:"failed,omitempty"` // parts of its head and its conditions that do not hold
	At      string   `json:"at"`               // file and line
}

// Explain returns how each policy stands to r: those that apply first, then those that
// nearly did, by how much of them does not hold. Policies of other actions are left
// out.
func (b *Bundle) Explain(r *Request) []Explanation {
	if r.check() != nil {
		return nil
	}
	a := b.ask(r)
	env := eval.Env{Entities: a, Principal: a.principal.UID, Action: a.action.UID, Resource: a.resource.UID, Context: a.context}
	var out []Explanation
	for _, p := range b.policies {
		if !slices.Contains(actionsOf((*ast.Policy)(p.cedar.AST()).Action), r.Action) {
			continue
		}
		if x := p.explain(env); x.Applies || p.ID != TenantWall {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(x, y Explanation) int {
		return cmp.Or(cmp.Compare(len(x.Failed), len(y.Failed)), cmp.Compare(x.Policy, y.Policy))
	})
	return out
}

func (p *Policy) explain(env eval.Env) Explanation {
	x := Explanation{Policy: p.ID, Effect: "permit", At: at(p.File, p.Line)}
	switch {
	case p.Forbids:
		x.Effect = "forbid"
	case p.Hold != "":
		x.Effect = "hold"
	}
	tree := (*ast.Policy)(p.cedar.AST())
	head := ast.Permit()
	for _, part := range []struct {
		name string
		set  func(*ast.Policy)
	}{
		{"principal", func(q *ast.Policy) { q.Principal = tree.Principal }},
		{"resource", func(q *ast.Policy) { q.Resource = tree.Resource }},
	} {
		q := *head
		part.set(&q)
		if ok, why := holds(eval.PolicyToNode(&q).AsIsNode(), env); !ok {
			x.Failed = append(x.Failed, headOf(&q, part.name)+why)
		}
	}
	for _, c := range tree.Conditions {
		word := "when"
		conjuncts := []ast.IsNode{c.Body}
		if c.Condition == ast.ConditionUnless {
			word = "unless"
		} else {
			conjuncts = conjunctsOf(c.Body)
		}
		for _, n := range conjuncts {
			test := n
			if word == "unless" {
				test = ast.NodeTypeNot{UnaryNode: ast.UnaryNode{Arg: n}}
			}
			if ok, why := holds(test, env); !ok {
				x.Failed = append(x.Failed, word+" "+source(n)+why)
			}
		}
	}
	x.Applies = len(x.Failed) == 0
	return x
}

func conjunctsOf(n ast.IsNode) []ast.IsNode {
	if and, ok := n.(ast.NodeTypeAnd); ok {
		return append(conjunctsOf(and.Left), conjunctsOf(and.Right)...)
	}
	return []ast.IsNode{n}
}

// holds reports whether n is true, and where it cannot be told, why.
func holds(n ast.IsNode, env eval.Env) (ok bool, why string) {
	v, err := eval.Eval(n, env)
	if err != nil {
		return false, " (cannot be evaluated: " + err.Error() + ")"
	}
	return types.True.Equal(v), ""
}

// source writes a condition as policies do.
func source(n ast.IsNode) string {
	q := ast.Permit().When(ast.NewNode(n))
	text := string(cedar.NewPolicyFromAST((*pubast.Policy)(q)).MarshalCedar())
	_, text, _ = strings.Cut(text, "when {")
	return strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimSpace(text), "};")), " ")
}

// headOf writes a part of the head of a policy.
func headOf(q *ast.Policy, name string) string {
	text := string(cedar.NewPolicyFromAST((*pubast.Policy)(q)).MarshalCedar())
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, name+" ") {
			return strings.TrimSuffix(line, ",")
		}
	}
	return name
}

// Change is a request about which two bundles decide differently.
type Change struct {
	Test     Test
	Old, New Decision
}

// Compare returns the requests of tests about which b decides otherwise than old.
func (b *Bundle) Compare(old *Bundle, tests []Test) []Change {
	var out []Change
	for _, t := range tests {
		was, is := old.Decide(&t.Request), b.Decide(&t.Request)
		if was.Effect != is.Effect {
			out = append(out, Change{t, was, is})
		}
	}
	return out
}

// at names a place.
func at(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
