package address

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/ringwall/ringwall"
)

// maxDatabase bounds a MaxMind DB file, in bytes: the largest in use, of cities, has
// some 130 MB.
const maxDatabase = 512 << 20

// Geo knows countries and AS numbers of addresses by MaxMind DB files. The zero value
// knows none. It is safe for concurrent use; a file that was opened later takes the
// place of the one before.
type Geo struct {
	country, asn atomic.Pointer[maxminddb.Reader]
}

// OpenCountry reads the file of countries: GeoLite2-Country, GeoIP2-Country, or one of
// cities. When that fails, the one before stays.
func (g *Geo) OpenCountry(file string) error {
	return openDB(&g.country, file, "a country", func(r maxminddb.Result) bool {
		var code string
		return r.DecodePath(&code, countryPath...) == nil && code != ""
	})
}

// OpenASN reads the file of AS numbers: GeoLite2-ASN, GeoIP2-ISP. When that fails, the
// one before stays.
func (g *Geo) OpenASN(file string) error {
	return openDB(&g.asn, file, "an AS number", func(r maxminddb.Result) bool {
		var n uint32
		return r.DecodePath(&n, asnPath...) == nil && n != 0
	})
}

var (
	countryPath = []any{"country", "iso_code"}
	asnPath     = []any{"autonomous_system_number"}
)

var errNoRecord = errors.New("its first networks have none")

// openDB reads a file whole, for one that is mapped ends the program when somebody
// writes over it, and checks it.
func openDB(into *atomic.Pointer[maxminddb.Reader], file, what string, has func(maxminddb.Result) bool) error {
	src, err := readFile(file, maxDatabase)
	if err != nil {
		return fmt.Errorf("opening a database of addresses: %w", err)
	}
	db, err := maxminddb.OpenBytes(src)
	if err != nil {
		return fmt.Errorf("opening the database of addresses %s: %w: want a MaxMind DB file (.mmdb)", file, err)
	}
	if err := db.Verify(); err != nil {
		return fmt.Errorf("opening the database of addresses %s: it is damaged: %w", file, err)
	}
	found, looked := false, 0
	for r := range db.Networks() {
		if found = has(r); found {
			break
		}
		if looked++; looked > 10000 {
			break
		}
	}
	if !found {
		return fmt.Errorf("opening the database of addresses %s, a %s: want one that knows %s of an address: %w", file, db.Metadata.DatabaseType, what, errNoRecord)
	}
	into.Store(db)
	return nil
}

// readFile reads a file of at most limit bytes.
func readFile(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(src)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", file, limit)
	}
	return src, nil
}

// Client returns what is known of an address.
func (g *Geo) Client(a netip.Addr) ringwall.Client {
	c := ringwall.Client{Addr: plain(a)}
	if g == nil || !c.Addr.IsValid() {
		return c
	}
	// What cannot be read is not known: the file was checked when it was opened.
	if db := g.country.Load(); db != nil {
		_ = db.Lookup(c.Addr).DecodePath(&c.Country, countryPath...)
	}
	if db := g.asn.Load(); db != nil {
		_ = db.Lookup(c.Addr).DecodePath(&c.ASN, asnPath...)
	}
	return c
}
