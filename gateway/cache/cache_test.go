package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/cache"
)

// Whatever an answer depends on has a key of its own.
func TestKeys(t *testing.T) {
	type asked struct {
		p                   ringwall.Principal
		guardrail, provider string
		call                ringwall.Call
	}
	base := func() asked {
		return asked{
			ringwall.Principal{ID: "k1", Tenant: "shop", Trust: ringwall.Staff},
			"default@1", "openai",
			ringwall.Call{API: "openai", Model: "m", Header: map[string]string{"Beta": "x"}, Body: []byte(`{"temperature":0,"a":1}`)},
		}
	}
	c := cache.New(cache.Config{})
	seen := map[gateway.Key]string{}
	for name, change := range map[string]func(*asked){
		"the same":        func(*asked) {},
		"another caller":  func(a *asked) { a.p.ID = "k2" },
		"another tenant":  func(a *asked) { a.p.Tenant = "bank" },
		"borders between": func(a *asked) { a.p.Tenant, a.p.ID = "shopk", "1" },
		"a guardrail":     func(a *asked) { a.guardrail = "default@2" },
		"a provider":      func(a *asked) { a.provider = "azure" },
		"a dialect":       func(a *asked) { a.call.API = "anthropic" },
		"a model":         func(a *asked) { a.call.Model = "n" },
		"a header":        func(a *asked) { a.call.Header = map[string]string{"Beta": "y"} },
		"a stream":        func(a *asked) { a.call.Stream = true },
		"a body":          func(a *asked) { a.call.Body = []byte(`{"temperature":0,"a":2}`) },
	} {
		a := base()
		change(&a)
		key, ok := c.Key(a.p, a.guardrail, a.provider, a.call)
		if other, twice := seen[key]; !ok || twice {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
	}
}

func TestWhatIsKept(t *testing.T) {
	for _, tt := range []struct {
		body         string
		certain, any bool
	}{
		{`{"temperature":0}`, true, true},
		{`{"temperature":0.0}`, true, true},
		{`{"temperature":-0e5}`, true, true},
		{`{"temperature":0.1}`, false, true},
		{`{"temperature":"0"}`, false, true},
		{`{"temperature":null}`, false, true},
		{`{}`, false, true},
		{`{"inferenceConfig":{"temperature":0}}`, true, true},
		{`{"generationConfig":{"temperature":0}}`, true, true},
		{`{"generationConfig":{"temperature":1}}`, false, true},
		{`{"metadata":{"temperature":0}}`, false, true},
		{`[0]`, false, true},
		{`garbage`, false, true},
	} {
		for _, all := range []bool{false, true} {
			want := tt.certain
			if all {
				want = tt.any
			}
			if _, ok := cache.New(cache.Config{AnyTemperature: all}).Key(ringwall.Principal{}, "", "", ringwall.Call{Body: []byte(tt.body)}); ok != want {
				t.Errorf("%s, any %v: %v", tt.body, all, ok)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{Bytes: 100 << 10, TTL: time.Minute})
		key := func(i int) (k gateway.Key) { copy(k[:], fmt.Sprint(i)); return k }
		answer := gateway.Kept{Body: []byte(strings.Repeat("a", 1024)), Events: [][]byte{make([]byte, 1000)}}
		for i := range 1000 {
			c.Put(key(i), answer)
			c.Put(key(i), answer)
			c.Get(key(0)) // which is used all the time
			if c.Bytes() > 100<<10 {
				t.Fatalf("%d bytes behind %d answers", c.Bytes(), i)
			}
		}
		for i, want := range map[int]bool{0: true, 1: false, 999: true, 1000: false} {
			if got, ok := c.Get(key(i)); ok != want || ok && len(got.Body) != 1024 {
				t.Errorf("answer %d is kept: %v", i, ok)
			}
		}
		c.Put(key(2000), gateway.Kept{Body: make([]byte, 50<<10)})
		if _, ok := c.Get(key(2000)); ok {
			t.Error("half of the cache is one answer")
		}
		<-time.After(time.Minute + 1)
		if _, ok := c.Get(key(0)); ok {
			t.Error("an old answer is given")
		}
	})
}
