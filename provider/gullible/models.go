package gullible

import "context"

// Models returns the names of the models that there are: one.
func (m *Model) Models(context.Context) ([]string, error) { return []string{"gullible"}, nil }
