package safe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Vault reads the key-value secrets, version 1 and 2, of HashiCorp Vault and of
// what speaks its API, such as OpenBao. It is where the variables say that Vault's
// own tools read: VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, and VAULT_TOKEN, else
// the file that VAULT_TOKEN_FILE names, else ~/.vault-token. The token is read
// each time, since agents renew it in its file.
//
// A name is the path as Vault's tools take it, secret/app/openai, or as its API
// does, secret/data/app/openai.
type Vault struct {
	once   sync.Once
	client *http.Client
	addr   string
	err    error
}

// most is the size in bytes of the largest answer that is read.
const most = 1 << 20

// Read implements Source.
func (v *Vault) Read(ctx context.Context, name string) (string, error) {
	v.once.Do(v.open)
	if v.err != nil {
		return "", v.err
	}
	mount, versioned, err := v.mount(ctx, name)
	if err != nil {
		return "", err
	}
	path := name
	if rest, ok := strings.CutPrefix(name, mount); ok && versioned && mount != "" && !strings.HasPrefix(rest, "data/") {
		path = mount + "data/" + rest
	}
	status, body, err := v.get(ctx, path)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", refused(status)
	}
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Data) == 0 {
		return "", errors.New("asking Vault: it answers with no data")
	}
	var wrapped struct {
		Data     json.RawMessage `json:"data"`
		Metadata json.RawMessage `json:"metadata"`
	}
	// Without a word on the mount, what looks as version 2 does is taken for it.
	two := versioned || mount == "" && strings.Contains(name, "/data/")
	if two && json.Unmarshal(answer.Data, &wrapped) == nil && len(wrapped.Data) > 0 && len(wrapped.Metadata) > 0 {
		return string(wrapped.Data), nil
	}
	return string(answer.Data), nil
}

// mount asks under which path the secrets engine of name is mounted, and whether
// it keeps versions. Vault tells whoever may read there; what is too old to know
// the question, or refuses it, tells nothing, which is no error.
func (v *Vault) mount(ctx context.Context, name string) (path string, versioned bool, err error) {
	status, body, err := v.get(ctx, "sys/internal/ui/mounts/"+name)
	if err != nil {
		return "", false, err
	}
	if status != http.StatusOK {
		if status >= 500 {
			return "", false, refused(status)
		}
		return "", false, nil
	}
	var answer struct {
		Data struct {
			Path    string
			Options map[string]string
		}
	}
	if json.Unmarshal(body, &answer) != nil {
		return "", false, nil
	}
	return answer.Data.Path, answer.Data.Options["version"] == "2", nil
}

// refused says what a status of Vault means.
func refused(status int) error {
	what := "it answers with status"
	switch status {
	case http.StatusNotFound:
		what = "it has no such secret"
	case http.StatusForbidden:
		what = "its token is not good, or may not read this"
	case http.StatusServiceUnavailable:
		what = "it is sealed, or in maintenance"
	}
	return fmt.Errorf("asking Vault: %s (%d)", what, status)
}

func (v *Vault) get(ctx context.Context, path string) (status int, body []byte, err error) {
	token, err := token()
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.addr+"/v1/"+path, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("asking Vault: %w", err)
	}
	r.Header.Set("X-Vault-Token", token)
	r.Header.Set("X-Vault-Request", "true")
	if ns := os.Getenv("VAULT_NAMESPACE"); ns != "" {
		r.Header.Set("X-Vault-Namespace", ns)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("asking Vault: %w", err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("asking Vault: %w", err)
	case len(body) > most:
		return 0, nil, fmt.Errorf("asking Vault: it answers with more than %d bytes", most)
	}
	return resp.StatusCode, body, nil
}

func (v *Vault) open() {
	v.addr = strings.TrimRight(cmp.Or(os.Getenv("VAULT_ADDR"), "https://127.0.0.1:8200"), "/")
	if err := sealed(v.addr); err != nil {
		v.err = fmt.Errorf("VAULT_ADDR: %w", err)
		return
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file := os.Getenv("VAULT_CACERT"); file != "" {
		pem, err := os.ReadFile(file) //nolint:gosec // the operator names it
		pool := x509.NewCertPool()
		if err == nil && !pool.AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s has no certificate in PEM", file)
		}
		if err != nil {
			v.err = fmt.Errorf("VAULT_CACERT: %w", err)
			return
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	v.client = &http.Client{
		Transport: transport,
		// The token is for this address alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// token finds the token where Vault's tools do.
func token() (string, error) {
	if t := os.Getenv("VAULT_TOKEN"); t != "" {
		return t, nil
	}
	file := os.Getenv("VAULT_TOKEN_FILE")
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", errors.New("there is no token for Vault: set VAULT_TOKEN or VAULT_TOKEN_FILE")
		}
		file = filepath.Join(home, ".vault-token")
	}
	f, err := os.Open(file) //nolint:gosec // the operator names it
	if err != nil {
		return "", fmt.Errorf("there is no token for Vault: set VAULT_TOKEN or VAULT_TOKEN_FILE: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxSecret))
	t := strings.TrimSpace(string(b))
	if err != nil || t == "" || strings.ContainsAny(t, "\r\n") {
		return "", fmt.Errorf("%s holds no token for Vault", file)
	}
	return t, nil
}
