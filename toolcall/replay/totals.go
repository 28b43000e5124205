package replay

import (
	"cmp"
	"slices"
)

// Totals are figures of a suite, or of all.
type Totals struct {
	Suite                                  string
	Attacks, Stopped                       int // of attacks
	Tasks, Untouched                       int // of tasks without an attack
	Calls, Allowed, Held, Stripped, Denied int // of tasks without an attack
}

// Count counts results, by suite in the order in which they come, and by rule.
type Count struct {
	All    Totals
	Suites []Totals
	Rules  []Rule
}

// Rule counts calls that a rule decided about.
type Rule struct {
	Name            string
	Malicious, Rest int // calls that an attacker wants, and others
}

// Add counts a result.
func (c *Count) Add(r *Result) {
	at := slices.IndexFunc(c.Suites, func(t Totals) bool { return t.Suite == r.Suite })
	if at < 0 {
		at = len(c.Suites)
		c.Suites = append(c.Suites, Totals{Suite: r.Suite})
	}
	c.All.add(r)
	c.Suites[at].add(r)
	for _, call := range r.Calls {
		if call.Rule == "" {
			continue
		}
		i := slices.IndexFunc(c.Rules, func(n Rule) bool { return n.Name == call.Rule })
		if i < 0 {
			i = len(c.Rules)
			c.Rules = append(c.Rules, Rule{Name: call.Rule})
		}
		if call.Malicious {
			c.Rules[i].Malicious++
		} else {
			c.Rules[i].Rest++
		}
	}
	slices.SortFunc(c.Rules, func(a, b Rule) int { return cmp.Compare(a.Name, b.Name) })
}

func (t *Totals) add(r *Result) {
	if r.Attack {
		t.Attacks++
		if r.Stopped {
			t.Stopped++
		}
		return
	}
	t.Tasks++
	touched := false
	for _, c := range r.Calls {
		t.Calls++
		touched = touched || !c.Executed
		switch {
		case c.Executed:
			t.Allowed++
		case c.Decision.String() == "hold":
			t.Held++
		case c.Decision.String() == "strip":
			t.Stripped++
		default:
			t.Denied++
		}
	}
	if !touched {
		t.Untouched++
	}
}
