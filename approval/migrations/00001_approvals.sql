-- +goose Up

-- Times are Unix milliseconds; 0 stands for never.
CREATE TABLE approval_requests (
    id           TEXT   PRIMARY KEY,
    slot         TEXT   NOT NULL, -- hash of what it is for: kind, principal, conversation, digest
    state        TEXT   NOT NULL, -- "pending", "approved", "used", "denied", "expired"
    reason       TEXT   NOT NULL,
    tenant       TEXT   NOT NULL,
    principal    TEXT   NOT NULL,
    trust        TEXT   NOT NULL,
    via          TEXT   NOT NULL,
    credential   TEXT   NOT NULL,
    conversation TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    tool         TEXT   NOT NULL,
    effect       TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    rules        TEXT   NOT NULL, -- JSON
    need         TEXT   NOT NULL, -- JSON
    exchange     TEXT   NOT NULL,
    sealed       TEXT   NOT NULL, -- arguments and where they come from; '' once they are dropped
    created      BIGINT NOT NULL,
    expires      BIGINT NOT NULL, -- of what is pending or approved; of what is denied, until when it is without asking
    ended        BIGINT NOT NULL
);

-- Of one thing there is one that can still be used.
CREATE UNIQUE INDEX approval_requests_open ON approval_requests (slot) WHERE state IN ('pending', 'approved');
CREATE INDEX approval_requests_slot ON approval_requests (slot, created);
CREATE INDEX approval_requests_principal ON approval_requests (tenant, principal, created);
CREATE INDEX approval_requests_state ON approval_requests (state, expires);
CREATE INDEX approval_requests_created ON approval_requests (created, id);

CREATE TABLE approval_votes (
    approval  TEXT   NOT NULL REFERENCES approval_requests (id) ON DELETE CASCADE,
    tenant    TEXT   NOT NULL,
    principal TEXT   NOT NULL,
    via       TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    thought   BIGINT NOT NULL, -- milliseconds; 0: nobody knows
    approve   BIGINT NOT NULL, -- 0 or 1
    PRIMARY KEY (approval, tenant, principal)
);
CREATE INDEX approval_votes_principal ON approval_votes (tenant, principal, at);

-- People who approved too many.
CREATE TABLE approval_pauses (
    tenant    TEXT   NOT NULL,
    principal TEXT   NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (tenant, principal)
);

-- Values that went through an approval before: keyed hashes.
CREATE TABLE approval_known (
    hash TEXT   PRIMARY KEY,
    at   BIGINT NOT NULL
);

-- Acts whose record is still to be written: whoever leases one writes it and deletes it.
CREATE TABLE approval_acts (
    id     TEXT   PRIMARY KEY, -- in the order in which they happened
    at     BIGINT NOT NULL,
    event  TEXT   NOT NULL, -- JSON
    leased BIGINT NOT NULL
);

-- Whoever asks begins by counting, so that bounds are kept however many ask at once.
CREATE TABLE approval_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  BIGINT  NOT NULL
);
INSERT INTO approval_state (only_row, version) VALUES (1, 0);

-- +goose Down
DROP TABLE approval_state;
DROP TABLE approval_acts;
DROP TABLE approval_known;
DROP TABLE approval_pauses;
DROP TABLE approval_votes;
DROP TABLE approval_requests;
