#include "chassis/database.h"

#include <stdbool.h>
#include <string.h>

static int run(sqlite3 *db, const char *sql, const char *what, struct text *why)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	text_addf(why, "%s: %s", what, sqlite3_errmsg(db));
	return -1;
}

static int get_int(sqlite3 *db, const char *sql, int *value, struct text *why)
{
	sqlite3_stmt *statement = NULL;
	int status = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW) {
		*value = sqlite3_column_int(statement, 0);
		status = 0;
	} else {
		text_addf(why, "cannot read the schema version: %s", sqlite3_errmsg(db));
	}
	sqlite3_finalize(statement);
	return status;
}

static int note(sqlite3 *db, const struct migration *migration, struct text *why)
{
	sqlite3_stmt *statement = NULL;
	int status = 0;

	if (sqlite3_prepare_v2(db, "INSERT INTO schema_migrations (version, name) VALUES (?, ?)", -1,
			&statement, NULL) != SQLITE_OK ||
		sqlite3_bind_int(statement, 1, migration->version) != SQLITE_OK ||
		sqlite3_bind_text(statement, 2, migration->name, -1, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_step(statement) != SQLITE_DONE) {
		text_addf(why, "cannot note migration %s: %s", migration->name, sqlite3_errmsg(db));
		status = -1;
	}
	sqlite3_finalize(statement);
	return status;
}

/* Inside a transaction: another instance may have applied it since we looked. */
static int apply(sqlite3 *db, const struct migration *migration, bool *applied, struct text *why)
{
	int version;

	if (get_int(db, "SELECT coalesce(max(version), 0) FROM schema_migrations", &version, why) < 0)
		return -1;
	*applied = version < migration->version;
	if (!*applied)
		return 0;
	if (run(db, migration->sql, migration->name, why) < 0)
		return -1;
	return note(db, migration, why);
}

static int migrate(struct log *log, sqlite3 *db, const struct migration *list, struct text *why)
{
	const struct migration *m = list;
	int latest = 0, version;

	for (; m->version; m++) {
		bool applied;

		if (m->version <= latest) {
			text_addf(why, "migration %s has no number of its own", m->name);
			return -1;
		}
		latest = m->version;
		if (run(db, "BEGIN IMMEDIATE", "cannot lock the database", why) < 0)
			return -1;
		if (apply(db, m, &applied, why) < 0 || run(db, "COMMIT", m->name, why) < 0) {
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return -1;
		}
		if (applied)
			log_event(log, LOG_LEVEL_INFO, "migration applied", LOG_STRING("migration", m->name));
	}
	if (get_int(db, "SELECT coalesce(max(version), 0) FROM schema_migrations", &version, why) < 0)
		return -1;
	if (version > latest) {
		text_addf(
			why, "the database has schema version %d, this program knows %d", version, latest);
		return -1;
	}
	return 0;
}

/* temp_store: the image may have no writable /tmp. */
static const char settings[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
	"PRAGMA temp_store = MEMORY;"
	"CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')))";

int database_open(struct log *log, const char *path, const struct migration *list, sqlite3 **out,
	struct text *why)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			NULL) != SQLITE_OK) {
		text_addf(why, "cannot open the database %s: %s", path,
			db ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close(db);
		return -1;
	}
	sqlite3_busy_timeout(db, 5000);
	if (run(db, settings, "cannot prepare the database", why) < 0 ||
		migrate(log, db, list, why) < 0) {
		sqlite3_close(db);
		return -1;
	}
	*out = db;
	return 0;
}
