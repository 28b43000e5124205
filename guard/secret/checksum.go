package secret

import (
	"bytes"
	"encoding/hex"
	"hash/crc32"
)

// Scores of credentials that carry a checksum, and of those that name themselves
// an example.
const (
	proved  = 1
	made    = 0.99 // no checksum is known
	doubted = 0.5  // the checksum is wrong, or it is an example: such stand in many documents
)

// sure returns how sure it is that the body behind the prefix of r is a
// credential: tokens of GitHub and npm end in the CRC-32 of what goes before, in
// base62; those of Grafana in hexadecimal.
func (r *rule) sure(body []byte) float64 {
	switch {
	case r.min == 36 && (bytes.HasPrefix([]byte(r.prefix), []byte("gh")) || r.prefix == "npm_"):
		if base62(body[30:36]) == uint64(crc32.ChecksumIEEE(body[:30])) {
			return proved
		}
		return doubted
	case r.prefix == "glsa_" && body[32] == '_' && len(body) > 40:
		var sum [4]byte
		if n, err := hex.Decode(sum[:], body[33:41]); err != nil || n < 4 {
			return made
		}
		want := crc32.Update(crc32.ChecksumIEEE([]byte(r.prefix)), crc32.IEEETable, body[:32])
		if got := uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3]); got == want {
			return proved
		}
	case r.min == 16 && r.class == upper32 && bytes.Contains(body, []byte("EXAMPLE")):
		return doubted
	}
	return made
}

// base62 reads digits, capitals and small letters as the digits of a number.
func base62(v []byte) (n uint64) {
	for _, c := range v {
		d := c - '0'
		switch {
		case isLower(c):
			d = c - 'a' + 36
		case 'A' <= c && c <= 'Z':
			d = c - 'A' + 10
		}
		n = n*62 + uint64(d)
	}
	return n
}
