package secret

import (
	"bytes"

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
)

// rules are the known kinds by the first byte of their prefix; where one prefix
// begins another, the longer stands first.
var rules = index([]rule{
	{"aws-access-key", "AKIA", upper32, 16, 0},
	{"aws-access-key", "ASIA", upper32, 16, 0},
	{"aws-access-key", "ABIA", upper32, 16, 0},
	{"aws-access-key", "ACCA", upper32, 16, 0},
	{"aws-bedrock-api-key", "ABSK", classOf("A-Za-z0-9+/="), 100, 1},
	{"github-fine-grained-pat", "github_pat_", under, 36, 1},
	{"github-pat", "ghp_", alnum, 36, 0},
	{"github-oauth", "gho_", alnum, 36, 0},
	{"github-app-token", "ghu_", alnum, 36, 0},
	{"github-app-token", "ghs_", alnum, 36, 0},
	{"github-refresh-token", "ghr_", alnum, 36, 0},
	{"gitlab-pat", "glpat-", urlSafe, 20, 0},
	{"gitlab-deploy-token", "gldt-", urlSafe, 20, 0},
	{"gitlab-runner-token", "glrt-", urlSafe, 20, 0},
	{"slack-token", "xoxb-", urlSafe, 20, 4},
	{"slack-token", "xoxp-", urlSafe, 20, 4},
	{"slack-token", "xoxa-", urlSafe, 20, 4},
	{"slack-token", "xoxr-", urlSafe, 20, 4},
	{"slack-token", "xoxs-", urlSafe, 20, 4},
	{"slack-app-token", "xapp-", urlSafe, 20, 2},
	{"slack-webhook-url", "https://hooks.slack.com/services/", classOf("A-Za-z0-9/_"), 20, 0},
	{"stripe-secret-key", "sk_live_", alnum, 16, 0},
	{"stripe-secret-key", "sk_test_", alnum, 16, 0},
	{"stripe-secret-key", "rk_live_", alnum, 16, 0},
	{"stripe-secret-key", "rk_test_", alnum, 16, 0},
	{"stripe-webhook-secret", "whsec_", alnum, 24, 1},
	{"anthropic-api-key", "sk-ant-", urlSafe, 32, 1},
	{"openrouter-api-key", "sk-or-", urlSafe, 32, 1},
	{"openai-api-key", "sk-proj-", urlSafe, 20, 0},
	{"openai-api-key", "sk-svcacct-", urlSafe, 20, 0},
	{"openai-api-key", "sk-", urlSafe, 20, 1},
	{"google-api-key", "AIza", urlSafe, 35, 0},
	{"google-oauth-token", "ya29.", urlSafe, 20, 0},
	{"google-client-secret", "GOCSPX-", urlSafe, 24, 0},
	{"npm-access-token", "npm_", alnum, 36, 0},
	{"pypi-token", "pypi-AgE", urlSafe, 50, 0},
	{"sendgrid-api-key", "SG.", dotted, 60, 0},
	{"twilio-api-key", "SK", hexLower, 32, 4},
	{"twilio-account-sid", "AC", hexLower, 32, 4},
	{"huggingface-token", "hf_", alnum, 30, 0},
	{"digitalocean-token", "dop_v1_", hexLower, 64, 0},
	{"digitalocean-token", "doo_v1_", hexLower, 64, 0},
	{"shopify-token", "shpat_", hexAny, 32, 0},
	{"shopify-token", "shpss_", hexAny, 32, 0},
	{"shopify-token", "shpca_", hexAny, 32, 0},
	{"vault-token", "hvs.", urlSafe, 24, 0},
	{"vault-token", "hvb.", urlSafe, 24, 0},
	{"doppler-token", "dp.pt.", alnum, 40, 0},
	{"linear-api-key", "lin_api_", alnum, 40, 0},
	{"notion-token", "ntn_", alnum, 40, 1},
	{"databricks-token", "dapi", hexLower, 32, 4},
	{"grafana-token", "glsa_", under, 40, 0},
	{"grafana-token", "glc_", classOf("A-Za-z0-9+/="), 32, 0},
	{"postman-api-key", "PMAK-", urlSafe, 58, 0},
	{"new-relic-key", "NRAK-", classOf("A-Z0-9"), 27, 0},
	{"age-secret-key", "AGE-SECRET-KEY-1", bech32, 58, 0},
	{"terraform-cloud-token", "atlasv1.", urlSafe, 40, 0},
	{"supabase-token", "sbp_", hexLower, 40, 0},
	{"replicate-token", "r8_", alnum, 37, 0},
	{"groq-api-key", "gsk_", alnum, 48, 0},
	{"perplexity-api-key", "pplx-", alnum, 40, 0},
	{"ringwall-api-key", "rw_", under, 40, 0},
	{"jwt", "eyJ", nil, 0, 0},
})

func index(list []rule) (t [256][]rule) {
	for _, r := range list {
		t[r.prefix[0]] = append(t[r.prefix[0]], r)
	}
	return t
}

func (r *rule) read(t []byte, i int, final bool) (m stream.Match, rest swallower, look stream.Look) {
	got := t[i:]
	if len(got) > 1 && got[1] != r.prefix[1] {
		return m, nil, stream.No
	}
	if len(got) < len(r.prefix) {
		if !final && bytes.HasPrefix([]byte(r.prefix), got) {
			return m, nil, stream.More
		}
		return m, nil, stream.No
	}
	if string(got[:len(r.prefix)]) != r.prefix {
		return m, nil, stream.No
	}
	if r.class == nil {
		return readJWT(t, i, final)
	}
	body := got[len(r.prefix):]
	digits := 0
	for n := range r.min {
		if n == len(body) {
			if final {
				return m, nil, stream.No
			}
			return m, nil, stream.More
		}
		if !r.class[body[n]] {
			return m, nil, stream.No
		}
		if '0' <= body[n] && body[n] <= '9' {
			digits++
		}
	}
	if digits < r.digits {
		return m, nil, stream.No
	}
	m = stream.Match{Start: i, End: i + len(r.prefix) + r.min, Reason: r.reason, Score: 0.99}
	return m, r.class.swallow, stream.Yes
}

func (c *class) swallow(t []byte, i int, _ bool) (end int, more bool) {
	for i < len(t) && c[t[i]] {
		i++
	}
	return i, i == len(t)
}

// readJWT reads a JSON Web Token: two parts of base64url that begin as the
// encoding of `{"` does, and a signature (RFC 7519). The header alone tells
// nothing; once the payload has begun as well, the rest is swallowed.
func readJWT(t []byte, i int, final bool) (m stream.Match, rest swallower, look stream.Look) {
	const longest = 2048 // of the header
	j := i
	for j < len(t) && urlSafe[t[j]] && j-i < longest {
		j++
	}
	payload := []byte(".eyJ")
	head := t[j:min(len(t), j+len(payload))]
	switch {
	case j-i == longest:
		return m, nil, stream.No
	case !final && len(head) < len(payload) && bytes.HasPrefix(payload, head):
		return m, nil, stream.More
	case j-i < 10 || !bytes.Equal(head, payload):
		return m, nil, stream.No
	}
	return stream.Match{Start: i, End: j + len(payload), Reason: "jwt", Score: 0.99}, dotted.swallow, stream.Yes
}
