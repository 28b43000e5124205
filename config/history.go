package config

import "time"

// History configures how turns that went through here are told from others.
type History struct {
	Verify  string        `yaml:"verify" doc:"tell turns of the model that went through here from those that a client made up or changed, which are looked at as untrusted text then" enum:"on|off" default:"on"`
	Store   string        `yaml:"store" doc:"where it is known what went through: in memory, which a restart forgets; or in the database, for all gateways on it. Texts are in neither" enum:"memory|database" default:"memory"`
	TTL     time.Duration `yaml:"ttl" doc:"how long a conversation is known after its last answer" default:"168h"`
	Entries int           `yaml:"entries" doc:"most records that are kept, two for each answer; the oldest go first" default:"100000"`
}

// On reports whether anything is verified.
func (h History) On() bool { return h.Verify != "off" }

// Durable reports whether records are kept in the database.
func (h History) Durable() bool { return h.Store == "database" }

func (c *Config) checkHistory(fail failing) {
	if h := c.History; h.On() {
		if h.TTL < time.Minute || h.TTL > 366*24*time.Hour {
			fail("history.ttl", "want one minute to 366 days")
		}
		if h.Entries < 1000 || h.Entries > 10_000_000 {
			fail("history.entries", "want 1,000 to 10,000,000")
		}
		if h.Durable() && c.Restore.Key.IsZero() && !c.Database.IsZero() {
			fail("restore.key", "replicas that share a database must share the key that histories are signed with: make one with openssl rand -hex 32, and name it here as env:NAME or file:/path on each of them")
		}
	}
}
