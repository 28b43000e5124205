-- +goose Up

-- What audit entries can be found by. One database may hold the indexes of
-- several logs: "log" says which. Times are microseconds since 1970, UTC.
CREATE TABLE audit_entries (
    log       TEXT    NOT NULL,
    seq       BIGINT  NOT NULL,
    segment   BIGINT  NOT NULL, -- number of the file
    position  BIGINT  NOT NULL, -- of the line in it, bytes
    length    BIGINT  NOT NULL, -- of the line, newline included
    id        TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    principal TEXT    NOT NULL,
    tenant    TEXT    NOT NULL,
    model     TEXT    NOT NULL,
    action    TEXT    NOT NULL, -- of the verdict; '' before there is one
    outcome   TEXT    NOT NULL,
    status    BIGINT  NOT NULL,
    reasons   TEXT    NOT NULL, -- each with a space before and after it
    PRIMARY KEY (log, seq)
);

CREATE INDEX audit_entries_id ON audit_entries (log, id);
CREATE INDEX audit_entries_at ON audit_entries (log, at);
CREATE INDEX audit_entries_principal ON audit_entries (log, principal, seq);

-- Exchanges that were begun and have not ended.
CREATE TABLE audit_open (
    log   TEXT   NOT NULL,
    id    TEXT   NOT NULL,
    seq   BIGINT NOT NULL, -- of the beginning
    noted BIGINT NOT NULL, -- seq of the "recovered" entry that counts it; 0: none yet
    PRIMARY KEY (log, id)
);

-- The last entry that is indexed. When it is not in the segments as it is
-- here, the index belongs to another past and is made anew.
CREATE TABLE audit_progress (
    log      TEXT   NOT NULL PRIMARY KEY,
    seq      BIGINT NOT NULL,
    segment  BIGINT NOT NULL,
    position BIGINT NOT NULL,
    length   BIGINT NOT NULL,
    hash     TEXT   NOT NULL
);

-- +goose Down
DROP TABLE audit_progress;
DROP TABLE audit_open;
DROP TABLE audit_entries;
