// Package strictyaml reads one YAML file into Go structs and takes nothing for
// granted: whatever a person may have meant otherwise is an error with file,
// line and column. A field that nobody reads is worse than one that stops the
// program, because its writer believes it.
//
// # What it refuses
//
// Unknown fields and repeated keys, values of another type (also a number where
// text is wanted), null except where the Go field is a pointer, anchors,
// aliases, merge keys and tags, several documents, an empty file, tabs as
// indentation, and files that are too large or too deep. All problems of a file
// are reported together, in its order.
//
// # The data's way
//
//	tags ─▶ shape ─┬─▶ Example, Schema
//	               └─▶ value ◀─ walk ◀─ lint ◀─ nodes ◀─ src
//
// One description of the Go type (type shape) serves the decoder, the example
// file and the JSON Schema, so that the three cannot disagree. It comes from
// the tags of the fields:
//
//	yaml:"name"     the name in the file; a field without this tag is not read
//	yaml:",inline"  a struct whose fields stand among those of its parent
//	doc:"…"         one line of help, for the example and the schema
//	default:"…"     the value when the file does not name the field and it is zero;
//	                of a struct a map, {input: mask}, of other defaults than its own
//	example:"…"     shown in the example; of a map of structs, the name of its entry
//	enum:"a|b|c"    the texts allowed; of lists and maps, those of the elements
//
// Fields may be structs, maps with string keys, slices, strings, booleans,
// integers, floats, [time.Duration], [Size], [Secret], whatever implements
// [encoding.TextUnmarshaler], and pointers to these. A type outside this list,
// one that contains itself, and a tag that does not fit its field are bugs of
// the program: all functions that take a value panic on them.
//
// What a value means is left to its owner, who reports with [Positions.Errorf]
// in the same shape. Start reading at [Decode].
package strictyaml
