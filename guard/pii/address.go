package pii

import (
	"bytes"
	"crypto/sha256"

	"github.com/ringwall/ringwall/guard/stream"
)

// coin is how the addresses of a currency are written: in base 58 behind a byte
// of version, or in base 32 behind a prefix (BIP 173).
type coin struct {
	heads   string // first characters in base 58
	version []byte
	prefix  string
	reason  string
}

var coins = []coin{
	{"13", []byte{0x00, 0x05}, "bc1", BitcoinAddress},
	{"LM", []byte{0x30, 0x32}, "ltc1", CryptoAddress}, // Litecoin
	{"D9A", []byte{0x1E, 0x16}, "", CryptoAddress},    // Dogecoin
	{"X7", []byte{0x4C, 0x10}, "", CryptoAddress},     // Dash
	{"T", []byte{0x41}, "", CryptoAddress},            // Tron
	{"mn2", []byte{0x6F, 0xC4}, "tb1", BitcoinAddress},
	{"", nil, "addr1", CryptoAddress}, // Cardano
	{"", nil, "cosmos1", CryptoAddress},
}

const maxWallet = 110

// address reads the word t[i:e] as the address of a wallet. One whose check sum
// is right, or of a form of its own, needs no word before it.
func (c *cursor) address(w stream.Window, i, e int) (start, end int, p pattern, look stream.Look) {
	v := w.Clean[i:e]
	n := len(v)
	if n < 25 || n > maxWallet {
		return i, e, p, stream.No
	}
	if n == 42 && v[0] == '0' && v[1]|0x20 == 'x' {
		switch score := ethereum(v[2:]); {
		case score > 0:
			return i, e, pattern{EthereumAddress, medium, score, nil}, stream.Yes
		case score < 0:
			return i, e, p, stream.No
		}
	}
	reason := ""
	for k := range coins {
		coin := &coins[k]
		if n <= 35 && bytes.IndexByte([]byte(coin.heads), v[0]) >= 0 {
			if base58check(v, coin.version) {
				return i, e, pattern{coin.reason, medium, certain, nil}, stream.Yes
			}
			reason = coin.reason
		}
		if coin.prefix != "" && n > len(coin.prefix) && bytes.EqualFold(v[:len(coin.prefix)], []byte(coin.prefix)) {
			if bech32(v, len(coin.prefix)-1) {
				return i, e, pattern{coin.reason, medium, certain, nil}, stream.Yes
			}
			reason = coin.reason
		}
	}
	if n >= 43 && n <= 44 || n == 95 || v[0] == 'r' && n <= 35 { // Solana, Monero, XRP
		reason = CryptoAddress
	}
	if n == 42 && v[0] == '0' && v[1]|0x20 == 'x' {
		reason = EthereumAddress
	}
	if reason == "" {
		return i, e, p, stream.No
	}
	far, near := c.before(w, i)
	if column := c.table.at(w.Folded, i, w.Base); near.any(wallet) || far.any(wallet) || column != nil && column.any(wallet) {
		return i, e, pattern{reason, medium, named, nil}, stream.Yes
	}
	return i, e, p, stream.No
}

// ethereum says how sure it is that 40 hexadecimal digits are an address: in
// letters of one case by their look, in both by their check sum (EIP-55). Below
// zero, they are none.
func ethereum(v []byte) float64 {
	digits, capital, small := 0, 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case !isHex(c):
			return -1
		case c >= 'a':
			small++
		default:
			capital++
		}
	}
	switch {
	case digits == 0 || capital+small == 0:
		return -1
	case capital == 0 || small == 0:
		return own
	}
	sum := keccak256(bytes.ToLower(v))
	for i, c := range v {
		if high := sum[i/2]>>(4*(1-i%2))&8 != 0; isLetter(c) && high != (c < 'a') {
			return 0
		}
	}
	return certain
}

// base58check reports whether v is 25 bytes of which the last four begin the
// double hash of the others, and the first is one of versions.
func base58check(v, versions []byte) bool {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var raw [25]byte
	for _, c := range v {
		carry := indexOf(alphabet, c)
		if carry < 0 {
			return false
		}
		for k := len(raw) - 1; k >= 0; k-- {
			carry += int(raw[k]) * 58
			raw[k] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return false
		}
	}
	if bytes.IndexByte(versions, raw[0]) < 0 {
		return false
	}
	once := sha256.Sum256(raw[:21])
	twice := sha256.Sum256(once[:])
	return bytes.Equal(twice[:4], raw[21:])
}

// bech32 checks an address in base 32 (BIP 173 and BIP 350) whose separator is
// v[sep].
func bech32(v []byte, sep int) bool {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	sum := uint32(1)
	step := func(x byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(x)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 != 0 {
				sum ^= g
			}
		}
	}
	for _, c := range v[:sep] {
		step((c | 0x20) >> 5)
	}
	step(0)
	for _, c := range v[:sep] {
		step((c | 0x20) & 31)
	}
	capital, small := false, false
	for _, c := range v[sep+1:] {
		capital, small = capital || 'A' <= c && c <= 'Z', small || 'a' <= c
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		x := indexOf(alphabet, c)
		if x < 0 {
			return false
		}
		step(byte(x))
	}
	return (sum == 1 || sum == 0x2bc830a3) && capital != small
}
