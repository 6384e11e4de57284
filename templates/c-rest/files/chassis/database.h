/* database.h - a SQLite file and its migrations.
 *
 * migrations/NNNN_name.sql are built into the program. Each is applied once, in order, in a
 * transaction of its own, and noted in the table schema_migrations. A file that a newer program has
 * migrated is refused. Never change a migration that has been released: add the next one. */
#pragma once

#include <sqlite3.h>

#include "chassis/log.h"
#include "chassis/text.h"

struct migration {
	int version;
	const char *name;
	const char *sql;
};

/* Made from migrations/ by the Makefile; ends with version 0. */
extern const struct migration migrations[];

/* Open (":memory:" for none on disk) and bring the schema up to date. */
int database_open(struct log *log, const char *path, const struct migration *list, sqlite3 **out,
	struct text *why);
