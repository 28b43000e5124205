-- +goose Up

-- Times are Unix milliseconds; 0 stands for never.
CREATE TABLE sessions (
    id        TEXT   PRIMARY KEY, -- "s_" and the beginning of the hash: public
    hash      TEXT   NOT NULL,    -- SHA-256 of the text, hex
    principal TEXT   NOT NULL,
    tenant    TEXT   NOT NULL,
    trust     TEXT   NOT NULL,
    roles     TEXT   NOT NULL,    -- JSON
    acr       TEXT   NOT NULL,
    proved    BIGINT NOT NULL,
    issuer    TEXT   NOT NULL,    -- its name in the configuration
    sid       TEXT   NOT NULL,    -- the issuer's own session
    created   BIGINT NOT NULL,
    used      BIGINT NOT NULL,
    expires   BIGINT NOT NULL,    -- whether it is used or not
    revoked   BIGINT NOT NULL,
    why       TEXT   NOT NULL,    -- it was revoked
    changed   BIGINT NOT NULL     -- version of session_state of the last change, used aside
);

CREATE INDEX sessions_changed ON sessions (changed);
CREATE INDEX sessions_principal ON sessions (principal);
CREATE INDEX sessions_tenant ON sessions (tenant);
CREATE INDEX sessions_sid ON sessions (issuer, sid);
CREATE INDEX sessions_expires ON sessions (expires);

-- What was issued to a principal or a tenant until a time is void: sessions, and tokens
-- that others signed.
CREATE TABLE session_cuts (
    kind TEXT   NOT NULL, -- "principal", "tenant"
    name TEXT   NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- What may happen once: an answer to a login, a logout token.
CREATE TABLE session_once (
    id      TEXT   PRIMARY KEY, -- SHA-256, hex
    expires BIGINT NOT NULL
);

-- Counts the changes: whoever knows all until a version reads those behind it. Every
-- change begins by counting, so that changes happen one after the other. seal is a
-- secret of all processes.
CREATE TABLE session_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  BIGINT  NOT NULL,
    seal     TEXT    NOT NULL
);
INSERT INTO session_state (only_row, version, seal) VALUES (1, 0, '');

-- +goose Down
DROP TABLE session_state;
DROP TABLE session_once;
DROP TABLE session_cuts;
DROP TABLE sessions;
