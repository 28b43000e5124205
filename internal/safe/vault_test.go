package safe_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/safe"
)

// vault answers as Vault 1.14 does: the bodies are shaped as its API documents
// them. What it keeps is "hush" under "key", and the name of the namespace.
func vault(w http.ResponseWriter, r *http.Request) {
	errs := func(status int, texts ...string) {
		w.WriteHeader(status)
		if texts == nil {
			texts = []string{}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": texts})
	}
	if r.Header.Get("X-Vault-Token") != "good" {
		errs(403, "permission denied")
		return
	}
	if r.Header.Get("X-Vault-Request") != "true" {
		errs(400, "missing header")
		return
	}
	const lease = `"request_id":"c3b1","lease_id":"","renewable":false,"lease_duration":%d,"wrap_info":null,"auth":null`
	head := fmt.Sprintf(lease, 0)
	const prefix = "/v1/sys/internal/ui/mounts/"
	if path, ok := strings.CutPrefix(r.URL.Path, prefix); ok {
		switch {
		case strings.HasPrefix(path, "secret/"):
			fmt.Fprintf(w, `{%s,"data":{"accessor":"kv_1","options":{"version":"2"},"path":"secret/","type":"kv"},"warnings":null}`, head)
		case strings.HasPrefix(path, "team/kv/"):
			fmt.Fprintf(w, `{%s,"data":{"accessor":"kv_2","options":{"version":"2"},"path":"team/kv/","type":"kv"},"warnings":null}`, head)
		case strings.HasPrefix(path, "old/"):
			fmt.Fprintf(w, `{%s,"data":{"accessor":"kv_3","options":null,"path":"old/","type":"kv"},"warnings":null}`, head)
		case strings.HasPrefix(path, "slow/"):
			<-r.Context().Done()
		case strings.HasPrefix(path, "sealed/"):
			errs(503, "Vault is sealed")
		default:
			errs(403, "preflight capability check returned 403, please ensure client's policies grant access to path \""+path+"/\"")
		}
		return
	}
	data := fmt.Sprintf(`{"key":"hush","data":{"key":"wrong"},"metadata":{},"namespace":%q,"n":7}`, r.Header.Get("X-Vault-Namespace")+".")
	two := fmt.Sprintf(`{%s,"data":{"data":%s,"metadata":{"created_time":"2026-01-02T03:04:05.6Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":3}},"warnings":null}`, head, data)
	switch r.URL.Path {
	case "/v1/secret/data/app/openai", "/v1/team/kv/data/openai", "/v1/quiet/data/openai":
		io.WriteString(w, two)
	case "/v1/old/openai", "/v1/quiet/openai":
		fmt.Fprintf(w, `{%s,"data":%s,"warnings":null}`, fmt.Sprintf(lease, 2764800), data)
	case "/v1/secret/data/app/deleted":
		w.WriteHeader(404)
		fmt.Fprintf(w, `{%s,"data":{"data":null,"metadata":{"created_time":"2026-01-02T03:04:05.6Z","custom_metadata":null,"deletion_time":"2026-01-03T03:04:05.6Z","destroyed":false,"version":3}},"warnings":null}`, head)
	case "/v1/secret/data/app/forbidden":
		errs(403, "1 error occurred:\n\t* permission denied\n\n")
	case "/v1/secret/data/app/standby":
		http.Redirect(w, r, "https://vault-1.example/v1/secret/data/app/standby", http.StatusTemporaryRedirect)
	case "/v1/secret/data/app/huge":
		io.WriteString(w, strings.Repeat("x", 2<<20))
	case "/v1/secret/data/app/page":
		io.WriteString(w, "<html>hush</html>")
	default:
		errs(404)
	}
}

func TestVault(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(vault))
	t.Cleanup(server.Close)
	t.Setenv("VAULT_ADDR", server.URL+"/")
	t.Setenv("VAULT_TOKEN", "good")
	t.Setenv("VAULT_NAMESPACE", "")
	t.Setenv("VAULT_CACERT", "")
	for _, tt := range []struct{ name, ref, want, err string }{
		{"version 2, as the tools name it", "vault:secret/app/openai#key", "hush", ""},
		{"version 2, as the API names it", "vault:secret/data/app/openai#key", "hush", ""},
		{"a mount of two parts", "vault:team/kv/openai#key", "hush", ""},
		{"version 1", "vault:old/openai#key", "hush", ""},
		{"a mount that nobody tells of, version 1", "vault:quiet/openai#key", "hush", ""},
		{"a mount that nobody tells of, version 2", "vault:quiet/data/openai#key", "hush", ""},
		{"another key", "vault:old/openai#other", "", "there is no such key"},
		{"a number", "vault:old/openai#n", "", "no text"},
		{"nothing there", "vault:secret/app/none#key", "", "it has no such secret (404)"},
		{"a deleted version", "vault:secret/app/deleted#key", "", "it has no such secret (404)"},
		{"what the token may not read", "vault:secret/app/forbidden#key", "", "may not read this (403)"},
		{"a sealed one", "vault:sealed/openai#key", "", "sealed, or in maintenance (503)"},
		{"a redirection", "vault:secret/app/standby#key", "", "(307)"},
		{"a huge answer", "vault:secret/app/huge#key", "", "more than 1048576 bytes"},
		{"a page", "vault:secret/app/page#key", "", "answers with no data"},
		{"silence", "vault:slow/openai#key", "", "deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := safe.New(safe.Config{Timeout: 500 * time.Millisecond})
			got, err := s.Reveal(tt.ref)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestVaultEnvironment(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(vault))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	ca := write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	good := write("token", "good\n")
	for _, tt := range []struct {
		name string
		env  []string // ADDR, TOKEN, TOKEN_FILE, HOME, NAMESPACE, CACERT
		want string
		err  string
	}{
		{"a token of the environment", []string{server.URL, "good", "", dir, "", ca}, ".", ""},
		{"a token in a file", []string{server.URL, "", good, dir, "", ca}, ".", ""},
		{"a namespace", []string{server.URL, "good", "", dir, "team/a", ca}, "team/a.", ""},
		{"an unknown certificate", []string{server.URL, "good", "", dir, "", ""}, "", "certificate"},
		{"a CA that is none", []string{server.URL, "good", "", dir, "", good}, "", "has no certificate"},
		{"a bad token", []string{server.URL, "bad", "", dir, "", ca}, "", "its token is not good"},
		{"no token", []string{server.URL, "", "", dir, "", ca}, "", "there is no token for Vault"},
		{"an empty token file", []string{server.URL, "", write("none", "\n"), dir, "", ca}, "", "holds no token"},
		{"in the clear", []string{"http://vault.example:8200", "good", "", dir, "", ca}, "", "asked in the clear"},
		{"with a password", []string{"https://me:hush@vault.example:8200", "good", "", dir, "", ca}, "", "want https://host"},
		{"no address", []string{"vault.example", "good", "", dir, "", ca}, "", "want https://host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, name := range []string{"VAULT_ADDR", "VAULT_TOKEN", "VAULT_TOKEN_FILE", "HOME", "VAULT_NAMESPACE", "VAULT_CACERT"} {
				t.Setenv(name, tt.env[i])
			}
			got, err := safe.New(safe.Config{}).Reveal("vault:old/openai#namespace")
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	write(".vault-token", "good")
	t.Setenv("VAULT_ADDR", server.URL)
	t.Setenv("VAULT_TOKEN", "")
	t.Setenv("VAULT_TOKEN_FILE", "")
	t.Setenv("HOME", dir)
	t.Setenv("VAULT_CACERT", ca)
	if got, err := safe.New(safe.Config{}).Reveal("vault:old/openai#key"); got != "hush" || err != nil {
		t.Errorf("a token in the home directory: %q, %v", got, err)
	}
}

func TestAWSIsNotAskedInTheClear(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets.example")
	if _, err := safe.New(safe.Config{}).Reveal("aws-secret:app"); err == nil || !strings.Contains(err.Error(), "asked in the clear") {
		t.Errorf("http: %v", err)
	}
}
