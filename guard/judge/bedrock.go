package judge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ringwall/ringwall"
)

// bedrock asks Amazon Bedrock's ApplyGuardrail, with AWS's own client:
// credentials and Region come from where that finds them, unless the
// configuration names a Region.
type bedrock struct {
	client      *bedrockruntime.Client
	idle        func()
	id, version string
	labels      *labels
}

func newBedrock(cfg *Config, l *labels) (asker, error) {
	rt, err := transport(cfg)
	if err != nil {
		return nil, err
	}
	options := []func(*config.LoadOptions) error{config.WithRetryMaxAttempts(1)} // trying again is the Judge's business
	if cfg.Region != "" {
		options = append(options, config.WithRegion(cfg.Region))
	}
	// Nobody is asked yet: files and the environment are read.
	found, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of AWS: %w", err)
	}
	if found.Region == "" {
		return nil, errors.New("the Region is missing: write region, or set AWS_REGION")
	}
	if c, ok := found.HTTPClient.(*awshttp.BuildableClient); ok && cfg.CAFile == "" { // of AWS_CA_BUNDLE
		if t := c.GetTransport().TLSClientConfig; t != nil && t.RootCAs != nil {
			rt.TLSClientConfig.RootCAs = t.RootCAs
		}
	}
	client := bedrockruntime.NewFromConfig(found, func(o *bedrockruntime.Options) {
		o.Logger = logging.Nop{} // errors say it, and nothing else is to be said
		o.HTTPClient = &http.Client{
			Transport:     bounded{rt, cfg.Answer},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		if cfg.URL != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(cfg.URL, "/"))
		}
	})
	return &bedrock{client, rt.CloseIdleConnections, cfg.Guardrail, cfg.GuardrailVersion, l}, nil
}

func (b *bedrock) close() { b.idle() }

func (b *bedrock) ask(ctx context.Context, q question) ([]ringwall.Finding, error) {
	source := types.GuardrailContentSourceInput
	if q.way == ringwall.Output {
		source = types.GuardrailContentSourceOutput
	}
	out, err := b.client.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
		GuardrailIdentifier: aws.String(b.id), GuardrailVersion: aws.String(b.version), Source: source,
		OutputScope: types.GuardrailOutputScopeFull,
		Content:     []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String(strings.ToValidUTF8(q.text, "\uFFFD"))}}},
	})
	if err != nil {
		return nil, awsError(err)
	}
	return readBedrock(out, q.text, b.labels)
}

// awsError keeps of an error of the client what is no text of AWS's: the status,
// or that nobody answered.
func awsError(err error) error {
	var answer *smithyhttp.ResponseError
	var sent *smithyhttp.RequestSendError
	switch {
	case errors.Is(err, errLong):
		return unreadable("%w", errLong)
	case errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusOK:
		return unreadable("the answer is not what ApplyGuardrail answers")
	case errors.As(err, &answer):
		return &Error{Refused, &refusal{status: answer.HTTPStatusCode()}}
	case errors.As(err, &sent):
		return &Error{Unreachable, bare(sent.Err)}
	}
	return &Error{Unreachable, errors.New("no request could be made: are there credentials?")}
}

// Scores of Bedrock's confidences. They lie where guardrails here, as there, draw
// the lines of their strengths.
var confidences = map[types.GuardrailContentFilterConfidence]float64{
	types.GuardrailContentFilterConfidenceNone: 0, types.GuardrailContentFilterConfidenceLow: 0.35,
	types.GuardrailContentFilterConfidenceMedium: 0.6, types.GuardrailContentFilterConfidenceHigh: 0.9,
}

// readBedrock makes findings of assessments. What Bedrock blocks or masks counts
// at least half: its guardrail has thresholds of its own. It gives the words that
// it matched and not their places, so these are looked for.
func readBedrock(out *bedrockruntime.ApplyGuardrailOutput, text string, l *labels) ([]ringwall.Finding, error) {
	if out.Action != types.GuardrailActionNone && out.Action != types.GuardrailActionGuardrailIntervened {
		return nil, unreadable("the action is neither NONE nor GUARDRAIL_INTERVENED")
	}
	r := &bedrockReader{text: text, labels: l}
	for _, a := range out.Assessments {
		if err := r.assessment(&a); err != nil {
			return nil, err
		}
	}
	if out.Action == types.GuardrailActionGuardrailIntervened && !r.acted {
		r.fs = append(r.fs, found(Target{l.controls[0], Judged}, sureUnsafe))
	}
	return r.fs, nil
}

type bedrockReader struct {
	text   string
	labels *labels
	fs     []ringwall.Finding
	acted  bool // something that was read is why Bedrock stepped in
}

// add notes what was found under name. Matches that do not stand in the text are
// about all of it.
func (r *bedrockReader) add(f ringwall.Finding, action string, match *string) {
	if action != "NONE" && action != "" {
		r.acted = true
		f.Score = max(f.Score, 0.5)
	}
	at := places(r.text, aws.ToString(match))
	if len(at) == 0 {
		at = []ringwall.Span{{}}
	}
	for _, f.Where = range at {
		r.fs = append(r.fs, f)
	}
}

// noticed reports whether an entry of an assessment is something that was found;
// with the scope FULL, those that were not are listed too.
func noticed(action string, detected *bool) bool {
	if detected != nil {
		return *detected
	}
	return action != "NONE" && action != ""
}

func (r *bedrockReader) assessment(a *types.GuardrailAssessment) error {
	if p := a.ContentPolicy; p != nil {
		for _, f := range p.Filters {
			score, ok := confidences[f.Confidence]
			if !ok {
				return unreadable("a filter has a confidence that there is not")
			}
			if score > 0 || noticed(string(f.Action), f.Detected) {
				r.add(r.labels.finding(string(f.Type), score), string(f.Action), nil)
			}
		}
	}
	if p := a.TopicPolicy; p != nil {
		for _, t := range p.Topics {
			if noticed(string(t.Action), t.Detected) {
				r.add(r.named(topic, t.Name), string(t.Action), nil)
			}
		}
	}
	if p := a.WordPolicy; p != nil {
		for _, w := range p.CustomWords {
			if noticed(string(w.Action), w.Detected) {
				r.add(found(Target{word, "word"}, 1), string(w.Action), w.Match)
			}
		}
		for _, w := range p.ManagedWordLists {
			if noticed(string(w.Action), w.Detected) {
				r.add(r.labels.finding(string(w.Type), 1), string(w.Action), w.Match)
			}
		}
	}
	if p := a.SensitiveInformationPolicy; p != nil {
		for _, e := range p.PiiEntities {
			if noticed(string(e.Action), e.Detected) {
				r.add(r.labels.entity(string(e.Type), sureUnsafe), string(e.Action), e.Match)
			}
		}
		for _, e := range p.Regexes {
			if noticed(string(e.Action), e.Detected) {
				r.add(r.named(personal, e.Name), string(e.Action), e.Match)
			}
		}
	}
	if p := a.ContextualGroundingPolicy; p != nil {
		for _, f := range p.Filters {
			score := aws.ToFloat64(f.Score)
			if !share(score) {
				return unreadable("a score is no number from 0 to 1")
			}
			if noticed(string(f.Action), f.Detected) {
				r.add(r.labels.finding(string(f.Type), 1-score), string(f.Action), nil)
			}
		}
	}
	return nil
}

// named is a topic or a pattern of the Bedrock guardrail, by its name there.
func (r *bedrockReader) named(control string, name *string) ringwall.Finding {
	if t, own := r.labels.own[aws.ToString(name)]; own {
		return found(t, sureUnsafe)
	}
	return found(Target{control, kebab(aws.ToString(name))}, sureUnsafe)
}

// bounded gives answers a bound.
type bounded struct {
	http.RoundTripper
	most int64
}

var errLong = errors.New("the answer is too long")

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Body = &boundedBody{resp.Body, b.most + 1}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
