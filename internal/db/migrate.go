package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// tableName is what a version table may be called: goose puts the name into
// its queries as it stands.
var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// Migrate brings a room's tables to their newest version. files holds goose
// migrations ("00001_create.sql") in SQL that both dialects understand; table
// is where goose remembers which have run, one for each room. Several processes
// may migrate one database at once.
func (d *DB) Migrate(ctx context.Context, files fs.FS, table string) error {
	if !tableName.MatchString(table) {
		return fmt.Errorf("migrating: %q is no name for a version table", table)
	}
	options := []goose.ProviderOption{
		goose.WithTableName(table),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	}
	dialect := goose.DialectSQLite3
	if d.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
		// Asked every second for five minutes.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return fmt.Errorf("migrating %s: %w", table, err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, d.write, files, options...)
	if err != nil {
		return fmt.Errorf("migrating %s: %w", table, err)
	}
	if err := d.up(ctx, p); err != nil {
		return fmt.Errorf("migrating %s: %w", table, err)
	}
	return nil
}

// up runs the pending migrations. SQLite has no lock that spans them: of two
// processes, one fails at a migration that the other has just run. It then
// tries again, for as long as somebody makes progress.
func (d *DB) up(ctx context.Context, p *goose.Provider) error {
	for {
		before, err := p.GetDBVersion(ctx)
		if err != nil {
			before = -1 // the version table is not there yet
		}
		_, err = p.Up(ctx)
		if err == nil || d.dialect == PostgreSQL {
			return err
		}
		after, versionErr := p.GetDBVersion(ctx)
		if versionErr != nil || after <= before {
			return errors.Join(err, versionErr)
		}
	}
}
