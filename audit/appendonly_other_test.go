//go:build !linux

package audit_test

import "errors"

func setAppendOnly(string, bool) error { return errors.ErrUnsupported }
