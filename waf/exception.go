package waf

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Exception excuses what a rule notices, at some paths, in some part of a request,
// until some time.
type Exception struct {
	Rule   string    // id of a rule, "942100" or "ai-ssrf"
	Target string    // part of the request: "ARGS:q", "REQUEST_HEADERS:User-Agent"; "": all of it
	Path   string    // of the address, and all below it; "": everywhere
	Until  time.Time // from when on it excuses nothing; zero: never ends
	Reason string    // why, for the records; required
}

var (
	target    = regexp.MustCompile(`^[A-Z_]+(?::[A-Za-z0-9_.-]+)?$`)
	plainPath = regexp.MustCompile(`^/[A-Za-z0-9_./~:-]*$`)
)

// Check says what is wrong with an exception.
func (e Exception) Check() error {
	id, err := strconv.Atoi(e.Rule)
	switch {
	case err != nil && ruleOf(e.Rule) == nil:
		return fmt.Errorf("there is no rule %q: want the number of one of the Core Rule Set, or one of %s", e.Rule, strings.Join(ruleIDs(), ", "))
	case err == nil && (id < 911000 || id >= 949000):
		return fmt.Errorf("rule %d does not look for anything: want one from 911000 to 948999", id)
	case err != nil && e.Target != "":
		return errors.New("rules of our own are excused in all of a request: leave the target away")
	case e.Target != "" && !target.MatchString(e.Target):
		return fmt.Errorf("target %q: want a part of a request, such as ARGS:q or REQUEST_HEADERS:User-Agent", e.Target)
	case e.Path != "" && !plainPath.MatchString(e.Path):
		return fmt.Errorf("path %q: want one such as /console", e.Path)
	case strings.TrimSpace(e.Reason) == "":
		return errors.New("a reason is needed: who reads the records wants to know why")
	}
	return nil
}

// at reports whether e excuses anything at path at that time.
func (e Exception) at(path string, now time.Time) bool {
	return (e.Until.IsZero() || now.Before(e.Until)) && below(path, e.Path)
}

// below reports whether path is root or below it.
func below(path, root string) bool {
	root = strings.TrimSuffix(root, "/")
	return strings.HasPrefix(path, root) && (len(path) == len(root) || path[len(root)] == '/')
}

// nextEnd is when the next exception ends; zero: never.
func nextEnd(all []Exception, now time.Time) (end time.Time) {
	for _, e := range all {
		if e.Until.After(now) && (end.IsZero() || e.Until.Before(end)) {
			end = e.Until
		}
	}
	return end
}

// excuse marks what exceptions of our own rules excuse.
func (f *Firewall) excuse(matches []Match, path string) {
	for i := range matches {
		for _, e := range f.cfg.Exceptions {
			if e.Rule == matches[i].Rule && e.at(path, f.cfg.Now()) {
				matches[i].Excepted = e.Reason
				break
			}
		}
	}
}
