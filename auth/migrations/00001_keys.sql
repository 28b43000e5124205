-- +goose Up

-- Times are Unix milliseconds; 0 stands for never.
CREATE TABLE auth_keys (
    prefix    TEXT   PRIMARY KEY, -- "rw_" and the id
    hash      TEXT   NOT NULL,    -- SHA-256 of the key text, hex
    name      TEXT   NOT NULL,
    tenant    TEXT   NOT NULL,
    trust     TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    revoked   BIGINT NOT NULL,
    last_used BIGINT NOT NULL
);

CREATE UNIQUE INDEX auth_keys_name ON auth_keys (name) WHERE revoked = 0;

-- Counts the changes of keys, last_used aside: whoever has read the keys at this
-- version need not read them again. Every change begins by counting, so that
-- changes happen one after the other.
CREATE TABLE auth_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  BIGINT  NOT NULL
);
INSERT INTO auth_state (only_row, version) VALUES (1, 0);

-- +goose Down
DROP TABLE auth_state;
DROP TABLE auth_keys;
