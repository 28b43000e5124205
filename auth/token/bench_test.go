package token_test

import (
	"context"
	"testing"
	"time"

	"github.com/ringwall/ringwall/auth/token"
)

func BenchmarkAuthenticate(b *testing.B) {
	for _, k := range []pair{newRSA(0, "r"), newEC("e"), newEd("d")} {
		o := newOP(b, k)
		s := newScene(b, token.Config{}, mainOf(o))
		text := sign(b, k, s.claims(o, "roles", []string{"a", "b"}, "email", "alice@example.org", "scope", "openid profile email"))
		s.accepted(b, text)
		b.Run(k.alg+"/remembered", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Authenticate(context.Background(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
		never := newScene(b, token.Config{Keep: time.Nanosecond}, mainOf(o))
		never.accepted(b, text)
		b.Run(k.alg+"/verified", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := never.Authenticate(context.Background(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
