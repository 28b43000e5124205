package sigv4_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/ringwall/ringwall/internal/sigv4"
)

var (
	now  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	pair = sigv4.Credentials{KeyID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
)

// requests are of the kinds that AWS's clients send to Bedrock.
var requests = []struct{ name, method, url, body string }{
	{"a model", "POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse", `{"a":1}`},
	{"a colon", "POST", "https://h.example/model/anthropic.claude-v2%3A0/converse-stream", `{}`},
	{"an ARN", "POST", "https://h.example/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x/invoke", `x`},
	{"a plain colon", "POST", "http://h.example:8080/model/a:0/invoke", "body"},
	{"no body", "GET", "https://h.example/guardrails?maxResults=3&guardrailIdentifier=a%2Fb+c&x=2&x=1&tilde=~", ""},
	{"no path", "GET", "https://h.example", ""},
	{"other letters", "POST", "https://h.example/model/%C3%A9%20%25/x", "é"},
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Amzn-Bedrock-Trace", "  ENABLED   now ")
	return r
}

// received is r as a server reads it.
func received(t *testing.T, r *http.Request, body string) *http.Request {
	t.Helper()
	var b bytes.Buffer
	r = r.Clone(t.Context())
	r.Body = io.NopCloser(strings.NewReader(body))
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	line, rest, _ := strings.Cut(b.String(), "\r\n")
	got := httptest.NewRequest(r.Method, strings.Fields(line)[1], strings.NewReader(body))
	for h := range strings.SplitSeq(rest, "\r\n") {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			break
		}
		if name == "Host" {
			got.Host = value
		} else {
			got.Header.Add(name, value)
		}
	}
	return got
}

// We accept what the SDK signs, and sign as it does.
func TestAgainstTheSDK(t *testing.T) {
	for _, tt := range requests {
		for _, token := range []string{"", "a-session-token"} {
			t.Run(tt.name+token, func(t *testing.T) {
				body := sha256.Sum256([]byte(tt.body))
				theirs := request(t, tt.method, tt.url, tt.body)
				err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: pair.KeyID, SecretAccessKey: pair.Secret, SessionToken: token},
					theirs, hex.EncodeToString(body[:]), "bedrock", "us-east-1", now)
				if err != nil {
					t.Fatal(err)
				}
				ours := request(t, tt.method, tt.url, tt.body)
				with := pair
				with.Token = token
				sigv4.Sign(ours, []byte(tt.body), with, "us-east-1", "bedrock", now)
				if got, want := ours.Header.Get("Authorization"), theirs.Header.Get("Authorization"); got != want {
					t.Errorf("we sign\n%s\nthe SDK\n%s", got, want)
				}
				r := received(t, theirs, tt.body)
				c, err := sigv4.Parse(r)
				if err != nil {
					t.Fatal(err)
				}
				if c.KeyID != pair.KeyID {
					t.Errorf("KeyID is %q", c.KeyID)
				}
				if err := c.Verify(r, body, pair.Secret, "bedrock", now.Add(time.Minute)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	const url, text = "https://h.example/model/a%3A0/converse?x=1", `{"a":1}`
	for _, tt := range []struct {
		name   string
		change func(r *http.Request)
		body   string
		secret string
		at     time.Duration
		says   string
	}{
		{"as it was sent", nil, text, pair.Secret, 4 * time.Minute, ""},
		{"another body", nil, text + " ", pair.Secret, 0, "another"},
		{"another secret", nil, text, "x", 0, "another"},
		{"too late", nil, text, pair.Secret, 301 * time.Second, "from now"},
		{"too early", nil, text, pair.Secret, -301 * time.Second, "from now"},
		{"another method", func(r *http.Request) { r.Method = "PUT" }, text, pair.Secret, 0, "another"},
		{"another path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/model/a:1/converse", "" }, text, pair.Secret, 0, "another"},
		{"the same path, encoded otherwise", func(r *http.Request) { r.URL.RawPath = "" }, text, pair.Secret, 0, "another"},
		{"another query", func(r *http.Request) { r.URL.RawQuery = "x=2" }, text, pair.Secret, 0, "another"},
		{"another host", func(r *http.Request) { r.Host = "g.example" }, text, pair.Secret, 0, "another"},
		{"another signed header", func(r *http.Request) { r.Header.Set("X-Amzn-Bedrock-Trace", "OFF") }, text, pair.Secret, 0, "another"},
		{"an unsigned header", func(r *http.Request) { r.Header.Set("X-New", "1") }, text, pair.Secret, 0, ""},
		{"another hash", func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			a := r.Header.Get("Authorization")
			r.Header.Set("Authorization", strings.Replace(a, ";x-amz-date", ";x-amz-content-sha256;x-amz-date", 1))
		}, text, pair.Secret, 0, "another hash"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, "POST", url, text)
			sigv4.Sign(r, []byte(text), pair, "eu-central-1", "bedrock", now)
			r = received(t, r, text)
			if tt.change != nil {
				tt.change(r)
			}
			c, err := sigv4.Parse(r)
			if err == nil {
				err = c.Verify(r, sha256.Sum256([]byte(tt.body)), tt.secret, "bedrock", now.Add(tt.at))
			}
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if err == nil && c.Verify(r, sha256.Sum256([]byte(tt.body)), tt.secret, "s3", now) == nil {
				t.Error("a signature for Bedrock counts for S3")
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=K/20261123/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	for _, tt := range []struct{ name, auth, date, says string }{
		{"as it should be", good, "20261123T120000Z", ""},
		{"a bearer token", "Bearer x", "20261123T120000Z", "should begin"},
		{"no date", good, "", "X-Amz-Date"},
		{"another day", good, "20261124T120000Z", "X-Amz-Date"},
		{"the host as HTTP/2 says it", strings.Replace(good, "host;", ":authority;", 1), "20261123T120000Z", ""},
		{"no signature", strings.TrimSuffix(good, ", Signature=00"), "20261123T120000Z", "Credential should read"},
		{"two signatures", good + ", Signature=01", "20261123T120000Z", "each once"},
		{"a short credential", strings.Replace(good, "/bedrock", "", 1), "20261123T120000Z", "Credential should read"},
		{"no key", strings.Replace(good, "=K/", "=/", 1), "20261123T120000Z", "Credential should read"},
		{"an unsigned host", strings.Replace(good, "host;", "", 1), "20261123T120000Z", "host should be signed"},
		{"an unsigned date", strings.Replace(good, ";x-amz-date", "", 1), "20261123T120000Z", "x-amz-date should be signed"},
		{"unsorted names", strings.Replace(good, "host;x-amz-date", "x-amz-date;host", 1), "20261123T120000Z", "sorted"},
		{"a name twice", strings.Replace(good, "host;", "host;host;", 1), "20261123T120000Z", "sorted"},
		{"a header that is not there", strings.Replace(good, "host;", "host;trailer;", 1), "20261123T120000Z", "missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("Authorization", tt.auth)
			if tt.date != "" {
				r.Header.Set("X-Amz-Date", tt.date)
			}
			_, err := sigv4.Parse(r)
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

// In HTTP/2 a client may sign the host by its other name, which is no header here.
func TestTheHostOfHTTP2(t *testing.T) {
	for host, fine := range map[string]bool{"h.example": true, "g.example": false} {
		r := request(t, "POST", "https://h.example/model/m/converse", "{}")
		r.Header[":authority"] = []string{"h.example"}
		sigv4.Sign(r, []byte("{}"), pair, "eu-central-1", "bedrock", now)
		r = received(t, r, "{}")
		delete(r.Header, ":authority")
		r.Host = host
		c, err := sigv4.Parse(r)
		if err == nil {
			err = c.Verify(r, sha256.Sum256([]byte("{}")), pair.Secret, "bedrock", now)
		}
		if (err == nil) != fine {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// Nothing that a stranger writes is taken for a signature, or breaks the reader.
func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=K/20261123/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20261123T120000Z", "/a%3A?x=1")
	f.Fuzz(func(t *testing.T, auth, date, path string) {
		r := httptest.NewRequest("POST", "/", nil)
		if u, err := r.URL.Parse(path); err == nil {
			r.URL = u
		}
		r.Header.Set("Authorization", auth)
		r.Header.Set("X-Amz-Date", date)
		if c, err := sigv4.Parse(r); err == nil && c.Verify(r, sha256.Sum256(nil), "a secret that nobody knows", "bedrock", now) == nil {
			t.Errorf("%q was accepted", auth)
		}
	})
}
