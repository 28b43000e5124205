package auth

import (
	"crypto/rand"
	"errors"
	"hash/crc32"
)

// The parts of a key text, see the package comment.
const (
	mark     = "rw_"
	idLen    = 8
	randLen  = 32
	sumLen   = 6
	idEnd    = len(mark) + idLen
	sumStart = idEnd + 1 + randLen
	textLen  = sumStart + sumLen

	idAlphabet = "abcdefghijkmnpqrstuvwxyz23456789" // 32 that are hard to confuse
	base62     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// What may be wrong with the shape of a key. The text itself is never repeated.
var (
	errNotAKey  = errors.New("this is no key of ours: want rw_, 8 characters, _, 38 characters")
	errChecksum = errors.New("the key is damaged, its checksum does not fit: was it copied whole?")
)

// keyBytes is a key text on the stack.
type keyBytes [textLen]byte

// parse checks the shape of a key text and returns its bytes; the id is that of
// keyBytes.id. It makes no statement on whether the key exists.
func parse(text string) (keyBytes, error) {
	var k keyBytes
	if len(text) != textLen || text[:len(mark)] != mark || text[idEnd] != '_' {
		return k, errNotAKey
	}
	copy(k[:], text)
	for _, c := range k[len(mark):idEnd] {
		if !idByte[c] {
			return keyBytes{}, errNotAKey
		}
	}
	for _, c := range k[idEnd+1:] {
		if !isBase62(c) {
			return keyBytes{}, errNotAKey
		}
	}
	if k.checksum() != [sumLen]byte(k[sumStart:]) {
		return keyBytes{}, errChecksum
	}
	return k, nil
}

// checksum is the CRC-32 of what stands before it, in base 62, most significant
// digit first.
func (k *keyBytes) checksum() (sum [sumLen]byte) {
	n := ^uint32(0)
	for _, c := range k[:sumStart] { // crc32.ChecksumIEEE would move k to the heap
		n = crc32.IEEETable[byte(n)^c] ^ n>>8
	}
	n = ^n
	for i := sumLen - 1; i >= 0; i-- {
		sum[i] = base62[n%62]
		n /= 62
	}
	return sum
}

// newKey makes a key text from the randomness of the system, which never fails.
func newKey() keyBytes {
	var k keyBytes
	copy(k[:], mark)
	random(k[len(mark):idEnd], idAlphabet)
	k[idEnd] = '_'
	random(k[idEnd+1:sumStart], base62)
	sum := k.checksum()
	copy(k[sumStart:], sum[:])
	return k
}

// random fills b with characters of alphabet, each as likely as any other.
func random(b []byte, alphabet string) {
	fair := 256 - 256%len(alphabet) // bytes from here on would favour the first characters
	var pool [64]byte
	for i := 0; i < len(b); {
		_, _ = rand.Read(pool[:]) // never fails
		for _, c := range pool {
			if int(c) < fair && i < len(b) {
				b[i] = alphabet[int(c)%len(alphabet)]
				i++
			}
		}
	}
}

// idByte tells the characters of ids.
var idByte = func() (in [256]bool) {
	for _, c := range []byte(idAlphabet) {
		in[c] = true
	}
	return in
}()

func isBase62(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
