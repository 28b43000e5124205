package judge_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/judge"
)

// A long text is judged to its end, in windows that overlap; one that fails
// fails all of it. What is too long is not sent.
func TestWindows(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	url, _ := asked(t, func(r chatRequest) string {
		text := r.Messages[0].Content
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, text)
		switch {
		case strings.Contains(text, "BOMB"):
			return "unsafe\nS1"
		case strings.Contains(text, "GARBAGE"):
			return "??"
		}
		return "safe"
	})
	prose := strings.Repeat("It is a fine day, and nobody means any harm. ", 100)
	for _, tt := range []struct {
		name, text string
		want       judge.Result
		found      bool
	}{
		{"clean", prose, "answered", false},
		{"in the middle", prose + "BOMB " + prose, "answered", true},
		{"at the end", prose + prose + "BOMB", "answered", true},
		{"on every border", strings.Repeat("BOMB", 1500), "answered", true},
		{"a window that cannot be judged", prose + "GARBAGE" + prose, judge.Unreadable, false},
		{"too long", strings.Repeat("x", 20001), judge.TooLong, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			sent = nil
			mu.Unlock()
			j := made(t, judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: url, Model: "m", Window: 1000, Overlap: 100, Longest: 20000, AtOnce: 4})
			fs, err := j.Judge(t.Context(), ringwall.Input, input(tt.text))
			if r := judge.Of(err); r != tt.want && (err != nil || tt.want != "answered") {
				t.Fatalf("error %v", err)
			}
			if (len(fs) > 0) != tt.found {
				t.Errorf("findings %v", fs)
			}
			for _, f := range fs {
				if !strings.Contains(tt.text[f.Where.Start:f.Where.End], "BOMB") {
					t.Errorf("a finding at %v, where nothing is", f.Where)
				}
			}
			mu.Lock()
			defer mu.Unlock() // a call that was called off may still be answered
			for _, s := range sent {
				if len(s) > 1000 {
					t.Errorf("a window of %d bytes", len(s))
				}
			}
			if tt.want == judge.TooLong && len(sent) > 0 {
				t.Errorf("%d windows were sent", len(sent))
			}
		})
	}
}

// A judge is asked where the embedded score of any control that it serves lies
// in the grey zone, its borders included.
func TestGreyZone(t *testing.T) {
	url, _ := asked(t, func(chatRequest) string { return "unsafe\nS1" })
	zone := func(score float64) judge.Zone {
		return judge.Zone{From: 0.3, To: 0.8, Score: func(ringwall.Direction, ringwall.Text) float64 { return score }}
	}
	for _, tt := range []struct {
		name  string
		zones map[string]judge.Zone
		asked bool
	}{
		{"surely none", map[string]judge.Zone{content: zone(0.29)}, false},
		{"the lower border", map[string]judge.Zone{content: zone(0.3)}, true},
		{"in doubt", map[string]judge.Zone{content: zone(0.5)}, true},
		{"the upper border", map[string]judge.Zone{content: zone(0.8)}, true},
		{"surely one", map[string]judge.Zone{content: zone(0.81)}, false},
		{"one of two controls", map[string]judge.Zone{content: zone(0), attack: zone(0.4)}, true},
		{"neither of two controls", map[string]judge.Zone{content: zone(0), attack: zone(1)}, false},
		{"no zones", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			controls := []string{content}
			if len(tt.zones) > 1 {
				controls = append(controls, attack)
			}
			j := made(t, judge.Config{Kind: judge.LlamaGuard, Controls: controls, URL: url, Model: "m", Zones: tt.zones})
			fs, err := j.Judge(t.Context(), ringwall.Input, input("x"))
			var skip guard.Skip
			if tt.asked != (err == nil && len(fs) == 1) || !tt.asked != (errors.As(err, &skip) && string(skip) == judge.NotInGreyZone) {
				t.Errorf("%v, %v", fs, err)
			}
		})
	}
}
