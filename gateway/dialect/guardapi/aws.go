package guardapi

import (
	"net/http"

	"github.com/ringwall/ringwall"
)

// awsError is how APIs of Amazon Bedrock refuse: SDKs read the kind from the
// header first.
func awsError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	kind := "ValidationException"
	switch {
	case r.Code == "conflict":
		kind = "ConflictException"
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		kind = "AccessDeniedException"
	case r.Status == http.StatusNotFound:
		kind = "ResourceNotFoundException"
	case r.Code == "quota":
		kind = "ServiceQuotaExceededException"
	case r.Status == http.StatusTooManyRequests:
		kind = "ThrottlingException"
	case r.Status == http.StatusServiceUnavailable:
		kind = "ServiceUnavailableException"
	case r.Status >= 500:
		kind = "InternalServerException"
	}
	h.Set("X-Amzn-Errortype", kind)
	h.Set("X-Amzn-Requestid", id)
	return errorBody(dst, map[string]string{"__type": kind, "message": r.Public + " (reference " + id + ")"})
}
