#include "src/items.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "position, id, name, quantity, created_at, updated_at"

enum statement { ADD, GET, REPLACE, REMOVE, LIST, STATEMENTS };

static const char *const statements[STATEMENTS] = {
	[ADD] = "INSERT INTO items (id, name, quantity, created_at, updated_at)"
			" VALUES (?1, ?2, ?3, ?4, ?4) RETURNING " COLUMNS,
	[GET] = "SELECT " COLUMNS " FROM items WHERE id = ?1",
	[REPLACE] = "UPDATE items SET name = ?2, quantity = ?3, updated_at = ?4 WHERE id = ?1"
				" RETURNING " COLUMNS,
	[REMOVE] = "DELETE FROM items WHERE id = ?1 RETURNING " COLUMNS,
	[LIST] = "SELECT " COLUMNS " FROM items WHERE position > ?1 ORDER BY position LIMIT ?2",
};

struct items {
	pthread_mutex_t lock;
	struct service *service;
	sqlite3 *db;
	sqlite3_stmt *prepared[STATEMENTS];
};

int items_open(struct service *service, const char *path, struct items **out, struct text *why)
{
	struct items *items = must_alloc(1, sizeof(*items));

	pthread_mutex_init(&items->lock, NULL);
	items->service = service;
	if (database_open(&service->log, path, migrations, &items->db, why) < 0) {
		free(items);
		return -1;
	}
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(items->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				&items->prepared[i], NULL) != SQLITE_OK) {
			text_addf(why, "cannot prepare a statement: %s", sqlite3_errmsg(items->db));
			items_close(items);
			return -1;
		}
	if (strcmp(path, ":memory:") == 0)
		log_event(
			&service->log, LOG_LEVEL_WARN, "items are kept in memory only: set DATABASE_PATH");
	health_report(&service->health, "database", true);
	*out = items;
	return 0;
}

void items_close(struct items *items)
{
	if (!items)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(items->prepared[i]);
	sqlite3_close(items->db);
	pthread_mutex_destroy(&items->lock);
	free(items);
}

static void read_row(sqlite3_stmt *row, struct item *item)
{
	item->position = sqlite3_column_int64(row, 0);
	snprintf(item->id, sizeof(item->id), "%s", sqlite3_column_text(row, 1));
	snprintf(item->name, sizeof(item->name), "%s", sqlite3_column_text(row, 2));
	item->quantity = sqlite3_column_int64(row, 3);
	snprintf(item->created_at, sizeof(item->created_at), "%s", sqlite3_column_text(row, 4));
	snprintf(item->updated_at, sizeof(item->updated_at), "%s", sqlite3_column_text(row, 5));
}

/* Step through the rows of a bound statement, up to `room`, and make it ready for its next use. */
static enum items_result step(
	struct items *items, sqlite3_stmt *statement, struct item *out, int room, int *count)
{
	enum items_result result = ITEMS_OK;
	int code;

	*count = 0;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		if (*count < room)
			read_row(statement, &out[(*count)++]);
	if (code != SQLITE_DONE) {
		log_event(&items->service->log, LOG_LEVEL_ERROR, "the database failed",
			LOG_STRING("detail", sqlite3_errmsg(items->db)));
		result = ITEMS_FAILED;
	}
	health_report(&items->service->health, "database", result == ITEMS_OK);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return result;
}

/* As step(), for statements that give one row or none. */
static enum items_result step_one(struct items *items, sqlite3_stmt *statement, struct item *out)
{
	enum items_result result;
	int count;

	result = step(items, statement, out, 1, &count);
	return result == ITEMS_OK && count == 0 ? ITEMS_ABSENT : result;
}

/* ADD and REPLACE have the same parameters. */
static enum items_result store(struct items *items, enum statement which, struct item *item)
{
	sqlite3_stmt *statement = items->prepared[which];
	char now[STAMP_TIME_BYTES];
	struct item stored;
	enum items_result result;

	stamp_time(now);
	pthread_mutex_lock(&items->lock);
	sqlite3_bind_text(statement, 1, item->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, item->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, item->quantity);
	sqlite3_bind_text(statement, 4, now, -1, SQLITE_STATIC);
	result = step_one(items, statement, &stored);
	pthread_mutex_unlock(&items->lock);
	if (result == ITEMS_OK)
		*item = stored;
	return result;
}

enum items_result items_add(struct items *items, struct item *item)
{
	stamp_uuid(item->id);
	return store(items, ADD, item);
}

enum items_result items_replace(struct items *items, struct item *item)
{
	return store(items, REPLACE, item);
}

static enum items_result find(
	struct items *items, enum statement which, const char *id, struct item *out)
{
	sqlite3_stmt *statement = items->prepared[which];
	enum items_result result;

	pthread_mutex_lock(&items->lock);
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	result = step_one(items, statement, out);
	pthread_mutex_unlock(&items->lock);
	return result;
}

enum items_result items_get(struct items *items, const char *id, struct item *out)
{
	return find(items, GET, id, out);
}

enum items_result items_remove(struct items *items, const char *id)
{
	struct item removed;

	return find(items, REMOVE, id, &removed);
}

enum items_result items_list(
	struct items *items, int64_t after, int room, struct item *out, int *count)
{
	sqlite3_stmt *statement = items->prepared[LIST];
	enum items_result result;

	pthread_mutex_lock(&items->lock);
	sqlite3_bind_int64(statement, 1, after);
	sqlite3_bind_int(statement, 2, room);
	result = step(items, statement, out, room, count);
	pthread_mutex_unlock(&items->lock);
	return result;
}
