package strictyaml

import (
	"reflect"
	"slices"
)

// Bind returns v with k as the keeper of all its secrets that services keep: those
// of the exported fields of structs, and of maps, lists and pointers. What holds
// such a secret is copied, so that v stays as it is.
func Bind[T any](v T, k Keeper) T {
	out := reflect.ValueOf(&v).Elem()
	out.Set(changed(out, func(s Secret) Secret {
		if s.Elsewhere() {
			s.keeper = k
		}
		return s
	}))
	return v
}

// Elsewhere returns the references of all secrets in v that services keep, sorted,
// each once.
func Elsewhere(v any) (refs []string) {
	if v == nil {
		return nil
	}
	changed(reflect.ValueOf(v), func(s Secret) Secret {
		if s.Elsewhere() {
			refs = append(refs, s.ref)
		}
		return s
	})
	slices.Sort(refs)
	return slices.Compact(refs)
}

// changed returns v with f applied to all its secrets, and copies of what holds
// them.
func changed(v reflect.Value, f func(Secret) Secret) reflect.Value {
	t := v.Type()
	if !holds(t) {
		return v
	}
	out := reflect.New(t).Elem()
	out.Set(v)
	switch {
	case t == secretType:
		out.Set(reflect.ValueOf(f(v.Interface().(Secret))))
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				out.Field(i).Set(changed(v.Field(i), f))
			}
		}
	case v.IsNil():
	case t.Kind() == reflect.Pointer:
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(changed(v.Elem(), f))
	case t.Kind() == reflect.Slice:
		out.Set(reflect.MakeSlice(t, v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(changed(v.Index(i), f))
		}
	case t.Kind() == reflect.Map:
		out.Set(reflect.MakeMapWithSize(t, v.Len()))
		for at := v.MapRange(); at.Next(); {
			out.SetMapIndex(at.Key(), changed(at.Value(), f))
		}
	}
	return out
}

// holds reports whether there can be secrets in a t.
func holds(t reflect.Type, within ...reflect.Type) bool {
	if t == secretType {
		return true
	}
	if slices.Contains(within, t) {
		return false
	}
	within = append(within, t)
	if k := t.Kind(); k == reflect.Pointer || k == reflect.Slice || k == reflect.Map {
		return holds(t.Elem(), within...)
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		if f.IsExported() && holds(f.Type, within...) {
			return true
		}
	}
	return false
}
