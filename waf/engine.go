package waf

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/types"

	"github.com/ringwall/ringwall"
)

// classes are the files of the Core Rule Set that are loaded, what the class of
// each is called in reasons, and whether it is of use without a body.
var classes = []struct {
	number int // of the first three digits of its rules
	file   string
	name   string
	door   bool
}{
	{911, "REQUEST-911-METHOD-ENFORCEMENT", "method", true},
	{913, "REQUEST-913-SCANNER-DETECTION", "scanner", true},
	{920, "REQUEST-920-PROTOCOL-ENFORCEMENT", "protocol", true},
	{921, "REQUEST-921-PROTOCOL-ATTACK", "protocol-attack", true},
	{922, "REQUEST-922-MULTIPART-ATTACK", "multipart", false},
	{930, "REQUEST-930-APPLICATION-ATTACK-LFI", "path-traversal", true},
	{931, "REQUEST-931-APPLICATION-ATTACK-RFI", "remote-file", true},
	{932, "REQUEST-932-APPLICATION-ATTACK-RCE", "command-injection", true},
	{933, "REQUEST-933-APPLICATION-ATTACK-PHP", "php-injection", true},
	{934, "REQUEST-934-APPLICATION-ATTACK-GENERIC", "code-injection", true},
	{941, "REQUEST-941-APPLICATION-ATTACK-XSS", "cross-site-scripting", true},
	{942, "REQUEST-942-APPLICATION-ATTACK-SQLI", "sql-injection", true},
	{943, "REQUEST-943-APPLICATION-ATTACK-SESSION-FIXATION", "session-fixation", false},
	{944, "REQUEST-944-APPLICATION-ATTACK-JAVA", "java-attack", true},
}

// reason is what a finding of a rule of the Core Rule Set says: its class and its
// number.
func reason(id int) string {
	name := "request"
	for _, c := range classes {
		if c.number == id/1000 {
			name = c.name
		}
	}
	return name + "-" + strconv.Itoa(id)
}

// Numbers of rules of ours that Coraza needs.
const (
	idSetup     = 900990
	idJSON      = 200001
	idXML       = 200000
	idBodyError = 200002
	idMultipart = 200003
	idRail      = 200010 // what definitions of guardrails may hold
	idUntyped   = 200011 // definitions of guardrails that do not say that they are JSON
	idException = 200100 // and on, two for each
)

// setup is what both sets of rules are told: what the Core Rule Set asks operators
// to decide (its crs-setup.conf).
//
//   - DELETE, PUT and PATCH are verbs of our APIs.
//   - Expect is sent by AWS's clients before large bodies, and Content-Encoding is
//     refused by the gateway in words that help.
//   - SecRxPreFilter stays off: with it, rules 932311 and 942220 miss what they are
//     for (tests 932311-7 and 942220-2 of the Core Rule Set).
//   - A host that is an IP address (920350) is how gateways on one machine are reached.
const setup = `
SecRuleEngine On
SecAuditEngine Off
SecResponseBodyAccess Off
SecArgumentsLimit 1000
SecDefaultAction "phase:1,log,pass"
SecDefaultAction "phase:2,log,pass"
SecAction "id:%d,phase:1,pass,nolog,t:none,\
setvar:tx.crs_setup_version=4250,setvar:tx.crs_validate_utf8_encoding=1,\
setvar:tx.blocking_paranoia_level=%[2]d,setvar:tx.detection_paranoia_level=%[2]d,\
setvar:tx.inbound_anomaly_score_threshold=%[3]d,\
setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE',\
setvar:'tx.allowed_request_content_type=|application/x-www-form-urlencoded| |multipart/form-data| |application/json| |application/cbor| |application/x-amz-json-1.0| |application/x-amz-json-1.1| |application/scim+json| |application/json-patch+json| |application/merge-patch+json| |application/octet-stream|',\
setvar:'tx.restricted_headers_basic=/proxy/ /lock-token/ /content-range/ /if/ /x-http-method-override/ /x-http-method/ /x-method-override/ /x-middleware-subrequest/'"
`

// bodies has bodies parsed and looked at. One that is not what its type says is
// refused.
const bodies = `
SecRequestBodyAccess On
SecRequestBodyLimit %[1]d
SecRequestBodyInMemoryLimit %[1]d
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 64
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" "id:%[2]d,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/(?:[a-z0-9.-]+[+])?(?:x-amz-)?json" "id:%[3]d,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:%[4]d,phase:2,t:none,log,deny,status:400,msg:'The body is not what its type says',severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:%[5]d,phase:2,t:none,log,deny,status:400,msg:'The parts of the body are not well formed',severity:2"
SecRule REQUEST_FILENAME "@rx ^/guardrails(?:/|$)" "id:%[6]d,phase:1,t:none,pass,nolog,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:/^json\.(?:name|description|blockedinputmessaging|blockedoutputsmessaging|topicpolicyconfig|contentpolicyconfig|wordpolicyconfig|sensitiveinformationpolicyconfig|contextualgroundingpolicyconfig|automatedreasoningpolicyconfig)/"
SecRule REQUEST_FILENAME "@rx ^/guardrails(?:/|$)" "id:%[7]d,phase:1,t:none,pass,nolog,chain"
SecRule &REQUEST_HEADERS:Content-Type "@eq 0" "t:none,ctl:requestBodyProcessor=JSON,ctl:ruleRemoveById=920340"
`

// directives writes what Coraza is told.
func directives(cfg Config, whole bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, setup, idSetup, cfg.Paranoia, cfg.Threshold)
	if whole {
		fmt.Fprintf(&b, bodies, cfg.Body, idXML, idJSON, idBodyError, idMultipart, idRail, idUntyped)
	} else {
		b.WriteString("SecRequestBodyAccess Off\n")
	}
	for i, e := range cfg.Exceptions {
		id, err := strconv.Atoi(e.Rule)
		if err != nil || !e.Until.IsZero() && !e.Until.After(cfg.Now()) {
			continue // ours, or over
		}
		act := fmt.Sprintf("ctl:ruleRemoveById=%d", id)
		if e.Target != "" {
			act = fmt.Sprintf("ctl:ruleRemoveTargetById=%d;%s", id, e.Target)
		}
		n := idException + i
		path := `^`
		if p := strings.TrimSuffix(e.Path, "/"); p != "" {
			path += strings.ReplaceAll(p, ".", `\.`) + `(?:/|$)`
		}
		if e.Until.IsZero() {
			fmt.Fprintf(&b, "SecRule REQUEST_FILENAME \"@rx %s\" \"id:%d,phase:1,t:none,pass,nolog,%s\"\n", path, n, act)
			continue
		}
		fmt.Fprintf(&b, "SecRule REQUEST_FILENAME \"@rx %s\" \"id:%d,phase:1,t:none,pass,nolog,chain\"\n", path, n)
		fmt.Fprintf(&b, "SecRule TIME_EPOCH \"@lt %d\" \"t:none,%s\"\n", e.Until.Unix(), act)
	}
	b.WriteString("Include @owasp_crs/REQUEST-901-INITIALIZATION.conf\n")
	for _, c := range classes {
		if whole || c.door {
			fmt.Fprintf(&b, "Include @owasp_crs/%s.conf\n", c.file)
		}
	}
	b.WriteString("Include @owasp_crs/REQUEST-949-BLOCKING-EVALUATION.conf\n")
	b.WriteString("SecRuleRemoveById 920350\n")
	if !whole {
		// What the gateway itself answers, and says what is wrong with it: other methods, a
		// body where none is read, headers twice or none (RFC 9112 has none in HTTP/1.0), and types of bodies, also of those that show none.
		b.WriteString("SecRuleRemoveById 911100 920170 920171 920280 920290 920340 920420 920470 920480 920620\n")
	}
	// At paranoia 2 the agents of AWS's clients (ua/2.1, m/Z,b,D) look like comments of SQL.
	b.WriteString("SecRuleUpdateTargetById 942200 \"!REQUEST_HEADERS:User-Agent\"\n")
	return b.String()
}

// engine is Coraza with a set of rules.
type engine struct{ coraza.WAF }

func newEngine(cfg Config, whole bool) (*engine, error) {
	w, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives(cfg, whole)))
	if err != nil {
		if f, perr := os.CreateTemp("", "ringwall"); perr != nil {
			return nil, fmt.Errorf("waf: a directory for temporary files is needed: set TMPDIR to one that can be written to: %w", perr)
		} else {
			_ = errors.Join(f.Close(), os.Remove(f.Name())) // an empty file, at worst
		}
		return nil, fmt.Errorf("waf: loading the rules: %w", err)
	}
	return &engine{w}, nil
}

// Close gives back the expressions that all engines of the process share.
func (e *engine) Close() error {
	if c, ok := e.WAF.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Rules returns how many rules there are.
func (e *engine) Rules() int {
	if c, ok := e.WAF.(interface{ RulesCount() int }); ok {
		return c.RulesCount()
	}
	return 0
}

var errLook = errors.New("waf: Coraza could not look")

// look has Coraza look at a request, and returns the rules that matched and whether
// their scores reach the threshold. It looks at a body where there is one.
func (e *engine) look(q *normal, body []byte) (matches []Match, blocked bool, err error) {
	tx := e.NewTransaction()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic", errLook) // what it says may hold text of the request
		}
		if cerr := tx.Close(); cerr != nil && err == nil {
			err = fmt.Errorf("%w: %v", errLook, cerr)
		}
	}()
	tx.ProcessURI(q.uri, q.method, q.proto)
	for _, h := range q.headers {
		tx.AddRequestHeader(h.name, h.value)
	}
	it := tx.ProcessRequestHeaders()
	if it == nil && len(body) > 0 {
		var n int
		if it, n, err = tx.WriteRequestBody(body); err != nil {
			return nil, false, fmt.Errorf("%w: %v", errLook, err)
		} else if it == nil && n < len(body) {
			return nil, false, errLook
		}
	}
	if it == nil {
		if it, err = tx.ProcessRequestBody(); err != nil {
			return nil, false, fmt.Errorf("%w: %v", errLook, err)
		}
	}
	for _, m := range tx.MatchedRules() {
		if id := m.Rule().ID(); id >= 911000 && id < 949000 && m.Message() != "" || id == idBodyError || id == idMultipart {
			matches = append(matches, matched(m))
		}
	}
	return matches, it != nil, nil
}

// matched says what a rule of the Core Rule Set matched, without the text.
func matched(m types.MatchedRule) Match {
	id := m.Rule().ID()
	out := Match{Rule: strconv.Itoa(id), Reason: reason(id), Message: m.Message()}
	switch m.Rule().Severity() {
	case types.RuleSeverityEmergency, types.RuleSeverityAlert, types.RuleSeverityCritical:
		out.Severity, out.Score = ringwall.High, 5
	case types.RuleSeverityError:
		out.Severity, out.Score = ringwall.Medium, 4
	case types.RuleSeverityWarning:
		out.Severity, out.Score = ringwall.Low, 3
	default:
		out.Severity, out.Score = ringwall.Info, 2
	}
	for _, d := range m.MatchedDatas() {
		out.Where = cmp.Or(out.Where, where(d.Variable().Name(), d.Key()))
	}
	return out
}

// where names a part of a request. Names that callers choose are told when they are
// plain words.
func where(variable, key string) string {
	if key == "" || len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) {
		return variable
	}
	return variable + ":" + key
}

// once keeps of each rule the first match.
func once(matches []Match) []Match {
	seen := make(map[string]bool, len(matches))
	return slices.DeleteFunc(matches, func(m Match) bool {
		was := seen[m.Rule]
		seen[m.Rule] = true
		return was
	})
}
