package suite

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	runtime "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/auth/bearer"

	"github.com/ringwall/ringwall/suites/go/house"
)

// plainly sends what is meant for HTTPS by HTTP: Amazon's clients show bearer
// tokens to nobody else.
type plainly struct{}

func (plainly) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	return http.DefaultTransport.RoundTrip(r)
}

// amazon is Amazon's configuration of clients that show a key to g as a bearer
// token, and its base URL.
func amazon(g *house.Gateway, key string) (url string, token bearer.TokenProvider, client *http.Client) {
	url = "https" + strings.TrimSuffix(strings.TrimPrefix(g.URL, "http"), "/v1")
	return url, bearer.StaticTokenProvider{Token: bearer.Token{Value: key}}, &http.Client{Transport: plainly{}}
}

func controlOf(g *house.Gateway, key string) *bedrock.Client {
	url, token, client := amazon(g, key)
	return bedrock.New(bedrock.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: client, BearerAuthTokenProvider: token, AuthSchemePreference: []string{"httpBearerAuth"},
	})
}

func runtimeOf(g *house.Gateway, key string) *bedrockruntime.Client {
	url, token, client := amazon(g, key)
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: client, BearerAuthTokenProvider: token, AuthSchemePreference: []string{"httpBearerAuth"},
	})
}

// created makes a key of g and returns what is printed.
func created(t *testing.T, g *house.Gateway, args ...string) []byte {
	t.Helper()
	file := filepath.Join(filepath.Dir(g.Data), filepath.Base(g.Data)+".yaml")
	out, err := exec.Command(h.Ringwall, append([]string{"keys", "create", t.Name(), "--config", file}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// operatorKey makes the key of an operator of g.
func operatorKey(t *testing.T, g *house.Gateway) string {
	t.Helper()
	return strings.TrimSpace(string(created(t, g, "--trust", "operator")))
}

// pair makes a pair of g by which Amazon's clients sign.
func pair(t *testing.T, g *house.Gateway) aws.CredentialsProvider {
	t.Helper()
	var p struct {
		ID     string `json:"prefix"`
		Secret string `json:"aws_secret_access_key"`
	}
	if err := json.Unmarshal(created(t, g, "--trust", "operator", "--aws", "--format", "json"), &p); err != nil {
		t.Fatal(err)
	}
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: p.ID, SecretAccessKey: p.Secret}, nil
	})
}

// A guardrail's whole life, by Amazon's clients, which show a key or sign.
func TestGuardrailOfBedrock(t *testing.T) {
	t.Run("bearer", func(t *testing.T) {
		lifeOfAGuardrail(t, controlOf(h.Keys, operatorKey(t, h.Keys)), runtimeOf(h.Keys, h.Keys.Key))
	})
	t.Run("signed", func(t *testing.T) {
		by, url := pair(t, h.Keys), aws.String(strings.TrimSuffix(h.Keys.URL, "/v1"))
		control := bedrock.New(bedrock.Options{Region: "eu-west-1", BaseEndpoint: url, Credentials: by})
		run := bedrockruntime.New(bedrockruntime.Options{Region: "eu-west-1", BaseEndpoint: url, Credentials: by})
		lifeOfAGuardrail(t, control, run)
	})
}

func lifeOfAGuardrail(t *testing.T, control *bedrock.Client, run *bedrockruntime.Client) {
	ctx := t.Context()
	topics := &types.GuardrailTopicPolicyConfig{TopicsConfig: []types.GuardrailTopicConfig{{
		Name: aws.String("Investment advice"), Definition: aws.String("Recommendations of what to buy or sell to make money."), Type: types.GuardrailTopicTypeDeny,
		Examples: []string{"Which shares should I buy?"},
	}}}
	made, err := control.CreateGuardrail(ctx, &bedrock.CreateGuardrailInput{
		Name: aws.String("suite"), Description: aws.String("of the suite"), BlockedInputMessaging: aws.String("No."), BlockedOutputsMessaging: aws.String("Never."),
		TopicPolicyConfig: topics,
		ContentPolicyConfig: &types.GuardrailContentPolicyConfig{FiltersConfig: []types.GuardrailContentFilterConfig{{
			Type: types.GuardrailContentFilterTypePromptAttack, InputStrength: types.GuardrailFilterStrengthHigh, OutputStrength: types.GuardrailFilterStrengthNone,
		}}},
		WordPolicyConfig: &types.GuardrailWordPolicyConfig{WordsConfig: []types.GuardrailWordConfig{{Text: aws.String("bluebird")}}},
		SensitiveInformationPolicyConfig: &types.GuardrailSensitiveInformationPolicyConfig{
			PiiEntitiesConfig: []types.GuardrailPiiEntityConfig{{Type: types.GuardrailPiiEntityTypeEmail, Action: types.GuardrailSensitiveInformationActionAnonymize}},
			RegexesConfig:     []types.GuardrailRegexConfig{{Name: aws.String("booking"), Pattern: aws.String("BK-[0-9]{6}"), Action: types.GuardrailSensitiveInformationActionBlock}},
		},
		ContextualGroundingPolicyConfig: &types.GuardrailContextualGroundingPolicyConfig{FiltersConfig: []types.GuardrailContextualGroundingFilterConfig{{
			Type: types.GuardrailContextualGroundingFilterTypeGrounding, Threshold: aws.Float64(0.7),
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := control.DeleteGuardrail(context.Background(), &bedrock.DeleteGuardrailInput{GuardrailIdentifier: made.GuardrailArn}); err == nil {
			t.Error("it was there after its end")
		}
	})
	if *made.Version != "DRAFT" || made.CreatedAt.IsZero() {
		t.Errorf("%+v", made)
	}
	got, err := control.GetGuardrail(ctx, &bedrock.GetGuardrailInput{GuardrailIdentifier: made.GuardrailArn})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Name != "suite" || *got.GuardrailId != *made.GuardrailId || got.Status != types.GuardrailStatusReady || *got.TopicPolicy.Topics[0].Name != "Investment advice" ||
		got.ContentPolicy.Filters[0].InputStrength != types.GuardrailFilterStrengthHigh || *got.WordPolicy.Words[0].Text != "bluebird" ||
		got.SensitiveInformationPolicy.PiiEntities[0].Type != types.GuardrailPiiEntityTypeEmail || *got.SensitiveInformationPolicy.Regexes[0].Pattern != "BK-[0-9]{6}" ||
		*got.ContextualGroundingPolicy.Filters[0].Threshold != 0.7 || *got.BlockedInputMessaging != "No." || !got.CreatedAt.Equal(*made.CreatedAt) {
		t.Errorf("%+v", got)
	}
	version, err := control.CreateGuardrailVersion(ctx, &bedrock.CreateGuardrailVersionInput{GuardrailIdentifier: made.GuardrailId, Description: aws.String("the first")})
	if err != nil || *version.Version != "1" {
		t.Fatalf("%+v, %v", version, err)
	}
	if _, err := control.UpdateGuardrail(ctx, &bedrock.UpdateGuardrailInput{
		GuardrailIdentifier: made.GuardrailId, Name: aws.String("suite-2"), BlockedInputMessaging: aws.String("No!"), BlockedOutputsMessaging: aws.String("Never!"), TopicPolicyConfig: topics,
	}); err != nil {
		t.Fatal(err)
	}
	listed, err := control.ListGuardrails(ctx, &bedrock.ListGuardrailsInput{GuardrailIdentifier: made.GuardrailId})
	if err != nil || len(listed.Guardrails) != 2 || *listed.Guardrails[0].Name != "suite-2" {
		t.Errorf("%+v, %v", listed, err)
	}

	apply := func(version, text string, source runtime.GuardrailContentSource) *bedrockruntime.ApplyGuardrailOutput {
		t.Helper()
		out, err := run.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
			GuardrailIdentifier: made.GuardrailArn, GuardrailVersion: aws.String(version), Source: source, OutputScope: runtime.GuardrailOutputScopeFull,
			Content: []runtime.GuardrailContentBlock{&runtime.GuardrailContentBlockMemberText{Value: runtime.GuardrailTextBlock{Text: aws.String(text)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := apply("1", "Write to "+email, runtime.GuardrailContentSourceInput); *out.Outputs[0].Text != "Write to "+maskedEmail || *out.ActionReason != "Guardrail masked." {
		t.Errorf("%+v", out)
	}
	if out := apply("1", "It is booked as BK-123456", runtime.GuardrailContentSourceOutput); *out.Outputs[0].Text != "Never." || *out.Assessments[0].SensitiveInformationPolicy.Regexes[0].Name != "booking" {
		t.Errorf("%+v", out)
	}
	if out := apply("DRAFT", "A bluebird", runtime.GuardrailContentSourceInput); out.Action != runtime.GuardrailActionNone || len(out.Outputs) != 0 {
		t.Errorf("%+v", out)
	}

	var conflict *types.ConflictException
	if _, err := control.CreateGuardrail(ctx, &bedrock.CreateGuardrailInput{Name: aws.String("suite-2"), BlockedInputMessaging: aws.String("a"), BlockedOutputsMessaging: aws.String("b"), TopicPolicyConfig: topics}); !errors.As(err, &conflict) {
		t.Errorf("a name that is taken: %v", err)
	}
	var invalid *types.ValidationException
	if _, err := control.CreateGuardrail(ctx, &bedrock.CreateGuardrailInput{Name: aws.String("a b"), BlockedInputMessaging: aws.String("a"), BlockedOutputsMessaging: aws.String("b"), TopicPolicyConfig: topics}); !errors.As(err, &invalid) {
		t.Errorf("a name that is none: %v", err)
	}
	var denied *types.AccessDeniedException
	if _, err := controlOf(h.Keys, h.Keys.Key).DeleteGuardrail(ctx, &bedrock.DeleteGuardrailInput{GuardrailIdentifier: made.GuardrailId}); !errors.As(err, &denied) {
		t.Errorf("a caller who is no operator: %v", err)
	}
	if _, err := control.DeleteGuardrail(ctx, &bedrock.DeleteGuardrailInput{GuardrailIdentifier: made.GuardrailId}); err != nil {
		t.Error(err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := control.GetGuardrail(ctx, &bedrock.GetGuardrailInput{GuardrailIdentifier: made.GuardrailId}); !errors.As(err, &missing) {
		t.Errorf("after its end: %v", err)
	}
}
