package approval

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Confirmation is what a person types before they approve.
type Confirmation struct {
	Text string // that has to be typed; "": nothing has
	Ask  string // in words for the person
}

// Typed reports whether text is what is asked for.
func (c Confirmation) Typed(text string) bool {
	return c.Text == "" || strings.TrimSpace(text) == c.Text
}

// Confirm says what a person has to type before they approve a, so that they know it:
// nothing where it only reads or writes what is the principal's own, else the amount that
// it is about, the name of the tool where it is about none, or the beginning of the
// digest where the name is none that people can type. It needs the arguments.
func Confirm(a *Approval) Confirmation {
	if a.Effect == "read" || a.Effect == "write" {
		return Confirmation{}
	}
	for path, v := range leaves(a.Arguments) {
		if amount := amountOf(path, v); amount != "" {
			return Confirmation{amount, "type the amount in " + strconv.QuoteToASCII(path) + " to approve: " + amount}
		}
	}
	if typable(a.Tool) {
		return Confirmation{a.Tool, "type the tool's name to approve: " + a.Tool}
	}
	head := a.Digest[:min(8, len(a.Digest))]
	return Confirmation{head, "type the beginning of the digest to approve: " + head}
}

// typable reports whether a name is made of signs that look like no others.
func typable(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.:/", r))
	})
}

// amounts are parts of the names of arguments that say how much.
var amounts = []string{"amount", "total", "price", "sum", "quantity", "qty", "cost", "betrag", "value", "budget"}

// amountOf returns how much an argument says, "" where it does not.
func amountOf(path string, v jsonedit.Value) string {
	name := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	hit := false
	for _, a := range amounts {
		hit = hit || strings.Contains(name, a)
	}
	if !hit {
		return ""
	}
	text := ""
	switch v.Kind() {
	case jsonedit.Number:
		text = string(v.Raw())
	case jsonedit.String:
		text = v.Text()
	default:
		return ""
	}
	if len(text) > 32 || !strings.ContainsAny(text, "0123456789") || strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || strings.ContainsRune("+-.,eE", r))
	}) {
		return ""
	}
	return text
}

// Bounds of arguments that are taken apart.
const (
	maxDepth  = 32
	maxLeaves = 2000
)

// leaves are the values of arguments that hold no others, by JSON pointers (RFC 6901), in
// the order in which they stand there. Of arguments that are no JSON there are none.
func leaves(arguments string) iter.Seq2[string, jsonedit.Value] {
	return func(yield func(string, jsonedit.Value) bool) {
		var doc jsonedit.Doc
		if doc.Parse([]byte(arguments), jsonedit.Limits{Bytes: maxArguments, Depth: maxDepth}) != nil {
			return
		}
		left := maxLeaves
		var walk func(path string, v jsonedit.Value) bool
		walk = func(path string, v jsonedit.Value) bool {
			any := false
			switch v.Kind() {
			case jsonedit.Object:
				for name, m := range v.Members() {
					any = true
					if !walk(path+"/"+pointer.Replace(name), m) {
						return false
					}
				}
			case jsonedit.Array:
				for i, e := range v.Elems() {
					any = true
					if !walk(path+"/"+strconv.Itoa(i), e) {
						return false
					}
				}
			}
			if any {
				return true
			}
			left--
			return left >= 0 && yield(path, v)
		}
		walk("", doc.Root())
	}
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1")

// valueOf is what a leaf says.
func valueOf(v jsonedit.Value) string {
	if v.Kind() == jsonedit.String {
		return v.Text()
	}
	return string(v.Raw())
}

// sensitive are the values of a that say who or what is acted on, by their pointers: a
// pointer to an object or an array stands for all in it.
func sensitive(a *Approval) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for path, v := range leaves(a.Arguments) {
			for _, use := range a.Provenance {
				if use.Sensitive && (use.Path == path || strings.HasPrefix(path, use.Path+"/")) {
					if !yield(path, valueOf(v)) {
						return
					}
					break
				}
			}
		}
	}
}

// mark is what a value is known by. Places in lists make no difference.
func (s *Store) mark(a *Approval, path, value string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := strconv.Atoi(p); err == nil {
			parts[i] = "*"
		}
	}
	return hash(s.keys.known, a.Principal.Tenant, a.Principal.ID, a.Tool, strings.Join(parts, "/"), value)
}

// remember knows the sensitive values of a from now on.
func (s *Store) remember(ctx context.Context, tx *db.Tx, a *Approval, now time.Time) error {
	for path, value := range sensitive(a) {
		if _, err := tx.Exec(ctx, "INSERT INTO approval_known (hash, at) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET at = excluded.at", s.mark(a, path, value), now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

const maxFirst = 50 // values that are looked up

// first returns where a names somebody or something for the first time: no approval of
// this principal and tool had that value.
func (s *Store) first(ctx context.Context, a *Approval) (paths []string, err error) {
	n := 0
	for path, value := range sensitive(a) {
		if n++; n > maxFirst {
			break
		}
		var at int64
		err := s.cfg.DB.QueryRow(ctx, "SELECT at FROM approval_known WHERE hash = ?", s.mark(a, path, value)).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			paths = append(paths, path)
		} else if err != nil {
			return nil, fmt.Errorf("looking for what was approved before: %w", err)
		}
	}
	return paths, nil
}
