package secret_test

import (
	"slices"
	"strings"
	"testing"
)

// service is one whose credentials have no prefix, with the fewest characters
// that they have.
type service struct {
	name, reason, body string
	n                  int
}

// specimen returns a credential that is assigned to a name.
func (s service) specimen() string { return s.name + "_key=" + specimen("", s.body, s.n) }

var services = []service{
	{"adafruit", "adafruit-credential", letters, 32},
	{"airtable", "airtable-credential", letters, 14},
	{"algolia", "algolia-credential", lowerHex, 32},
	{"alibaba", "alibaba-credential", letters, 24},
	{"amplitude", "amplitude-credential", lowerHex, 32},
	{"appcenter", "appcenter-credential", lowerHex, 40},
	{"asana", "asana-credential", letters, 16},
	{"assemblyai", "assemblyai-credential", lowerHex, 32},
	{"auth0", "auth0-credential", letters, 32},
	{"azure", "azure-credential", letters, 32},
	{"baidu", "baidu-credential", letters, 24},
	{"bitbucket", "bitbucket-credential", letters, 32},
	{"bitly", "bitly-credential", lowerHex, 40},
	{"bittrex", "bittrex-credential", letters, 32},
	{"bugsnag", "bugsnag-credential", lowerHex, 32},
	{"calendly", "calendly-credential", letters, 40},
	{"circleci", "circleci-credential", lowerHex, 40},
	{"clearbit", "clearbit-credential", letters, 35},
	{"clickhouse", "clickhouse-credential", letters, 38},
	{"cloudflare", "cloudflare-credential", letters, 37},
	{"cloudinary", "cloudinary-credential", letters, 27},
	{"codecov", "codecov-credential", lowerHex, 32},
	{"cohere", "cohere-credential", letters, 40},
	{"coinbase", "coinbase-credential", letters, 16},
	{"confluent", "confluent-credential", letters, 16},
	{"contentful", "contentful-credential", letters, 43},
	{"datadog", "datadog-credential", lowerHex, 32},
	{"deepgram", "deepgram-credential", lowerHex, 40},
	{"digitalocean", "digitalocean-credential", lowerHex, 64},
	{"discord", "discord-credential", letters, 17},
	{"drone", "drone-credential", letters, 32},
	{"dropbox", "dropbox-credential", letters, 15},
	{"etsy", "etsy-credential", letters, 24},
	{"facebook", "facebook-credential", lowerHex, 32},
	{"fastly", "fastly-credential", letters, 32},
	{"finnhub", "finnhub-credential", letters, 20},
	{"flickr", "flickr-credential", lowerHex, 16},
	{"freshbooks", "freshbooks-credential", lowerHex, 64},
	{"gitea", "gitea-credential", lowerHex, 40},
	{"gitter", "gitter-credential", lowerHex, 40},
	{"giphy", "giphy-credential", letters, 32},
	{"heroku", "heroku-credential", lowerHex, 36},
	{"hetzner", "hetzner-credential", letters, 64},
	{"ibm", "ibm-credential", letters, 44},
	{"intercom", "intercom-credential", letters, 60},
	{"jenkins", "jenkins-credential", lowerHex, 32},
	{"jfrog", "jfrog-credential", letters, 64},
	{"jira", "jira-credential", letters, 24},
	{"kraken", "kraken-credential", letters, 80},
	{"kucoin", "kucoin-credential", lowerHex, 24},
	{"launchdarkly", "launchdarkly-credential", letters, 40},
	{"linkedin", "linkedin-credential", letters, 14},
	{"linode", "linode-credential", lowerHex, 64},
	{"logzio", "logzio-credential", letters, 32},
	{"looker", "looker-credential", letters, 20},
	{"mailchimp", "mailchimp-credential", lowerHex, 32},
	{"mailgun", "mailgun-credential", lowerHex, 32},
	{"mailjet", "mailjet-credential", lowerHex, 32},
	{"mapbox", "mapbox-credential", letters, 60},
	{"mattermost", "mattermost-credential", letters, 26},
	{"maxmind", "maxmind-credential", letters, 16},
	{"messagebird", "messagebird-credential", letters, 25},
	{"microsoft", "microsoft-credential", letters, 32},
	{"mistral", "mistral-credential", letters, 32},
	{"mixpanel", "mixpanel-credential", lowerHex, 32},
	{"netlify", "netlify-credential", letters, 40},
	{"newrelic", "new-relic-credential", letters, 32},
	{"nytimes", "nytimes-credential", letters, 32},
	{"okta", "okta-credential", letters, 42},
	{"openweather", "openweather-credential", lowerHex, 32},
	{"opsgenie", "opsgenie-credential", lowerHex, 36},
	{"oracle", "oracle-credential", letters, 32},
	{"pagerduty", "pagerduty-credential", letters, 20},
	{"paypal", "paypal-credential", letters, 50},
	{"plaid", "plaid-credential", letters, 24},
	{"postmark", "postmark-credential", lowerHex, 36},
	{"pusher", "pusher-credential", lowerHex, 20},
	{"qiniu", "qiniu-credential", letters, 40},
	{"railway", "railway-credential", lowerHex, 36},
	{"rapidapi", "rapidapi-credential", letters, 50},
	{"rollbar", "rollbar-credential", lowerHex, 32},
	{"scaleway", "scaleway-credential", lowerHex, 36},
	{"segment", "segment-credential", letters, 32},
	{"semgrep", "semgrep-credential", lowerHex, 64},
	{"sendbird", "sendbird-credential", lowerHex, 36},
	{"sentry", "sentry-credential", lowerHex, 64},
	{"serpapi", "serpapi-credential", lowerHex, 64},
	{"shodan", "shodan-credential", letters, 32},
	{"snyk", "snyk-credential", lowerHex, 36},
	{"sonar", "sonar-credential", letters, 40},
	{"sparkpost", "sparkpost-credential", lowerHex, 40},
	{"splunk", "splunk-credential", lowerHex, 36},
	{"spotify", "spotify-credential", lowerHex, 32},
	{"squarespace", "squarespace-credential", lowerHex, 36},
	{"storyblok", "storyblok-credential", letters, 22},
	{"sumo", "sumologic-credential", letters, 14},
	{"tencent", "tencent-credential", letters, 32},
	{"trello", "trello-credential", lowerHex, 32},
	{"travis", "travis-credential", letters, 20},
	{"tumblr", "tumblr-credential", letters, 50},
	{"twilio", "twilio-credential", lowerHex, 32},
	{"twitch", "twitch-credential", letters, 30},
	{"twitter", "twitter-credential", letters, 25},
	{"unsplash", "unsplash-credential", letters, 43},
	{"vonage", "vonage-credential", letters, 16},
	{"vultr", "vultr-credential", capitals, 36},
	{"wakatime", "wakatime-credential", lowerHex, 36},
	{"weatherstack", "weatherstack-credential", lowerHex, 32},
	{"webex", "webex-credential", letters, 64},
	{"yandex", "yandex-credential", letters, 35},
	{"yelp", "yelp-credential", letters, 128},
	{"zendesk", "zendesk-credential", letters, 40},
	{"zoom", "zoom-credential", letters, 20},
}

func TestServices(t *testing.T) {
	for _, s := range slices.Concat(services, newServices) {
		value := specimen("", s.body, s.n)
		for _, tt := range []struct{ name, in, want string }{
			{"environment", "export " + s.name + "_API_KEY=" + value, "export " + s.name + "_API_KEY=" + token(s.reason)},
			{"camel case", s.name + `Token: "` + value + `"`, s.name + `Token: "` + token(s.reason) + `"`},
			{"JSON", `{"` + s.name + `-secret": "` + value + `"}`, `{"` + s.name + `-secret": "` + token(s.reason) + `"}`},
			{"no key at all", s.name + " page: " + value, s.name + " page: " + value},
		} {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%s, %s: %q became %q, want %q", s.name, tt.name, tt.in, got, tt.want)
			}
		}
	}
}

// The promise of 260 services holds without counting kinds of one service twice.
func TestServicesAreMany(t *testing.T) {
	known := map[string]bool{}
	for _, k := range slices.Concat(kinds, moreKinds, newKinds) {
		head, _, _ := strings.Cut(k.reason, "-")
		known[head] = true
	}
	for _, s := range slices.Concat(services, newServices) {
		head, _, _ := strings.Cut(s.reason, "-")
		known[head] = true
	}
	if len(known) < 260 {
		t.Errorf("credentials of %d services are known, want 260", len(known))
	}
}
