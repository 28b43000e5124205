package ban

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// MaxDecisions bounds what CrowdSec's decisions are read of, in bytes.
const MaxDecisions = 256 << 20

// decision is one of CrowdSec's, as its local API and cscli write it.
type decision struct {
	ID        int64  `json:"id"`
	Origin    string `json:"origin"`   // "crowdsec", "cscli", "CAPI", "lists"
	Type      string `json:"type"`     // "ban", "captcha", …
	Scope     string `json:"scope"`    // "Ip", "Range", "Country", "AS", …
	Value     string `json:"value"`    // of the scope
	Duration  string `json:"duration"` // that is left: "3h59m55.7s"; below zero when it ended
	Until     string `json:"until"`    // of newer versions
	Scenario  string `json:"scenario"` // "crowdsecurity/http-probing"
	Simulated bool   `json:"simulated"`
}

// Decisions are what CrowdSec decided.
type Decisions struct {
	Bans    []Ban
	Ended   []Subject // of a stream: whose bans ended
	Skipped int       // decisions of scopes that nobody here knows, or only simulated
}

// CrowdSec is the source of CrowdSec's decisions, and the By of their bans.
const CrowdSec = "crowdsec"

var errDecisions = errors.New("want what cscli decisions list -o json prints, or what /v1/decisions or /v1/decisions/stream answers")

// ParseDecisions reads decisions that were written at a time, for that is what their
// durations count from: the list of cscli, which is of alerts with decisions in them;
// that of the local API; its stream, with what is new and what is deleted. A decision
// that cannot be read is an error: a list that is read in part protects in part.
//
// All types count as bans, captcha too, for nobody here can ask one; only those that
// are simulated do not.
func ParseDecisions(src []byte, at time.Time) (Decisions, error) {
	var out Decisions
	src = bytes.TrimSpace(src)
	switch {
	case len(src) > MaxDecisions:
		return out, fmt.Errorf("there are more than %d bytes of decisions", MaxDecisions)
	case len(src) == 0 || bytes.Equal(src, []byte("null")): // so both say that there are none
		return out, nil
	case src[0] == '{':
		var stream struct {
			New     *[]decision `json:"new"`
			Deleted *[]decision `json:"deleted"`
		}
		if err := json.Unmarshal(src, &stream); err != nil {
			return out, fmt.Errorf("reading decisions: %w: %w", err, errDecisions)
		}
		if !bytes.Contains(src, []byte(`"new"`)) && !bytes.Contains(src, []byte(`"deleted"`)) {
			return out, fmt.Errorf("reading decisions: %w", errDecisions)
		}
		if stream.New != nil {
			if err := out.add(*stream.New, at); err != nil {
				return Decisions{}, err
			}
		}
		if stream.Deleted != nil {
			for _, d := range *stream.Deleted {
				// Those of other types end by themselves: a ban of the same subject, which is
				// told apart by its type, must not end with them.
				if s, known, err := d.subject(); err == nil && known && (d.Type == "" || strings.EqualFold(d.Type, "ban")) {
					out.Ended = append(out.Ended, s)
				}
			}
		}
		return out, nil
	case src[0] == '[':
		var list []struct {
			decision
			Decisions *[]decision `json:"decisions"`
		}
		if err := json.Unmarshal(src, &list); err != nil {
			return out, fmt.Errorf("reading decisions: %w: %w", err, errDecisions)
		}
		for i := range list {
			all := []decision{list[i].decision}
			if list[i].Decisions != nil {
				all = *list[i].Decisions
			} else if list[i].Value == "" {
				return Decisions{}, fmt.Errorf("reading decisions: entry %d: %w", i, errDecisions)
			}
			if err := out.add(all, at); err != nil {
				return Decisions{}, err
			}
		}
		return out, nil
	}
	return out, fmt.Errorf("reading decisions: %w", errDecisions)
}

func (o *Decisions) add(all []decision, at time.Time) error {
	for i := range all {
		d := &all[i]
		s, known, err := d.subject()
		if err != nil {
			return fmt.Errorf("reading decision %d: %w", d.ID, err)
		}
		if !known || d.Simulated {
			o.Skipped++
			continue
		}
		until, err := d.end(at)
		if err != nil {
			return fmt.Errorf("reading decision %d: %w", d.ID, err)
		}
		if !until.After(at) {
			continue
		}
		if len(o.Bans) >= MaxPut {
			return fmt.Errorf("reading decisions: %w: %d", ErrFull, MaxPut)
		}
		o.Bans = append(o.Bans, Ban{Subject: s, Reason: clip(d.Scenario), By: CrowdSec, Since: at, Until: until})
	}
	return nil
}

// subject is whom d is about; known is false for scopes of others.
func (d *decision) subject() (s Subject, known bool, err error) {
	switch strings.ToLower(d.Scope) {
	case "ip":
		a, err := netip.ParseAddr(d.Value)
		if err != nil || a.Zone() != "" {
			return s, true, fmt.Errorf("%.60q is no address", d.Value)
		}
		s, err = Network(netip.PrefixFrom(a, a.BitLen())) // as they have it, and not its /64
		return s, true, err
	case "range":
		p, err := netip.ParsePrefix(d.Value)
		if err != nil {
			return s, true, fmt.Errorf("%.60q is no network", d.Value)
		}
		s, err = Network(p)
		return s, true, err
	case "country":
		s, err = ParseSubject("country:" + d.Value)
		return s, true, err
	case "as":
		s, err = ParseSubject("as:" + strings.TrimPrefix(strings.ToUpper(d.Value), "AS"))
		return s, true, err
	}
	return s, false, nil
}

// end is when d ends.
func (d *decision) end(at time.Time) (time.Time, error) {
	if d.Until != "" && d.Duration == "" {
		until, err := time.Parse(time.RFC3339Nano, d.Until)
		if err != nil {
			return time.Time{}, fmt.Errorf("%.60q is no time", d.Until)
		}
		return until.UTC(), nil
	}
	left, err := ParseDuration(d.Duration)
	if err != nil {
		return time.Time{}, err
	}
	return at.Add(left).UTC(), nil
}

// maxDuration bounds a duration: longer ones are as good as for ever.
const maxDuration = 100 * 365 * 24 * time.Hour

// ParseDuration reads a duration as CrowdSec writes it, "3h59m55.7s", which may be
// below zero, and as people write it, "7d" or "1d12h". Beyond a hundred years it is a
// hundred years.
func ParseDuration(text string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	var days time.Duration
	if n, more, ok := strings.Cut(rest, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%.60q is no duration, as 4h, 90m and 7d are", text)
		}
		days = min(time.Duration(count), 36500) * 24 * time.Hour
		if rest = more; rest == "" {
			rest = "0s"
		}
	}
	d, err := time.ParseDuration(rest)
	switch {
	case err != nil && isLong(rest):
		d = maxDuration
	case err != nil || d < 0 || strings.HasPrefix(rest, "+"):
		return 0, fmt.Errorf("%.60q is no duration, as 4h, 90m and 7d are", text)
	}
	d = min(min(d, maxDuration)+days, maxDuration)
	if negative {
		d = -d
	}
	return d, nil
}

// isLong reports whether s is hours alone that are too many for a time.Duration.
func isLong(s string) bool {
	hours, rest, ok := strings.Cut(s, "h")
	if !ok || len(hours) < 7 || len(hours) > 18 || strings.Trim(hours, "0123456789") != "" {
		return false
	}
	if rest == "" {
		return true
	}
	d, err := time.ParseDuration(rest)
	return err == nil && d >= 0 && rest[0] != '-' && rest[0] != '+'
}
