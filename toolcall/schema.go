package toolcall

import (
	"context"
	"crypto/sha256"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

// memory is what a Judge remembers of tools that requests offer.
type memory struct {
	schemas kept[*schema.Schema] // nil: it cannot be compiled
	pins    kept[string]
}

func newMemory() *memory {
	return &memory{
		schemas: kept[*schema.Schema]{most: 512, bytes: 8 << 20},
		pins:    kept[string]{most: 4096, bytes: 64 << 20},
	}
}

// pinOf returns the pin of what a request says of a tool.
func (j *Judge) pinOf(s *ringwall.ToolSpec) string {
	h := sha256.New()
	h.Write(appendField(appendField(nil, "name", s.Name), "description", s.Description))
	h.Write(s.Schema)
	return j.memory.pins.of([sha256.Size]byte(h.Sum(nil)), 256, func() string {
		d := DefinitionOf(*s)
		return d.Pin().Model
	})
}

// schemaOf returns the schema that a request offers; nil where it cannot be compiled.
func (j *Judge) schemaOf(src []byte, open bool) *schema.Schema {
	key := sha256.Sum256(src)
	if open {
		key[0] ^= 1
	}
	return j.memory.schemas.of(key, len(src), func() *schema.Schema {
		made, err := schema.Arguments(src, schema.Options{Open: open, Lenient: true})
		if err != nil {
			return nil
		}
		return made
	})
}

// maxOffers bounds definitions of one tool in a request.
const maxOffers = 8

// schemaMet is the step that holds arguments against their schema: that of the registry,
// else all that the request offers for the tool.
func schemaMet(_ context.Context, s *Session, c *Call, d *Decision) {
	if c.Tool.schema != nil {
		meets(c.Tool.schema, c, d)
		return
	}
	specs := s.named(c.Name)
	if len(specs) > maxOffers {
		d.against(ringwall.ToolDeny, RuleSchemaUnreadable, "The tool is offered too often.")
		return
	}
	for _, spec := range specs {
		if len(spec.Schema) == 0 {
			continue
		}
		made := s.j.schemaOf(spec.Schema, c.Tool.Open)
		if made == nil {
			d.against(ringwall.ToolDeny, RuleSchemaUnreadable, "The schema of its arguments cannot be used: it must be JSON Schema, whole in itself, and not too large.")
			return
		}
		meets(made, c, d)
	}
}

func meets(made *schema.Schema, c *Call, d *Decision) {
	where, what, ok := made.Validate(c.Arguments)
	if ok {
		return
	}
	if where != "" {
		what = shortened(where) + ": " + what
	}
	d.against(ringwall.ToolDeny, RuleSchema, "Its arguments do not meet their schema: "+what+".")
}

// shortened returns a pointer as it is shown to people.
func shortened(where string) string {
	const most = 200
	if len(where) <= most {
		return where
	}
	return where[:most] + "…"
}
