package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/server/eval"
	"github.com/ringwall/ringwall/waf"
)

// trial is what waf test prints.
type trial struct {
	Benign  *share  `json:"benign,omitempty"`
	Sources []share `json:"benign_sources,omitempty"`
	Skipped int     `json:"skipped,omitempty"` // rows that are attacks by their label
	Attacks *share  `json:"attacks,omitempty"`
	Places  []share `json:"attack_places,omitempty"`
	Rules   []share `json:"rules,omitempty"` // which refused, of the benign rows and of the attacks
	Loaded  string  `json:"loaded"`          // how long loading the rules took
	Added   string  `json:"added"`           // median time that looking took
}

type share struct {
	Name string     `json:"name"`
	Rate eval.Share `json:"refused"`
}

// wafPlaces are where an attack is put that does not say where it comes.
var wafPlaces = []string{"query", "path", "header", "agent"}

func wafTestCommand() *cobra.Command {
	var p place
	var benign, attacks []string
	var format string
	var most float64
	c := &cobra.Command{
		Use:   "test (--benign PATH… | --attacks PATH…)…",
		Short: "Measure how often the firewall refuses what is honest, and what is not",
		Long: `Looks at labelled texts through the firewall of the configuration, or the default
one, as the gateway would: each text of --benign is the prompt of a chat request with
the headers of a usual client, each of --attacks a value in an address or a header. A
PATH is a file of JSONL, plain or gzip, or a directory of those; a line is
{"text","source"?,"label"?,"where"?}. Rows of --benign whose label says that they are
attacks are left out. Where is query, path, header or agent; an attack that does not
say is put in each of them.

The share of each source is printed with the 95 % interval by Wilson's score. Exits
with 1 when more of the benign rows are refused than --most.`,
		Example: `  ringwall waf test --benign prompts.jsonl --benign questions/
  ringwall waf test --attacks waf/testdata/attacks.jsonl --format json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if len(benign)+len(attacks) == 0 {
				return usage(errors.New("nothing to test: name files with --benign or --attacks"))
			}
			f, err := firewallOf(&p)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }() // it gives back memory
			bar := newBar(cmd.ErrOrStderr())
			run := wafTrial{f: f, progress: bar.show, rules: map[string]int64{}}
			t, err := run.run(benign, attacks)
			bar.clear()
			if err != nil {
				return usage(err)
			}
			if format == "json" {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(t)
			} else {
				err = t.write(cmd.OutOrStdout())
			}
			if err == nil && t.Benign != nil && 100*t.Benign.Rate.Value() > most {
				err = found()
			}
			return err
		},
	}
	p.flags(c)
	c.Flags().StringArrayVar(&benign, "benign", nil, "`PATH` of honest texts; may be given again")
	c.Flags().StringArrayVar(&attacks, "attacks", nil, "`PATH` of attacks; may be given again")
	c.Flags().Float64Var(&most, "most", 0.5, "`PERCENT` of the benign rows that may be refused")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// wafTrial runs texts through a firewall.
type wafTrial struct {
	f        *waf.Firewall
	progress func(done, total int, what string)
	rules    map[string]int64
	looks    int64
	times    []time.Duration
}

type wafRow struct {
	Text   *string         `json:"text"`
	Source string          `json:"source"`
	Where  string          `json:"where"`
	Label  json.RawMessage `json:"label"`
}

// attack reports whether the label of a row says that it is one.
func (r *wafRow) attack() bool {
	switch strings.ToLower(strings.Trim(string(r.Label), `"`)) {
	case "attack", "injection", "jailbreak", "malicious", "1", "true":
		return true
	}
	return false
}

func (t *wafTrial) run(benign, attacks []string) (*trial, error) {
	out := &trial{Loaded: took(t.f.Loaded())}
	sources, places := map[string]*eval.Share{}, map[string]*eval.Share{}
	err := t.each(benign, func(r *wafRow) {
		if r.attack() {
			out.Skipped++
			return
		}
		body, _ := json.Marshal(map[string]any{"model": "gpt-4o-mini", "messages": []any{map[string]string{"role": "user", "content": *r.Text}}}) // of strings
		t.count(sources, cmp.Or(r.Source, "-"), usualRequest(body), body)
	})
	if err != nil {
		return nil, err
	}
	err = t.each(attacks, func(r *wafRow) {
		at := wafPlaces
		if r.Where != "" {
			at = []string{r.Where}
		}
		for _, place := range at {
			req := usualRequest(nil)
			req.Header = req.Header.Clone()
			switch place {
			case "path":
				req.URL, req.RequestURI = &url.URL{Path: "/v1/models/" + *r.Text}, "/v1/models/"+url.PathEscape(*r.Text)
			case "header":
				req.Header.Set("X-Title", *r.Text)
			case "agent":
				req.Header.Set("User-Agent", *r.Text)
			default:
				place = "query"
				req.RequestURI += "?q=" + url.QueryEscape(*r.Text)
			}
			t.count(places, place, req, nil)
		}
	})
	if err != nil {
		return nil, err
	}
	out.Benign, out.Sources = shares(sources)
	out.Attacks, out.Places = shares(places)
	for _, id := range slices.Sorted(maps.Keys(t.rules)) {
		out.Rules = append(out.Rules, share{id, eval.Share{Hits: t.rules[id], Of: t.looks}})
	}
	if slices.Sort(t.times); len(t.times) > 0 {
		out.Added = took(t.times[len(t.times)/2])
	}
	return out, nil
}

// usualRequest is a request as OpenAI's client for Python sends it; without a body it
// asks for models.
func usualRequest(body []byte) *http.Request {
	r := &http.Request{
		Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "127.0.0.1:8080", RequestURI: "/v1/chat/completions",
		URL: &url.URL{Path: "/v1/chat/completions"}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{
			"Accept": {"application/json"}, "Accept-Encoding": {"gzip, deflate"}, "Authorization": {"Bearer rw_0123456789abcdefghijklmnopqrstuv"}, "Content-Type": {"application/json"},
			"User-Agent": {"OpenAI/Python 1.109.1"}, "X-Stainless-Lang": {"python"}, "X-Stainless-Runtime": {"CPython"}, "X-Stainless-Retry-Count": {"0"},
		},
	}
	if body == nil {
		r.Method, r.RequestURI, r.URL, r.Body = http.MethodGet, "/v1/models", &url.URL{Path: "/v1/models"}, http.NoBody
		r.Header.Del("Content-Type")
	}
	return r
}

func (t *wafTrial) count(into map[string]*eval.Share, name string, r *http.Request, body []byte) {
	start := time.Now()
	x, failed := explain(t.f, r, body)
	t.times = append(t.times, time.Since(start))
	s := into[name]
	if s == nil {
		s = &eval.Share{}
		into[name] = s
	}
	s.Of++
	t.looks++
	if x.Verdict != "refuse" && !failed {
		return
	}
	s.Hits++
	for _, m := range x.Rules {
		t.rules[m.Rule]++
	}
}

func shares(by map[string]*eval.Share) (all *share, each []share) {
	if len(by) == 0 {
		return nil, nil
	}
	all = &share{Name: "all"}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		each = append(each, share{name, *by[name]})
		all.Rate.Hits += by[name].Hits
		all.Rate.Of += by[name].Of
	}
	return all, each
}

// each calls f with each row of files, and of the files of directories.
func (t *wafTrial) each(paths []string, f func(*wafRow)) error {
	var files []string
	for _, p := range paths {
		err := filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (name == p || strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".jsonl.gz")) {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("reading the texts: %w", err)
		}
	}
	for i, name := range files {
		t.progress(i, len(files), name)
		if err := eachRow(name, f); err != nil {
			return err
		}
	}
	return nil
}

func eachRow(name string, f func(*wafRow)) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading the texts: %w", err)
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; sc.Scan(); n++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var r wafRow
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if r.Text == nil {
			return fmt.Errorf("%s:%d: the line has no text", name, n)
		}
		if r.Where != "" && !slices.Contains(wafPlaces, r.Where) {
			return fmt.Errorf("%s:%d: where: want one of %s", name, n, strings.Join(wafPlaces, ", "))
		}
		f(&r)
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (t *trial) write(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	table := func(title string, all *share, each []share) {
		if all == nil {
			return
		}
		fmt.Fprintf(tab, "%s\tROWS\tREFUSED\tRATE (95 %%)\n", title)
		for _, s := range append(each, *all) {
			low, high := s.Rate.Wilson()
			fmt.Fprintf(tab, "%s\t%d\t%d\t%.2f %% (%.2f–%.2f)\n", s.Name, s.Rate.Of, s.Rate.Hits, 100*s.Rate.Value(), 100*low, 100*high)
		}
		fmt.Fprintln(tab)
	}
	table("BENIGN", t.Benign, t.Sources)
	table("ATTACKS IN", t.Attacks, t.Places)
	if len(t.Rules) > 0 {
		fmt.Fprintln(tab, "RULE\tREFUSED")
		for _, s := range t.Rules {
			fmt.Fprintf(tab, "%s\t%d\n", s.Name, s.Rate.Hits)
		}
		fmt.Fprintln(tab)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if t.Skipped > 0 {
		fmt.Fprintf(w, "%d rows are attacks by their label and left out.\n", t.Skipped)
	}
	_, err := fmt.Fprintf(w, "The rules were loaded in %s; looking took %s (median).\n", t.Loaded, t.Added)
	return err
}
