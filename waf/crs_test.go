package waf_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/corazawaf/coraza-coreruleset/v4/tests"
	"go.yaml.in/yaml/v4"

	"github.com/ringwall/ringwall/waf"
)

// crsFile is a file of the regression tests of the Core Rule Set, in the form of
// go-ftw.
type crsFile struct {
	Rule  int       `yaml:"rule_id"`
	Tests []crsTest `yaml:"tests"`
}

type crsTest struct {
	ID     int `yaml:"test_id"`
	Stages []struct {
		Input struct {
			Method   *string        `yaml:"method"`
			URI      *string        `yaml:"uri"`
			Version  *string        `yaml:"version"`
			Headers  yaml.Node      `yaml:"headers"` // in their order
			Data     string         `yaml:"data"`
			Encoded  string         `yaml:"encoded_request"`
			Complete *bool          `yaml:"autocomplete_headers"`
			Rest     map[string]any `yaml:",inline"`
		} `yaml:"input"`
		Output struct {
			Status int  `yaml:"status"`
			Error  bool `yaml:"expect_error"`
			Log    struct {
				Expect   []int  `yaml:"expect_ids"`
				NoExpect []int  `yaml:"no_expect_ids"`
				Match    string `yaml:"match_regex"`
				NoMatch  string `yaml:"no_match_regex"`
			} `yaml:"log"`
		} `yaml:"output"`
	} `yaml:"stages"`
}

// elsewhere are the files of tests of what we do not load, and why.
var elsewhere = map[string]string{
	"RESPONSE-": "answers are not looked at by the firewall: the guard reads them",
}

// The regression tests of the Core Rule Set, each sent as bytes over TCP to a real
// server whose requests are looked at whole, at the highest paranoia. Those that
// cannot hold here are in testdata/crs_ignored.txt, each with its reason; one that
// holds after all fails the test, too.
func TestCoreRuleSet(t *testing.T) {
	every := 1
	if testing.Short() {
		every = 25 // 4,700 requests take half a minute
	}
	f := open(t, waf.Config{Paranoia: 4, Body: 1 << 20})
	if err := f.Preload(); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j := f.Look(r, waf.Inner)
		if j.Failed {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if j.Refuse {
			w.Header().Add("X-Rule", "949110")
		}
		for _, m := range j.Matches {
			w.Header().Add("X-Rule", m.Rule)
		}
	}))
	defer srv.Close()
	ignored := readIgnored(t)
	counts := map[string]int{}
	var failures []string
	files, err := fs.Glob(tests.FS, "*/*.yaml")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files of tests: %v", len(files), err)
	}
	for _, name := range files {
		if dir := path.Dir(name); strings.HasPrefix(dir, "RESPONSE-") {
			counts["ignored: "+elsewhere["RESPONSE-"]] += len(crsTests(t, name).Tests)
			continue
		}
		file := crsTests(t, name)
		rule := cmp.Or(file.Rule, number(strings.TrimSuffix(path.Base(name), ".yaml")))
		for i, test := range file.Tests {
			if (i+rule)%every != 0 {
				delete(ignored, fmt.Sprintf("%d-%d", rule, test.ID))
				continue
			}
			id := fmt.Sprintf("%d-%d", rule, test.ID)
			fault, early := runCRS(t, srv.Listener.Addr().String(), &test)
			why := ignored[id]
			switch {
			case fault == "" && why == "" && early:
				counts["passed: net/http refuses the request before anybody looks"]++
			case fault == "" && why == "":
				counts["passed"]++
			case fault == "":
				t.Errorf("%s holds: strike it from testdata/crs_ignored.txt", id)
			case why != "":
				counts["ignored: "+why]++
			default:
				counts["failed"]++
				failures = append(failures, id+" "+fault)
			}
			delete(ignored, id)
		}
	}
	for id := range ignored {
		t.Errorf("there is no test %s: strike it from testdata/crs_ignored.txt", id)
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d %s", counts[what], what)
	}
	for _, f := range failures {
		t.Error(f)
	}
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func crsTests(t *testing.T, name string) *crsFile {
	t.Helper()
	b, err := tests.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file := &crsFile{}
	if err := yaml.Unmarshal(b, file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return file
}

// readIgnored reads which tests cannot hold here: lines of a reason behind a #, and
// of ids below it.
func readIgnored(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/crs_ignored.txt")
	if err != nil {
		t.Fatal(err)
	}
	ignored, why := map[string]string{}, ""
	for line := range strings.Lines(string(b)) {
		if reason, ok := strings.CutPrefix(line, "# "); ok {
			why = strings.TrimSpace(reason)
			continue
		}
		for _, id := range strings.Fields(line) {
			if why == "" || ignored[id] != "" {
				t.Fatalf("testdata/crs_ignored.txt: %s has no reason, or is there twice", id)
			}
			ignored[id] = why
		}
	}
	return ignored
}

// runCRS says what is wrong with how a test went, "" when nothing is, and whether
// the server refused a request without us.
func runCRS(t *testing.T, addr string, test *crsTest) (fault string, early bool) {
	for _, s := range test.Stages {
		status, rules, err := sendRaw(addr, rawRequest(t, &s.Input.Headers, s.Input.Method, s.Input.URI, s.Input.Version, s.Input.Data, s.Input.Encoded, s.Input.Complete == nil || *s.Input.Complete))
		if err != nil {
			if s.Output.Error {
				continue
			}
			return err.Error(), false
		}
		want, never := s.Output.Log.Expect, s.Output.Log.NoExpect
		if status >= 400 && status != http.StatusServiceUnavailable {
			early = true
			continue
		}
		for _, id := range want {
			if !slices.Contains(rules, strconv.Itoa(id)) {
				return fmt.Sprintf("want %d, matched %v", id, rules), false
			}
		}
		for _, id := range never {
			if slices.Contains(rules, strconv.Itoa(id)) {
				return fmt.Sprintf("matched %d, want not", id), false
			}
		}
		if len(want)+len(never) == 0 && s.Output.Status >= 400 {
			return fmt.Sprintf("the server says %d, want %d", status, s.Output.Status), false
		}
	}
	return "", early
}

func rawRequest(t *testing.T, headers *yaml.Node, method, uri, version *string, data, encoded string, complete bool) []byte {
	if encoded != "" {
		b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(encoded, "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	or := func(s *string, otherwise string) string {
		if s == nil {
			return otherwise
		}
		return *s
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", or(method, "GET"), or(uri, "/"), or(version, "HTTP/1.1"))
	has := map[string]bool{}
	var add func(n *yaml.Node)
	add = func(n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Tag == "!!merge" || n.Content[i].Value == "<<" {
				add(n.Content[i+1])
				continue
			}
			name, value := n.Content[i].Value, n.Content[i+1].Value
			has[strings.ToLower(name)] = true
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	add(headers)
	if complete {
		if data != "" && !has["content-type"] {
			b.WriteString("Content-Type: application/x-www-form-urlencoded\r\n")
		}
		if !has["content-length"] && !has["transfer-encoding"] && data != "" {
			fmt.Fprintf(&b, "Content-Length: %d\r\n", len(data))
		}
		if !has["connection"] {
			b.WriteString("Connection: close\r\n")
		}
	}
	b.WriteString("\r\n" + data)
	return b.Bytes()
}

func sendRaw(addr string, raw []byte) (status int, rules []string, err error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return 0, nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, nil, err
	}
	if _, err := c.Write(raw); err != nil {
		return 0, nil, err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return 0, nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header["X-Rule"], nil
}
