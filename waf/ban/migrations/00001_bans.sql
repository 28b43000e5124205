-- +goose Up

-- Times are Unix milliseconds; 0 stands for never.
CREATE TABLE ban_bans (
    scope   TEXT   NOT NULL,
    value   TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    by_whom TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    strikes BIGINT NOT NULL,
    PRIMARY KEY (scope, value)
);

CREATE INDEX ban_bans_until ON ban_bans (until);

-- Counts the changes: whoever has read the bans at this version need not read them
-- again. Every change begins by counting, so that changes happen one after the other.
CREATE TABLE ban_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  BIGINT  NOT NULL
);
INSERT INTO ban_state (only_row, version) VALUES (1, 0);

-- +goose Down
DROP TABLE ban_state;
DROP TABLE ban_bans;
