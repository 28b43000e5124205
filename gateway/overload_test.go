package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/admit"
)

func TestHints(t *testing.T) {
	h := newHints()
	if _, _, ok := h.find(12345); ok {
		t.Error("a hint of nobody")
	}
	h.keep(0xabcdef00, 3, 77)
	for hash, want := range map[uint64]bool{0xabcdef00: true, 0xabcdef00 + 4096: false, 1: false} {
		c, f, ok := h.find(hash)
		if ok != want || ok && (c != 3 || f != 77) {
			t.Errorf("%x: class %d, flow %d, %v", hash, c, f, ok)
		}
	}
	h.keep(0xabcdef00, 1, 77) // it is trusted less now
	if c, _, _ := h.find(0xabcdef00); c != 1 {
		t.Errorf("class %d", c)
	}
}

func TestShedsAreRecordedNowAndThen(t *testing.T) {
	var s sheds
	at := time.Unix(1000, 0)
	noted := 0
	for range 500 {
		if ok, _ := s.note(at); ok {
			noted++
		}
	}
	ok, skipped := s.note(at.Add(time.Second))
	if noted != shedRecords || !ok || skipped != 480 {
		t.Errorf("%d were recorded, then %v, with %d before it", noted, ok, skipped)
	}
}

// shown is a dialect of which only the credential is asked.
type shown struct{ Dialect }

func (shown) Credential(r *http.Request) (string, error) { return Common{}.Credential(r) }

// What admission adds to a request that is let in at once.
func BenchmarkAdmission(b *testing.B) {
	g := &Gateway{gate: admit.New(admit.Config{Slots: 2048, Wait: time.Second, Queue: 512, Bytes: 1 << 30}), hints: newHints()}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "Bearer rw_abcdefgh_0123456789abcdefghijklmnopqrstuvwxyz")
	r = r.WithContext(ringwall.WithClient(b.Context(), ringwall.Client{Addr: netip.MustParseAddr("2001:db8::1")}))
	x := &exchange{g: g, d: shown{}, r: r}
	x.Principal = ringwall.Principal{ID: "rw_abcdefgh", Tenant: "shop", Trust: ringwall.Customer, Via: "key"}
	b.ReportAllocs()
	for b.Loop() {
		if x.enter() != nil || x.hold(4096) != nil || x.work(b.Context()) != nil {
			b.Fatal("turned away")
		}
		x.ticket.Rest()
		x.ticket.Leave()
	}
}
