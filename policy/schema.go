package policy

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

//go:embed schema.cedarschema
var schemaText []byte

// Schema returns the schema that policies are held to, in Cedar's own form.
func Schema() []byte { return slices.Clone(schemaText) }

// namespace is that of the schema.
const namespace = "Ringwall::"

// vocabulary is the schema, ready for use.
type vocabulary struct {
	schema    *resolved.Schema
	validator *validate.Validator
	actions   map[string][]string // what an action or a group of actions means
	done      map[string][]string // the types of what an action is done to
	entities  types.EntityMap     // of the actions
}

var words = sync.OnceValue(func() *vocabulary {
	var s schema.Schema
	s.SetFilename("schema.cedarschema")
	err := s.UnmarshalCedar(schemaText)
	var r *resolved.Schema
	if err == nil {
		r, err = s.Resolve()
	}
	if err != nil {
		// bug: the schema is a part of the program, and a test reads it
		panic(fmt.Sprintf("policy: the schema: %v", err))
	}
	v := &vocabulary{schema: r, validator: validate.New(r), actions: map[string][]string{}, done: map[string][]string{}, entities: types.EntityMap{}}
	for uid, a := range r.Actions {
		v.entities[uid] = a.Entity
		if a.AppliesTo == nil {
			continue // a group
		}
		name := string(uid.ID)
		v.actions[name] = append(v.actions[name], name)
		for _, t := range a.AppliesTo.Resources {
			v.done[name] = append(v.done[name], string(t)[len(namespace):])
		}
		slices.Sort(v.done[name])
		for group := range a.Entity.Parents.All() {
			v.actions[string(group.ID)] = append(v.actions[string(group.ID)], name)
		}
	}
	return v
})

// Actions returns the names of what can be done, sorted, without the groups.
func Actions() []string {
	var out []string
	for name, means := range words().actions {
		if len(means) == 1 && means[0] == name {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// resourceTypes returns the names of the types that an action can be done to, nil for
// one that there is not.
func resourceTypes(action string) []string { return words().done[action] }

// allTypes returns the names of the types of entities, sorted.
func allTypes() []string {
	var out []string
	for t := range maps.Keys(words().schema.Entities) {
		out = append(out, string(t)[len(namespace):])
	}
	slices.Sort(out)
	return out
}

// fullNames are the types of each request, put together once.
var fullNames = map[string]types.EntityType{
	"Action": namespace + "Action", "Role": namespace + "Role", "Tenant": namespace + "Tenant", "User": namespace + "User", "Key": namespace + "Key",
	"Workload": namespace + "Workload", "Anonymous": namespace + "Anonymous", "Model": namespace + "Model", "Tool": namespace + "Tool",
	"DataClass": namespace + "DataClass", "Guardrail": namespace + "Guardrail", "Route": namespace + "Route", "Console": namespace + "Console",
}

func uid(typ, id string) types.EntityUID {
	full, ok := fullNames[typ]
	if !ok {
		full = types.EntityType(namespace + typ)
	}
	return types.EntityUID{Type: full, ID: types.String(id)}
}
