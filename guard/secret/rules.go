package secret

import (
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// rule is a kind of credential that its prefix gives away.
type rule struct {
	reason string // service and kind
	prefix string
	class  *class
	min    int // characters of the class behind the prefix, at least
	digits int // how many of the first min must be digits, at least: tells words from tokens
}

// class is a set of characters.
type class [256]bool

func classOf(ranges string) *class {
	var c class
	for i := 0; i < len(ranges); i++ {
		if i+2 < len(ranges) && ranges[i+1] == '-' {
			for b := ranges[i]; b <= ranges[i+2]; b++ {
				c[b] = true
			}
			i += 2
			continue
		}
		c[ranges[i]] = true
	}
	return &c
}

var (
	upper32  = classOf("A-Z2-7")
	alnum    = classOf("A-Za-z0-9")
	hexLower = classOf("a-f0-9")
	hexAny   = classOf("A-Fa-f0-9")
	urlSafe  = classOf("A-Za-z0-9_-")
	under    = classOf("A-Za-z0-9_")
	dotted   = classOf("A-Za-z0-9_.-")
	bech32   = classOf("A-Z0-9")
	path     = classOf("A-Za-z0-9/_-")

	hexDash   = classOf("a-f0-9-")
	dollar    = classOf("A-Za-z0-9_$")
	mailchimp = classOf("a-z0-9-")
	hexUnder  = classOf("A-Fa-f0-9_")
	pathAt    = classOf("A-Za-z0-9/@-")

	base64Dot  = classOf("A-Za-z0-9+/=.")
	base64Body = classOf("A-Za-z0-9+/=")
	tokenBody  = classOf("A-Za-z0-9+/=_-")
)

// rules are the known kinds; of two that begin at the same place the earlier
// counts, so where one prefix begins another, the longer stands first.
var rules = []rule{
	{"aws-access-key", "AKIA", upper32, 16, 0},
	{"aws-access-key", "ASIA", upper32, 16, 0},
	{"aws-access-key", "ABIA", upper32, 16, 0},
	{"aws-access-key", "ACCA", upper32, 16, 0},
	{"aws-bedrock-api-key", "ABSK", base64Body, 100, 1},
	{"aws-bedrock-api-key", "bedrock-api-key-", base64Body, 24, 0},
	{"alibaba-access-key", "LTAI", alnum, 17, 1},
	{"github-fine-grained-pat", "github_pat_", under, 36, 1},
	{"github-pat", "ghp_", alnum, 36, 0},
	{"github-oauth", "gho_", alnum, 36, 0},
	{"github-app-token", "ghu_", alnum, 36, 0},
	{"github-app-token", "ghs_", alnum, 36, 0},
	{"github-refresh-token", "ghr_", alnum, 36, 0},
	{"gitlab-pat", "glpat-", dotted, 20, 0},
	{"gitlab-deploy-token", "gldt-", urlSafe, 20, 0},
	{"gitlab-runner-token", "glrt-", urlSafe, 20, 0},
	{"gitlab-runner-token", "glrtr-", urlSafe, 20, 0},
	{"gitlab-job-token", "glcbt-", urlSafe, 20, 0},
	{"gitlab-trigger-token", "glptt-", hexLower, 40, 0},
	{"gitlab-agent-token", "glagent-", urlSafe, 50, 0},
	{"gitlab-mail-token", "glimt-", urlSafe, 20, 0},
	{"gitlab-feature-flag-token", "glffct-", urlSafe, 20, 0},
	{"gitlab-scim-token", "glsoat-", urlSafe, 20, 0},
	{"gitlab-oauth-secret", "gloas-", urlSafe, 40, 0},
	{"slack-token", "xoxb-", urlSafe, 20, 4},
	{"slack-token", "xoxp-", urlSafe, 20, 4},
	{"slack-token", "xoxa-", urlSafe, 20, 4},
	{"slack-token", "xoxr-", urlSafe, 20, 4},
	{"slack-token", "xoxs-", urlSafe, 20, 4},
	{"slack-token", "xoxe-", urlSafe, 20, 4},
	{"slack-app-token", "xapp-", urlSafe, 20, 2},
	{"slack-webhook-url", "hooks.slack.com/services/", path, 20, 0},
	{"slack-webhook-url", "hooks.slack.com/workflows/", path, 20, 0},
	{"slack-webhook-url", "hooks.slack.com/triggers/", path, 20, 0},
	{"discord-webhook-url", "discord.com/api/webhooks/", path, 60, 17},
	{"stripe-secret-key", "sk_live_", alnum, 16, 0},
	{"stripe-secret-key", "sk_test_", alnum, 16, 0},
	{"stripe-secret-key", "rk_live_", alnum, 16, 0},
	{"stripe-secret-key", "rk_test_", alnum, 16, 0},
	{"stripe-webhook-secret", "whsec_", alnum, 24, 1},
	{"anthropic-api-key", "sk-ant-", urlSafe, 32, 1},
	{"openrouter-api-key", "sk-or-", urlSafe, 32, 1},
	{"openai-api-key", "sk-proj-", urlSafe, 20, 0},
	{"openai-api-key", "sk-svcacct-", urlSafe, 20, 0},
	{"openai-api-key", "sk-", alnum, 24, 1},
	{"google-api-key", "AIza", urlSafe, 35, 0},
	{"google-oauth-token", "ya29.", urlSafe, 20, 0},
	{"google-client-secret", "GOCSPX-", urlSafe, 24, 0},
	{"npm-access-token", "npm_", alnum, 36, 1},
	{"pypi-token", "pypi-AgE", urlSafe, 50, 0},
	{"rubygems-api-key", "rubygems_", hexLower, 48, 0},
	{"docker-pat", "dckr_pat_", urlSafe, 27, 0},
	{"sendgrid-api-key", "SG.", dotted, 60, 1},
	{"mailgun-api-key", "key-", hexLower, 32, 2},
	{"brevo-api-key", "xkeysib-", urlSafe, 64, 2},
	{"twilio-api-key", "SK", hexLower, 32, 4},
	{"twilio-account-sid", "AC", hexLower, 32, 4},
	{"huggingface-token", "hf_", alnum, 34, 0},
	{"huggingface-token", "api_org_", alnum, 34, 0},
	{"digitalocean-token", "dop_v1_", hexLower, 64, 0},
	{"digitalocean-token", "doo_v1_", hexLower, 64, 0},
	{"digitalocean-token", "dor_v1_", hexLower, 64, 0},
	{"shopify-token", "shpat_", hexAny, 32, 1},
	{"shopify-token", "shpss_", hexAny, 32, 1},
	{"shopify-token", "shpca_", hexAny, 32, 1},
	{"shopify-token", "shppa_", hexAny, 32, 1},
	{"vault-token", "hvs.", urlSafe, 24, 0},
	{"vault-token", "hvb.", urlSafe, 24, 0},
	{"doppler-token", "dp.pt.", alnum, 40, 1},
	{"linear-api-key", "lin_api_", alnum, 40, 1},
	{"notion-token", "ntn_", alnum, 40, 1},
	{"databricks-token", "dapi", hexLower, 32, 4},
	{"grafana-token", "glsa_", under, 41, 1},
	{"grafana-token", "glc_", base64Body, 32, 1},
	{"postman-api-key", "PMAK-", urlSafe, 58, 1},
	{"new-relic-key", "NRAK-", alnum, 27, 1},
	{"new-relic-key", "NRII-", urlSafe, 32, 1},
	{"new-relic-key", "NRJS-", hexLower, 19, 1},
	{"sentry-token", "sntrys_eyJ", tokenBody, 60, 1},
	{"sentry-token", "sntryu_", hexLower, 64, 1},
	{"sonar-token", "sqp_", alnum, 40, 1},
	{"sonar-token", "squ_", alnum, 40, 1},
	{"sonar-token", "sqa_", alnum, 40, 1},
	{"sourcegraph-token", "sgp_local_", hexAny, 40, 1},
	{"sourcegraph-token", "sgp_", hexUnder, 40, 1},
	{"dynatrace-token", "dt0c01.", dotted, 80, 1},
	{"pulumi-token", "pul-", hexLower, 40, 1},
	{"planetscale-token", "pscale_tkn_", tokenBody, 32, 1},
	{"planetscale-token", "pscale_oauth_", tokenBody, 32, 1},
	{"planetscale-token", "pscale_pw_", tokenBody, 32, 1},
	{"easypost-api-key", "EZTK", alnum, 54, 1},
	{"easypost-api-key", "EZAK", alnum, 54, 1},
	{"flutterwave-key", "FLWSECK_TEST-", urlSafe, 12, 1},
	{"flutterwave-key", "FLWPUBK_TEST-", urlSafe, 12, 1},
	{"settlemint-token", "sm_aat_", alnum, 16, 1},
	{"settlemint-token", "sm_sat_", alnum, 16, 1},
	{"settlemint-token", "sm_pat_", alnum, 16, 1},
	{"onepassword-token", "ops_eyJ", tokenBody, 200, 1},
	{"openshift-token", "sha256~", urlSafe, 43, 1},
	{"cloudflare-origin-ca-key", "v1.0-", urlSafe, 100, 4},
	{"age-secret-key", "AGE-SECRET-KEY-1", bech32, 58, 1},
	{"terraform-cloud-token", "atlasv1.", urlSafe, 40, 1},
	{"supabase-token", "sbp_", hexLower, 40, 1},
	{"replicate-token", "r8_", alnum, 37, 1},
	{"groq-api-key", "gsk_", alnum, 48, 1},
	{"perplexity-api-key", "pplx-", alnum, 40, 1},
	{"xai-api-key", "xai-", alnum, 60, 1},
	{"nvidia-api-key", "nvapi-", urlSafe, 50, 1},
	{"pinecone-api-key", "pcsk_", under, 40, 1},
	{"langsmith-api-key", "lsv2_", under, 40, 1},
	{"figma-token", "figd_", urlSafe, 40, 1},
	{"atlassian-token", "ATATT3", tokenBody, 60, 1},
	{"ringwall-api-key", "rw_", under, 47, 1},
	{"jwt", "eyJ", nil, 0, 0},
}

// sight is the index of the rarest byte of the prefix: where the cursor stops.
// Most prefixes end their first word with a sign; the others hold a capital
// letter, or a p.
func (r *rule) sight() int {
	at := strings.IndexFunc(r.prefix, func(c rune) bool { return !stream.AlphaNum[byte(c)] })
	for _, rare := range []byte("ASZJpX") {
		if at < 0 {
			at = strings.IndexByte(r.prefix, rare)
		}
	}
	if at < 0 || at > longestSight {
		// bug: a rule was added to the table whose prefix has no such byte.
		panic("secret: no trigger near the beginning of the prefix " + r.prefix)
	}
	return at
}

// all are the rules in their order: those whose prefix begins others come last.
var all = func() (list []*rule) {
	for i := range newRules {
		list = append(list, &newRules[i])
	}
	for i := range moreRules {
		list = append(list, &moreRules[i])
	}
	for i := range rules {
		list = append(list, &rules[i])
	}
	return list
}()

// book is the rules by how they are come upon.
type book struct {
	trigger [256]bool             // bytes at which the cursor stops
	seen    [256]*[256][]sighting // by the trigger and the byte before it; by 0 if the rule begins with it
	first   [256][]sighting       // by the first byte
}

// sighting is a rule and the index of its trigger.
type sighting struct {
	*rule
	at int
}

// longestSight bounds the indices of triggers.
const longestSight = 10

var library = func() (b book) {
	for _, c := range []byte(":=,(>-.~|") { // of assignments, URLs, private keys and shapes
		b.trigger[c] = true
	}
	for _, r := range all {
		s := sighting{r, r.sight()}
		c, before := s.prefix[s.at], byte(0)
		if s.at > 0 {
			before = s.prefix[s.at-1]
		}
		if b.trigger[c] = true; b.seen[c] == nil {
			b.seen[c] = new([256][]sighting)
		}
		b.seen[c][before] = append(b.seen[c][before], s)
		b.first[s.prefix[0]] = append(b.first[s.prefix[0]], s)
	}
	return b
}()

// read reads a credential that begins at t[i], up to the shortest it can be.
func (r *rule) read(t []byte, i int, final bool) (m stream.Match, look stream.Look) {
	body := t[i:]
	if n := min(len(body), len(r.prefix)); string(body[:n]) != r.prefix[:n] {
		return m, stream.No
	} else if n < len(r.prefix) {
		return m, unless(final)
	}
	body = body[len(r.prefix):]
	digits, same := 0, 0
	for n := range r.min {
		if n == len(body) {
			return m, unless(final)
		}
		if !r.class[body[n]] {
			return m, stream.No
		}
		if '0' <= body[n] && body[n] <= '9' {
			digits++
		}
		if body[n] == body[0] {
			same++
		}
	}
	if digits < r.digits || same == r.min { // one character again and again holds a place
		return m, stream.No
	}
	if digits == 0 && r.min >= 20 && wordy(body[:r.min]) { // a name in a program
		return m, stream.No
	}
	return stream.Match{Start: i, End: i + len(r.prefix) + r.min, Reason: r.reason, Severity: ringwall.High, Score: r.sure(body[:r.min])}, stream.Yes
}

// unless says that more is needed, unless there is no more.
func unless(final bool) stream.Look {
	if final {
		return stream.No
	}
	return stream.More
}

func (c *class) swallow(t []byte, i int, _ bool) (end int, more bool) {
	for i < len(t) && c[t[i]] {
		i++
	}
	return i, i == len(t)
}
