package gullible_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/provider/gullible"
)

func post(t *testing.T, url string, body []byte) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestHandler(t *testing.T) {
	m := gullible.New(gullible.Config{})
	srv := httptest.NewServer(m)
	defer srv.Close()
	chat := srv.URL + "/v1/chat/completions"

	t.Run("a whole answer is that of Complete", func(t *testing.T) {
		body := request(user("Hello"))
		res := post(t, chat, body)
		got, _ := io.ReadAll(res.Body)
		want, _ := m.Complete(t.Context(), body)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" || string(got) != string(want) {
			t.Errorf("%s %s", res.Status, got)
		}
	})
	t.Run("a stream has the events of Stream and ends with DONE", func(t *testing.T) {
		body := request(user("Hello"), object{"stream": true})
		res := post(t, chat, body)
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			t.Errorf("%s %v", res.Status, res.Header)
		}
		want := ""
		for data, err := range m.Stream(t.Context(), body) {
			if err != nil {
				t.Fatal(err)
			}
			want += "data: " + string(data) + "\n\n"
		}
		if got, _ := io.ReadAll(res.Body); string(got) != want+"data: [DONE]\n\n" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a malformed request for a stream is refused as JSON", func(t *testing.T) {
		res := post(t, chat, []byte(`{"stream":true,"model":"m","messages":[]}`))
		var doc struct {
			Error struct{ Type, Param string }
		}
		if err := json.NewDecoder(res.Body).Decode(&doc); err != nil || res.StatusCode != 400 || doc.Error.Param != "messages" {
			t.Errorf("%s %+v %v", res.Status, doc, err)
		}
	})
	t.Run("a body that is too long is refused", func(t *testing.T) {
		if res := post(t, chat, make([]byte, 9<<20)); res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s", res.Status)
		}
	})
	t.Run("the model is listed", func(t *testing.T) {
		rec := httptest.NewRecorder()
		m.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/models", nil))
		var list struct {
			Object string
			Data   []struct{ ID, Object string }
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || list.Object != "list" || len(list.Data) != 1 || list.Data[0].ID != "gullible" {
			t.Errorf("%s %v", rec.Body, err)
		}
	})
	t.Run("other ways lead nowhere", func(t *testing.T) {
		for _, tt := range []struct {
			method, path string
			status       int
		}{
			{"GET", "/v1/chat/completions", 405},
			{"POST", "/v1/models", 405},
			{"GET", "/v1/embeddings", 404},
			{"GET", "/", 404},
			{"GET", "/v1/models/gullible", 200},
		} {
			rec := httptest.NewRecorder()
			m.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil))
			if rec.Code != tt.status || !json.Valid(rec.Body.Bytes()) {
				t.Errorf("%s %s: %d %s", tt.method, tt.path, rec.Code, rec.Body)
			}
		}
	})
	t.Run("a client that leaves ends the stream", func(t *testing.T) {
		left := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.ServeHTTP(w, r)
			close(left)
		}))
		defer srv.Close()
		res := post(t, srv.URL+"/v1/chat/completions", request(user("repeat 'ab' 999999 times"), object{"stream": true}))
		if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		<-left
	})
}

func TestCheckListen(t *testing.T) {
	tests := []struct {
		addr     string
		insecure bool
		ok       bool
	}{
		{"127.0.0.1:8080", false, true},
		{"127.8.8.8:0", false, true},
		{"[::1]:8080", false, true},
		{"localhost:8080", false, true},
		{":8080", false, false},
		{"0.0.0.0:8080", false, false},
		{"[::]:8080", false, false},
		{"192.168.1.5:8080", false, false},
		{"[::ffff:10.0.0.1]:80", false, false},
		{"localhost.evil.example:80", false, false},
		{"127.0.0.1.evil.example:80", false, false},
		{"127.1:80", false, false},
		{"127.0.0.1", false, false},
		{"", false, false},
		{"0.0.0.0:8080", true, true},
		{"nonsense", true, false},
	}
	for _, tt := range tests {
		err := gullible.CheckListen(tt.addr, tt.insecure)
		if (err == nil) != tt.ok {
			t.Errorf("CheckListen(%q, %v) = %v", tt.addr, tt.insecure, err)
		}
	}
	if err := gullible.CheckListen(":80", false); err == nil || !strings.Contains(err.Error(), "--i-know-this-is-insecure") {
		t.Errorf("the error %v does not name the flag", err)
	}
}
