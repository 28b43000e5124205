package ringwall

import (
	"errors"
	"fmt"
	"time"
)

// Conditions that callers test with errors.Is.
var (
	ErrUnauthenticated = errors.New("ringwall: unauthenticated")
	ErrRefused         = errors.New("ringwall: refused by policy")
	ErrForbidden       = errors.New("ringwall: not permitted")
	ErrQuotaExceeded   = errors.New("ringwall: quota exceeded")
	ErrUnavailable     = errors.New("ringwall: unavailable")
	ErrUncarried       = errors.New("ringwall: no word for it in the provider's API")
)

// Refusal is the error that a client may see. Public says nothing about the
// rule that fired; Err is for the operator and the record.
type Refusal struct {
	Status int           // HTTP status
	Code   string        // stable, snake_case, in the client's dialect: "content_filter"
	Public string        // what the client reads
	Err    error         // what the operator reads
	After  time.Duration // when to try again; 0: nobody knows, less: never
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Public)
	}
	return fmt.Sprintf("%d %s: %v", r.Status, r.Code, r.Err)
}

func (r *Refusal) Unwrap() error { return r.Err }
