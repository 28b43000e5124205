package gateway

import "context"

// afford sets aside what the request may cost, or refuses it. What it did cost is
// settled with the exchange.
func (x *exchange) afford(context.Context) error { return nil }
