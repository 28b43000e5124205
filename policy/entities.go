package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// maxEntities are those of one bundle.
const maxEntities = 100_000

// principals are the types of callers.
var principals = []string{"User", "Key", "Workload", "Anonymous"}

// addEntities adds a file of entities, in the JSON of Cedar: groups of callers and what
// is known of models, tools and data. Of a caller it may say only the tenant and the
// parents: the rest each request says for itself.
func (b *Bundle) addEntities(f File) (errs []error) {
	fail := func(format string, args ...any) {
		errs = append(errs, &strictyaml.Problem{File: f.Name, Err: fmt.Errorf(format, args...)})
	}
	var all types.EntityMap
	if len(f.Data) > 4*MaxFile {
		fail("has %d bytes, at most %d are read", len(f.Data), 4*MaxFile)
		return errs
	}
	if err := all.UnmarshalJSON(f.Data); err != nil {
		fail("cannot be read as entities of Cedar: %v", err)
		return errs
	}
	if len(all)+len(b.entities) > maxEntities {
		fail("more than %d entities", maxEntities)
		return errs
	}
	for _, id := range slices.SortedFunc(keys(all), func(a, b types.EntityUID) int { return strings.Compare(a.String(), b.String()) }) {
		e, err := complete(all[id])
		if err == nil {
			err = words().validator.Entity(e)
		}
		if _, twice := b.entities[id]; twice && err == nil {
			err = errors.New("it is there already")
		}
		if err != nil {
			fail("%s: %v", id, err)
			continue
		}
		b.entities[id] = e
	}
	return errs
}

func keys(m types.EntityMap) func(func(types.EntityUID) bool) {
	return func(yield func(types.EntityUID) bool) {
		for id := range m {
			if !yield(id) {
				return
			}
		}
	}
}

// complete gives an entity of a file the attributes that it does not say.
func complete(e types.Entity) (types.Entity, error) {
	name, ours := strings.CutPrefix(string(e.UID.Type), namespace)
	if !ours || !slices.Contains(allTypes(), name) {
		return e, fmt.Errorf("there is no such type: there are %s%s", namespace, strings.Join(allTypes(), ", "+namespace))
	}
	a := types.RecordMap{}
	for k, v := range e.Attributes.All() {
		if slices.Contains(principals, name) && k != "tenant" {
			return e, fmt.Errorf("attribute %q: of a caller want the tenant and the parents only", clip(string(k)))
		}
		a[k] = v
	}
	add := func(k types.String, v types.Value) {
		if _, there := a[k]; !there {
			a[k] = v
		}
	}
	switch {
	case slices.Contains(principals, name):
		add("tenant", types.String(""))
		a["trust"], a["trust_name"], a["via"] = types.Long(ringwall.Anonymous), types.String(ringwall.Anonymous.String()), types.String("")
		a["roles"], a["credential"], a["scoped"], a["scopes"] = types.NewSet(), types.String(""), types.False, types.NewSet()
	case name == "Tenant", name == "Role", name == "Group", name == "Collection":
	default:
		add("tenant", types.String(""))
		add("labels", types.NewSet())
		switch name {
		case "Model":
			add("provider", types.String(""))
		case "Tool":
			add("server", types.String(""))
			add("effect", types.String(""))
			add("least_trust", types.Long(ringwall.Operator))
		}
	}
	e.Attributes = types.NewRecord(a)
	return e, nil
}
