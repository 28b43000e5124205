-- +goose Up

-- Records of conversations, under names that only they have. Nothing here says whose
-- a conversation is or what was said in it: names are keyed hashes, and a record is
-- keyed tags of turns behind which a MAC stands, in base64. Times are Unix
-- milliseconds.
CREATE TABLE history_records (
    name    TEXT   NOT NULL PRIMARY KEY,
    record  TEXT   NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

CREATE INDEX history_records_created ON history_records (created);
CREATE INDEX history_records_expires ON history_records (expires);

-- +goose Down
DROP TABLE history_records;
