package provenance

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// anyYAML reads one document of YAML without aliases, tags and keys that come twice.
func (r *reader) anyYAML(s string) (err error) {
	if len(s) > maxYAML {
		return errNoFields
	}
	defer func() {
		if recover() != nil {
			err = errNoFields
		}
	}()
	d := yaml.NewDecoder(strings.NewReader(s))
	var n, more yaml.Node
	if err := d.Decode(&n); err != nil || n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return errNoFields
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) || n.Content[0].Kind == yaml.ScalarNode {
		return errNoFields
	}
	return r.node(n.Content[0])
}

func (r *reader) node(n *yaml.Node) error {
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return errNoFields
	}
	switch n.Kind {
	case yaml.MappingNode:
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode || seen[k.Value] || k.Value == "<<" || k.Anchor != "" || k.Style&yaml.TaggedStyle != 0 {
				return errNoFields
			}
			seen[k.Value] = true
			if err := r.member(token(k.Value), func() error { return r.node(n.Content[i+1]) }); err != nil {
				return err
			}
		}
		return nil
	case yaml.SequenceNode:
		for i, e := range n.Content {
			if err := r.member(strconv.Itoa(i), func() error { return r.node(e) }); err != nil {
				return err
			}
		}
		return nil
	case yaml.ScalarNode:
		return r.add(n.Value)
	}
	return errNoFields
}
