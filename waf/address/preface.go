package address

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strconv"
	"strings"
)

// Sizes of headers of the PROXY protocol, in bytes (HAProxy's proxy-protocol.txt).
const (
	maxV1  = 107  // §2.1: the longest line, its end included
	fixed2 = 16   // §2.2: what stands before addresses and TLVs
	maxV2  = 4096 // §2.2 allows 65,551; TLVs of 500 bytes are many
)

// signature2 begins a header of version 2.
const signature2 = "\r\n\r\n\x00\r\nQUIT\n"

var (
	// errMore says that what is there is the beginning of a header.
	errMore     = errors.New("the header of the PROXY protocol is not whole")
	errNoHeader = errors.New("it does not begin with a header of the PROXY protocol")
	errV1       = errors.New("the header of the PROXY protocol, version 1, is malformed")
	errV2       = errors.New("the header of the PROXY protocol, version 2, is malformed")
	errSum      = errors.New("the checksum of the header of the PROXY protocol is another")
)

// parsePreface reads the header of the PROXY protocol that b begins with: the
// address that the connection comes from, the zero one where the proxy speaks for
// itself, and how many bytes it is. The error is [errMore] where b is too short to
// tell.
func parsePreface(b []byte) (from netip.AddrPort, n int, err error) {
	switch {
	case bytes.HasPrefix(b, []byte(signature2)):
		return parseV2(b)
	case strings.HasPrefix(signature2, string(b)):
		return from, 0, errMore
	}
	line, _, whole := bytes.Cut(b[:min(len(b), maxV1)], []byte("\r\n"))
	const v1 = "PROXY "
	switch {
	case !bytes.HasPrefix(b, []byte(v1[:min(len(b), len(v1))])):
		return from, 0, errNoHeader
	case !whole && len(b) < maxV1:
		return from, 0, errMore
	case !whole:
		return from, 0, errV1
	}
	if from, err = parseV1(string(line)); err != nil {
		return netip.AddrPort{}, 0, err
	}
	return from, len(line) + 2, nil
}

// parseV1 reads the line of a header of version 1, without its end.
func parseV1(line string) (from netip.AddrPort, err error) {
	words := strings.Split(line, " ")
	if len(words) >= 2 && words[1] == "UNKNOWN" {
		return from, nil
	}
	if len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6" {
		return from, errV1
	}
	var ends [2]netip.AddrPort
	for i := range ends {
		a, err := netip.ParseAddr(words[2+i])
		if err != nil || a.Zone() != "" || a.Is4() != (words[1] == "TCP4") {
			return from, errV1
		}
		port, err := strconv.ParseUint(words[4+i], 10, 16)
		if err != nil || words[4+i] != strconv.FormatUint(port, 10) {
			return from, errV1
		}
		ends[i] = netip.AddrPortFrom(a.Unmap(), uint16(port))
	}
	return ends[0], nil
}

// parseV2 reads a header of version 2 that begins with its signature.
func parseV2(b []byte) (from netip.AddrPort, n int, err error) {
	if len(b) < fixed2 {
		return from, 0, errMore
	}
	command, family := b[12], b[13]
	body := int(binary.BigEndian.Uint16(b[14:]))
	n = fixed2 + body
	switch {
	case command>>4 != 2 || command&0xF > 1:
		return from, 0, errV2
	case n > maxV2:
		return from, 0, fmt.Errorf("%w: it has %d bytes, more than %d", errV2, n, maxV2)
	case len(b) < n:
		return from, 0, errMore
	}
	addrs := map[byte]int{0x11: 12, 0x21: 36}[family] // TCP over IPv4, over IPv6
	local := command&0xF == 0
	switch {
	case addrs == 0 && (family>>4 > 3 || family&0xF > 2):
		return from, 0, errV2
	case addrs == 0:
		// Not told, datagrams, a Unix socket: the receiver takes the connection's own
		// address, and skips the rest unread (§2.2).
		return from, n, nil
	case body < addrs:
		return from, 0, errV2
	}
	if err := checkTLVs(b[:n], fixed2+addrs); err != nil {
		return from, 0, err
	}
	if local {
		return from, n, nil
	}
	data := b[fixed2:]
	var a netip.Addr
	var port uint16
	if family == 0x11 {
		a, port = netip.AddrFrom4([4]byte(data[:4])), binary.BigEndian.Uint16(data[8:])
	} else {
		a, port = netip.AddrFrom16([16]byte(data[:16])).Unmap(), binary.BigEndian.Uint16(data[32:])
	}
	return netip.AddrPortFrom(a, port), n, nil
}

// checkTLVs checks that the TLVs from at on fill the header, and its checksum where
// it has one (§2.2.3).
func checkTLVs(header []byte, at int) error {
	for at < len(header) {
		if len(header)-at < 3 {
			return errV2
		}
		size := int(binary.BigEndian.Uint16(header[at+1:]))
		if size > len(header)-at-3 {
			return errV2
		}
		if header[at] == 0x03 { // PP2_TYPE_CRC32C
			if size != 4 {
				return errV2
			}
			sum := binary.BigEndian.Uint32(header[at+3:])
			blank := bytes.Clone(header)
			clear(blank[at+3 : at+7])
			if crc32.Checksum(blank, castagnoli) != sum {
				return errSum
			}
		}
		at += 3 + size
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
