package address_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/waf/address"
)

// database writes a MaxMind DB file with a record for each network.
func database(t testing.TB, file, kind string, records map[string]mmdbtype.DataType) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, Description: map[string]string{"en": "of a test"}, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, record := range records {
		_, n, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(n, record); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func country(code string) mmdbtype.DataType {
	return mmdbtype.Map{"continent": mmdbtype.Map{"code": mmdbtype.String("EU")}, "country": mmdbtype.Map{"iso_code": mmdbtype.String(code), "geoname_id": mmdbtype.Uint32(7)}}
}

func asn(n uint32) mmdbtype.DataType {
	return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(n), "autonomous_system_organization": mmdbtype.String("Example")}
}

func countries(t testing.TB, dir string) string {
	return database(t, filepath.Join(dir, "country.mmdb"), "GeoLite2-Country", map[string]mmdbtype.DataType{
		"203.0.113.0/24": country("DE"), "198.51.100.0/24": country("KP"), "2001:db8::/32": country("FR"),
		"192.0.2.0/24": mmdbtype.Map{"continent": mmdbtype.Map{"code": mmdbtype.String("EU")}},
	})
}

func TestGeo(t *testing.T) {
	dir := t.TempDir()
	var g address.Geo
	if c := g.Client(netip.MustParseAddr("203.0.113.9")); c.Country != "" || c.ASN != 0 {
		t.Errorf("without databases: %+v", c)
	}
	if err := g.OpenCountry(countries(t, dir)); err != nil {
		t.Fatal(err)
	}
	numbers := database(t, filepath.Join(dir, "asn.mmdb"), "GeoLite2-ASN", map[string]mmdbtype.DataType{"203.0.113.0/25": asn(64500)})
	if err := g.OpenASN(numbers); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		addr string
		want ringwall.Client
	}{
		{"203.0.113.9", ringwall.Client{Country: "DE", ASN: 64500}},
		{"::ffff:203.0.113.9", ringwall.Client{Country: "DE", ASN: 64500}},
		{"203.0.113.200", ringwall.Client{Country: "DE"}},
		{"2001:db8::7", ringwall.Client{Country: "FR"}},
		{"192.0.2.1", ringwall.Client{}},
		{"10.0.0.1", ringwall.Client{}},
		{"fe80::1%eth0", ringwall.Client{}},
	} {
		got := g.Client(netip.MustParseAddr(tt.addr))
		tt.want.Addr = netip.MustParseAddr(tt.addr).Unmap().WithZone("")
		if got != tt.want {
			t.Errorf("Client(%s) = %+v, want %+v", tt.addr, got, tt.want)
		}
	}

	whole, err := os.ReadFile(filepath.Join(dir, "country.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.mmdb")
	for _, tt := range []struct{ name, src, want string }{
		{"nothing", "", "want a MaxMind DB file"},
		{"text", "203.0.113.0/24 DE\n", "want a MaxMind DB file"},
		{"cut", string(whole[:len(whole)/2]), "want a MaxMind DB file"},
		{"a byte in the tree is another", string(whole[:40]) + "\xFF\xFF\xFF\xFF" + string(whole[44:]), "damaged"},
	} {
		if err := os.WriteFile(bad, []byte(tt.src), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := g.OpenCountry(bad); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := g.OpenCountry(numbers); err == nil || !strings.Contains(err.Error(), "want one that knows a country") {
		t.Errorf("the other database: %v", err)
	}
	if err := g.OpenASN(filepath.Join(dir, "none.mmdb")); err == nil {
		t.Error("a file that is not there was opened")
	}
	if c := g.Client(netip.MustParseAddr("203.0.113.9")); c.Country != "DE" || c.ASN != 64500 {
		t.Errorf("behind files that could not be opened: %+v", c)
	}
}

func BenchmarkGeo(b *testing.B) {
	var g address.Geo
	if err := g.OpenCountry(countries(b, b.TempDir())); err != nil {
		b.Fatal(err)
	}
	a := netip.MustParseAddr("203.0.113.9")
	b.ReportAllocs()
	for b.Loop() {
		g.Client(a)
	}
}
