package safe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// AWS reads AWS Secrets Manager, by AWS's own client, with the credentials and in
// the Region that AWS's tools find. A name may be the ARN of a secret, which says
// its Region itself. Credentials are found at the first Read.
type AWS struct {
	mu     sync.Mutex
	config *aws.Config
	by     map[string]*secretsmanager.Client // Region
}

// Read implements Source.
func (a *AWS) Read(ctx context.Context, name string) (string, error) {
	client, err := a.client(ctx, region(name))
	if err != nil {
		return "", err
	}
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		var api smithy.APIError
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return "", fmt.Errorf("asking AWS Secrets Manager: %w", ctx.Err())
		case errors.As(err, &api):
			return "", fmt.Errorf("asking AWS Secrets Manager: %s: %.300s", api.ErrorCode(), api.ErrorMessage())
		}
		return "", fmt.Errorf("asking AWS Secrets Manager: %.300s", err.Error())
	}
	if out.SecretString != nil {
		return *out.SecretString, nil
	}
	return string(out.SecretBinary), nil
}

// region returns the Region that an ARN names, "" for a name.
func region(name string) string {
	if parts := strings.SplitN(name, ":", 7); len(parts) == 7 && parts[0] == "arn" {
		return parts[3]
	}
	return ""
}

func (a *AWS) client(ctx context.Context, region string) (*secretsmanager.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.by[region]; c != nil {
		return c, nil
	}
	if a.config == nil {
		found, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("finding AWS's configuration: %w", err)
		}
		a.config = &found
	}
	c := secretsmanager.NewFromConfig(*a.config, func(o *secretsmanager.Options) {
		if region != "" {
			o.Region = region
		}
	})
	if c.Options().Region == "" {
		return nil, errors.New("finding AWS's configuration: there is no Region: set AWS_REGION, or name the secret by its ARN")
	}
	if base := c.Options().BaseEndpoint; base != nil {
		if err := sealed(*base); err != nil {
			return nil, fmt.Errorf("endpoint of AWS Secrets Manager: %w", err)
		}
	}
	if a.by == nil {
		a.by = map[string]*secretsmanager.Client{}
	}
	a.by[region] = c
	return c, nil
}

// sealed makes sure that nobody can read along who is between here and a URL.
func sealed(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("want https://host[:port]")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("%s is asked in the clear: want https, or a loopback address", u.Host)
}
