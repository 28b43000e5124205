package matrix

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/suites/go/house"
)

// Each client writes a call and its result down in its own way, and they count as what
// went through the gateway; a turn that the client brings along does not. Each cell is a
// conversation of its own, in which no other one's turns count.
func TestHistory(t *testing.T) {
	before, asked := history(t) // of other tests
	for _, d := range dialects {
		for _, p := range house.Providers {
			if d.without(feature{name: "tools"}) {
				continue
			}
			for _, stream := range []bool{false, true} {
				if err := said("tools", stream)(t.Context(), cell{d, p.Name}); err != nil {
					t.Errorf("%s before %s, streamed: %v: %v", d.name, p.Name, stream, err)
				}
				asked += 2
				if n := unverified(t, asked); n != before {
					t.Fatalf("%s before %s, streamed: %v: a turn is taken as unverified", d.name, p.Name, stream)
				}
			}
		}
	}
	made := before
	for _, d := range dialects {
		if d.without(feature{name: "turns"}) {
			continue
		}
		if err := said("text", false)(t.Context(), cell{d, "openai"}); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		asked, made = asked+1, made+1
		if n := unverified(t, asked); n != made {
			t.Fatalf("%s: a turn that nobody said is taken as the model's", d.name)
		}
	}
}

// unverified waits until that many conversations were looked at, and returns how many of
// them had turns that are not the model's.
func unverified(t *testing.T, asked int) int {
	t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		n, looked := history(t)
		if looked == asked {
			return n
		}
		select {
		case <-deadline:
			t.Fatalf("%d of %d conversations were looked at", looked, asked)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// history is how many conversations had such turns so far, and how many were looked at.
func history(t *testing.T) (unverified, looked int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(h.Scenes.URL, "/v1")+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.Scenes.Key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the metrics: %s %s, %v", resp.Status, b, err)
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, "} ")
		if !strings.Contains(name, `control="inference/history"`) {
			continue
		}
		var n int
		if _, err := fmt.Sscan(value, &n); err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(name, "ringwall_findings_total"):
			unverified += n
		case strings.HasPrefix(name, "ringwall_looks_total") && strings.Contains(name, `"ran"`):
			looked += n
		}
	}
	return unverified, looked
}
