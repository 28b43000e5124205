package needle

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// measure finds the lengths that the search needs.
func (s *Set) measure() {
	s.least = Longest
	for _, f := range s.forms {
		n := f.end - f.start
		if f.run > 0 {
			n = f.run
		}
		s.least, s.need = min(s.least, n), max(s.need, n)
	}
	s.gram = min(gram, s.least)
	s.mask = ^uint64(0) >> (64 - 8*s.gram)
	s.stride = min(s.least-s.gram+1, maxStride)
	s.bound = max(Longest, s.need)
	s.short = 4
	if s.need >= 24 {
		s.short = 5
	}
	s.idle = make([]bool, len(s.text))
}

// index puts the grams of all forms into their buckets.
func (s *Set) index(shared bool) error {
	grams := 0
	for _, f := range s.forms {
		grams += f.end - f.start - s.gram + 1
	}
	s.size = uint(max(bits.Len(uint(grams)), 9))
	count := make([]uint32, 1<<s.size+1)
	for _, f := range s.forms {
		for p := f.start; p+s.gram <= f.end; p++ {
			count[s.hash(s.load(s.text[p:]))+1]++
		}
	}
	for i := 1; i < len(count); i++ {
		count[i] += count[i-1]
	}
	fill := slices.Clone(count)
	s.places = make([]uint32, grams)
	for _, f := range s.forms {
		for p := f.start; p+s.gram <= f.end; p++ {
			h := s.hash(s.load(s.text[p:]))
			s.places[fill[h]] = uint32(p)
			fill[h]++
		}
	}
	for h := range 1 << s.size {
		s.sort(s.places[count[h]:count[h+1]], shared)
	}
	s.demote()
	kept := uint32(0)
	s.bucket = make([]uint32, len(count))
	for h := range 1 << s.size {
		s.bucket[h] = kept
		kept += uint32(copy(s.places[kept:], s.keep(s.places[count[h]:count[h+1]])))
	}
	s.bucket[1<<s.size] = kept
	s.places = slices.Clone(s.places[:kept])
	s.fill()
	return s.findable()
}

// fill fills the filters.
func (s *Set) fill() {
	s.filter = make([]uint64, 1<<(s.size+finer)/64)
	s.alive = make([]uint64, 1<<(s.size+finer)/64)
	for _, p := range s.places {
		h := s.load(s.text[p:]) * factor >> (64 - s.size - finer)
		s.filter[h/64] |= 1 << (h % 64)
	}
	for _, f := range s.forms {
		for p := f.start; p < f.end; p++ {
			for n := 2; n <= s.short && p+n <= f.end; n++ {
				h := s.shortHash(s.text[p : p+n])
				s.alive[h/64] |= 1 << (h % 64)
			}
		}
	}
}

// sort brings the places of one bucket into the order of their grams, and marks
// what three needles have in common.
func (s *Set) sort(places []uint32, shared bool) {
	if len(places) < 2 {
		return
	}
	slices.SortFunc(places, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(s.load(s.text[a:]), s.load(s.text[b:])), cmp.Compare(a, b))
	})
	if shared {
		return
	}
	for len(places) > 0 {
		n := s.equal(places)
		if s.manyNeedles(places[:n]) {
			for _, p := range places[:n] {
				for k := range s.gram {
					s.idle[int(p)+k] = true
				}
			}
		}
		places = places[n:]
	}
}

// equal returns how many of the places have the gram of the first.
func (s *Set) equal(places []uint32) int {
	n := 1
	for n < len(places) && s.load(s.text[places[n]:]) == s.load(s.text[places[0]:]) {
		n++
	}
	return n
}

// demote has forms that share too much with others be found as a whole only.
func (s *Set) demote() {
	for i := range s.forms {
		f := &s.forms[i]
		own := 0
		for p := f.start; p < f.end && own < f.run; p++ {
			if !s.idle[p] {
				own++
			}
		}
		if own < f.run {
			f.run = 0
			s.need = max(s.need, f.end-f.start)
		}
	}
	s.bound = max(Longest, s.need)
}

// keep returns those of the places of one bucket that are worth it: a few of each
// gram.
func (s *Set) keep(places []uint32) []uint32 {
	if len(places) <= perGram {
		return places
	}
	out := places[:0]
	for len(places) > 0 {
		n, runs, wholes := s.equal(places), 0, 0
		group := slices.Clone(places[:n])
		places = places[n:]
		for _, p := range group {
			if s.formAt(int(p)).run > 0 {
				if runs++; runs > perGram {
					continue
				}
			} else if wholes++; wholes > perWhole {
				continue
			}
			out = append(out, p)
		}
	}
	return out
}

// findable checks that the grams which were kept suffice to find each form that
// is found as a whole, wherever it stands.
func (s *Set) findable() error {
	seen := make([]uint64, len(s.forms)) // bits by the place in the form, modulo the stride
	at := func(p uint32) int {
		i, ok := slices.BinarySearchFunc(s.forms, int(p), func(f form, p int) int { return f.start - p })
		if !ok {
			i--
		}
		return i
	}
	for _, p := range s.places {
		i := at(p)
		seen[i] |= 1 << ((int(p) - s.forms[i].start) % s.stride)
	}
	for i, f := range s.forms {
		if f.run == 0 && seen[i] != 1<<s.stride-1 {
			return &Fault{f.needle, "too much like many others"}
		}
	}
	return nil
}

// manyNeedles reports whether the places lie in three needles or more.
func (s *Set) manyNeedles(places []uint32) bool {
	first, second := -1, -1
	for _, p := range places {
		switch n := s.formAt(int(p)).needle; {
		case first < 0:
			first = n
		case n == first || n == second:
		case second < 0:
			second = n
		default:
			return true
		}
	}
	return false
}

// formAt returns the form that text[p] belongs to.
func (s *Set) formAt(p int) *form {
	lo, hi := 0, len(s.forms)-1
	for lo < hi {
		mid := int(uint(lo+hi+1) >> 1)
		if s.forms[mid].start <= p {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return &s.forms[lo]
}

const factor = 0x9E3779B97F4A7C15 // 2^64 over the golden ratio

func (s *Set) hash(x uint64) uint64 { return x * factor >> (64 - s.size) }

// load reads a gram.
func (s *Set) load(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b) & s.mask
	}
	var x uint64
	for i := range min(len(b), s.gram) {
		x |= uint64(b[i]) << (8 * i)
	}
	return x
}

func (s *Set) shortHash(b []byte) uint64 {
	x := uint64(len(b))
	for _, c := range b {
		x = x<<8 | uint64(c)
	}
	return x * factor >> (64 - s.size - finer)
}

// markCommon marks in the forms what stands in many credentials, so that it does
// not count as a part of one.
func (s *Set) markCommon() {
	for _, c := range common {
		lower := squeeze(nil, lowerASCII([]byte(c)))
		for k := range lower {
			lower[k] = canon[lower[k]]
		}
		for _, f := range s.forms {
			if f.via == Rot13 || f.run == 0 {
				continue
			}
			t := s.text[f.start:f.end]
			if f.via == Reversed {
				t = slices.Clone(t)
				slices.Reverse(t)
			}
			for p := 0; p+len(lower) <= len(t); p++ {
				if string(t[p:p+len(lower)]) != string(lower) {
					continue
				}
				for k := range lower {
					if f.via == Reversed {
						s.idle[f.end-1-p-k] = true
					} else {
						s.idle[f.start+p+k] = true
					}
				}
			}
		}
	}
}

// common are stretches that say nothing of the credential in which they stand:
// the frames of keys, algorithms in ASN.1, headers of tokens, heads of addresses.
var common = []string{
	"-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----",
	"-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----BEGIN DSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----",
	"-----END PRIVATE KEY-----", "-----END EC PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----", "-----END PGP PRIVATE KEY BLOCK-----",
	"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB", "AAAAC3NzaC1lZDI1NTE5", "AAAAB3NzaC1yc2EAAAADAQAB", "ANBgkqhkiG9w0BAQEFAA", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQ",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIs", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJSUzI1NiIs", "sk-ant-api03-", "sk-ant-admin01-", "AGE-SECRET-KEY-1",
	"DefaultEndpointsProtocol=https;AccountName=", ";EndpointSuffix=core.windows.net", ";SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=", "https://hooks.slack.com/services/", "https://discord.com/api/webhooks/",
	"postgresql://", "mongodb+srv://", "localhost:", "sslmode=require", ".database.windows.net", ".amazonaws.com", "xoxb-", "github_pat_", "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "0123456789abcdef", "000000000000000000000000",
}
