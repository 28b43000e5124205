// Package bedrock asks models behind the runtime API of Amazon Bedrock, signed with
// AWS's Signature Version 4 or with an API key of Bedrock.
//
// Credentials are found as all of AWS's tools find them: the environment, shared
// files, single sign-on, the role of a container or of a machine. They are read
// anew when they expire.
package bedrock

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sigv4"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// Config configures a Provider.
type Config struct {
	provider.Config        // BaseURL: default that of the Region
	Region          string // "eu-central-1"; default: where AWS's tools find it
	// Key returns an API key of Bedrock; nil: requests are signed with AWS's
	// credentials.
	Key func() (string, error)
	Now func() time.Time // default time.Now
}

// Provider asks models. It is safe for concurrent use.
type Provider struct{ client *provider.Client }

// New returns a Provider. It reads AWS's files and the environment, and asks nobody
// yet.
func New(cfg Config) (*Provider, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	region := cfg.Region
	if cfg.Key != nil {
		cfg.Sign = provider.Bearer(cfg.Key)
		if region == "" && cfg.BaseURL == "" {
			return nil, errors.New("the Region is missing: write region")
		}
	} else {
		var options []func(*awsconfig.LoadOptions) error
		if region != "" {
			options = append(options, awsconfig.WithRegion(region))
		}
		found, err := awsconfig.LoadDefaultConfig(context.Background(), options...)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration of AWS: %w", err)
		}
		if region = found.Region; region == "" {
			return nil, errors.New("the Region is missing: write region, or set AWS_REGION")
		}
		cfg.Sign = signer(found.Credentials, region, cfg.Now)
	}
	cfg.BaseURL = cmp.Or(cfg.BaseURL, "https://bedrock-runtime."+region+".amazonaws.com")
	c, err := provider.New(cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Provider{c}, nil
}

// signer signs requests for the service bedrock.
func signer(from aws.CredentialsProvider, region string, now func() time.Time) func(*http.Request, []byte) error {
	return func(r *http.Request, body []byte) error {
		c, err := from.Retrieve(r.Context())
		if err != nil {
			return fmt.Errorf("reading the credentials of AWS: %w", err)
		}
		sigv4.Sign(r, body, sigv4.Credentials{KeyID: c.AccessKeyID, Secret: c.SecretAccessKey, Token: c.SessionToken}, region, "bedrock", now())
		return nil
	}
}

// Close closes idle connections.
func (p *Provider) Close() { p.client.Close() }

// operations are the last segments of paths by the dialect, whole and streamed.
var operations = map[string][2]string{
	"bedrock-converse":     {"converse", "converse-stream"},
	"bedrock-invoke":       {"invoke", "invoke-with-response-stream"},
	"bedrock-count-tokens": {"count-tokens", "count-tokens"},
}

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string {
	return []string{"bedrock-converse", "bedrock-invoke", "bedrock-count-tokens"}
}

// request says what is asked. The path is encoded as AWS's clients do it.
func request(call ringwall.Call) provider.Request {
	header := map[string]string{"Accept": "application/json"}
	operation := operations[call.API][0]
	if call.Stream {
		header["Accept"], operation = eventstream.ContentType, operations[call.API][1]
	}
	for k, v := range call.Header {
		header[k] = v
	}
	return provider.Request{Path: "/model/" + sigv4.Escape(call.Model) + "/" + operation, Header: header, Body: call.Body}
}

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, request(call))
}

// Events implements gateway.Provider: the data of an event is JSON, a union with
// one member that is named for the event.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		stream, err := p.client.Open(ctx, request(call), eventstream.ContentType)
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer stream.Close() //nolint:errcheck // it has been read, or nobody reads it any more
		var data []byte
		stopped := call.API != "bedrock-converse" // where nothing says the end, the connection's is one
		var claude claudeEnd
		for m, err := range eventstream.Messages(stream) {
			if err == nil {
				err = fault(&m)
			}
			if err != nil {
				yield(sse.Event{}, stream.Fault(err))
				return
			}
			if !m.More {
				stream.Came()
			}
			name := m.Text(":event-type")
			stopped = stopped || name == "messageStop"
			if name == "chunk" {
				claude.chunk(m.Payload)
			}
			data = append(data[:0], '{')
			data = jsonedit.AppendQuote(data, name)
			data = append(data, ':')
			data = append(data, m.Payload...)
			data = append(data, '}')
			if !yield(sse.Event{Name: name, Data: data, More: m.More}, nil) {
				return
			}
		}
		if !stopped || claude.missing() {
			yield(sse.Event{}, stream.Fault(fmt.Errorf("it ends before it is done: %w", io.ErrUnexpectedEOF)))
		}
	}
}

// claudeEnd notices whether a stream of InvokeModelWithResponseStream that begins as
// Anthropic's models begin ends as they end.
type claudeEnd struct {
	begun bool
	last  []byte // payload
}

func (c *claudeEnd) chunk(payload []byte) {
	c.begun = c.begun || c.last == nil && kindOf(payload) == "message_start"
	c.last = append(c.last[:0], payload...)
}

func (c *claudeEnd) missing() bool { return c.begun && kindOf(c.last) != "message_stop" }

// kindOf is the type of the event in a chunk, "" when it has none.
func kindOf(payload []byte) string {
	var chunk struct{ Bytes []byte }
	var event struct{ Type string }
	if json.Unmarshal(payload, &chunk) != nil || json.Unmarshal(chunk.Bytes, &event) != nil {
		return "" // who reads the event says what is wrong with it
	}
	return event.Type
}

// fault returns the error that a message is, nil when it is an event. What Bedrock
// says of it is for nobody but Bedrock's own logs.
func fault(m *eventstream.Message) error {
	switch m.Text(":message-type") {
	case "event":
		return nil
	case "exception":
		name := m.Text(":exception-type")
		err := fmt.Errorf("the model reports %.60q", name)
		switch name {
		case "throttlingException":
			return &ringwall.Refusal{Status: http.StatusTooManyRequests, Code: "upstream_rate_limit", Public: "The model is asked too often. Try again soon.", Err: err}
		case "validationException":
			return &ringwall.Refusal{Status: http.StatusBadRequest, Code: "upstream_invalid_request", Public: "The model does not accept this request.", Err: err}
		case "modelTimeoutException":
			return &ringwall.Refusal{Status: http.StatusGatewayTimeout, Code: "upstream_timeout", Public: "The model did not answer in time.", Err: err}
		}
		return err
	}
	return fmt.Errorf("the model reports the error %.60q", m.Text(":error-code"))
}

// Models implements gateway.Provider. The runtime API lists none.
func (p *Provider) Models(context.Context) ([]string, error) { return nil, nil }
