-- +goose Up

-- Where audit entries can be found: blocks of entries that follow each other in
-- one segment. One database may hold the indexes of several logs: "log" says
-- which. Times are microseconds since 1970, UTC.
CREATE TABLE audit_blocks (
    log      TEXT   NOT NULL,
    first    BIGINT NOT NULL, -- seq of the first entry
    last     BIGINT NOT NULL, -- seq of the last one
    entries  BIGINT NOT NULL,
    segment  BIGINT NOT NULL, -- number of the file
    position BIGINT NOT NULL, -- of the first line in it, bytes
    length   BIGINT NOT NULL, -- of all lines, bytes
    since    BIGINT NOT NULL, -- the earliest time
    until    BIGINT NOT NULL, -- the latest time
    terms    TEXT   NOT NULL, -- a Bloom filter of what the entries say, base64
    PRIMARY KEY (log, first)
);

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
DROP TABLE audit_blocks;
