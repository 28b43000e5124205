package guardapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Control is the part of Amazon Bedrock's control plane that makes guardrails.
// What is made is one of this gateway, in use at once.
type Control struct {
	dialect.AWS
	Made   *guardrail.Made
	Shelf  Shelf
	Limits jsonedit.Limits
	Now    func() time.Time // default time.Now
}

// Shelf is what else there is to know of guardrails.
type Shelf interface {
	// Configured returns the guardrails that the configuration writes, which can
	// only be read here.
	Configured() map[string]*guardrail.Spec
	// Version returns a published version of one of them. The error wraps
	// guardrail.ErrNoVersion if there is none.
	Version(name, version string) (*guardrail.Spec, error)
	// Try reports why a guardrail could not look.
	Try(name string, s *guardrail.Spec) error
	// Dropped is told that a guardrail, or one version of it, is no more.
	Dropped(name, version string)
	// InForce reports whether the gateway itself goes by a version.
	InForce(name, version string) bool
}

// Routes are the routes of [Control], and how far callers must be trusted.
func (Control) Routes() map[string]ringwall.Trust {
	return map[string]ringwall.Trust{
		"GET /guardrails": ringwall.Staff, "GET /guardrails/{id}": ringwall.Staff,
		"POST /guardrails": ringwall.Operator, "PUT /guardrails/{id}": ringwall.Operator,
		"POST /guardrails/{id}": ringwall.Operator, "DELETE /guardrails/{id}": ringwall.Operator,
	}
}

// Name implements gateway.Errands.
func (Control) Name() string { return "bedrock-control" }

// Credential implements gateway.Errands.
func (Control) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Api-Key") }

// AppendError implements gateway.Errands.
func (Control) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	return awsError(dst, h, r, id)
}

// Do implements gateway.Errands.
func (c Control) Do(_ context.Context, r *http.Request, body []byte, _ ringwall.Principal) (status int, answer []byte, err error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	id := bedrockRef(r.PathValue("id"), "").Name
	version := r.URL.Query().Get("guardrailVersion")
	var out any
	switch status = http.StatusAccepted; r.Method {
	case http.MethodGet:
		status = http.StatusOK
		if id == "" {
			out, err = c.list(r)
		} else {
			out, err = c.get(id, version)
		}
	case http.MethodPut:
		out, err = c.update(id, body)
	case http.MethodDelete:
		out, err = c.remove(id, version)
	default:
		if id == "" {
			out, err = c.create(body)
		} else {
			out, err = c.publish(id, body)
		}
	}
	if err != nil {
		return 0, nil, controlError(id, err)
	}
	answer, err = encode(out)
	return status, answer, err
}

// controlError makes a refusal of what went wrong with a guardrail.
func controlError(id string, err error) error {
	var known *ringwall.Refusal
	out := &ringwall.Refusal{Err: err}
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, guardrail.ErrNoRail):
		out.Status, out.Code, out.Public = http.StatusNotFound, "not_found", fmt.Sprintf("The guardrail %.80q does not exist.", id)
	case errors.Is(err, guardrail.ErrNotKnown), errors.Is(err, guardrail.ErrNoVersion):
		out.Status, out.Code, out.Public = http.StatusNotFound, "not_found", fmt.Sprintf("The guardrail %.80q has no such version.", id)
	case errors.Is(err, guardrail.ErrTaken):
		out.Status, out.Code, out.Public = http.StatusBadRequest, "conflict", "Another guardrail has this name."
	case errors.Is(err, guardrail.ErrTooMany):
		out.Status, out.Code, out.Public = http.StatusBadRequest, "quota", fmt.Sprintf("At most %d guardrails and %d versions of each are kept.", guardrail.MostRails, guardrail.MostVersions)
	default:
		return err
	}
	return out
}

func conflict(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	return &ringwall.Refusal{Status: http.StatusBadRequest, Code: "conflict", Public: what, Err: errors.New(what)}
}

// document checks what a guardrail is to be, and returns the token of the
// request.
func (c Control) document(body []byte) (token string, err error) {
	root, err := parser{c.Limits}.object(body)
	if err != nil {
		return "", err
	}
	if token, _, err = text(body, root.Get("clientRequestToken"), "clientRequestToken"); err != nil {
		return "", err
	}
	if err := guardrail.CheckBedrock(body); err != nil {
		return "", refused("the guardrail is refused: %w", err)
	}
	name, spec, _, err := guardrail.FromBedrock(body)
	if err == nil {
		var errs []error
		spec.Check("", func(path, format string, args ...any) {
			what := fmt.Sprintf(format, args...)
			if path != "" {
				what = path + ": " + what
			}
			errs = append(errs, errors.New(what))
		})
		err = errors.Join(errs...)
	}
	if err == nil {
		err = c.Shelf.Try(name, spec)
	}
	if err != nil {
		return "", refused("the guardrail is refused: %w", err)
	}
	return token, nil
}

type made struct {
	ID      string `json:"guardrailId"`
	ARN     string `json:"guardrailArn,omitempty"`
	Version string `json:"version"`
	Created string `json:"createdAt,omitempty"`
	Updated string `json:"updatedAt,omitempty"`
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

const draftVersion = "DRAFT"

func (c Control) create(body []byte) (any, error) {
	token, err := c.document(body)
	if err != nil {
		return nil, err
	}
	var named struct{ Name string }
	if err := json.Unmarshal(body, &named); err != nil {
		return nil, refused("the guardrail is refused: %w", err)
	}
	if _, there := c.Shelf.Configured()[named.Name]; there {
		return nil, guardrail.ErrTaken
	}
	r, err := c.Made.Create(body, token, c.Now())
	if err != nil {
		return nil, err
	}
	return made{ID: r.ID, ARN: ARN(r.ID), Version: draftVersion, Created: stamp(r.Created)}, nil
}

// own refuses to change what is written in the configuration.
func (c Control) own(id string) error {
	if _, there := c.Shelf.Configured()[id]; there {
		return conflict("The guardrail %.80q is written in the configuration: change it there.", id)
	}
	return nil
}

func (c Control) update(id string, body []byte) (any, error) {
	if err := c.own(id); err != nil {
		return nil, err
	}
	if _, ok := c.Made.Get(id); !ok {
		return nil, guardrail.ErrNoRail
	}
	if _, err := c.document(body); err != nil {
		return nil, err
	}
	r, err := c.Made.Update(id, body, c.Now())
	if err != nil {
		return nil, err
	}
	c.Shelf.Dropped(id, "")
	return made{ID: r.ID, ARN: ARN(r.ID), Version: draftVersion, Updated: stamp(r.Updated)}, nil
}

func (c Control) publish(id string, body []byte) (any, error) {
	if err := c.own(id); err != nil {
		return nil, err
	}
	var token, description string
	if len(bytes.TrimSpace(body)) > 0 {
		root, err := parser{c.Limits}.object(body)
		if err != nil {
			return nil, err
		}
		if token, _, err = text(body, root.Get("clientRequestToken"), "clientRequestToken"); err != nil {
			return nil, err
		}
		if description, _, err = text(body, root.Get("description"), "description"); err != nil {
			return nil, err
		}
		if len([]rune(description)) > 200 {
			return nil, dialect.Invalid(body, root.Get("description"), "description", "want at most 200 characters")
		}
	}
	version, err := c.Made.Publish(id, token, description, c.Now())
	if err != nil {
		return nil, err
	}
	return made{ID: id, Version: version}, nil
}

func (c Control) remove(id, version string) (any, error) {
	if err := c.own(id); err != nil {
		return nil, err
	}
	r, ok := c.Made.Get(id)
	if !ok {
		return nil, guardrail.ErrNoRail
	}
	if version == draftVersion {
		return nil, refused("a draft is not deleted on its own")
	}
	for _, v := range r.Versions {
		if (version == "" || version == v.Version) && c.Shelf.InForce(id, v.Version) {
			return nil, conflict("Version %s is the guardrail in force.", v.Version)
		}
	}
	var err error
	if version == "" {
		err = c.Made.Delete(id)
	} else {
		err = c.Made.DeleteVersion(id, version)
	}
	if err == nil {
		c.Shelf.Dropped(id, version)
	}
	return struct{}{}, err
}

// shown adds to the members of a guardrail what else GetGuardrail says.
func shown(members map[string]any, id, version, created, updated string, notes []string) map[string]any {
	members["guardrailId"], members["guardrailArn"], members["version"], members["status"] = id, ARN(id), version, "READY"
	if members["createdAt"], members["updatedAt"] = created, updated; len(notes) > 0 {
		members["statusReasons"] = notes
	}
	return members
}

// get returns a guardrail under the names of GetGuardrail.
func (c Control) get(id, version string) (any, error) {
	version = cmp.Or(version, draftVersion)
	r, ok := c.Made.Get(id)
	if !ok {
		return c.configured(id, version)
	}
	document, created, updated := r.Document, r.Created, r.Updated
	description := ""
	if version != draftVersion {
		document = nil
		for _, v := range r.Versions {
			if v.Version == version {
				document, created, updated, description = v.Document, v.Created, v.Created, v.Description
			}
		}
		if document == nil {
			return nil, guardrail.ErrNotKnown
		}
	}
	members, err := guardrail.BedrockMembers(document)
	if err != nil {
		return nil, err
	}
	if description != "" {
		members["description"] = description
	}
	return shown(members, id, version, stamp(created), stamp(updated), r.Notes), nil
}

// configured returns a guardrail of the configuration as Bedrock would write it;
// what it has no word for is among the reasons of its status.
func (c Control) configured(id, version string) (any, error) {
	spec, ok := c.Shelf.Configured()[id]
	if !ok {
		return nil, guardrail.ErrNoRail
	}
	if version != draftVersion {
		var err error
		if spec, err = c.Shelf.Version(id, version); err != nil {
			return nil, err
		}
	}
	request, notes := spec.Bedrock(id)
	members, err := guardrail.BedrockMembers(request)
	if err != nil {
		return nil, err
	}
	epoch := stamp(time.Unix(0, 0))
	return shown(members, id, version, epoch, epoch, notes), nil
}

type summary struct {
	ID          string `json:"id"`
	ARN         string `json:"arn"`
	Status      string `json:"status"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
	Created     string `json:"createdAt"`
	Updated     string `json:"updatedAt"`
}

// mostListed bounds the guardrails of one answer.
const mostListed = 1000

func (c Control) list(r *http.Request) (any, error) {
	q := r.URL.Query()
	all, err := c.summaries(bedrockRef(q.Get("guardrailIdentifier"), "").Name)
	if err != nil {
		return nil, err
	}
	most, from := mostListed, 0
	if s := q.Get("maxResults"); s != "" {
		if most, err = strconv.Atoi(s); err != nil || most < 1 || most > mostListed {
			return nil, refused("maxResults: want a number from 1 to %d", mostListed)
		}
	}
	if s := q.Get("nextToken"); s != "" {
		if from, err = strconv.Atoi(s); err != nil || from < 0 || from > len(all) {
			return nil, refused("nextToken: it is none of ours")
		}
	}
	out := struct {
		Guardrails []summary `json:"guardrails"`
		Next       string    `json:"nextToken,omitempty"`
	}{Guardrails: all[from:min(from+most, len(all))]}
	if from+most < len(all) {
		out.Next = strconv.Itoa(from + most)
	}
	return out, nil
}

// summaries lists the drafts of all guardrails or, with an id, what there is of
// one.
func (c Control) summaries(id string) ([]summary, error) {
	out := []summary{}
	configured := c.Shelf.Configured()
	written := func(name string) {
		epoch := stamp(time.Unix(0, 0))
		out = append(out, summary{name, ARN(name), "READY", name, configured[name].Description, draftVersion, epoch, epoch})
	}
	if id == "" {
		for _, r := range c.Made.List() {
			out = append(out, summary{r.ID, ARN(r.ID), "READY", r.Name, r.Spec.Description, draftVersion, stamp(r.Created), stamp(r.Updated)})
		}
		for _, name := range slices.Sorted(maps.Keys(configured)) {
			written(name)
		}
		return out, nil
	}
	if configured[id] != nil {
		written(id)
		return out, nil
	}
	r, ok := c.Made.Get(id)
	if !ok {
		return nil, guardrail.ErrNoRail
	}
	out = append(out, summary{r.ID, ARN(r.ID), "READY", r.Name, r.Spec.Description, draftVersion, stamp(r.Created), stamp(r.Updated)})
	for _, v := range r.Versions {
		out = append(out, summary{r.ID, ARN(r.ID), "READY", r.Name, v.Description, v.Version, stamp(v.Created), stamp(v.Created)})
	}
	return out, nil
}
