package secret_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bodies of credentials, by the characters that they are made of. Specimens are
// put together while the test runs, so that none stands in the source.
const (
	lowerHex = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	letters  = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zAbCdEf"
	capitals = "Z2Y3X4W5V6U7T2S3R4Q5P6O7"
)

// specimen returns n characters of body behind prefix.
func specimen(prefix, body string, n int) string {
	return prefix + strings.Repeat(body, n/len(body)+1)[:n]
}

// kind is a kind of credential and how a specimen of it is made.
type kind struct {
	reason, prefix, body string
	n                    int
}

// kinds are the kinds of credentials that a prefix gives away, each with the
// fewest characters behind it.
var kinds = []kind{
	{"aws-access-key", "AKIA", capitals, 16},
	{"aws-access-key", "ASIA", capitals, 16},
	{"aws-access-key", "ABIA", capitals, 16},
	{"aws-access-key", "ACCA", capitals, 16},
	{"aws-bedrock-api-key", "ABSK", letters, 100},
	{"aws-bedrock-api-key", "bedrock-api-key-", letters, 24},
	{"alibaba-access-key", "LTAI", letters, 17},
	{"github-fine-grained-pat", "github_pat_", letters, 36},
	{"github-pat", "ghp_", letters, 36},
	{"github-oauth", "gho_", letters, 36},
	{"github-app-token", "ghu_", letters, 36},
	{"github-app-token", "ghs_", letters, 36},
	{"github-refresh-token", "ghr_", letters, 36},
	{"gitlab-pat", "glpat-", letters, 20},
	{"gitlab-deploy-token", "gldt-", letters, 20},
	{"gitlab-runner-token", "glrt-", letters, 20},
	{"gitlab-runner-token", "glrtr-", letters, 20},
	{"gitlab-job-token", "glcbt-", letters, 20},
	{"gitlab-trigger-token", "glptt-", lowerHex, 40},
	{"gitlab-agent-token", "glagent-", letters, 50},
	{"gitlab-mail-token", "glimt-", letters, 20},
	{"gitlab-feature-flag-token", "glffct-", letters, 20},
	{"gitlab-scim-token", "glsoat-", letters, 20},
	{"gitlab-oauth-secret", "gloas-", letters, 40},
	{"slack-token", "xoxb-", "1234567890-abcdefXYZ", 20},
	{"slack-token", "xoxp-", "1234567890-abcdefXYZ", 20},
	{"slack-token", "xoxa-", "1234567890-abcdefXYZ", 20},
	{"slack-token", "xoxr-", "1234567890-abcdefXYZ", 20},
	{"slack-token", "xoxs-", "1234567890-abcdefXYZ", 20},
	{"slack-token", "xoxe-", "1234567890-abcdefXYZ", 20},
	{"slack-app-token", "xapp-", "1-A02B3C4D5-0123456789", 20},
	{"slack-webhook-url", "hooks.slack.com/services/", "T01/B02/" + letters, 20},
	{"slack-webhook-url", "hooks.slack.com/workflows/", "T01/B02/" + letters, 20},
	{"slack-webhook-url", "hooks.slack.com/triggers/", "T01/B02/" + letters, 20},
	{"discord-webhook-url", "discord.com/api/webhooks/", "123456789012345678/" + letters, 60},
	{"stripe-secret-key", "sk_live_", letters, 16},
	{"stripe-secret-key", "sk_test_", letters, 16},
	{"stripe-secret-key", "rk_live_", letters, 16},
	{"stripe-secret-key", "rk_test_", letters, 16},
	{"stripe-webhook-secret", "whsec_", letters, 24},
	{"anthropic-api-key", "sk-ant-", "api03-" + letters, 32},
	{"openrouter-api-key", "sk-or-", "v1-" + lowerHex, 32},
	{"openai-api-key", "sk-proj-", letters, 20},
	{"openai-api-key", "sk-svcacct-", letters, 20},
	{"openai-api-key", "sk-", letters, 24},
	{"google-api-key", "AIza", letters, 35},
	{"google-oauth-token", "ya29.", letters, 20},
	{"google-client-secret", "GOCSPX-", letters, 24},
	{"npm-access-token", "npm_", letters, 36},
	{"pypi-token", "pypi-AgE", letters, 50},
	{"rubygems-api-key", "rubygems_", lowerHex, 48},
	{"docker-pat", "dckr_pat_", letters, 27},
	{"sendgrid-api-key", "SG.", letters, 60},
	{"mailgun-api-key", "key-", lowerHex, 32},
	{"brevo-api-key", "xkeysib-", lowerHex, 64},
	{"twilio-api-key", "SK", lowerHex, 32},
	{"twilio-account-sid", "AC", lowerHex, 32},
	{"huggingface-token", "hf_", letters, 34},
	{"huggingface-token", "api_org_", letters, 34},
	{"digitalocean-token", "dop_v1_", lowerHex, 64},
	{"digitalocean-token", "doo_v1_", lowerHex, 64},
	{"digitalocean-token", "dor_v1_", lowerHex, 64},
	{"shopify-token", "shpat_", lowerHex, 32},
	{"shopify-token", "shpss_", lowerHex, 32},
	{"shopify-token", "shpca_", lowerHex, 32},
	{"shopify-token", "shppa_", lowerHex, 32},
	{"vault-token", "hvs.", letters, 24},
	{"vault-token", "hvb.", letters, 24},
	{"doppler-token", "dp.pt.", letters, 40},
	{"linear-api-key", "lin_api_", letters, 40},
	{"notion-token", "ntn_", letters, 40},
	{"databricks-token", "dapi", lowerHex, 32},
	{"grafana-token", "glsa_", letters, 41},
	{"grafana-token", "glc_", letters, 32},
	{"postman-api-key", "PMAK-", letters, 58},
	{"new-relic-key", "NRAK-", letters, 27},
	{"new-relic-key", "NRII-", letters, 32},
	{"new-relic-key", "NRJS-", lowerHex, 19},
	{"sentry-token", "sntrys_eyJ", letters, 60},
	{"sentry-token", "sntryu_", lowerHex, 64},
	{"sonar-token", "sqp_", letters, 40},
	{"sonar-token", "squ_", letters, 40},
	{"sonar-token", "sqa_", letters, 40},
	{"sourcegraph-token", "sgp_", lowerHex, 40},
	{"sourcegraph-token", "sgp_local_", lowerHex, 40},
	{"dynatrace-token", "dt0c01.", letters, 80},
	{"pulumi-token", "pul-", lowerHex, 40},
	{"planetscale-token", "pscale_tkn_", letters, 32},
	{"planetscale-token", "pscale_oauth_", letters, 32},
	{"planetscale-token", "pscale_pw_", letters, 32},
	{"easypost-api-key", "EZTK", letters, 54},
	{"easypost-api-key", "EZAK", letters, 54},
	{"flutterwave-key", "FLWSECK_TEST-", lowerHex, 12},
	{"flutterwave-key", "FLWPUBK_TEST-", lowerHex, 12},
	{"settlemint-token", "sm_aat_", letters, 16},
	{"settlemint-token", "sm_sat_", letters, 16},
	{"settlemint-token", "sm_pat_", letters, 16},
	{"onepassword-token", "ops_eyJ", letters, 200},
	{"openshift-token", "sha256~", letters, 43},
	{"cloudflare-origin-ca-key", "v1.0-", lowerHex, 100},
	{"age-secret-key", "AGE-SECRET-KEY-1", capitals, 58},
	{"terraform-cloud-token", "atlasv1.", letters, 40},
	{"supabase-token", "sbp_", lowerHex, 40},
	{"replicate-token", "r8_", letters, 37},
	{"groq-api-key", "gsk_", letters, 48},
	{"perplexity-api-key", "pplx-", letters, 40},
	{"xai-api-key", "xai-", letters, 60},
	{"nvidia-api-key", "nvapi-", letters, 50},
	{"pinecone-api-key", "pcsk_", letters, 40},
	{"langsmith-api-key", "lsv2_", "pt_" + letters, 40},
	{"figma-token", "figd_", letters, 40},
	{"atlassian-token", "ATATT3", letters, 60},
	{"ringwall-api-key", "rw_", "k7mq2xvd_" + letters, 47},
}

func token(reason string) string { return stream.Token(reason) }

func masked(t *testing.T, text string) string {
	t.Helper()
	out, _ := guardtest.Mask(t, secret.Scanner{}, stream.Scope{}, text)
	return out
}

func TestKnownKinds(t *testing.T) {
	for _, k := range slices.Concat(kinds, moreKinds, newKinds) {
		t.Run(k.prefix, func(t *testing.T) {
			whole := specimen(k.prefix, k.body, k.n)
			for _, tt := range []struct{ name, in, want string }{
				{"the shortest", "key " + whole + " end", "key " + token(k.reason) + " end"},
				{"in quotes", `key="` + whole + `"`, `key="` + token(k.reason) + `"`},
				{"in a header", "Authorization: Bearer " + whole + "\n", "Authorization: Bearer " + token(k.reason) + "\n"},
				{"assigned", "API_TOKEN=" + whole, "API_TOKEN=" + token(k.reason)},
				{"within a word", "x" + whole[:min(len(whole), 90)], ""},
				{"cut short", "key " + whole[:len(whole)-1], ""},
				{"a placeholder", "key " + specimen(k.prefix, "x", k.n), ""},
			} {
				if strings.HasPrefix(tt.name, "within") && strings.ContainsAny(k.prefix[:len(k.prefix)-1], "-_.~/") {
					continue // a part of it is a word
				}
				if tt.want == "" {
					if got := masked(t, tt.in); strings.Contains(got, token(k.reason)) && k.prefix != "sk-or-" {
						t.Errorf("%s: %q became %q", tt.name, tt.in, got)
					}
					continue
				}
				if got := masked(t, tt.in); got != tt.want {
					t.Errorf("%s: %q became %q, want %q", tt.name, tt.in, got, tt.want)
				}
			}
			long := specimen(k.prefix, k.body, k.n+5000)
			if got := masked(t, "key "+long+" end"); got != "key "+token(k.reason)+" end" {
				t.Errorf("a longer one became %.80q", got)
			}
		})
	}
}

// pem returns a private key of no meaning.
func pem(label string) string {
	line := strings.Repeat("MIIEowIBAAKCAQ0x", 4)
	return "-----BEGIN " + label + "-----\n" + line + "\n" + line + "\nabc=\n-----END " + label + "-----"
}

func TestShapes(t *testing.T) {
	jwt := "eyJhbGciOiJIUzI1NiJ9" + "." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0" + "." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	for _, tt := range []struct{ name, in, want string }{
		{"a private key", "a\n" + pem("RSA PRIVATE KEY") + "\nb", "a\n{PRIVATE_KEY}\nb"},
		{"an encrypted one", pem("ENCRYPTED PRIVATE KEY") + ".", "{PRIVATE_KEY}."},
		{"one in a line with escapes", strings.ReplaceAll(pem("PRIVATE KEY"), "\n", `\n`) + `"`, `{PRIVATE_KEY}"`},
		{"one that is cut off", "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQ0xMIIEowIBAAKCAQ0x", "{PRIVATE_KEY}"},
		{"a certificate", pem("CERTIFICATE"), pem("CERTIFICATE")},
		{"a public key", pem("PUBLIC KEY"), pem("PUBLIC KEY")},
		{"a web token", "Bearer " + jwt + ".", "Bearer {JWT}"},
		{"a web token, assigned", "token=" + jwt, "token={JWT}"},
		{"a header alone", "eyJhbGciOiJIUzI1NiJ9 is a header", "eyJhbGciOiJIUzI1NiJ9 is a header"},
		{"a password in a URL", "postgres://app:s3cr3t-pw@db:5432/x", "postgres://app:{URL_PASSWORD}@db:5432/x"},
		{"a password without a user", "redis://:s3cr3t@cache", "redis://:{URL_PASSWORD}@cache"},
		{"a URL without a password", "https://user@host/a:b@c", "https://user@host/a:b@c"},
		{"a port", "http://host:8080/@x", "http://host:8080/@x"},
		{"a placeholder in a URL", "postgres://user:password@localhost", "postgres://user:password@localhost"},
		{"a variable in a URL", "postgres://app:${PW}@db", "postgres://app:${PW}@db"},
		{"an assignment", `password = "hunter2-Xy9!q"`, `password = "{ASSIGNED_SECRET}"`},
		{"JSON", `{"api_key": "9f8e7d6c5b4a39281706"}`, `{"api_key": "{ASSIGNED_SECRET}"}`},
		{"YAML", "client_secret: 9f8e7d6c5b4a39281706\n", "client_secret: {ASSIGNED_SECRET}\n"},
		{"the environment", "export DB_PASSWORD=hunter2Xy9q", "export DB_PASSWORD={ASSIGNED_SECRET}"},
		{"camel case", "dbPassword: 'hunter2Xy9q'", "dbPassword: '{ASSIGNED_SECRET}'"},
		{"a Ruby hash", ":password => 'hunter2Xy9q'", ":password => '{ASSIGNED_SECRET}'"},
		{"Go", `token := "9f8e7d6c5b4a39281706"`, `token := "{ASSIGNED_SECRET}"`},
		{"make", `API_TOKEN ?= "9f8e7d6c5b4a39281706"`, `API_TOKEN ?= "{ASSIGNED_SECRET}"`},
		{"XML", "<apiToken>\n  9f8e7d6c5b4a39281706\n</apiToken>", "<apiToken>\n  {ASSIGNED_SECRET}\n</apiToken>"},
		{"arguments", `set("API_TOKEN", "9f8e7d6c5b4a39281706")`, `set("API_TOKEN", "{ASSIGNED_SECRET}")`},
		{"a header", "Authorization: Basic " + "dXNlcjp4OXF6N0xt\n", "Authorization: Basic {BASIC_AUTH}\n"},
		{"a header of a bearer", "authorization: bearer 9f8e7d6c5b4a39281706", "authorization: bearer {ASSIGNED_SECRET}"},
		{"a header in JSON", `{"Authorization": "Bearer 9f8e7d6c5b4a39281706"}`, `{"Authorization": "Bearer {ASSIGNED_SECRET}"}`},
		{"a command", "curl -u app:x9Qz7Lmw4 https://a.example", "curl -u app:{COMMAND_PASSWORD} https://a.example"},
		{"a command, in quotes", "curl --user 'app:x9Qz7Lmw4' -v", "curl --user 'app:{COMMAND_PASSWORD}' -v"},
		{"a long value", `session_token="` + strings.Repeat(letters, 30) + `"`, `session_token="{ASSIGNED_SECRET}"`},
		{"a key that is named but a key", "key = " + letters, "key = {ASSIGNED_SECRET}"},
		{"a flag", "zeta --api-key " + letters + " -v", "zeta --api-key {ASSIGNED_SECRET} -v"},
		{"an argument", `zeta.WithToken("` + letters + `")`, `zeta.WithToken("{ASSIGNED_SECRET}")`},
		{"kebab case", "x-service-auth: " + letters, "x-service-auth: {ASSIGNED_SECRET}"},
		{"a bot of Telegram", "bot 123456789:AA" + letters[:33], "bot 123456789:{TELEGRAM_BOT_TOKEN}"},
		{"a bot of Discord", "MTA4OTk4NzY1NDMyMTA5ODc2" + "." + letters[:6] + "." + letters, "MTA4OTk4NzY1NDMyMTA5ODc2.{DISCORD_BOT_TOKEN}"},
		{"a client of Azure", "is aB38Q" + "~" + letters[:31], "is aB38Q~{AZURE_CLIENT_SECRET}"},
		{"a UUID of a service", "HEROKU_KEY=" + "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "HEROKU_KEY={HEROKU_CREDENTIAL}"},
		{"a number of a service", "asanaToken = 1029384756102938", "asanaToken = {ASANA_CREDENTIAL}"},
		{"a sentence", "The password is: hunter2-Xy9!q.", "The password is: {ASSIGNED_SECRET}."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestScanner(t *testing.T) {
	c := guardtest.Case{Good: []string{
		"", "550e8400-e29b-41d4-a716-446655440000", "commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		`<div class="sk-fading-circle sk-circle-2 key-visual sk-chasing-dots">`, "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
		"password: ********", "password: ", "token=${TOKEN}", "token={{ .Values.token }}", "api_key=os.environ['API_KEY']", `password = "your-password-here"`, "secret: <redacted>",
		"password=changeme123", "tokenizer: bert-base-uncased-2024x", "secretary: Anna-Maria2024!", "The token count: 12345678 tokens", "max_tokens=4096", "token: abcdefgh",
		"hf_requiredCharacteristic", "hf_requiredCharacteristicTypesForDisplayMetadata", `secret_key => "sk_abcdefghijklmnopqrstuvwxyz123"`, "skip-link sk-1", "AKIA is a prefix", "eyJ eyJ eyJ", "-----BEGIN CERTIFICATE-----", "a -----BEGIN ", "see https://hooks.slack.com/docs",
		"key: 550e8400-e29b-41d4-a716-446655440000", "auth = 9fceb02d0ae598e95dc970b74767f19372d61af8", "key: com.example.application.SecurityConfigurationFactory2", "datadog: " + lowerHex,
		"key=uploads/2024/11/annual-report-final-v2.pdf", "key: https://example.com/a1B2c3D4e5F6g7H8i9", "key = getDefaultAuthenticationManager2Instance", "auth: https://login.example.com/oauth2/v2.0/authorize",
		"docker run -u 1000:10001000", "curl -u user:$PASSWORD_2", "curl -u app:secret", "integrity sha512-" + letters + letters, "HEROKU_KEY=00000000-0000-0000-0000-000000000000", "build 123456789:AABB",
		"zeta --verbose " + letters, `"subject_token_type": x509SubjectTokenType,`, `"token":"` + "`+x509SyntheticToken+`" + `"`, "token := &oauth2.Token{", "https://user:pass@a.example",
		"data:image/png;base64," + letters + letters, ".btn-primary-2x{key:value}", "key: docs/architecture/decisions/0001-use-go", "Authorization: Bearer $TOKEN", "Authorization: Bearer <your-token-1>",
		"password reset at 10:30", "if token == nil {", `getPassword("user")`, "key-value store", "task-force sk-force", "AC/DC", "SKU-1234567890",
	}}
	for _, k := range slices.Concat(kinds, moreKinds, newKinds) {
		c.Bad = append(c.Bad, specimen(k.prefix, k.body, k.n))
	}
	c.Bad = append(c.Bad, pem("RSA PRIVATE KEY"), "postgres://app:s3cr3t-pw@db", `api_key: "9f8e7d6c5b4a39281706"`, "g\u200bhp_"+strings.Repeat("aB3d", 9), "ｇｈｐ＿"+strings.Repeat("aB3d", 9))
	for _, s := range slices.Concat(services, newServices) {
		c.Bad = append(c.Bad, s.specimen())
		c.Good = append(c.Good, s.name+" is a service", s.name+"_token=")
	}
	guardtest.Run(t, secret.Scanner{}, c)
}
