package gateway

// browser is the credential of a browser that shows no other.
func (x *exchange) browser(bearer string) string {
	if bearer == "" && x.g.cfg.Cookie != nil {
		return x.g.cfg.Cookie(x.r)
	}
	return bearer
}
