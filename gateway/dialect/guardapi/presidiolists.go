package guardapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/pii"
)

// Presidio tells what Presidio's analyzer looks for and what its anonymizer can do
// here. It gives nothing back that was taken out: that is what the gateway itself
// does, for those who may read it.
type Presidio struct{}

var _ gateway.Errands = Presidio{}

// PresidioRoutes are the routes of [Presidio].
var PresidioRoutes = []string{
	"GET /recognizers", "GET /supportedentities", "GET /anonymizers", "GET /deanonymizers", "POST /deanonymize",
}

// Name implements gateway.Errands.
func (Presidio) Name() string { return "presidio" }

// Credential implements gateway.Errands. Presidio has none.
func (Presidio) Credential(r *http.Request) (string, error) { return Analyzer{}.Credential(r) }

// AppendError implements gateway.Errands.
func (Presidio) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	return Analyzer{}.AppendError(dst, h, r, id)
}

// Do implements gateway.Errands.
func (Presidio) Do(_ context.Context, r *http.Request, _ []byte, _ ringwall.Principal) (status int, answer []byte, err error) {
	reasons := slices.Sorted(slices.Values(slices.Concat(pii.Reasons, person.Reasons)))
	names := []string{}
	switch r.URL.Path {
	case "/recognizers":
		for _, reason := range reasons {
			names = append(names, personal+"/"+reason)
		}
	case "/supportedentities":
		for _, reason := range reasons {
			names = append(names, presidioName(reason))
		}
		slices.Sort(names)
	case "/anonymizers":
		names = []string{"hash", "keep", "mask", "redact", "replace"}
	case "/deanonymizers": // there are none
	default:
		return 0, nil, refused("nothing that was taken out is given back here: no operator encrypts; a gateway with restore puts values back into answers")
	}
	answer, err = encode(slices.Compact(names))
	return http.StatusOK, answer, err
}
