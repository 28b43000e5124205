package ban

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Bouncer takes CrowdSec's decisions over: from a file, and from a local API (LAPI) by
// the protocol of its bouncers, at each Refresh.
type Bouncer struct {
	Bans *Bans
	File string                 // what cscli decisions list -o json prints; it is read again when it changed
	URL  string                 // of the local API: "http://127.0.0.1:8080"
	Key  func() (string, error) // of the bouncer (cscli bouncers add ringwall)

	Client *http.Client // default: one with a time-out of 30s

	seen    os.FileInfo
	started bool // the whole list was had; from now on what changed
	at      atomic.Int64
}

// Sources are the names under which a Bouncer puts decisions.
const (
	FromFile = "crowdsec-file"
	FromLAPI = "crowdsec-lapi"
)

// lapiTime bounds one question.
const lapiTime = 30 * time.Second

var errLAPIKey = errors.New("it does not take the bouncer's key: make one with cscli bouncers add")

// Checked is when the decisions were last known to be current; zero before that.
func (b *Bouncer) Checked() time.Time {
	if at := b.at.Load(); at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// Refresh takes over what changed; when that fails, what is known holds until it ends.
// It is called by one goroutine at a time.
func (b *Bouncer) Refresh(ctx context.Context) error {
	err := errors.Join(b.readFile(), b.ask(ctx))
	if err == nil {
		b.at.Store(b.Bans.now().Unix())
	}
	return err
}

// Load reads the file, for who starts: a file that cannot be read is an error then. The
// local API may start later than we do.
func (b *Bouncer) Load() error { return b.readFile() }

func (b *Bouncer) readFile() error {
	if b.File == "" {
		return nil
	}
	f, err := os.Open(b.File)
	if err != nil {
		return fmt.Errorf("reading decisions of CrowdSec: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading decisions of CrowdSec: %w", err)
	}
	if b.seen != nil && os.SameFile(b.seen, info) && b.seen.Size() == info.Size() && b.seen.ModTime().Equal(info.ModTime()) {
		return nil
	}
	src, err := io.ReadAll(io.LimitReader(f, MaxDecisions+1))
	if err != nil {
		return fmt.Errorf("reading decisions of CrowdSec: %w", err)
	}
	d, err := ParseDecisions(src, info.ModTime())
	if err != nil {
		return fmt.Errorf("%s: %w", b.File, err)
	}
	b.Bans.Put(FromFile, longest(d.Bans))
	b.seen = info
	return nil
}

// longest keeps of several bans of one subject the one that holds longest: as the last
// one.
func longest(all []Ban) []Ban {
	at := map[Subject]int{}
	out := all[:0]
	for _, b := range all {
		i, known := at[b.Subject]
		switch {
		case !known:
			at[b.Subject] = len(out)
			out = append(out, b)
		case b.outlasts(&out[i]):
			out[i] = b
		}
	}
	return out
}

// ask asks the local API: for the whole list first, and behind each failure, then for
// what changed since.
func (b *Bouncer) ask(ctx context.Context) error {
	if b.URL == "" {
		return nil
	}
	d, err := b.stream(ctx, !b.started)
	if err != nil {
		b.started = false // what changed meanwhile may have been told to nobody
		return fmt.Errorf("asking CrowdSec's local API: %w", err)
	}
	if !b.started {
		b.Bans.Put(FromLAPI, longest(d.Bans))
		b.started = true
		return nil
	}
	b.Bans.Alter(FromLAPI, longest(d.Bans), d.Ended)
	return nil
}

func (b *Bouncer) stream(ctx context.Context, whole bool) (Decisions, error) {
	ctx, cancel := context.WithTimeout(ctx, lapiTime)
	defer cancel()
	key, err := b.Key()
	if err != nil {
		return Decisions{}, fmt.Errorf("reading the bouncer's key: %w", err)
	}
	query := url.Values{"startup": {fmt.Sprint(whole)}, "scopes": {"ip,range,country,as"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(b.URL, "/")+"/v1/decisions/stream?"+query.Encode(), http.NoBody)
	if err != nil {
		return Decisions{}, err
	}
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("User-Agent", "ringwall/v1")
	req.Header.Set("Accept", "application/json")
	client := b.Client
	if client == nil {
		client = noRedirects
	}
	resp, err := client.Do(req)
	if err != nil {
		return Decisions{}, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusUnauthorized:
		return Decisions{}, fmt.Errorf("%s: %w", b.URL, errLAPIKey)
	default:
		return Decisions{}, fmt.Errorf("%s answers %s", b.URL, resp.Status)
	}
	src, err := io.ReadAll(io.LimitReader(resp.Body, MaxDecisions+1))
	if err != nil {
		return Decisions{}, err
	}
	return ParseDecisions(src, b.Bans.now())
}

// noRedirects does not carry the key elsewhere.
var noRedirects = &http.Client{
	Timeout:       lapiTime,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}
