// Package scope says what a credential is good for: a short list of words that
// narrows what its principal may do, and never widens it.
//
// # The words
//
//	ask-model           a deed: see [Deeds]
//	model:gpt-*         models, by the name that clients use
//	route:/v1/chat/*    paths of requests
//
// A star stands for any characters, none and slashes too; everything else stands
// for itself. Words of one kind add up; the three kinds hold together: what is
// asked must fit one word of each kind that the list has. A list that names models
// and no deed is good for asking and listing those models, and for nothing else. A
// word that nobody knows is a deed that there is not, so that a list of such words
// is good for nothing.
//
// No list at all (nil) narrows nothing; one without words is good for nothing.
//
// # What it leaves to others
//
// Who has which scopes is package auth's, refusing is the gateway's. Start reading at
// [Allows].
package scope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Deeds are what a request may do, as scopes name it.
var Deeds = []string{
	"ask-model", "ask-guard", "list-models", "pass-unguarded", "manage-guardrails", "read-answers",
	"approve", "read-approvals", "observe", "administer",
}

const (
	model = "model:"
	route = "route:"

	maxScopes = 32
	maxLength = 128  // bytes of a scope
	maxName   = 1024 // bytes of a model or a path that a scope can fit
)

// Ask is what a request is about to do.
type Ask struct {
	Deed  string
	Model string // as the client named it; "" where the deed is about none
	Route string // the path of the request
}

// Allows reports whether a credential of these scopes is good for a. It allocates
// nothing.
func Allows(scopes []string, a Ask) bool {
	if scopes == nil {
		return true
	}
	var deeds, models, routes, deed, named, routed bool
	for _, s := range scopes {
		if glob, ok := strings.CutPrefix(s, model); ok {
			models, named = true, named || fits(glob, a.Model)
		} else if glob, ok := strings.CutPrefix(s, route); ok {
			routes, routed = true, routed || fits(glob, a.Route)
		} else {
			deeds, deed = true, deed || s == a.Deed
		}
	}
	switch {
	case !deeds && !models && !routes:
		return false
	case deeds && !deed, routes && !routed:
		return false
	case !models:
		return true
	case !deeds && a.Deed == "list-models":
		return true
	}
	switch a.Deed {
	case "ask-model":
		return named
	case "pass-unguarded":
		return false // nobody reads which model is asked there
	}
	return deeds
}

// Shows reports whether a credential of these scopes may know of a model.
func Shows(scopes []string, name string) bool {
	any := true
	for _, s := range scopes {
		if glob, ok := strings.CutPrefix(s, model); ok {
			if fits(glob, name) {
				return true
			}
			any = false
		}
	}
	return any
}

// fits reports whether a name fits a glob whose only sign is the star.
func fits(glob, name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	star, from := -1, 0
	g, n := 0, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, from = g, n
			g++
		case g < len(glob) && glob[g] == name[n]:
			g++
			n++
		case star >= 0: // the last star takes one more
			from++
			g, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}

// Check says what is wrong with a list that somebody wrote. Nil is right.
func Check(scopes []string) error {
	if scopes == nil {
		return nil
	}
	if len(scopes) == 0 || len(scopes) > maxScopes {
		return fmt.Errorf("%d scopes: want 1 to %d, or none said for all that the principal may", len(scopes), maxScopes)
	}
	models := false
	for i, s := range scopes {
		if slices.Contains(scopes[:i], s) {
			return fmt.Errorf("scope %q is there twice", s)
		}
		if err := check(s); err != nil {
			return err
		}
		models = models || strings.HasPrefix(s, model)
	}
	if models && slices.Contains(scopes, "pass-unguarded") {
		return errors.New("pass-unguarded goes with no model: scope: nobody reads which model is asked there")
	}
	return nil
}

func check(s string) error {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == ',' || r == '"' }
	if len(s) > maxLength || strings.ContainsFunc(s, odd) {
		return fmt.Errorf("scope %.40q: want at most %d letters, digits and signs, without spaces, commas and quotes", s, maxLength)
	}
	if glob, ok := strings.CutPrefix(s, model); ok {
		if glob == "" {
			return fmt.Errorf("scope %q: which models? As in model:gpt-*", s)
		}
		return nil
	}
	if glob, ok := strings.CutPrefix(s, route); ok {
		if glob == "" || glob[0] != '/' && glob[0] != '*' {
			return fmt.Errorf("scope %q: want a path that begins with a slash, as in route:/v1/chat/*", s)
		}
		return nil
	}
	if !slices.Contains(Deeds, s) {
		return fmt.Errorf("scope %q is unknown: there are %s, model:GLOB and route:GLOB", s, strings.Join(Deeds, ", "))
	}
	return nil
}
