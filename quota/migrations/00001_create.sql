-- +goose Up
CREATE TABLE quota_used (
	id      TEXT NOT NULL PRIMARY KEY, -- the limit, whose it is, and when its window began
	used    BIGINT NOT NULL,           -- in what the limit counts; of money a billionth of a dollar
	ends    BIGINT NOT NULL,           -- Unix milliseconds: of no use behind it
	updated BIGINT NOT NULL            -- Unix milliseconds
);
CREATE INDEX quota_used_updated ON quota_used (updated);
-- +goose Down
DROP TABLE quota_used;
