package audit

import "net/netip"

// Address is how much a log keeps of the addresses of clients.
type Address string

// Values of Address. The empty one is AddressWhole.
const (
	AddressWhole     Address = "true"
	AddressNone      Address = "false"
	AddressTruncated Address = "truncated" // the network: /24 of IPv4, /48 of IPv6
)

func (a Address) known() bool {
	return a == "" || a == AddressWhole || a == AddressNone || a == AddressTruncated
}

// keep is what is kept of an address, whoever filled it in. Of what is none, nothing
// is, unless all of it is.
func (a Address) keep(text string) string {
	switch {
	case a == AddressNone:
		return ""
	case a != AddressTruncated || text == "":
		return text
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	bits := 48
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		bits = 24
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
