package secret

import (
	"slices"

	"github.com/ringwall/ringwall/guard/stream"
)

// service is one whose credentials have no prefix: its name before them, beside
// a word that says what they are, gives them away.
type service struct {
	name     string // as it begins a part of a name, in lower case
	reason   string
	class    *class
	min, max int // length of the value
}

// services are in the order of their names.
var services = []service{
	{"adafruit", "adafruit-credential", alnum, 32, 40},
	{"airtable", "airtable-credential", alnum, 14, 20},
	{"algolia", "algolia-credential", hexLower, 32, 40},
	{"alibaba", "alibaba-credential", alnum, 24, 32},
	{"amplitude", "amplitude-credential", hexLower, 32, 64},
	{"appcenter", "appcenter-credential", hexLower, 40, 40},
	{"asana", "asana-credential", alnum, 16, 40},
	{"assemblyai", "assemblyai-credential", hexLower, 32, 32},
	{"auth0", "auth0-credential", urlSafe, 32, 90},
	{"azure", "azure-credential", tokenBody, 32, 90},
	{"baidu", "baidu-credential", alnum, 24, 40},
	{"bitbucket", "bitbucket-credential", tokenBody, 32, 64},
	{"bitly", "bitly-credential", hexLower, 40, 40},
	{"bittrex", "bittrex-credential", alnum, 32, 32},
	{"bugsnag", "bugsnag-credential", hexLower, 32, 32},
	{"calendly", "calendly-credential", urlSafe, 40, 120},
	{"circleci", "circleci-credential", hexLower, 40, 40},
	{"clearbit", "clearbit-credential", under, 35, 40},
	{"clickhouse", "clickhouse-credential", alnum, 38, 44},
	{"cloudflare", "cloudflare-credential", urlSafe, 37, 40},
	{"cloudinary", "cloudinary-credential", urlSafe, 27, 27},
	{"codecov", "codecov-credential", hexDash, 32, 36},
	{"cohere", "cohere-credential", alnum, 40, 40},
	{"coinbase", "coinbase-credential", urlSafe, 16, 64},
	{"confluent", "confluent-credential", tokenBody, 16, 64},
	{"contentful", "contentful-credential", urlSafe, 43, 64},
	{"datadog", "datadog-credential", hexLower, 32, 40},
	{"deepgram", "deepgram-credential", hexLower, 40, 40},
	{"digitalocean", "digitalocean-credential", hexLower, 64, 64},
	{"discord", "discord-credential", alnum, 17, 64},
	{"drone", "drone-credential", alnum, 32, 32},
	{"dropbox", "dropbox-credential", urlSafe, 15, 64},
	{"etsy", "etsy-credential", alnum, 24, 24},
	{"facebook", "facebook-credential", hexLower, 32, 32},
	{"fastly", "fastly-credential", tokenBody, 32, 32},
	{"finnhub", "finnhub-credential", alnum, 20, 20},
	{"flickr", "flickr-credential", hexLower, 16, 32},
	{"freshbooks", "freshbooks-credential", hexLower, 64, 64},
	{"gitea", "gitea-credential", hexLower, 40, 40},
	{"gitter", "gitter-credential", hexLower, 40, 40},
	{"giphy", "giphy-credential", alnum, 32, 32},
	{"heroku", "heroku-credential", hexDash, 36, 36},
	{"hetzner", "hetzner-credential", alnum, 64, 64},
	{"ibm", "ibm-credential", urlSafe, 44, 44},
	{"intercom", "intercom-credential", tokenBody, 60, 60},
	{"jenkins", "jenkins-credential", hexLower, 32, 34},
	{"jfrog", "jfrog-credential", alnum, 64, 73},
	{"jira", "jira-credential", alnum, 24, 24},
	{"kraken", "kraken-credential", tokenBody, 80, 88},
	{"kucoin", "kucoin-credential", hexDash, 24, 36},
	{"launchdarkly", "launchdarkly-credential", tokenBody, 40, 40},
	{"linkedin", "linkedin-credential", alnum, 14, 16},
	{"linode", "linode-credential", hexLower, 64, 64},
	{"logzio", "logzio-credential", alnum, 32, 36},
	{"looker", "looker-credential", alnum, 20, 24},
	{"mailchimp", "mailchimp-credential", mailchimp, 32, 38},
	{"mailgun", "mailgun-credential", hexDash, 32, 72},
	{"mailjet", "mailjet-credential", hexLower, 32, 32},
	{"mapbox", "mapbox-credential", dotted, 60, 90},
	{"mattermost", "mattermost-credential", alnum, 26, 26},
	{"maxmind", "maxmind-credential", under, 16, 40},
	{"messagebird", "messagebird-credential", alnum, 25, 25},
	{"microsoft", "microsoft-credential", tokenBody, 32, 64},
	{"mistral", "mistral-credential", alnum, 32, 32},
	{"mixpanel", "mixpanel-credential", hexLower, 32, 32},
	{"netlify", "netlify-credential", urlSafe, 40, 46},
	{"newrelic", "new-relic-credential", urlSafe, 32, 40},
	{"nytimes", "nytimes-credential", tokenBody, 32, 32},
	{"okta", "okta-credential", tokenBody, 42, 42},
	{"openweather", "openweather-credential", hexLower, 32, 32},
	{"opsgenie", "opsgenie-credential", hexDash, 36, 36},
	{"oracle", "oracle-credential", urlSafe, 32, 64},
	{"pagerduty", "pagerduty-credential", tokenBody, 20, 20},
	{"paypal", "paypal-credential", urlSafe, 50, 90},
	{"plaid", "plaid-credential", alnum, 24, 30},
	{"postmark", "postmark-credential", hexDash, 36, 36},
	{"pusher", "pusher-credential", hexLower, 20, 20},
	{"qiniu", "qiniu-credential", urlSafe, 40, 40},
	{"railway", "railway-credential", hexDash, 36, 36},
	{"rapidapi", "rapidapi-credential", urlSafe, 50, 50},
	{"rollbar", "rollbar-credential", hexLower, 32, 32},
	{"scaleway", "scaleway-credential", hexDash, 36, 36},
	{"segment", "segment-credential", urlSafe, 32, 43},
	{"semgrep", "semgrep-credential", hexLower, 64, 64},
	{"sendbird", "sendbird-credential", hexDash, 36, 40},
	{"sentry", "sentry-credential", hexLower, 64, 64},
	{"serpapi", "serpapi-credential", hexLower, 64, 64},
	{"shodan", "shodan-credential", alnum, 32, 32},
	{"snyk", "snyk-credential", hexDash, 36, 36},
	{"sonar", "sonar-credential", alnum, 40, 44},
	{"sparkpost", "sparkpost-credential", hexLower, 40, 40},
	{"splunk", "splunk-credential", hexDash, 36, 36},
	{"spotify", "spotify-credential", hexLower, 32, 32},
	{"squarespace", "squarespace-credential", hexDash, 36, 36},
	{"storyblok", "storyblok-credential", alnum, 22, 26},
	{"sumo", "sumologic-credential", alnum, 14, 64},
	{"tencent", "tencent-credential", alnum, 32, 36},
	{"trello", "trello-credential", hexLower, 32, 64},
	{"travis", "travis-credential", urlSafe, 20, 24},
	{"tumblr", "tumblr-credential", alnum, 50, 50},
	{"twilio", "twilio-credential", hexLower, 32, 32},
	{"twitch", "twitch-credential", alnum, 30, 30},
	{"twitter", "twitter-credential", alnum, 25, 120},
	{"unsplash", "unsplash-credential", urlSafe, 43, 43},
	{"vonage", "vonage-credential", alnum, 16, 16},
	{"vultr", "vultr-credential", bech32, 36, 36},
	{"wakatime", "wakatime-credential", hexDash, 36, 41},
	{"weatherstack", "weatherstack-credential", hexLower, 32, 32},
	{"webex", "webex-credential", urlSafe, 64, 110},
	{"yandex", "yandex-credential", urlSafe, 35, 64},
	{"yelp", "yelp-credential", urlSafe, 128, 128},
	{"zendesk", "zendesk-credential", alnum, 40, 40},
	{"zoom", "zoom-credential", urlSafe, 20, 40},
}

// fits reports whether v may be a credential of s: not one character or two
// again and again.
func (s *service) fits(v []byte) bool {
	if len(v) < s.min || len(v) > s.max {
		return false
	}
	var seen [256]bool
	digits, distinct := 0, 0
	for _, c := range v {
		if !s.class[c] {
			return false
		}
		if isDigit(c) {
			digits++
		}
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	return digits > 0 && distinct >= 5
}

// strength is how surely a name is that of a secret.
type strength uint8

const (
	weak   strength = iota + 1 // only if the value looks like a key
	strong                     // whatever value it has
)

// name is what a name says about the value assigned to it.
type name struct {
	strength strength
	service  *service
	public   bool // it is that of something which everybody may know
}

// part is a part of names: a word that tells strength, or a service.
type part struct {
	text string
	name
	open bool // may go on in lower case
}

// parts are the parts that tell something, by their first letter; services go
// first, so that auth0 is no kind of auth.
var parts = func() (t [256][]part) {
	known := slices.Concat(services, newServices)
	for i := range known {
		s := &known[i]
		t[s.name[0]] = append(t[s.name[0]], part{s.name, name{service: s}, true})
	}
	for _, n := range []string{
		"password", "passwd", "passphrase", "passcode", "pwd", "secret", "secretkey", "secretaccesskey", "api_key", "apikey", "api-key", "api key", "app_key", "appkey", "app-key",
		"access_key", "accesskey", "access-key", "access key", "private_key", "privatekey", "private-key", "token", "accesstoken", "authtoken", "credential", "credentials",
		"clientsecret", "appsecret", "accountkey", "sharedaccesskey", "signing_key", "signingkey", "encryption_key", "encryptionkey", "authkey", "auth_key", "authorization", "access_id", "accessid",
		"psk", "passkey", "passwort", "kennwort", "wachtwoord", "contrasena", "senha", "haslo", "storepass", "keypass", "userpass", "sharedsecret", "masterkey", "master_key", "jsessionid", "phpsessid", "sessionid", "connect.sid", "asp.net_sessionid",
		"otp_secret", "totp", "mfa_seed", "bindpw", "requirepass", "masterauth", "rootpw", "privatekey", "webhook_secret", "tls_key", "deploy_key", "service_key", "servicekey", "subscription-key", "subscription_key", "subscriptionkey", "apitoken", "bearer_token",
	} {
		t[n[0]] = append(t[n[0]], part{n, name{strength: strong}, false})
	}
	for _, n := range []string{"key", "auth", "pass", "pw", "cred", "creds", "bearer", "pat", "dsn", "license", "webhook", "login", "jwt", "session", "sid", "cookie", "seed", "hmac", "salt", "pin", "signature", "sig", "otp"} {
		t[n[0]] = append(t[n[0]], part{n, name{strength: weak}, false})
	}
	for _, n := range []string{"public", "pubkey", "fingerprint", "checksum", "integrity", "digest"} {
		t[n[0]] = append(t[n[0]], part{n, name{public: true}, false})
	}
	return t
}()

// nameBefore reads the name before t[i], which assigns: its parts as words, or
// as parts of one such as dbPassword or client_secret_2.
func nameBefore(w stream.Window, i int) name {
	t := w.Clean
	if i > 0 && (t[i-1] == '?' || t[i-1] == '.' || t[i-1] == '+') { // ?= and its like
		i--
	}
	j := i
	for j > 0 && i-j < maxName && inName[t[j-1]] {
		j--
	}
	return nameIn(w, j, i)
}

// nameIn reads the name between t[j] and t[i].
func nameIn(w stream.Window, j, i int) (n name) {
	t, folded := w.Clean, w.Folded
	for k := j; k < i; k++ {
		list := parts[folded[k]]
		if list == nil || k > 0 && stream.AlphaNum[t[k-1]] && !hump(t, k) {
			continue
		}
		for _, p := range list {
			if end := k + len(p.text); end <= i && string(folded[k:end]) == p.text && (p.open || end == i || !isLower(t[end])) {
				n.strength = max(n.strength, p.strength)
				n.public = n.public || p.public
				if p.service != nil {
					n.service = p.service
					break
				}
			}
		}
	}
	if n.public && n.strength == weak {
		n.strength = 0
	}
	return n
}
