package address

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// fetchTime bounds a fetch, from the name to the last byte.
const fetchTime = time.Minute

// Feed is a list of networks that others write, in a file or behind a URL. It is safe
// for concurrent use; Load is called by one goroutine at a time.
type Feed struct {
	Name string
	File string // it is read again when it changed
	URL  string // of HTTPS; of HTTP on this machine only
	Dir  string // where the last good list of a URL is kept

	Client *http.Client // default: one that follows redirects to HTTPS only

	set  atomic.Pointer[Set]
	tag  string // ETag of what is in force
	mod  string // its Last-Modified
	seen os.FileInfo
	at   atomic.Int64 // Unix seconds: when it was last known to be current
}

// Set returns the networks as they were last read; nil, which is empty, before.
func (f *Feed) Set() *Set { return f.set.Load() }

// Contains reports whether a is in the list that is in force.
func (f *Feed) Contains(a netip.Addr) bool { return f.set.Load().Contains(a) }

// Checked is when the list was last known to be current; zero before that.
func (f *Feed) Checked() time.Time {
	if at := f.at.Load(); at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// Load reads the list again if it changed, and reports whether it did. When that
// fails, the list before stays in force.
func (f *Feed) Load(ctx context.Context) (changed bool, err error) {
	if f.URL == "" {
		changed, err = f.loadFile()
	} else {
		changed, err = f.fetch(ctx)
	}
	if err != nil {
		return changed, fmt.Errorf("reading the feed %s: %w", f.Name, err)
	}
	f.at.Store(time.Now().Unix())
	return changed, nil
}

// Recall puts the last good list of a URL into force, as it was kept. The error wraps
// os.ErrNotExist when none was.
func (f *Feed) Recall() error {
	src, err := readFile(f.kept(), MaxFeed)
	if err != nil {
		return fmt.Errorf("recalling the feed %s: %w", f.Name, err)
	}
	if err := f.take(src); err != nil {
		return fmt.Errorf("recalling the feed %s: %w", f.Name, err)
	}
	return nil
}

// kept is the file of the last good list.
func (f *Feed) kept() string { return filepath.Join(f.Dir, url.PathEscape(f.Name)+".list") }

func (f *Feed) loadFile() (bool, error) {
	info, err := os.Stat(f.File)
	if err != nil {
		return false, err
	}
	if f.seen != nil && os.SameFile(f.seen, info) && f.seen.Size() == info.Size() && f.seen.ModTime().Equal(info.ModTime()) {
		return false, nil
	}
	src, err := readFile(f.File, MaxFeed)
	if err != nil {
		return false, err
	}
	all, err := ParseFeed(src)
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.File, err)
	}
	f.set.Store(NewSet(all))
	f.seen = info
	return true, nil
}

// take puts a list into force. A list of a URL has something in it: an empty page is
// an outage.
func (f *Feed) take(src []byte) error {
	all, err := ParseFeed(src)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errNone
	}
	f.set.Store(NewSet(all))
	return nil
}

func (f *Feed) fetch(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, http.NoBody)
	if err != nil {
		return false, err
	}
	if f.set.Load() != nil { // what was recalled has no tag: it is fetched anew
		if f.tag != "" {
			req.Header.Set("If-None-Match", f.tag)
		}
		if f.mod != "" {
			req.Header.Set("If-Modified-Since", f.mod)
		}
	}
	req.Header.Set("User-Agent", "ringwall")
	client := f.Client
	if client == nil {
		client = secureClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return false, nil
	case http.StatusOK:
	default:
		return false, fmt.Errorf("%s answers %s", f.URL, resp.Status)
	}
	src, err := io.ReadAll(io.LimitReader(resp.Body, MaxFeed+1))
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", f.URL, err)
	}
	if err := f.take(src); err != nil {
		return false, fmt.Errorf("%s: %w", f.URL, err)
	}
	f.tag, f.mod = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	if err := f.keep(src); err != nil {
		return true, fmt.Errorf("keeping the list of %s: %w", f.URL, err)
	}
	return true, nil
}

// keep writes the list for the next start, whole or not at all.
func (f *Feed) keep(src []byte) error {
	if f.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.Dir, "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it is gone when it was renamed
	_, err = tmp.Write(src)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.kept())
}

// secureClient goes where a feed is, and nowhere without TLS from there.
var secureClient = &http.Client{
	Timeout: fetchTime,
	CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > 3 {
			return errors.New("it redirects more than three times")
		}
		return CheckURL(req.URL.String())
	},
}

var errURL = errors.New("want https://host/path, or http on this machine")

// CheckURL reports what is wrong with the address of a feed.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return errURL
	}
	host, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && host.IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && local {
		return nil
	}
	return errURL
}
