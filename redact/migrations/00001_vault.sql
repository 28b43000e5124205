-- +goose Up

-- What placeholders stand for. Nothing here says whose conversation it is or
-- what was in it: scope and owner are keyed hashes, sealed is AES-256-GCM over
-- the value, with all other columns as associated data, in base64 behind its
-- nonce. Times are Unix milliseconds.
CREATE TABLE redact_entries (
    scope       TEXT   NOT NULL, -- tenant and conversation
    placeholder TEXT   NOT NULL, -- without braces, in upper case
    owner       TEXT   NOT NULL, -- the principal who sent the value
    reason      TEXT   NOT NULL,
    sealed      TEXT   NOT NULL,
    created     BIGINT NOT NULL, -- when it was sealed last
    expires     BIGINT NOT NULL,
    PRIMARY KEY (scope, placeholder, owner)
);

CREATE INDEX redact_entries_expires ON redact_entries (expires);

-- Tells another root key from the one that everything here was sealed with.
CREATE TABLE redact_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    key_mark TEXT    NOT NULL
);

-- +goose Down
DROP TABLE redact_state;
DROP TABLE redact_entries;
