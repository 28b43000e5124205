package config

import (
	"time"

	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/waf"
)

// WAF configures the web application firewall.
type WAF struct {
	Mode       string          `yaml:"mode" doc:"what is done about what is noticed in requests to models and to the guard, whose addresses and headers are looked at, and the shape of their bodies: refuse them, let them pass and say so in the records, or do not look" enum:"enforce|detect|off" default:"enforce"`
	Control    string          `yaml:"control" doc:"the same of requests to the console, to log-in and to control APIs, which are looked at whole" enum:"enforce|detect|off" default:"enforce"`
	Paranoia   int             `yaml:"paranoia" doc:"paranoia level of the OWASP Core Rule Set, 1 to 4: higher ones notice more, and take honest requests for attacks" default:"1"`
	Threshold  int             `yaml:"threshold" doc:"anomaly score from which the Core Rule Set has a request refused; one critical rule scores 5" default:"5"`
	Body       strictyaml.Size `yaml:"body" doc:"largest body of requests that are looked at whole; longer ones are refused. Looking takes some 5 ms of one core for a KiB" default:"128KiB"`
	Exceptions []WAFException  `yaml:"exceptions" doc:"what is excused"`
}

// WAFException excuses what a rule notices.
type WAFException struct {
	Rule   string `yaml:"rule" doc:"number of a rule of the Core Rule Set, or the name of one of ours" example:"942100"`
	Target string `yaml:"target" doc:"part of the request that the rule leaves alone; default: all of it" example:"ARGS:q"`
	Path   string `yaml:"path" doc:"of the address, and all below it; default: everywhere" example:"/console"`
	Until  string `yaml:"until" doc:"day or time from when on it excuses nothing; default: never" example:"2030-01-31"`
	Reason string `yaml:"reason" doc:"why, for who reads the records" example:"the search of the console is for SQL"`
}

func (w *WAF) check(fail failing) {
	if w.Paranoia < 1 || w.Paranoia > 4 {
		fail("waf.paranoia", "want 1 to 4")
	}
	if w.Threshold < 1 {
		fail("waf.threshold", "want 1 or more: 5 is one critical rule")
	}
	if w.Body < 1<<10 {
		fail("waf.body", "want at least 1KiB")
	}
	for i, e := range w.Exceptions {
		at := strictyaml.Index("waf.exceptions", i)
		x, err := e.exception()
		if err != nil {
			fail(at+".until", "want a day, 2030-01-31, or a time, 2030-01-31T12:00:00Z")
		}
		if err := x.Check(); err != nil {
			fail(at, "%v", err)
		}
	}
}

func (e *WAFException) exception() (waf.Exception, error) {
	x := waf.Exception{Rule: e.Rule, Target: e.Target, Path: e.Path, Reason: e.Reason}
	if e.Until == "" {
		return x, nil
	}
	var err error
	if x.Until, err = time.Parse(time.DateOnly, e.Until); err != nil {
		x.Until, err = time.Parse(time.RFC3339, e.Until)
	}
	return x, err
}

// Firewall returns what w says in the words of package waf.
func (w *WAF) Firewall() (waf.Config, error) {
	cfg := waf.Config{Paranoia: w.Paranoia, Threshold: w.Threshold, Body: int64(w.Body)}
	for g, name := range map[waf.Group]string{waf.Model: w.Mode, waf.Inner: w.Control} {
		m, err := waf.ParseMode(name)
		if err != nil {
			return cfg, err
		}
		cfg.Modes[g] = m
	}
	for _, e := range w.Exceptions {
		x, err := e.exception()
		if err != nil {
			return cfg, err
		}
		cfg.Exceptions = append(cfg.Exceptions, x)
	}
	return cfg, nil
}
