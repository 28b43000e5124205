package judge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
)

// webhook asks a service of one's own: POST URL with
//
//	{"version":1,"judge":"…","direction":"input","origin":"user","controls":["content"],"text":"…"}
//
// to which it answers 200 and
//
//	{"findings":[{"control":"content","reason":"hate","score":0.9,"start":0,"end":4}]}
//
// with no findings where there is nothing to say. Offsets are those of UTF-8
// bytes; without them a finding is about all of the text. The header
// X-Ringwall-Timestamp has the seconds since 1970, and X-Ringwall-Signature
// "v1=" and the HMAC-SHA256, in hexadecimal, of that number, a dot and the body,
// under the key of the judge ([Sign]). A service refuses what is older than a
// few minutes.
type webhook struct {
	*client
	url, name string
	labels    *labels
}

func newWebhook(cfg *Config, l *labels) (asker, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return &webhook{c, cfg.URL, cfg.Name, l}, nil
}

// Sign returns the signature of a request to a webhook.
func Sign(key, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(timestamp + "."))
	h.Write(body)
	return "v1=" + hex.EncodeToString(h.Sum(nil))
}

func (w *webhook) ask(ctx context.Context, q question) ([]ringwall.Finding, error) {
	keys := make([]string, len(w.labels.controls))
	for i, c := range w.labels.controls {
		keys[i] = key2(c)
	}
	answer, err := w.post(ctx, w.url, struct {
		Version   int      `json:"version"`
		Judge     string   `json:"judge"`
		Direction string   `json:"direction"`
		Origin    string   `json:"origin"`
		Controls  []string `json:"controls"`
		Text      string   `json:"text"`
	}{1, w.name, q.way.String(), q.origin.String(), keys, q.text}, func(h http.Header, sent []byte, key string) {
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		h.Set("X-Ringwall-Timestamp", stamp)
		h.Set("X-Ringwall-Signature", Sign(key, stamp, sent))
	})
	if err != nil {
		// Who knows what the service does once it has read a request.
		var dial *net.OpError
		if !errors.As(err, &dial) || dial.Op != "dial" {
			err = final{err}
		}
		return nil, err
	}
	return readWebhook(answer, q.text, w.labels)
}

// key2 is the name of a control in a guardrail: "prompt_attack".
func key2(control string) string {
	return strings.ReplaceAll(strings.TrimPrefix(control, "inference/"), "-", "_")
}

// readWebhook reads the findings of an answer. The list must be there.
func readWebhook(answer []byte, text string, l *labels) ([]ringwall.Finding, error) {
	var body struct {
		Findings *[]struct {
			Control string   `json:"control"`
			Reason  string   `json:"reason"`
			Score   *float64 `json:"score"`
			Start   *int     `json:"start"`
			End     *int     `json:"end"`
		} `json:"findings"`
	}
	if err := into(answer, &body); err != nil {
		return nil, err
	}
	if body.Findings == nil {
		return nil, unreadable("the answer has no list of findings")
	}
	var fs []ringwall.Finding
	for _, g := range *body.Findings {
		t := Target{Reason: g.Reason}
		for _, c := range l.controls {
			if key2(c) == g.Control || g.Control == "" && len(l.controls) == 1 {
				t.Control = c
			}
		}
		switch {
		case t.Control == "":
			return nil, unreadable("a finding is of a control that the judge does not serve")
		case g.Reason != kebab(g.Reason):
			return nil, unreadable("the reason of a finding is not in kebab-case")
		case g.Score == nil || !share(*g.Score):
			return nil, unreadable("a finding has no score from 0 to 1")
		case (g.Start == nil) != (g.End == nil):
			return nil, unreadable("a finding has half a place")
		}
		if own, ok := l.own[g.Reason]; ok {
			t = own
		}
		f := found(t, *g.Score)
		if g.Start != nil {
			if f.Where = (ringwall.Span{Start: *g.Start, End: *g.End}); f.Where.Start < 0 || f.Where.Empty() || f.Where.End > len(text) || !whole(text, f.Where) {
				return nil, unreadable("a finding lies outside the text")
			}
		}
		fs = append(fs, f)
	}
	return fs, nil
}
