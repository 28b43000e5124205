-- +goose Up

-- What was said, under the ids of answers. Nothing here says whose it is or what
-- it was: id and owner are keyed hashes, sealed is AES-256-GCM over the texts,
-- with all other columns as associated data, in base64 behind its nonce. Times
-- are Unix milliseconds.
CREATE TABLE recall_entries (
    id      TEXT   NOT NULL PRIMARY KEY, -- of the answer
    owner   TEXT   NOT NULL,             -- the caller who got it
    sealed  TEXT   NOT NULL,
    bytes   BIGINT NOT NULL,             -- that sealed has
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

CREATE INDEX recall_entries_created ON recall_entries (created, bytes);
CREATE INDEX recall_entries_expires ON recall_entries (expires);

-- +goose Down
DROP TABLE recall_entries;
