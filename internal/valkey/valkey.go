// Package valkey is the client of a Valkey or Redis server, or of a cluster of them,
// that several replicas share.
//
// [Open] needs no server: a [Client] connects with its first call, and again whenever
// the server has been away. Each call has a time limit of its own. A call that got no
// answer fails with [ErrAway]; whether the server did what it was asked is then not
// known, so no call is ever repeated: what must happen once is written to be asked
// twice. Whoever calls often puts a breaker in front, so that an absent server costs
// nothing.
package valkey

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// ErrAway says that the server cannot be reached, did not answer in time, or cannot
// serve just now.
var ErrAway = errors.New("valkey: the server is away")

// DefaultTimeout is the time limit of a call where none is set.
const DefaultTimeout = 250 * time.Millisecond

// dialTimeout bounds one attempt to connect, and handshakes with it.
const dialTimeout = 2 * time.Second

// Config says where the server is. Addresses are required.
type Config struct {
	Addresses []string // host:port; of a cluster some of the nodes
	Username  string   // of the access control list; "": the default user
	Password  string
	TLS       *tls.Config   // nil: no TLS
	Cluster   bool          // the addresses are nodes of a cluster
	Timeout   time.Duration // of each call; 0: DefaultTimeout
	Name      string        // of the connection, in CLIENT LIST; "": "ringwall"
}

// Client asks a server. It is safe for concurrent use.
type Client struct {
	option  rueidis.ClientOption
	timeout time.Duration

	mu      sync.Mutex
	conn    rueidis.Client
	dialing chan struct{} // closed when the attempt to connect ends; nil: nobody tries
	cause   error         // of the last attempt
	closed  bool
}

// Open returns a client, and starts nothing. An error says what of cfg cannot be.
func Open(cfg Config) (*Client, error) {
	if len(cfg.Addresses) == 0 {
		return nil, errors.New("opening Valkey: no address is given: say host:port")
	}
	if !cfg.Cluster && len(cfg.Addresses) > 1 {
		return nil, errors.New("opening Valkey: several addresses are given, which only a cluster has: set cluster: true")
	}
	for _, a := range cfg.Addresses {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("opening Valkey: address %q is not host:port", a)
		}
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("opening Valkey: a time limit of %v", cfg.Timeout)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Name == "" {
		cfg.Name = "ringwall"
	}
	o := rueidis.ClientOption{
		InitAddress: slices.Clone(cfg.Addresses), Username: cfg.Username, Password: cfg.Password, ClientName: cfg.Name,
		ForceSingleClient: !cfg.Cluster,
		// A command that got no answer may have been carried out.
		DisableRetry: true,
		// Nothing is cached in the client, so servers without RESP3 do too.
		DisableCache:       true,
		PipelineMultiplex:  1,
		ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10,
		ConnWriteTimeout: max(dialTimeout, 2*cfg.Timeout),
		Dialer:           net.Dialer{Timeout: dialTimeout, KeepAlive: 5 * time.Second},
	}
	if cfg.TLS != nil {
		o.TLSConfig = cfg.TLS.Clone()
	}
	return &Client{option: o, timeout: cfg.Timeout}, nil
}

// Close ends the connections. Calls fail from then on.
func (c *Client) Close() {
	c.mu.Lock()
	conn := c.conn
	c.conn, c.closed = nil, true
	c.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}

// Do sends one command: Do(ctx, "SET", []string{"k"}, "v"). Of a cluster the node that
// has the keys is asked.
func (c *Client) Do(ctx context.Context, command string, keys []string, args ...string) (rueidis.RedisMessage, error) {
	return c.call(ctx, func(ctx context.Context, conn rueidis.Client) rueidis.RedisResult {
		return conn.Do(ctx, conn.B().Arbitrary(command).Keys(keys...).Args(args...).Build())
	})
}

// Script is a program in Lua that the server runs whole: nothing else happens
// meanwhile. Of a cluster all keys must be on one node, which they are when the part
// of their names in braces is the same.
type Script struct{ lua *rueidis.Lua }

// NewScript returns the script of a source.
func NewScript(source string) *Script { return &Script{rueidis.NewLuaScript(source)} }

// Run runs a script.
func (c *Client) Run(ctx context.Context, s *Script, keys, args []string) (rueidis.RedisMessage, error) {
	return c.call(ctx, func(ctx context.Context, conn rueidis.Client) rueidis.RedisResult {
		return s.lua.Exec(ctx, conn, keys, args)
	})
}

// Conn is the connection itself, for what Do and Run cannot: subscriptions. It
// connects where there is none yet.
func (c *Client) Conn(ctx context.Context) (rueidis.Client, error) {
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := c.connected(within)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return conn, err
}

// call makes a call within the time limit, and sorts its error.
func (c *Client) call(ctx context.Context, do func(context.Context, rueidis.Client) rueidis.RedisResult) (rueidis.RedisMessage, error) {
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := c.connected(within)
	if err != nil {
		if ctx.Err() != nil {
			return rueidis.RedisMessage{}, ctx.Err()
		}
		return rueidis.RedisMessage{}, err
	}
	m, err := do(within, conn).ToMessage()
	switch reply, ok := rueidis.IsRedisErr(err); {
	case err == nil, rueidis.IsRedisNil(err):
		return m, err
	case ctx.Err() != nil:
		return m, ctx.Err()
	case ok && !unable(reply.Error()):
		return m, fmt.Errorf("asking Valkey: %w", err)
	default:
		return m, fmt.Errorf("%w: %w", ErrAway, err)
	}
}

// IsNil reports whether err says that there is nothing under a key.
func IsNil(err error) bool { return rueidis.IsRedisNil(err) }

// unable reports whether a reply says that the server cannot serve just now.
func unable(reply string) bool {
	code, _, _ := strings.Cut(reply, " ")
	return slices.Contains([]string{"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "MISCONF", "OOM", "BUSY"}, code)
}

// connected returns the connection. Where there is none, one goroutine makes it, for
// whom callers wait no longer than their ctx.
func (c *Client) connected(ctx context.Context) (rueidis.Client, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, fmt.Errorf("%w: the client is closed", ErrAway)
	}
	if c.conn != nil {
		defer c.mu.Unlock()
		return c.conn, nil
	}
	if c.dialing == nil {
		c.dialing = make(chan struct{})
		go c.dial(c.dialing)
	}
	done := c.dialing
	c.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: connecting: %w", ErrAway, ctx.Err())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return nil, fmt.Errorf("%w: connecting: %w", ErrAway, c.cause)
	}
	return c.conn, nil
}

// dial makes the connection once. It ends within the time limits of the dialler.
func (c *Client) dial(done chan struct{}) {
	conn, err := rueidis.NewClient(c.option)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing, c.cause = nil, err
	if err == nil && c.closed {
		c.cause = errors.New("the client is closed")
		defer conn.Close()
	} else if err == nil {
		c.conn = conn
	}
	close(done)
}
