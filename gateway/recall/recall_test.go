package recall_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/recall"
)

func TestNobodyReadsAnothers(t *testing.T) {
	m := recall.New(recall.Config{})
	m.Keep("anna", "r1", []byte("hello"))
	if said, err := m.Recall("anna", "r1"); string(said) != "hello" || err != nil {
		t.Errorf("anna reads %q, %v", said, err)
	}
	if said, err := m.Recall("bob", "r1"); said != nil || !errors.Is(err, gateway.ErrForeign) {
		t.Errorf("bob reads %q, %v", said, err)
	}
	m.Keep("bob", "r1", []byte("mine"))
	if said, _ := m.Recall("anna", "r1"); string(said) != "hello" {
		t.Errorf("anna reads %q", said)
	}
	if _, err := m.Recall("anna", "r2"); !errors.Is(err, gateway.ErrForgotten) {
		t.Errorf("an unknown id: %v", err)
	}
}

func TestForgetsTheOldestFirst(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  recall.Config
	}{
		{"by entries", recall.Config{Entries: 2}},
		{"by bytes", recall.Config{Bytes: 3000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := recall.New(tt.cfg)
			long := []byte(strings.Repeat("x", 1000))
			for _, id := range []string{"r1", "r2", "r1", "r3"} {
				m.Keep("anna", id, long)
			}
			for id, want := range map[string]error{"r1": nil, "r2": gateway.ErrForgotten, "r3": nil} {
				if _, err := m.Recall("anna", id); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", id, err, want)
				}
			}
			m.Keep("anna", "r4", make([]byte, 65<<20))
			if _, err := m.Recall("anna", "r4"); tt.cfg.Bytes > 0 && err == nil {
				t.Error("what is too long was kept")
			}
		})
	}
}

func TestForgetsAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := recall.New(recall.Config{TTL: time.Hour})
		m.Keep("anna", "r1", []byte("hello"))
		<-time.After(time.Hour - 1)
		if _, err := m.Recall("anna", "r1"); err != nil {
			t.Error(err)
		}
		<-time.After(1)
		if _, err := m.Recall("anna", "r1"); !errors.Is(err, gateway.ErrForgotten) {
			t.Errorf("after an hour: %v", err)
		}
	})
}
