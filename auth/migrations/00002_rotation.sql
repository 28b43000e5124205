-- +goose Up

-- The trust of a key that has scopes or nets begins with "narrowed:", which older
-- programs cannot read: they refuse the key.
-- Lists are words with a space between them; '' stands for no list.
ALTER TABLE auth_keys ADD COLUMN principal TEXT   NOT NULL DEFAULT ''; -- '': the prefix
ALTER TABLE auth_keys ADD COLUMN roles     TEXT   NOT NULL DEFAULT '';
ALTER TABLE auth_keys ADD COLUMN scopes    TEXT   NOT NULL DEFAULT ''; -- '': all that the principal may
ALTER TABLE auth_keys ADD COLUMN nets      TEXT   NOT NULL DEFAULT ''; -- '': from anywhere
ALTER TABLE auth_keys ADD COLUMN replaced  BIGINT NOT NULL DEFAULT 0;  -- by another of the same name

DROP INDEX auth_keys_name;
CREATE UNIQUE INDEX auth_keys_name ON auth_keys (name) WHERE revoked = 0 AND replaced = 0;

-- +goose Down
-- Keys that were replaced would share their name with the one that replaced them.
UPDATE auth_keys SET revoked = replaced WHERE revoked = 0 AND replaced > 0;
-- What is narrowed must not become good for everything.
UPDATE auth_keys SET revoked = created WHERE revoked = 0 AND (scopes <> '' OR nets <> '');
UPDATE auth_state SET version = version + 1;
DROP INDEX auth_keys_name;
CREATE UNIQUE INDEX auth_keys_name ON auth_keys (name) WHERE revoked = 0;
ALTER TABLE auth_keys DROP COLUMN replaced;
ALTER TABLE auth_keys DROP COLUMN nets;
ALTER TABLE auth_keys DROP COLUMN scopes;
ALTER TABLE auth_keys DROP COLUMN roles;
ALTER TABLE auth_keys DROP COLUMN principal;
