package checkdigit_test

import (
	"testing"

	"github.com/ringwall/ringwall/internal/checkdigit"
)

// Every published example fits, none does with another digit in any place, nor
// with two different neighbours exchanged where the formula promises that.
func TestFormulas(t *testing.T) {
	for _, tt := range []struct {
		name  string
		check func([]byte) bool
		swaps bool // all exchanges of neighbours are seen; Luhn misses 09 and 90
		good  []string
	}{
		{"Luhn", checkdigit.Luhn, false, []string{"4111111111111111", "79927398713", "490154203237518"}},
		{"MOD 11,10", checkdigit.Mod11And10, false, []string{"86095742719", "69435151530"}},
		{"Verhoeff", checkdigit.Verhoeff, true, []string{"2363", "758722"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range tt.good {
				v := []byte(s)
				if !tt.check(v) {
					t.Errorf("%s does not fit", s)
				}
				for i, was := range v {
					for d := byte('0'); d <= '9'; d++ {
						if v[i] = d; tt.check(v) != (d == was) {
							t.Errorf("%s, of %s: %v", v, s, d != was)
						}
					}
					v[i] = was
				}
				for i := 1; tt.swaps && i < len(v); i++ {
					v[i-1], v[i] = v[i], v[i-1]
					if v[i-1] != v[i] && tt.check(v) {
						t.Errorf("%s, of %s, fits", v, s)
					}
					v[i-1], v[i] = v[i], v[i-1]
				}
			}
			if tt.check(nil) {
				t.Error("nothing fits")
			}
		})
	}
}
